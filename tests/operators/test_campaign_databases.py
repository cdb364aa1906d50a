"""A campaign between two tables: contacts and exclusions by queries, results as rows while it runs."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException, Asset
from airflow_fakes import PHONE, VNUMBER, Task, TaskInstance
from campaign_desk import PEOPLE, KilledError, campaign, in_seconds, rung
from open_connections import OpenConnections

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.errors import InvalidParameters, TransportError
from airflow_provider_callapi.databases import table_writer
from airflow_provider_callapi.emulator import Fault, Profile, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, InvalidParameter
from airflow_provider_callapi.operators._campaign import parts as campaign_parts
from airflow_provider_callapi.operators._campaign import run as campaign_run
from airflow_provider_callapi.operators._campaign.blacklist import BlacklistWriter

pytest_plugins = ["airflow_desk", "campaign_desk", "open_connections"]

QUERY = {"conn_id": "dwh", "sql": "SELECT phone, name FROM people"}
CALLS = {"conn_id": "dwh", "table": "calls"}


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


@pytest.fixture
def dwh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database with twelve people. Return a function that runs a statement and returns its rows."""
    file = tmp_path / "dwh.sqlite"
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({"conn_type": "sqlite", "host": str(file)}))

    def run(sql: str, *parameters: Any) -> list[Any]:
        with closing(sqlite3.connect(file)) as db, db:
            return db.execute(sql, parameters).fetchall()

    run("CREATE TABLE people (phone TEXT, name TEXT)")
    run("CREATE TABLE objections (phone TEXT)")
    for phone in PEOPLE:
        run("INSERT INTO people VALUES (?, 'Anna')", phone)
    return run


def table(dwh: Any, columns: str = "person, attempt, result") -> list[Any]:
    rows: list[Any] = dwh(f"SELECT {columns} FROM calls ORDER BY person, attempt")
    return rows


# --- contacts and exclusions ---


def test_each_person_whom_a_query_returns_is_called_once(desk, dwh):
    query = {**QUERY, "sql": "SELECT phone FROM people WHERE name = :name", "parameters": {"name": "Anna"}}
    summary = campaign(desk, contacts=query).run()

    assert rung(desk) == PEOPLE
    assert summary["results"]["answered"] == 12


def test_a_query_without_rows_skips_the_task(desk, dwh):
    with pytest.raises(AirflowSkipException):
        campaign(desk, contacts={**QUERY, "sql": "SELECT phone FROM people WHERE 1 = 0"}).run()


def test_a_column_of_a_query_is_found_by_its_folded_name_and_a_near_miss_is_refused(desk, dwh):
    with pytest.raises(CallApiFailure, match="the column 'time_zon': did you mean timezone"):
        campaign(desk, contacts={**QUERY, "sql": "SELECT phone, 'x' AS time_zon FROM people"}).run()
    campaign(desk, contacts={**QUERY, "sql": 'SELECT phone AS "PHONE " FROM people'}).run()

    assert rung(desk) == PEOPLE


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_query_that_returns_other_people_after_a_failed_try_calls_no_one(desk, dwh, monkeypatch):
    calls = campaign(desk, contacts=QUERY)
    with monkeypatch.context() as patched:
        patched.setattr("airflow_provider_callapi.calls.campaign.run.runner.Runner.step", _kill)
        with pytest.raises(KilledError):
            calls.run()
    dwh("DELETE FROM people WHERE phone = ?", PEOPLE[0])

    with pytest.raises(CallApiTrouble, match=r"this task began with 12 people .* the list has 11 people"):
        calls.retry()


def _kill(*_: Any, **__: Any) -> None:
    raise KilledError


def test_a_person_who_objects_in_the_database_while_the_campaign_dials_is_not_called(desk, dwh):
    desk.at.append((desk.clock() + 90, lambda: dwh("INSERT INTO objections VALUES (?)", f"+{PEOPLE[5]}")))
    desk.at.append((desk.clock() + 90, lambda: dwh("INSERT INTO objections VALUES (?)", PEOPLE[11])))
    do_not_call = {"conn_id": "dwh", "sql": "SELECT phone FROM objections"}

    summary = campaign(desk, contacts=QUERY, do_not_call=do_not_call, max_active_calls=1).run()

    assert desk.exchange.rings(PEOPLE[11]) == 0
    assert summary["results"]["do_not_call"] >= 1


