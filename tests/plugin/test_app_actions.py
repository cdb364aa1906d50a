"""What a user does on the page of calls: who may do it, what it changes, and what the log says."""

from __future__ import annotations

import html
import itertools
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow_fakes import start_informer_call
from calls_page import PAGE, Browse, is_active, release_url, submit
from campaigns_seen import PROGRESS
from sqlalchemy.exc import OperationalError

from airflow_provider_callapi.api.values.object_ids import LARGEST_ID
from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.server import Emulator
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.ledgers.sql_supervision import SqlSupervision
from airflow_provider_callapi.task_context.state_keys import PROGRESS_KEY

pytestmark = pytest.mark.needs_airflow("3.1", "pages of plugins")


@pytest.mark.parametrize("what", ["release", "campaign"])
def test_a_viewer_can_neither_release_a_call_nor_control_a_campaign(
    browse: Browse, campaigns: Any, session: int, exchange: Any, what: str
) -> None:
    fields = {"call_session_id": session, "account": "a", "campaign": "spring", "kind": "stop"}
    vera = browse("vera")

    assert vera.get(f"{PAGE}{what}", params=fields).status_code == 403
    assert vera.post(f"{PAGE}{what}", data=fields).status_code == 403
    assert campaigns.read_wish("spring") is None
    assert is_active(exchange)


