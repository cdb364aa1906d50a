"""The table of results of a single call: one row for each attempt, in every way to wait and to end."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from airflow_fakes import CONTACT, TTS, VNUMBER, Task, installed_task_state

from airflow_provider_callapi.databases.results_table import ResultsTable
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallApiTrouble,
    CallNotAnswered,
    CallUnresolved,
)
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

pytest_plugins = ["airflow_desk", "open_connections"]

needs_task_state = pytest.mark.skipif(installed_task_state() is None, reason="task state is of Airflow 3.3")
ways = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferral"])


@pytest.fixture
def dwh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database. Return a function that runs a statement and returns its rows."""
    file = tmp_path / "dwh.sqlite"
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({"conn_type": "sqlite", "host": str(file)}))

    def run(sql: str) -> list[Any]:
        with closing(sqlite3.connect(file)) as db, db:
            return db.execute(sql).fetchall()

    return run


def task(desk: Any, **changes: Any) -> Task:
    options = {
        "task_id": "call",
        "virtual_phone_number": VNUMBER,
        "contact": CONTACT,
        "contact_message": TTS,
        "wait_for_completion": True,
        "results": {"conn_id": "dwh", "table": "calls"},
        **changes,
    }
    return Task(desk, lambda: CallApiStartInformerCallOperator(**options))


def rows(dwh: Any, columns: str = "person, attempt, status, result") -> list[Any]:
    found: list[Any] = dwh(f"SELECT {columns} FROM calls ORDER BY attempt")
    return found


@ways
def test_a_finished_call_is_one_row(desk, dwh, deferrable):
    call = task(desk, deferrable=deferrable)
    outcome = call.run()

    assert rows(dwh) == [(CONTACT, 1, "finished", "answered")]
    columns = "campaign, call_session_id, external_id, talk_seconds, contact"
    assert rows(dwh, columns) == [
        (
            f"{call.ti.dag_id}.call.{call.ti.run_id}",
            outcome["call_session_id"],
            outcome["external_id"],
            outcome["talk_seconds"],
            None,
        )
    ]


@ways
def test_no_try_leaves_a_connection_to_the_database(desk, dwh, deferrable, open_connections):
    task(desk, deferrable=deferrable).run()

    assert open_connections.opened
    assert open_connections.open == []


def test_a_call_for_whose_end_the_task_does_not_wait_stays_active(desk, dwh):
    task(desk, wait_for_completion=False).run()

    assert rows(dwh) == [(CONTACT, 1, "active", None)]


@needs_task_state
@ways
def test_a_retry_that_calls_again_writes_a_second_row(desk, dwh, deferrable):
    desk.exchange.script(CONTACT, Script.busy())
    call = task(desk, require_answer=True, deferrable=deferrable)
    with pytest.raises(CallNotAnswered):
        call.run()
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))
    call.retry()

    assert rows(dwh) == [(CONTACT, 1, "finished", "busy"), (CONTACT, 2, "finished", "answered")]


def test_the_row_of_a_refused_call_contains_the_reason(desk, dwh):
    desk.exchange.account.blacklist.add(CONTACT)
    task(desk, refused_as_result=True).run()

    assert rows(dwh, "attempt, status, result, refused_with") == [
        (1, "finished", "refused", "contact_in_blacklist")
    ]


@needs_task_state
def test_a_call_that_may_have_been_placed_is_unresolved_in_the_table(desk, dwh):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
    with pytest.raises(CallUnresolved):
        task(desk).run()

    assert rows(dwh) == [(CONTACT, 1, "finished", "unresolved")]


def test_a_table_that_cannot_be_used_fails_before_the_phone_rings(desk, dwh):
    dwh("CREATE TABLE calls (id INTEGER PRIMARY KEY)")
    with pytest.raises(CallApiFailure, match="results: connection 'dwh', table calls has no column campaign"):
        task(desk).run()

    assert desk.exchange.rings(CONTACT) == 0


@needs_task_state
@ways
def test_the_retry_only_writes_the_row_that_could_not_be_written(desk, dwh, deferrable, monkeypatch):
    call = task(desk, deferrable=deferrable)
    with monkeypatch.context() as patched:
        patched.setattr(ResultsTable, "write", _away)
        with pytest.raises(CallApiTrouble, match="a retry only writes the row"):
            call.run()
    call.retry()

    assert desk.exchange.rings(CONTACT) == 1
    assert rows(dwh) == [(CONTACT, 1, "finished", "answered")]


def test_the_log_of_a_failed_task_names_the_table_that_lacks_the_row(desk, dwh, monkeypatch, capsys):
    monkeypatch.setattr(ResultsTable, "write", _away)
    desk.exchange.account.blacklist.add(CONTACT)

    with pytest.raises(CallApiFailure, match="contact_in_blacklist"):
        task(desk).run()

    assert "The table lacks the last state of the call" in capsys.readouterr().out


@ways
def test_the_log_of_a_call_without_an_answer_states_that_its_row_is_not_up_to_date(
    desk, dwh, deferrable, monkeypatch, capsys
):
    desk.exchange.script(CONTACT, Script.busy())
    monkeypatch.setattr(ResultsTable, "write", _away_in_the_end)
    with pytest.raises(CallNotAnswered):
        task(desk, require_answer=True, deferrable=deferrable).run()

    assert "the database is away. The table lacks the last state of the call" in capsys.readouterr().out


@ways
def test_a_row_that_cannot_be_written_is_not_retried_without_a_journal(desk, dwh, deferrable, monkeypatch):
    monkeypatch.setattr(ResultsTable, "write", _away)
    with pytest.raises(CallApiFailure, match="Not retried: call session"):
        task(desk, deferrable=deferrable, durable=False).run()


def _away_in_the_end(self: Any, rows: Any, *, patient: bool) -> None:
    if patient:
        _away(self, rows, patient=patient)


def _away(self: Any, rows: Any, *, patient: bool) -> None:
    raise CallApiTrouble("results: OperationalError: the database is away")


def test_a_contact_that_cannot_be_read_after_a_deferral_costs_only_the_row(desk, dwh, capsys):
    call = task(desk, deferrable=True)
    make, made = call.make, []

    def with_another_contact() -> Any:
        made.append(make())
        made[-1].contact = CONTACT if len(made) == 1 else "12 34"
        return made[-1]

    call.make = with_another_contact

    assert call.run()["answered"] is True
    assert "the row of the call cannot be written: start.informer_call: contact: " in capsys.readouterr().out
    assert desk.exchange.rings(CONTACT) == 1
