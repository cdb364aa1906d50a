"""A campaign writes a row for each attempt into a table of the authors, while it runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow_fakes import PHONE, Task, TaskInstance
from campaign_desk import PEOPLE, KilledError, campaign, kill_the_worker, rung
from campaign_tables import CALLS, QUERY, table

from airflow_provider_callapi.databases import table_writer
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble

pytest_plugins = ["airflow_desk", "campaign_desk", "campaign_tables"]


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


def test_the_table_has_a_row_for_each_attempt_and_a_clear_changes_no_row(desk, dwh):
    desk.exchange.script(PEOPLE[0], Script.busy())
    calls = campaign(desk, contacts=QUERY, results=CALLS, redial={"busy": 60}, max_attempts=2)
    calls.run()
    before = table(dwh, "*")
    calls.clear()

    assert table(dwh) == [
        (PEOPLE[0], 1, "busy"),
        (PEOPLE[0], 2, "busy"),
        *((phone, 1, "answered") for phone in PEOPLE[1:]),
    ]
    assert table(dwh, "*") == before
    ((contact, row, campaign_name),) = dwh(
        "SELECT contact, list_row, campaign FROM calls WHERE person = ?", PEOPLE[7]
    )
    assert (json.loads(contact), row, campaign_name) == ({"phone": PEOPLE[7], "name": "Anna"}, 8, "spring")


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("other", [{"dag_id": "other"}, {"run_id": "next"}, {"task_id": "other"}])
@pytest.mark.parametrize("external_id", [None, "order-{{ contact.name }}"])
def test_no_campaign_replaces_the_rows_of_another_one_with_its_name(desk, dwh, other, external_id):
    call = {**campaign(desk).make().call, **({"external_id": external_id} if external_id else {})}
    options: dict[str, Any] = {"results": CALLS, "call": call}
    contacts = [{"phone": phone, "name": f"Anna {number}"} for number, phone in enumerate(PEOPLE[:2])]
    campaign(desk, contacts=contacts, **options).run()
    before = table(dwh, "*")

    calls = campaign(desk, contacts=[PEOPLE[5], *contacts], ti=TaskInstance(**other), **options)
    with pytest.raises(
        CallApiFailure, match=r"results: .* 2 people of this list \(such as row 2\)"
    ) as failure:
        calls.run()

    assert not PHONE.search(str(failure.value))
    assert table(dwh, "*") == before
    assert len(desk.exchange.calls) == 2


def test_campaigns_with_a_common_sql_ledger_write_to_one_table(desk, dwh):
    for dag_id in ("first", "second"):
        ti = TaskInstance(dag_id=dag_id)
        contacts = PEOPLE[:2] if dag_id == "first" else PEOPLE[1:3]
        campaign(desk, contacts=contacts, results=CALLS, ledger_conn_id="ledger", ti=ti).run()

    assert table(dwh) == [(phone, 1, "answered") for phone in PEOPLE[:3]]


def test_campaigns_with_one_name_and_different_people_write_to_one_table(desk, dwh):
    for number, dag_id in enumerate(("first", "second")):
        campaign(desk, contacts=[PEOPLE[number]], results=CALLS, ti=TaskInstance(dag_id=dag_id)).run()

    assert table(dwh) == [(phone, 1, "answered") for phone in PEOPLE[:2]]


def test_people_and_rows_without_a_call_are_in_the_table_too(desk, dwh):
    contacts = [*PEOPLE[:2], {"phone": "no number"}, PEOPLE[0]]
    campaign(desk, contacts=contacts, do_not_call=[PEOPLE[1]], results=CALLS).run()

    assert table(dwh, "person, attempt, result, why IS NULL") == [
        (PEOPLE[0], 1, "answered", 1),
        (PEOPLE[1], 0, "do_not_call", 1),
        ("row 3", 0, "invalid", 0),
        ("row 4", 0, "duplicate", 0),
    ]


@pytest.mark.parametrize("other", [{"dag_id": "second"}, {"run_id": "tomorrow"}])
def test_rows_without_a_call_stay_when_another_task_or_run_with_the_name_calls_the_person(desk, dwh, other):
    first = campaign(
        desk, contacts=[PEOPLE[0], "no number", PEOPLE[1]], do_not_call=[PEOPLE[1]], results=CALLS
    )
    first.run()
    before = table(dwh, "person, attempt, result, task")
    contacts = [PEOPLE[1], PEOPLE[2], "no number", PEOPLE[3]]
    second = campaign(
        desk, contacts=contacts, do_not_call=[PEOPLE[3]], results=CALLS, ti=TaskInstance(**other)
    )
    second.run()
    both = table(dwh, "person, attempt, result, task")

    assert set(before) < set(both)
    assert [(person, number) for person, number, *_ in both if number == 0] == [
        (PEOPLE[1], 0),
        (PEOPLE[3], 0),
        ("row 2", 0),
        ("row 3", 0),
    ]
    second.clear()
    assert table(dwh, "person, attempt, result, task") == both


def test_mapped_campaigns_with_one_name_keep_the_rows_of_each_list(desk, dwh):
    for index in range(2):
        calls = campaign(desk, contacts=[PEOPLE[index], "no number", PEOPLE[index]], results=CALLS)
        calls.ti.map_index = index
        calls.run()

    assert [person for person, attempt, _ in table(dwh) if not attempt] == [
        "row 2 of list 0",
        "row 2 of list 1",
        "row 3 of list 0",
        "row 3 of list 1",
    ]


@pytest.mark.parametrize(("map_index", "position"), [(-1, "row 3"), (4, "row 3 of list 4")])
def test_a_corrected_entry_of_the_list_replaces_its_old_row_after_a_clear(desk, dwh, map_index, position):
    contacts = [PEOPLE[0], "no number", PEOPLE[0]]
    calls = campaign(desk, contacts=contacts, results=CALLS)
    calls.ti.map_index = map_index
    calls.run()
    contacts[1] = PEOPLE[1]
    calls.clear()

    assert table(dwh) == [
        (PEOPLE[0], 1, "answered"),
        (PEOPLE[1], 1, "answered"),
        (position, 0, "duplicate"),
    ]


@pytest.mark.parametrize("row", [{("name", "first"): "Anna"}, {"names": [{b"first": "Anna"}]}])
def test_a_row_that_no_result_could_contain_is_refused_before_the_first_call(desk, dwh, row):
    with pytest.raises(CallApiFailure, match="contacts, row 2: the name of a column is neither a text nor"):
        campaign(desk, contacts=[{"phone": PEOPLE[0]}, {"phone": PEOPLE[1], **row}], results=CALLS).run()

    assert rung(desk) == []


def test_the_shards_of_a_list_have_the_rows_of_the_whole_list(desk, dwh):
    for index in range(2):
        calls = campaign(
            desk, contacts=[*PEOPLE, "no number", PEOPLE[0]], shard=f"{index + 1}/2", results=CALLS
        )
        calls.ti.map_index = index
        calls.run()

    assert [person for person, attempt, _ in table(dwh) if not attempt] == ["row 13", "row 14"]


def test_the_table_grows_while_the_campaign_runs(desk, dwh, monkeypatch):
    monkeypatch.setattr(table_writer, "_PAUSE", 0.01)
    seen: list[int] = []
    for second in range(60, 400, 20):
        desk.at.append(
            (desk.clock() + second, lambda: seen.append(_rows_soon(dwh, len(desk.exchange.calls))))
        )
    campaign(desk, contacts=QUERY, results=CALLS, max_active_calls=1).run()

    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= 12


def _rows_soon(dwh: Any, calls: int) -> int:
    """Return how many rows the table has, as soon as it has a row for each call."""
    import time

    until = time.monotonic() + 60
    while (rows := len(table(dwh))) < calls and time.monotonic() < until:
        time.sleep(0.01)
    return rows


def test_a_table_that_cannot_be_used_fails_before_the_first_call(desk, dwh):
    dwh("CREATE TABLE calls (id INTEGER PRIMARY KEY)")

    with pytest.raises(CallApiFailure, match="results: connection 'dwh', table calls has no column campaign"):
        campaign(desk, contacts=QUERY, results=CALLS).run()
    assert rung(desk) == []


def test_a_database_that_is_away_for_a_while_delays_no_call_and_loses_no_row(desk, dwh, monkeypatch, capsys):
    monkeypatch.setattr(table_writer, "_PAUSE", 0.01)
    table_class = table_writer.ResultsTable
    write, patience = table_class.write, []

    def write_late(self: Any, rows: Any, *, patient: bool) -> None:
        if not patient:
            raise CallApiTrouble("results: OperationalError: the database is away")
        patience.append(len(desk.exchange.calls))
        write(self, rows, patient=patient)

    monkeypatch.setattr(table_class, "write", write_late)
    campaign(desk, contacts=QUERY, results=CALLS).run()

    assert rung(desk) == PEOPLE
    assert set(patience) == {12}
    assert table(dwh) == [(phone, 1, "answered") for phone in PEOPLE]
    assert capsys.readouterr().out.count("the database is away") <= 1


def test_results_that_cannot_be_written_fail_the_task_and_a_retry_only_writes(desk, dwh, monkeypatch):
    table_class = table_writer.ResultsTable
    with monkeypatch.context() as patched:
        patched.setattr(table_class, "write", _away)
        calls = campaign(desk, contacts=QUERY, results=CALLS)
        with pytest.raises(CallApiTrouble, match="All calls are over: a retry only writes the results"):
            calls.run()
    calls.retry()

    assert rung(desk) == PEOPLE
    assert table(dwh) == [(phone, 1, "answered") for phone in PEOPLE]


def _away(self: Any, rows: Any, *, patient: bool) -> None:
    raise CallApiTrouble("results: OperationalError: the database is away")


def test_the_table_agrees_with_the_exchange_after_a_kill(desk, dwh):
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call", times=3)
    calls = campaign(desk, contacts=QUERY, results=CALLS, max_active_calls=2)
    desk.at.append((desk.clock() + 60, kill_the_worker))
    with pytest.raises(KilledError):
        calls.run()
    calls.retry()

    assert sorted(dwh("SELECT person, call_session_id FROM calls WHERE attempt > 0")) == sorted(
        (call.contact, call.call_session_id) for call in desk.exchange.calls
    )


def test_waits_in_the_triggerer_do_not_change_the_table(desk, dwh):
    calls: Task = campaign(desk, contacts=QUERY, results=CALLS, deferrable=True)
    calls.run()

    assert calls.deferrals
    assert table(dwh) == [(phone, 1, "answered") for phone in PEOPLE]


def test_a_dry_run_writes_no_row(desk, dwh):
    campaign(desk, contacts=QUERY, results=CALLS, dry_run=True).run()

    assert table(dwh) == []