FOREIGN = {
    "contacts": QUERY,
    "do_not_call": {"blacklist": True, "list": {"conn_id": "dwh", "sql": "SELECT phone FROM people"}},
}


@pytest.mark.parametrize("field", FOREIGN)
def test_a_query_that_another_task_returned_is_refused(desk, dwh, field):
    calls = campaign(desk, **{field: _Output()})
    make = calls.make

    def render() -> Any:
        operator = make()
        setattr(operator, field, FOREIGN[field])
        return operator

    calls.make = render
    with pytest.raises(CallApiFailure, match=f"{field}: a query must be written in the DAG file"):
        calls.run()
    assert rung(desk) == []


class _Output:
    """Stands for the output of another task."""

    def resolve(self, context: Any) -> Any:
        raise NotImplementedError


def test_the_accounts_blacklist_is_excluded_together_with_a_list(desk, dwh):
    desk.exchange.account.blacklist.add(PEOPLE[0])
    dwh("INSERT INTO objections VALUES (?)", PEOPLE[1])
    objections = {"conn_id": "dwh", "sql": "SELECT phone FROM objections"}

    both = campaign(desk, do_not_call={"blacklist": True, "list": objections}).run()
    assert both["results"]["do_not_call"] == 2
    assert rung(desk) == PEOPLE[2:]


def test_the_accounts_blacklist_alone_is_enough(desk):
    desk.exchange.account.blacklist.add(PEOPLE[0])

    assert campaign(desk, do_not_call={"blacklist": "true"}).run()["results"]["do_not_call"] == 1


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_try_reads_the_blacklist_once_because_each_read_costs_points(desk, deferrable):
    """A campaign that waits overnight must not use up the day's points: it could not dial in the morning."""
    desk.exchange.account.blacklist.add(PEOPLE[0])
    desk.exchange.default_script = Script.busy()
    in_seconds(desk, 60, desk.exchange.account.blacklist.clear)

    options = {"contacts": PEOPLE[:3], "redial": {"busy": 4 * 3600}, "deferrable": deferrable}
    summary = campaign(desk, do_not_call={"blacklist": True}, **options).run()

    assert desk.sent().count("get.blacklist_phone_numbers") == 1
    assert (summary["results"]["do_not_call"], summary["results"]["busy"]) == (1, 2)
    assert rung(desk) == [*[PEOPLE[1]] * 3, *[PEOPLE[2]] * 3]


def test_the_blacklist_needs_the_data_api(desk):
    desk.connect(extra={"data_api": False})
    with pytest.raises(CallApiFailure, match=r"do_not_call\.blacklist needs the Data API"):
        campaign(desk, do_not_call={"blacklist": True}).run()

    assert rung(desk) == []


@pytest.mark.parametrize("field", ["contacts", "do_not_call"])
def test_a_template_in_a_statement_is_an_error_of_the_dag_file(desk, field):
    query = {"conn_id": "dwh", "sql": "SELECT phone FROM people WHERE name = '{{ params.name }}'"}
    for value in (query, {"blacklist": True, "list": query}) if field == "do_not_call" else (query,):
        with pytest.raises(InvalidParameter, match=rf"{field}\.sql takes no template"):
            campaign(desk, **{field: value}).make()


def test_a_value_is_a_parameter_in_one_form_for_all_databases(desk, dwh):
    dwh("INSERT INTO people VALUES ('79160009999', 'Boris')")
    sql = "SELECT phone FROM people WHERE name = %(name)s AND phone LIKE '7916000%'"
    campaign(desk, contacts={"conn_id": "dwh", "sql": sql, "parameters": {"name": "Boris"}}).run()

    assert rung(desk) == ["79160009999"]


# --- people who object ---

OBJECTS = "tag:254"


def objecting(desk, *people: str) -> None:
    """Let these people press a key whose operation sets the tag of an objection."""
    for phone in people:
        desk.exchange.script(phone, Script.presses("1"))