@pytest.mark.parametrize("multi_team", ["False", "True"])
def test_a_release_ends_the_call_and_the_log_names_the_user(  # noqa: PLR0917 - fixtures
    browse: Browse,
    session: int,
    exchange: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    multi_team: str,
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__MULTI_TEAM", multi_team)
    caplog.set_level("INFO")
    anna = browse("anna")
    assert str(session) in anna.get(PAGE).text

    page = submit(anna, release_url(session))

    assert not is_active(exchange)
    assert "0 calls in progress" in page.text
    assert f"anna released call {session}" in page.text
    assert f"anna: released call {session} (connection callapi_default)" in caplog.text


@pytest.mark.parametrize(("session", "status"), [(LARGEST_ID, 200), (LARGEST_ID + 1, 422), (0, 422)])
def test_the_page_releases_each_session_id_that_a_list_of_calls_can_contain(
    browse: Browse, session: int, status: int
) -> None:
    answer = submit(browse("anna"), release_url(session))

    assert answer.status_code == status
    if status == 422:
        assert '<p role="alert" class="problem">The request cannot be read. call_session_id: ' in answer.text


def test_a_release_of_a_call_that_has_ended_succeeds_too(browse: Browse, session: int, exchange: Any) -> None:
    anna = browse("anna")
    submit(anna, release_url(session))

    page = submit(anna, release_url(session))

    assert page.status_code == 200
    assert "which had ended or never existed" in page.text


def test_an_action_that_the_audit_log_cannot_store_is_reported_as_done_and_not_recorded(
    browse: Browse, session: int, exchange: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, entry: Any) -> None:
        raise OperationalError("", {}, Exception("away"))

    monkeypatch.setattr("sqlalchemy.orm.Session.add", fail)

    answer = submit(browse("anna"), release_url(session))

    assert not is_active(exchange)
    assert answer.status_code == 500
    assert "Done, but not recorded" in answer.text
    assert f"anna released call {session}. The audit log does not contain this: " in answer.text


def test_a_wish_that_may_have_reached_only_some_tasks_is_in_the_audit_log(
    browse: Browse, campaigns: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, *wish: Any) -> None:
        raise CallApiTrouble("the ledger's database: away")

    monkeypatch.setattr(SqlSupervision, "write_wish", fail)
    anna = browse("anna")

    answer = submit(anna, f"{PAGE}campaign?campaign=spring&kind=stop")

    assert answer.status_code == 502
    assert "It is unknown whether" in answer.text
    assert "asked campaign spring to stop, but not all its ledgers answered" in anna.get(PAGE).text


def test_the_page_shows_the_newest_actions_of_its_own_connection_only(app: Any) -> None:
    from airflow_provider_callapi.plugin import audit

    anna = SimpleAuthManagerUser(username="anna", role="op")
    for number in range(12):
        audit.write("release", f"released call {number}", anna, connection_id="callapi_default")
    for number in range(60):
        audit.write("release", f"released call 9{number:02}", anna, connection_id="callapi_default2")
    tricky = 'released "connection_id": "callapi_default"'
    audit.write("release", tricky, anna, connection_id="callapi_other")

    newest = [action.text for action in audit.read_newest("callapi_default")]

    assert newest == [f"released call {number}" for number in range(11, 1, -1)]
    assert [action.text for action in audit.read_newest("callapi_other")] == [tricky]
    assert audit.read_newest("callapi_defaul_") == []


def test_a_release_through_changed_settings_of_the_connection_is_refused(
    browse: Browse, session: int, exchange: Any, callapi_emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account of another host can have another call with the same session id."""
    anna = browse("anna")
    (url,) = re.findall(r'href="(release[^"]*)"', anna.get(PAGE).text)
    with Emulator(Exchange()) as other:
        other.exchange.default_script = Script(rings=0, talks=None)
        other.exchange._current_switchboard()._call_ids = itertools.count(session)
        assert start_informer_call(other.exchange, "79169999999") == session
        monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", json.dumps(other.connection()))

        answer = submit(anna, PAGE + html.unescape(url))

        assert answer.status_code == 409
        assert "Open the page again" in answer.text
        assert is_active(exchange)
        assert is_active(other.exchange)
        page = anna.get(PAGE).text
        assert "7916…9999" in page
        assert "7916…4567" not in page


@pytest.mark.parametrize("kind", ["pause", "stop"])
def test_a_wish_reaches_the_campaign_and_the_audit_log_of_its_task_names_the_user(
    browse: Browse, campaigns: Any, kind: str
) -> None:
    from airflow.models.log import Log
    from airflow.utils.session import create_session
    from sqlalchemy import select

    page = submit(browse("anna"), f"{PAGE}campaign?campaign=spring&kind={kind}")

    wish = campaigns.read_wish("spring")
    assert (wish.kind, wish.by) == (WishKind(kind), "anna")
    assert f"anna asked to {kind}; the campaign has not followed yet" in page.text
    assert f"anna asked campaign spring to {kind}" in page.text
    with create_session() as session:
        entry = session.scalars(select(Log).where(Log.event == f"callapi_{kind}")).first()
        assert entry is not None
        assert (entry.owner, entry.dag_id, entry.run_id, entry.task_id) == (
            "anna",
            "marketing",
            "manual__1",
            "call",
        )


def test_a_paused_campaign_can_be_resumed(browse: Browse, campaigns: Any) -> None:
    campaigns.write_wish("spring", Wish(WishKind.PAUSE, "anna", PROGRESS.at - 1))
    campaigns.publish(replace(PROGRESS, doing="paused", why="anna paused the campaign"))
    anna = browse("anna")
    page = anna.get(PAGE).text
    assert ("Resume…" in page, "Pause…" in page) == (True, False)
    assert "Reason: anna paused the campaign" in page

    submit(anna, f"{PAGE}campaign?campaign=spring&kind=resume")

    assert campaigns.read_wish("spring").kind is WishKind.RESUME


@pytest.mark.needs_airflow("3.3", "task state")
def test_each_name_that_a_campaign_has_by_default_can_be_stopped(browse: Browse, task_states: Any) -> None:
    """The default name consists of the ids of the DAG, the task and the run, of up to 250 characters each."""
    name = ".".join(letter * 250 for letter in "dtr")
    owner = ("autumn_dag", "manual__1", "call", "-1")
    task_states("autumn_dag", {PROGRESS_KEY: replace(PROGRESS, campaign=name, owner=owner).to_json()})

    answer = submit(browse("anna"), f"{PAGE}campaign?campaign={name}&kind=stop")

    assert answer.status_code == 200
    assert "anna asked to stop" in answer.text


def test_a_campaign_of_another_connection_is_neither_shown_nor_controlled(
    browse: Browse, campaigns: Any
) -> None:
    campaigns.publish(replace(PROGRESS, connection="callapi_other"))
    anna = browse("anna")

    assert "spring" not in anna.get(PAGE).text
    answer = submit(anna, f"{PAGE}campaign?campaign=spring&kind=stop")

    assert answer.status_code == 404
    assert campaigns.read_wish("spring") is None


def test_a_campaign_is_stopped_although_an_ended_run_has_used_another_connection(
    browse: Browse, campaigns: Any
) -> None:
    owner = ("marketing", "manual__0", "call", "-1")
    for used in ("callapi_secret", ""):
        campaigns.publish(replace(PROGRESS, connection=used, owner=(*owner[:3], used), doing="over"))

    assert submit(browse("anna"), f"{PAGE}campaign?campaign=spring&kind=stop").status_code == 200
    assert campaigns.read_wish("spring").kind is WishKind.STOP


@pytest.mark.parametrize(("used", "status"), [("callapi_secret", 403), ("callapi_other", 200)])
def test_a_campaign_of_two_connections_is_stopped_by_users_who_may_edit_both(
    browse: Browse, campaigns: Any, used: str, status: int
) -> None:
    owner = ("marketing", "manual__2", "call", "-1")
    campaigns.publish(replace(PROGRESS, connection=used, owner=owner, doing="waiting"))
    anna = browse("anna")

    assert ("Stop…" in anna.get(PAGE).text) is (status == 200)
    answer = submit(anna, f"{PAGE}campaign?campaign=spring&kind=stop")

    assert answer.status_code == status
    assert ("a connection that you may not edit" in answer.text) is (status == 403)
    assert (campaigns.read_wish("spring") is None) is (status == 403)
