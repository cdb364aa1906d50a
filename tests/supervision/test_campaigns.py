"""All campaigns of an Airflow, and what users ask of them."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from campaigns_seen import PROGRESS
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.ledgers.sql_supervision import open_sql_supervision
from airflow_provider_callapi.supervision import patience
from airflow_provider_callapi.supervision.campaigns import Problem, ask_campaign, list_campaigns, send_wish

pytest_plugins = ["campaigns_seen"]
pytestmark = pytest.mark.usefixtures("airflow_db")
PAUSE = Wish(WishKind.PAUSE, "anna", 1_760_000_100.0)


def names(ledgers: list[str]) -> list[tuple[str, str | None]]:
    return [(seen.progress.campaign, seen.ledger_conn_id) for seen in list_campaigns(ledgers).found]


def test_a_campaign_with_a_sql_ledger_is_listed_and_paused(ledger: Any) -> None:
    (asked,) = ask_campaign("spring", PAUSE, ["ledger"])

    assert asked.progress.owner == ("marketing", "manual__1", "call", "-1")
    assert ledger.read_wish("spring") == PAUSE
    (seen,) = [seen for seen in list_campaigns(["ledger"]).found if seen.ledger_conn_id]
    assert (seen.progress.campaign, seen.wish) == ("spring", PAUSE)


def test_the_configuration_names_ledgers(ledger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CALLAPI__LEDGER_CONN_IDS", " ledger, ")
    assert ("spring", "ledger") in names([])


@pytest.mark.needs_airflow("3.3", "task state")
def test_campaigns_in_task_state_are_listed_newest_first_and_paused(ledger: Any, autumn: Any) -> None:
    assert names(["ledger"]) == [("autumn", None), ("spring", "ledger")]

    ask_campaign("autumn", PAUSE, ["ledger"])

    found = {seen.progress.campaign: seen.wish for seen in list_campaigns(["ledger"]).found}
    assert found == {"autumn": PAUSE, "spring": None}


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_wish_goes_to_the_running_task_and_not_to_a_finished_one(autumn: Any) -> None:
    owner = ("last_year", "manual__1", "call", "-1")
    over = replace(PROGRESS, campaign="autumn", owner=owner, doing="over")
    autumn("last_year", {"callapi_campaign_progress": over.to_json()})

    (asked,) = ask_campaign("autumn", PAUSE)

    assert asked.progress.owner[0] == "autumn_dag"


@pytest.mark.needs_airflow("3.3", "task state")
def test_task_state_names_the_ledgers_of_campaigns(ledger: Any, task_states: Any) -> None:
    task_states("marketing", {"callapi_campaign_which": {"ledger_conn_id": "ledger"}})
    assert names([]) == [("spring", "ledger")]


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_task_state_that_cannot_be_read_hides_no_other_campaign(autumn: Any) -> None:
    autumn("strange_dag", {"callapi_campaign_progress": {"__external_ref__": "s3://…"}})
    assert names([]) == [("autumn", None)]


def test_a_waiting_campaign_is_stopped_although_many_others_have_finished_since(
    ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A campaign that waits in the triggerer publishes nothing until it continues."""
    monkeypatch.setattr("airflow_provider_callapi.ledgers.sql_supervision._LISTED", 2)
    for run in range(3):
        owner = ("dag", str(run), "call", "-1")
        ledger.publish(replace(PROGRESS, campaign=f"{run}", owner=owner, doing="over", at=PROGRESS.at + 60))

    assert "spring" in [name for name, _ in names(["ledger"])]
    assert [seen.progress.campaign for seen in ask_campaign("spring", PAUSE, ["ledger"])] == ["spring"]


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_waiting_campaign_in_task_state_is_found_although_many_others_have_finished_since(
    autumn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_callapi.supervision.task_states._NEWEST", 2)
    for number in range(3):
        over = replace(PROGRESS, campaign=f"{number}", doing="over")
        autumn(f"dag_{number}", {"callapi_campaign_progress": over.to_json()})

    assert ("autumn", None) in names([])


def test_a_wish_that_cannot_be_read_hides_no_campaign(ledger: Any) -> None:
    ledger.publish(replace(PROGRESS, campaign="winter", owner=("dag", "run", "call", "-1")))
    ledger.write_wish("winter", PAUSE)
    with ledger._engine.begin() as db:
        db.execute(text("UPDATE callapi_campaign_wish SET kind = 'slower'"))

    assert sorted(names(["ledger"])) == [("spring", "ledger"), ("winter", "ledger")]
    (problem,) = list_campaigns(["ledger"]).problems
    assert problem.text.startswith("ledger ledger: the wish for campaign 'winter': ")

    ask_campaign("winter", PAUSE, ["ledger"])
    assert ledger.read_wish("winter") == PAUSE


def test_the_error_about_an_unknown_name_lists_the_known_names(ledger: Any) -> None:
    with pytest.raises(CallApiFailure, match=r"no campaign is named 'sprung'. Known campaigns: .*spring"):
        ask_campaign("sprung", PAUSE, ["ledger"])
    assert ledger.read_wish("sprung") is None


def test_a_ledger_that_cannot_be_read_is_named_and_hides_no_other_ledger(ledger: Any) -> None:
    campaigns = list_campaigns(["ledger", "missing"])

    assert [seen.progress.campaign for seen in campaigns.found if seen.ledger_conn_id] == ["spring"]
    assert len(campaigns.problems) == 1
    assert campaigns.problems[0].ledger_conn_id == "missing"
    assert "missing" in campaigns.problems[0].text


def test_only_sql_ledgers_are_read_without_the_metadata_database(
    ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(key: str) -> Any:
        raise RuntimeError("Direct database access via the ORM is not allowed in Airflow 3.0")

    monkeypatch.setattr("airflow_provider_callapi.supervision.task_states.read_values", refuse)

    assert names(["ledger"]) == [("spring", "ledger")]
    ask_campaign("spring", PAUSE, ["ledger"])
    assert ledger.read_wish("spring") == PAUSE


def test_a_metadata_database_that_does_not_answer_hides_no_sql_ledger(
    ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(key: str) -> Any:
        raise CallApiTrouble("Airflow's metadata database: OperationalError: away")

    monkeypatch.setattr("airflow_provider_callapi.supervision.task_states.read_values", fail)

    assert names(["ledger"]) == [("spring", "ledger")]
    problem = Problem("Airflow's metadata database: OperationalError: away", None)
    assert list_campaigns(["ledger"]).problems == [problem]


def test_a_silent_ledger_is_named_and_delays_no_stop_of_another_campaign_for_long(
    ledger: Any, silent_ledger: str
) -> None:
    ledgers = ["ledger", silent_ledger]

    ask_campaign("spring", PAUSE, ledgers)

    assert ledger.read_wish("spring") == PAUSE
    assert names(ledgers) == [("spring", "ledger")]
    (problem,) = list_campaigns(ledgers).problems
    assert problem == Problem(
        f"ledger {silent_ledger}: the database does not answer within 0.5 s", silent_ledger
    )


def test_a_ledger_whose_statement_was_lost_is_asked_again_after_a_minute(
    ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, asked, now = threading.Event(), [], [0.0]
    monkeypatch.setattr(system_clock, "monotonic", lambda: now[0])
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.05)

    def ask(name: str) -> str:
        asked.append(now[0])
        if len(asked) < 3:
            lost.wait(30)
        return "an answer"

    def look(at: float) -> bool:
        now[0] = at
        answers, _ = patience.ask_each(["a ledger"], ask)
        time.sleep(0.1)  # a thread that waits for its turn ends
        return bool(answers)

    looks = {at: look(at) for at in (0.0, 59.0, 60.0, 61.0, 180.0, 181.0, 182.0, 183.0)}
    lost.set()

    assert asked == [0.0, 61.0, 182.0, 183.0]
    assert [at for at, is_answered in looks.items() if is_answered] == [182.0, 183.0]


def test_a_silent_ledger_holds_one_thread_however_often_it_is_read(ledger: Any, silent_ledger: str) -> None:
    for _ in range(3):
        list_campaigns([silent_ledger])
    time.sleep(0.6)  # the threads that have waited for their turn end

    assert [thread.name for thread in threading.enumerate()].count(f"callapi-{silent_ledger}") == 1


def test_a_wish_that_a_ledger_cannot_store_reaches_the_other_ledgers(
    ledger: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", f"sqlite:///{tmp_path}/broken.sqlite")
    other = open_sql_supervision("broken")
    other.publish(PROGRESS)
    asked = list_campaigns(["broken", "ledger"], "spring").found
    with other._engine.begin() as db:
        db.execute(text("DROP TABLE callapi_campaign_wish"))
        db.execute(text("CREATE VIEW callapi_campaign_wish AS SELECT 1"))

    with pytest.raises(CallApiTrouble, match=r"It is unknown .* ledger broken: "):
        send_wish("spring", PAUSE, asked)

    assert ledger.read_wish("spring") == PAUSE
    other.close()


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_wish_that_task_state_cannot_store_reaches_the_sql_ledgers(
    ledger: Any, autumn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.state.metastore import MetastoreBackend

    def fail(*given: Any, **named: Any) -> None:
        raise OperationalError("", {}, Exception("79260000001 is away"))

    asked = list_campaigns(["ledger"]).found
    monkeypatch.setattr(MetastoreBackend, "set", fail)

    with pytest.raises(
        CallApiTrouble, match=r"It is unknown .*: Airflow's metadata database: .* is away"
    ) as error:
        send_wish("spring", PAUSE, asked)

    assert "79260000001" not in str(error.value)
    assert ledger.read_wish("spring") == PAUSE