MENU = {
    "method": "start.scenario_call",
    "virtual_phone_number": VNUMBER,
    "first_call": "contact",
    "scenario_id": 23457,
}


def test_only_the_people_who_objected_are_on_the_blacklist_afterwards(desk):
    objecting(desk, PEOPLE[1], PEOPLE[4])
    campaign(desk, call=MENU, block_on=[OBJECTS]).run()

    assert desk.exchange.account.blacklist == {PEOPLE[1], PEOPLE[4]}


def test_a_number_of_fewer_than_ten_digits_is_blocked_and_shortened_in_the_log(desk, capsys):
    objecting(desk, "376312345")
    campaign(desk, contacts=["+376 312 345", PEOPLE[0]], call=MENU, block_on=[OBJECTS]).run()

    assert desk.exchange.account.blacklist == {"376312345"}
    log = capsys.readouterr().out
    assert "block_on: 376…45 objected, and is now on the account's blacklist" in log
    assert "no SIP line" not in log
    assert "376312345" not in log


def test_a_number_that_the_blacklist_refuses_keeps_no_other_number_off(desk, monkeypatch, capsys):
    objecting(desk, PEOPLE[1], PEOPLE[4])
    send = Client.call

    def refuse_one(client, request, **options):
        if getattr(request, "phone_number", None) == PEOPLE[1]:
            raise InvalidParameters("No", method=request.method)
        return send(client, request, **options)

    monkeypatch.setattr(Client, "call", refuse_one)
    with pytest.raises(CallApiTrouble, match=r"block_on: 7916…0001 is not on the blacklist: create"):
        campaign(desk, call=MENU, block_on=[OBJECTS]).run()

    assert desk.exchange.account.blacklist == {PEOPLE[4]}


@pytest.mark.parametrize(
    ("callapi_profile", "people"),
    [
        (Profile(report_delay=2000.0), 3),  # the unanswered call may have been answered
        (Profile(refused_fields={"scenario_operations": "unexpected_parameters"}), 2),
    ],
    ids=["late reports", "refused operations"],
)
@pytest.mark.usefixtures("callapi_profile")  # pytest 8 does not look for it in the fixtures of `desk`
def test_the_log_counts_people_whose_objection_is_not_known(desk, capsys, people):
    desk.exchange.default_script = Script.presses("3")  # leads to the operation Отказ, and sets no tag
    desk.exchange.script(PEOPLE[0], Script.no_answer())
    objections = ["tag:254", "operation:Отказ"]

    campaign(desk, contacts=PEOPLE[:3], call=MENU, redial={"not_reached": None}, block_on=objections).run()

    assert desk.exchange.account.blacklist == set()
    log = capsys.readouterr().out
    assert f"block_on: {people} people are not put on the blacklist: they may have objected" in log


def test_the_log_counts_people_who_objected_and_have_a_sip_address(desk, capsys):
    desk.exchange.default_script = Script.presses("3")
    campaign(desk, contacts=["sip25", PEOPLE[0]], call=MENU, block_on=["operation:Отказ"]).run()

    assert desk.exchange.account.blacklist == {PEOPLE[0]}
    assert "block_on: 1 person is not put on the blacklist: they objected, but" in capsys.readouterr().out


def test_no_one_is_on_the_blacklist_unless_the_author_asks_for_it(desk):
    objecting(desk, PEOPLE[1])
    campaign(desk, call=MENU).run()

    assert desk.exchange.account.blacklist == set()


def test_a_blacklist_that_cannot_be_changed_fails_the_task_and_a_retry_only_changes_it(desk, monkeypatch):
    objecting(desk, PEOPLE[1])
    calls = campaign(desk, call=MENU, block_on=[OBJECTS, "operation:Отказ"])
    with monkeypatch.context() as patched:
        patched.setattr(BlacklistWriter, "_add", _fail)
        with pytest.raises(CallApiTrouble, match="block_on: the blacklist could not be changed"):
            calls.run()
    calls.retry()

    assert desk.exchange.account.blacklist == {PEOPLE[1]}
    assert rung(desk) == PEOPLE


