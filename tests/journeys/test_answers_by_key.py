"""Answers by phone key: a campaign redials by them, a DAG branches by them, and an alert takes them for an
acknowledgement. Both profiles of the emulator give the same verdicts.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow_fakes import VNUMBER, Task, TaskInstance, installed_task_state
from failing_callbacks import (
    ALL_CONTACTS,
    ON_DUTY,
    SECOND,
    SYNC_AND_ASYNC,
    THIRD,
    in_the_triggerer,
    notifier,
    of_dag,
    of_deadline,
    rung,
    without_airflows_database,
)

from airflow_provider_callapi.emulator import Profile, Script
from airflow_provider_callapi.notifications._alert import answer_wait
from airflow_provider_callapi.operators.branch import CallApiBranchOperator
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.operators.start_call import CallApiStartScenarioCallOperator

pytest_plugins = ["airflow_desk"]

MENU = 23457
"""A scenario of the emulator. The keys 1, 2, 3 lead to the operations Подтверждено, Перезвонить, Отказ."""
PEOPLE = [f"7916000{number:04}" for number in range(100)]
KEY_OF = {phone: ("1", "2", "3", "")[number % 4] for number, phone in enumerate(PEOPLE)}
"""Phone → the key that the person presses. The empty text: the person listens and presses no key."""

profiles = pytest.mark.parametrize("callapi_profile", ["document", "seen"])
REFUSED = {"scenario_operations": "parameter_component_disabled"}
refusing_profiles = pytest.mark.parametrize(
    "callapi_profile",
    [Profile.named(name).model_copy(update={"refused_fields": REFUSED}) for name in ("document", "seen")],
    ids=["document", "seen"],
)


@pytest.fixture
def menu(desk, sqlite_ledger):
    """The desk: each person presses the key in `KEY_OF`."""
    desk.exchange.account.day_limit = desk.exchange.account.minute_limit = 100_000
    for phone, key in KEY_OF.items():
        desk.exchange.script(phone, Script.presses(key))
    return desk


def campaign(desk: Any, **changes: Any) -> Task:
    options = {
        "task_id": "call",
        "campaign": "confirm",
        "contacts": [{"phone": phone} for phone in PEOPLE],
        "call": {
            "method": "start.scenario_call",
            "virtual_phone_number": VNUMBER,
            "scenario_id": MENU,
            "first_call": "contact",
        },
        "redial": {"operation:Отказ": None, "operation:Перезвонить": 3600},
        "max_attempts": 2,
        "calling_hours": None,
        "ledger_conn_id": "ledger" if installed_task_state() is None else None,
        "deferrable": False,
        **changes,
    }
    return Task(desk, lambda: CallApiCampaignOperator(**options), ti=TaskInstance())


def rings_by_key(desk: Any) -> dict[str, set[int]]:
    """Return a dict: phone key → how often the phones of the people with this key rang."""
    rings: dict[str, set[int]] = {}
    for phone, key in KEY_OF.items():
        rings.setdefault(key, set()).add(desk.exchange.rings(phone))
    return rings


# --- campaigns ---


@profiles
@pytest.mark.parametrize("ledger", [None, "ledger"], ids=["task state", "SQL"])
def test_a_campaign_redials_only_the_people_who_asked_for_it(menu, tmp_path, ledger):
    if ledger is None and installed_task_state() is None:
        pytest.skip("this Airflow has no task state")
    results = tmp_path / "results.jsonl"

    summary = campaign(menu, ledger_conn_id=ledger, results=str(results)).run()

    assert rings_by_key(menu) == {"1": {1}, "2": {2}, "3": {1}, "": {1}}
    assert summary["results"]["answered"] == 100
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert Counter(tuple(row["call_operations"]) for row in rows) == {
        ("Меню", "Подтверждено"): 25,
        ("Меню", "Перезвонить"): 25,
        ("Меню", "Отказ"): 25,
        ("Меню",): 25,
    }


def test_the_table_of_results_has_the_operations_of_each_call(menu, tmp_path):
    results = {"conn_id": "ledger", "table": "calls"}
    campaign(menu, contacts=[{"phone": PEOPLE[1]}, {"phone": PEOPLE[2]}], results=results).run()

    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db:
        rows = db.execute("SELECT person, attempt, operations FROM calls ORDER BY person, attempt").fetchall()
    assert [(person, attempt, json.loads(names)) for person, attempt, names in rows] == [
        (PEOPLE[1], 1, ["Меню", "Перезвонить"]),
        (PEOPLE[1], 2, ["Меню", "Перезвонить"]),
        (PEOPLE[2], 1, ["Меню", "Отказ"]),
    ]


@profiles
def test_operations_are_in_the_results_without_a_redial_by_them(menu, tmp_path):
    results = tmp_path / "results.csv"
    campaign(menu, contacts=[{"phone": PEOPLE[0]}], results=str(results), redial=None, operations=True).run()

    [row] = csv.DictReader(results.open(encoding="utf-8"))
    assert json.loads(row["call_operations"]) == ["Меню", "Подтверждено"]


@profiles
def test_a_tag_of_the_scenario_redials_and_stops_redials(menu):
    campaign(menu, redial={"tag:254": 60, "busy": 600}, max_attempts=3).run()

    assert rings_by_key(menu) == {"1": {3}, "2": {1}, "3": {1}, "": {1}}


@profiles
def test_a_dry_run_names_a_tag_of_the_redial_table_that_the_account_lacks(menu):
    summary = campaign(menu, redial={"tag:999": 60, "tag:254": None}, dry_run=True).run()

    assert summary["problems"] == ["The account has no tag 999."]


@profiles
def test_the_first_mark_of_the_table_that_a_call_has_decides(menu):
    campaign(menu, redial={"operation:Подтверждено": None, "operation:Меню": 60}).run()

    assert rings_by_key(menu) == {"1": {1}, "2": {2}, "3": {2}, "": {2}}


@profiles
def test_an_answered_person_is_never_redialled_without_a_mark_in_the_redial_table(menu):
    campaign(menu, redial={"busy": 1, "not_reached": 1}).run()

    assert rings_by_key(menu) == {"1": {1}, "2": {1}, "3": {1}, "": {1}}


@refusing_profiles
def test_a_service_that_refuses_the_operations_fails_no_call_and_causes_no_redial(menu):
    summary = campaign(menu).run()

    assert summary["results"]["answered"] == 100
    assert rings_by_key(menu) == {"1": {1}, "2": {1}, "3": {1}, "": {1}}


@pytest.mark.parametrize("redial", [{"operation:Перезвонить": 60}, {"tag:36": 60}])
def test_a_mark_is_refused_before_the_first_call_without_the_data_api(menu, redial):
    menu.connect(extra={"data_api": False})

    with pytest.raises(Exception, match=r"redial.* Data API.*This try placed no call"):
        campaign(menu, redial=redial).run()

    assert menu.exchange.calls == []


# --- branches ---

ROUTES = {
    "operation:Подтверждено": "confirmed",
    "operation:Перезвонить": ["later", "note"],
    "operation:Отказ": None,
}


def branch(call: dict[str, Any]) -> list[str] | None:
    with DAG("branch"):
        operator = CallApiBranchOperator(
            task_id="branch", call=call, routes=ROUTES, if_answered="no_key", if_unknown="look"
        )
        operator >> [EmptyOperator(task_id=name) for name in ("confirmed", "later", "note", "no_key", "look")]
    return operator.choose_branch({})


def scenario_call(desk: Any, contact: str, **changes: Any) -> Task:
    options = {
        "task_id": "call",
        "virtual_phone_number": VNUMBER,
        "contact": contact,
        "scenario_id": MENU,
        "first_call": "contact",
        "wait_for_completion": True,
        "operations": True,
        "deferrable": False,
        **changes,
    }
    return Task(desk, lambda: CallApiStartScenarioCallOperator(**options), ti=TaskInstance())


@profiles
def test_each_answer_takes_its_branch(menu):
    taken = {phone: branch(scenario_call(menu, phone).run()) for phone in PEOPLE}

    targets = {"1": ["confirmed"], "2": ["later", "note"], "3": None, "": ["no_key"]}
    assert taken == {phone: targets[key] for phone, key in KEY_OF.items()}
    assert rings_by_key(menu) == {"1": {1}, "2": {1}, "3": {1}, "": {1}}


@profiles
def test_a_deferred_call_returns_its_operations(menu):
    result = scenario_call(menu, PEOPLE[0], deferrable=True).run()

    assert (result["operations"], result["tags"]) == (["Меню", "Подтверждено"], [254])


@refusing_profiles
def test_a_call_whose_operations_are_refused_succeeds_and_takes_the_route_unknown(menu):
    result = scenario_call(menu, PEOPLE[0]).run()

    assert (result["answered"], result["operations"], branch(result)) == (True, None, ["look"])
    assert result["tags"] == [254]


@refusing_profiles
def test_operations_that_no_author_uses_are_not_requested(menu, caplog):
    assert scenario_call(menu, PEOPLE[0], operations=False).run()["operations"] is None
    campaign(menu, redial={"tag:36": 60}).run()

    assert "refuses" not in caplog.text


# --- alerts ---

CONFIRMED = {"scenario_id": MENU, "acknowledged_by": "operation:Подтверждено"}


@pytest.fixture
def duty(desk, monkeypatch):
    without_airflows_database(desk, monkeypatch)
    return desk


@profiles
@SYNC_AND_ASYNC
def test_an_alert_continues_until_a_person_presses_the_key(duty, ring):
    duty.exchange.script(ON_DUTY, Script.presses("3"))
    duty.exchange.script(SECOND, Script.presses("", talks=40))
    duty.exchange.script(THIRD, Script.presses("1"))
    fourth = "79160000004"

    ring(notifier([*ALL_CONTACTS, fourth], **CONFIRMED), of_dag())

    assert rung(duty) == ALL_CONTACTS


@profiles
@SYNC_AND_ASYNC
def test_a_person_who_presses_the_key_is_the_last_one_called(duty, ring):
    duty.exchange.script(ON_DUTY, Script.presses("1"))

    ring(notifier(ALL_CONTACTS, **CONFIRMED), of_dag())
    ring(notifier(ALL_CONTACTS, **CONFIRMED), of_dag())

    assert rung(duty) == [ON_DUTY]


@profiles
def test_a_report_that_comes_after_report_timeout_acknowledges_nothing(duty):
    duty.exchange.script(ON_DUTY, Script.presses("1"))
    duty.exchange.report_lag = 60.0

    notifier([ON_DUTY, SECOND], report_timeout=20, **CONFIRMED)(of_dag())
    assert rung(duty) == [ON_DUTY, SECOND]

    notifier([ON_DUTY, SECOND], report_timeout=90, quiet_for=0, **CONFIRMED)(of_dag())
    assert rung(duty) == [ON_DUTY, SECOND, ON_DUTY]


@profiles
def test_a_person_who_pressed_the_key_ends_the_alert_after_a_restart(duty, monkeypatch):
    duty.exchange.script(ON_DUTY, Script.presses("1"))
    with monkeypatch.context() as stopped:
        stopped.setattr(answer_wait, "watch_of", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            in_the_triggerer(notifier(ALL_CONTACTS, **CONFIRMED), of_deadline())
    duty.sleep(120)

    in_the_triggerer(notifier(ALL_CONTACTS, **CONFIRMED), of_deadline())

    assert rung(duty) == [ON_DUTY]


@refusing_profiles
def test_an_alert_whose_key_is_not_reported_rings_each_person_once(duty):
    duty.exchange.default_script = Script.presses("1")

    notifier(ALL_CONTACTS, **CONFIRMED)(of_dag())

    assert rung(duty) == ALL_CONTACTS
