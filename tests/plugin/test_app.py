"""The page of calls: who sees what, who may do what, and what it costs."""

from __future__ import annotations

import asyncio
import hashlib
import html
import itertools
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
import httpx
import pytest
import time_machine
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.providers.common.compat.sdk import conf
from airflow_fakes import start_informer_call
from campaigns_seen import PROGRESS
from fastapi.testclient import TestClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.exc import OperationalError

from airflow_provider_callapi.api.values.object_ids import LARGEST_ID
from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.calls.single_call.call_journal import RECORD_KEY
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.server import Emulator
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.ledgers.sql_supervision import SqlSupervision
from airflow_provider_callapi.plugin.connections import account_mark
from airflow_provider_callapi.supervision.tasks import PollingTask
from airflow_provider_callapi.task_context.state_keys import PROGRESS_KEY

pytestmark = pytest.mark.needs_airflow("3.1", "pages of plugins")

PAGE = "/callapi_default/"
CONTACT = "79161234567"
Browse = Callable[[str | None], Any]


@pytest.fixture
def session(exchange: Any) -> int:
    """Return the session id of a call that lasts until it is released."""
    exchange.default_script = Script(rings=0, talks=None)
    return start_informer_call(exchange, CONTACT, external_id=f"order of {CONTACT}")