def test_a_blacklist_that_cannot_be_changed_is_changed_by_a_retry_although_too_few_people_were_reached(
    desk, monkeypatch
):
    objecting(desk, PEOPLE[1])
    desk.exchange.script(PEOPLE[2], Script.busy())
    calls = campaign(desk, call=MENU, block_on=[OBJECTS], redial={"busy": None}, fail_if_unreached_over=0.0)
    with monkeypatch.context() as patched:
        patched.setattr(BlacklistWriter, "_add", _fail)
        with pytest.raises(CallApiTrouble, match="block_on: the blacklist could not be changed"):
            calls.run()
    with pytest.raises(CallApiFailure, match="fail_if_unreached_over"):
        calls.retry()

    assert desk.exchange.account.blacklist == {PEOPLE[1]}
    assert rung(desk) == PEOPLE


def _fail(*_: Any) -> None:
    raise TransportError("the service is away")


def test_a_text_that_is_no_mark_is_an_error_of_the_dag_file(desk):
    with pytest.raises(InvalidParameter, match="block_on: 'busy' is not operation:<name> or tag:<id>"):
        campaign(desk, block_on=["busy"]).make()


# --- results ---


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
    desk.at.append((desk.clock() + 60, _kill))
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


# --- what a run has opened is closed ---

STORES = {"contacts": QUERY, "results": CALLS, "ledger_conn_id": "ledger"}


class _ServicesWithThread(campaign_parts.CampaignServices):
    """Has a running thread from its beginning on."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.start([None])  # type: ignore[list-item]

    def _start(self, request: Any) -> Any:
        return None if request is None else super()._start(request)


def _running_threads() -> list[str]:
    """Return the names of the campaign's threads that still run after a while."""
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("callapi-")]
    for thread in threads:
        thread.join(10)
    return [thread.name for thread in threads if thread.is_alive()]


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_end_of_a_run_closes_the_ledger_the_table_and_the_wishes(
    desk, dwh, open_connections: OpenConnections, deferrable
):
    calls = campaign(desk, **STORES, deferrable=deferrable)
    calls.run()

    assert len(open_connections.engines) == 3 * (1 + len(calls.deferrals))
    assert open_connections.opened
    assert open_connections.open == []
    assert _running_threads() == []


def test_a_list_that_cannot_be_read_leaves_no_connection_and_no_thread(
    desk, dwh, open_connections: OpenConnections, monkeypatch
):
    monkeypatch.setattr(campaign_parts, "CampaignServices", _ServicesWithThread)
    dwh("DROP TABLE people")

    with pytest.raises(CallApiFailure, match="contacts: connection 'dwh': OperationalError: no such table"):
        campaign(desk, **STORES).run()

    assert len(open_connections.engines) == 1  # of the ledger
    assert open_connections.opened
    assert open_connections.open == []
    assert _running_threads() == []


def test_a_failure_after_the_table_was_opened_leaves_no_connection_and_no_thread(
    desk, dwh, open_connections: OpenConnections, monkeypatch
):
    monkeypatch.setattr(campaign_run, "Campaign", _kill)

    with pytest.raises(KilledError):
        campaign(desk, **STORES).run()

    assert len(open_connections.engines) == 2  # of the ledger and of the table
    assert open_connections.opened
    assert open_connections.open == []
    assert _running_threads() == []


# --- assets ---


class OutletEvents:
    """Stands for Airflow's events of the outlets. On Airflow 3.0, an asset cannot be the key of a dict."""

    def __init__(self) -> None:
        self.events: dict[str, Any] = {}

    def __getitem__(self, asset: Asset) -> Any:
        return self.events.setdefault(asset.name, SimpleNamespace(extra={}))


def test_the_event_of_an_outlet_asset_has_the_summary(desk, dwh):
    outlets = OutletEvents()
    calls = campaign(desk, outlets=[Asset("callbacks"), "a name"])
    calls.more_context = {"outlet_events": outlets}
    summary = calls.run()

    assert {name: event.extra for name, event in outlets.events.items()} == {
        "callbacks": {"callapi_campaign": summary}
    }