@pytest.fixture
def campaigns(ledger: Any, session: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Publish the campaign ``spring``, to which the active call belongs."""
    monkeypatch.setenv("AIRFLOW__CALLAPI__LEDGER_CONN_IDS", "ledger")
    ledger.publish(replace(PROGRESS, sessions=(session,)))
    return ledger


def looks(exchange: Any) -> int:
    return sum(entry.kind == "request" and entry.method == "list.calls" for entry in exchange.journal)


def is_active(exchange: Any) -> bool:
    return any(call.ended_at is None for call in exchange.calls)


def release_fields(session: int) -> dict[str, Any]:
    """Return the fields of the form that releases a call, without the token."""
    return {"call_session_id": session, "account": account_mark(CallApiHook().settings)}


def release_url(session: int) -> str:
    """Return the address behind the button *Release…* of a call."""
    return f"{PAGE}release?{urlencode(release_fields(session))}"


def submit(browser: Any, url: str, **changes: Any) -> Any:
    """Open the page that asks for a confirmation, and submit its form."""
    form = browser.get(url)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.text))
    return browser.post(url.partition("?")[0], data={**fields, **changes})


# --- who sees what ---


def test_an_operator_sees_calls_campaigns_points_and_buttons(
    browse: Browse, campaigns: Any, session: int
) -> None:
    page = browse("anna").get(PAGE)

    assert page.status_code == 200
    for text in (
        "1 call in progress",
        str(session),
        "7916…4567",
        "contact: Разговор",
        "campaign spring",
        "/dags/marketing/runs/manual__1/tasks/call",
        "50 of 200 people (25 %)",
        "25.0 people a minute",
        "busy",
        "left; new points in",
        "Release…",
        "Pause…",
        "Stop…",
    ):
        assert text in page.text, text
    assert "Resume…" not in page.text


def test_a_viewer_sees_no_button_and_no_number(browse: Browse, campaigns: Any, session: int) -> None:
    page = browse("vera").get(PAGE)

    assert page.status_code == 200
    assert str(session) in page.text
    assert "…</a>" not in page.text
    assert "<form" not in page.text
    assert "<button" not in page.text


@pytest.mark.parametrize("name", ["anna", "vera"])
def test_the_page_has_no_complete_number_and_no_secret(
    browse: Browse, campaigns: Any, exchange: Any, name: str
) -> None:
    text = browse(name).get(PAGE).text

    assert CONTACT not in text
    for secret in (exchange.account.key, exchange.account.password, "the key of this test"):
        assert secret not in text


@pytest.mark.parametrize(
    "url", [PAGE, f"{PAGE}release?call_session_id=1&account=a", f"{PAGE}campaign?campaign=spring&kind=stop"]
)
def test_a_user_without_the_right_is_refused(browse: Browse, exchange: Any, url: str) -> None:
    assert browse(None).get(url).status_code == 401
    assert browse("nora").get(url).status_code == 403
    assert looks(exchange) == 0


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


def test_the_short_address_leads_to_the_default_connection(browse: Browse) -> None:
    assert browse("anna").get("/").url.path == PAGE


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("user", 403), ("op", 200), ("admin", 200)])
def test_the_rights_are_those_of_airflows_auth_manager(
    app: Any, role: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simple auth manager lets only the roles op and admin read connections."""
    monkeypatch.undo()
    monkeypatch.setenv(
        "AIRFLOW__API_AUTH__JWT_SECRET", "a secret with the length that the algorithm needs " * 2
    )
    manager = create_auth_manager()
    token = manager.generate_jwt(SimpleAuthManagerUser(username="anna", role=role))

    with TestClient(app, cookies={"_token": token}) as browser:
        assert browser.get(PAGE).status_code == status
    with TestClient(app, cookies={"_token": "forged"}) as browser:
        assert browser.get(PAGE).status_code == 403


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(("used", "shown"), [("callapi_default", True), ("callapi_other", False)])
def test_a_call_is_linked_only_to_a_task_of_the_shown_connection(
    browse: Browse, session: int, task_states: Any, used: str, shown: bool
) -> None:
    task_states("reminders", {RECORD_KEY: {"connection": used, "call": {"call_session_id": session}}})

    assert ("reminders" in browse("vera").get(PAGE).text) is shown


def test_only_the_tasks_of_the_shown_connection_poll_on_its_page(
    browse: Browse, no_other_campaigns: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [
        PollingTask((f"dag_of_{used}", "run", "call", "-1"), "CallApiCampaignOperator", "deferred", used)
        for used in ("callapi_default", "callapi_other", None)
    ]
    monkeypatch.setattr("airflow_provider_callapi.plugin.database.list_polling_tasks", lambda: tasks)

    page = browse("vera").get(PAGE).text

    assert set(re.findall(r"dag_of_\w+", page)) == {"dag_of_callapi_default", "dag_of_None"}


def test_the_page_names_no_dag_that_the_user_may_not_read(
    browse: Browse, campaigns: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        SimpleAuthManager,
        "is_authorized_dag",
        lambda self, *, method, user, access_entity=None, details=None: details.id != "marketing",
    )

    page = browse("vera").get(PAGE).text

    assert "50 of 200 people" in page
    assert "marketing" not in page
    assert "a task of a DAG that you may not read" in page


@pytest.mark.parametrize("ledger_id", ["callapi_secret", "missing_ledger"])
def test_a_problem_of_a_ledger_is_explained_to_readers_of_its_connection(
    browse: Browse, campaigns: Any, monkeypatch: pytest.MonkeyPatch, ledger_id: str
) -> None:
    monkeypatch.setenv("AIRFLOW__CALLAPI__LEDGER_CONN_IDS", ledger_id)

    page = browse("vera").get(PAGE).text

    assert (f"ledger {ledger_id}: " in page) is (ledger_id != "callapi_secret")
    assert ("A ledger, whose connection you may not read, cannot be read." in page) is (
        ledger_id == "callapi_secret"
    )
    assert ledger_id in page or ledger_id == "callapi_secret"


# --- what a user does ---


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


def token_of(form: Any) -> str:
    """Return the token in the page that asks for a confirmation."""
    (token,) = re.findall(r'name="token" value="([^"]+)"', form.text)
    return token


@pytest.mark.parametrize(
    "token", ["", "forged", "a.b.c", "9999999999.00", "жетон", "of Airflow", "of another user"]
)
def test_a_form_of_another_site_or_user_is_refused(
    browse: Browse, session: int, exchange: Any, token: str
) -> None:
    if token == "of another user":
        token = token_of(browse("olga").get(release_url(session)))
    if token == "of Airflow":  # Airflow signs other things with the same key
        sha256 = {"digest_method": hashlib.sha256}
        token = URLSafeTimedSerializer(conf.get("api", "secret_key"), signer_kwargs=sha256).dumps("anna")

    answer = browse("anna").post(f"{PAGE}release", data={**release_fields(session), "token": token})

    assert answer.status_code == 403
    assert "Open the page again" in answer.text
    assert is_active(exchange)


@pytest.mark.parametrize(("hours", "status"), [(11.9, 200), (12.1, 403)])
def test_a_form_is_valid_for_twelve_hours(
    browse: Browse, session: int, exchange: Any, hours: float, status: int
) -> None:
    anna = browse("anna")
    with time_machine.travel(time.time() - hours * 3600):
        token = token_of(anna.get(release_url(session)))

    answer = anna.post(f"{PAGE}release", data={**release_fields(session), "token": token})

    assert answer.status_code == status
    assert is_active(exchange) is (status == 403)


# --- what it costs ---


def test_ten_viewers_cause_one_look_and_no_viewer_causes_no_look(
    browse: Browse, session: int, exchange: Any
) -> None:
    browsers = [browse("vera") for _ in range(10)]
    before = looks(exchange)
    assert before == 0

    with ThreadPoolExecutor(10) as pool:
        pages = list(pool.map(lambda browser: browser.get(PAGE).text, browsers))

    assert all(str(session) in page for page in pages)
    assert looks(exchange) == 1


def test_the_files_of_the_page_cost_no_look(browse: Browse, exchange: Any) -> None:
    for name in ("page.css", "page.js"):
        assert browse(None).get(f"/static/{name}").status_code == 200
    assert looks(exchange) == 0


# --- when the service is away ---


def test_the_page_shows_the_stored_progress_while_the_service_is_away(
    browse: Browse, campaigns: Any, connection: Any
) -> None:
    connection(host="http://127.0.0.1", port=9)

    page = browse("vera").get(PAGE)

    assert page.status_code == 200
    assert "The API server cannot poll the active calls: " in page.text
    assert "50 of 200 people" in page.text


def test_a_silent_ledger_is_named_and_takes_no_thread_of_the_server(
    browse: Browse, campaigns: Any, silent_ledger: str, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's API server runs each of its other endpoints in one of its 40 threads."""
    monkeypatch.setenv("AIRFLOW__CALLAPI__LEDGER_CONN_IDS", f"ledger,{silent_ledger}")
    monkeypatch.setattr("airflow_provider_callapi.supervision.patience.LONGEST_WAIT", 2.0)
    cookies = {"Cookie": "user=anna"}

    async def watch() -> tuple[list[Any], float]:
        limiter = anyio.to_thread.current_default_thread_limiter()
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://calls", headers=cookies) as client:
            viewers = [asyncio.create_task(client.get(PAGE)) for _ in range(60)]
            await asyncio.sleep(1)
            held = limiter.borrowed_tokens
            return await asyncio.gather(*viewers), held

    browse("anna")
    pages, held = asyncio.run(watch())

    assert held == 0
    for page in pages:
        assert f"ledger {silent_ledger}: the database does not answer" in page.text
        assert "50 of 200 people" in page.text


def test_a_release_that_fails_is_explained_and_not_logged_as_done(
    browse: Browse, session: int, connection: Any
) -> None:
    connection(password="wrong")
    anna = browse("anna")

    answer = submit(anna, release_url(session))

    assert answer.status_code == 502
    assert 'role="alert"' in answer.text
    assert f"released call {session}" not in anna.get(PAGE).text


def test_a_connection_that_does_not_exist_is_named(browse: Browse) -> None:
    page = browse("anna").get("/missing/")
    assert "missing" in page.text
    assert "cannot poll the active calls" in page.text


# --- safety of the HTML ---


@pytest.mark.parametrize(
    "url", [PAGE, "/static/page.js", f"{PAGE}release?call_session_id=1&account=a", "/nowhere"]
)
def test_every_answer_forbids_inline_scripts_and_foreign_frames(browse: Browse, url: str) -> None:
    headers = browse("anna").get(url).headers

    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_the_html_has_no_inline_script_style_or_foreign_address(browse: Browse, campaigns: Any) -> None:
    text = browse("anna").get(PAGE).text

    assert re.findall(r"<script(?! src=\"\.\./static/)", text) == []
    assert re.findall(r"\son\w+=|\sstyle=|<style|https?://", text) == []


def test_text_from_outside_is_escaped(browse: Browse, campaigns: Any, exchange: Any) -> None:
    evil = "<script>alert(1)</script>"
    start_informer_call(exchange, "79160000001", external_id=evil)
    campaigns.publish(replace(PROGRESS, campaign=evil, why=evil, results={evil: 1}, doing="paused"))

    text = browse("anna").get(PAGE).text

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
