"""The examples from the package run through a real Airflow against the exchange over HTTP."""

from __future__ import annotations

import importlib.util
import json
import re
import socket
import sqlite3
from copy import copy
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from airflow.providers.common.compat.sdk import ParamValidationError
from copied_examples import EXAMPLES, PACKAGED
from packaging.version import Version
from sqlalchemy import select

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.emulator.calls import switchboard
from airflow_provider_callapi.emulator.calls.listing import is_listed

pytestmark = pytest.mark.usefixtures("hurry")

MOSCOW = ZoneInfo("Europe/Moscow")
CONTACT = "79161234567"
TO_CONTACT = {"contact": CONTACT}
EMPLOYEE = "79260000001"
COLLEAGUE = "79260000002"
COACH = "79260000009"
PHONE = re.compile(r"\d{10,}")

LONG_ENOUGH = Script(rings=0.2, employee_rings=0.2, talks=2)
AT_ANY_HOUR = {"opens": "00:00", "closes": "24:00"}
UNTIL_RELEASED = Script(rings=0.2, employee_rings=0.2, talks=None)


@pytest.fixture(autouse=True)
def only_expected_rings(exchange):
    """An example rings only the phones that its test names."""
    exchange.expect_no_other_rings()


def did(exchange, *kinds):
    """Return events of the exchange's journal in order: the kind, and the phone of a ring or the detail."""
    return [(e.kind, e.phone if e.kind == "ring" else e.detail) for e in exchange.journal if e.kind in kinds]


def steered(exchange):
    """Return the methods of the successful control requests, in order."""
    reads_and_starts = ("list.", "start.", "login.", "get.")
    return [
        e.method
        for e in exchange.journal
        if e.kind == "request" and e.mnemonic is None and not e.method.startswith(reads_and_starts)
    ]


# --- all of them ---


def needs_newer(file):
    """Return whether an example's text requires a newer Airflow than the installed one."""
    needed = re.search(r"Needs Airflow (\d\.\d)\+", file.read_text("utf-8"))
    return needed is not None and Version(needed[1]) > Version(version("apache-airflow-core"))


def test_airflow_loads_no_example_from_the_installed_package(monkeypatch, dag_bag):
    """Airflow 3.3 and newer parses every provider's example_dags while ``[core] load_examples`` is on."""
    for syntax in ("glob", "regexp"):
        monkeypatch.setenv("AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX", syntax)
        bag = dag_bag(PACKAGED)
        assert (bag.dags, bag.import_errors) == ({}, {}), syntax


def test_examples_parse_without_an_error_and_without_the_network(monkeypatch, dag_bag):
    def no_network(self, address):
        raise AssertionError(f"a connection to {address} while DAGs are parsed")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.delenv("AIRFLOW_CONN_CALLAPI_DEFAULT", raising=False)

    bag = dag_bag(EXAMPLES)

    files = set(EXAMPLES.glob("*.py"))
    too_new = {file for file in files if needs_newer(file)}
    assert {file: error for file, error in bag.import_errors.items() if Path(file) not in too_new} == {}
    assert all("needs Airflow" in bag.import_errors[str(file)] for file in too_new)
    in_python = {name for name in bag.dags if not name.startswith("callapi_yaml_")}
    assert in_python == {f"callapi_{file.stem}" for file in files - too_new}
    for name in in_python:
        dag = bag.dags[name]
        assert dag.doc_md, f"{dag.dag_id} has no documentation"
        # no example runs on a time schedule
        assert dag.schedule is None or name in ("callapi_inbound_call", "callapi_notified_call")


# --- text_from_function ---


def test_text_from_function_calls_the_contact_of_the_form(run_dag, exchange):
    exchange.expect_ring("79160000007")

    run = run_dag(EXAMPLES / "text_from_function.py", conf={"contact": "79160000007"})

    assert run.states == {"report": "success"}
    assert run.xcoms["report"]["status"] == "ended"


# --- informer_call ---


def test_informer_call_calls_the_contact_of_the_form(run_dag, exchange):
    exchange.script("79160000007", LONG_ENOUGH)

    run = run_dag(EXAMPLES / "informer_call.py", conf={"contact": "79160000007", "text": "Ваш заказ готов"})

    assert run.state == "success"
    assert did(exchange, "ring", "end") == [("ring", "79160000007"), ("end", "success_finish")]
    assert (run.xcoms["call"]["status"], run.xcoms["call"]["answered"]) == ("ended", True)


def test_informer_call_refuses_a_contact_that_is_no_phone_number_and_logs_it_nowhere(
    run_dag, exchange, capfd
):
    run = run_dag(EXAMPLES / "informer_call.py", conf={"contact": "8 (916) 123-45-678"})

    assert (run.state, exchange.calls) == ("failed", [])
    lines = "".join(capfd.readouterr()).splitlines()
    # In dag.test(), Airflow 3.0 logs each message between its processes at DEBUG.
    assert not [line for line in lines if "123-45-678" in line and "[debug" not in line]


def test_the_form_of_an_example_gives_the_contact_no_default_and_no_pattern(dag_bag):
    """A misspelt key would call the default, and Airflow writes a value that does not match into the log."""
    dags = [*dag_bag(EXAMPLES).dags.values(), *dag_bag(EXAMPLES / "dag_factory").dags.values()]
    contacts = {dag.dag_id: dag.params.get_param("contact") for dag in dags if "contact" in dag.params}
    for alert in ("callapi_ring_on_failure", "callapi_yaml_ring_on_failure"):
        del contacts[alert]  # the person on duty is the same in each run

    assert len(contacts) >= 8
    for dag_id, param in contacts.items():
        with pytest.raises((ParamValidationError, ValueError)):  # there is no value without the form
            param.resolve()
        assert "pattern" not in param.schema, dag_id


def test_informer_call_refuses_a_run_whose_configuration_misspells_the_contact(run_dag, exchange):
    # Airflow before 3.3 raises a ValueError
    with pytest.raises((ParamValidationError, ValueError), match="contact"):
        run_dag(EXAMPLES / "informer_call.py", conf={"contcat": "79160000001"})

    assert exchange.calls == []


# --- start_wait_tag_branch ---


def test_an_answered_call_is_tagged_and_watched_to_its_end(run_dag, exchange, talks_until_tagged):
    talks_until_tagged(CONTACT)

    run = run_dag(EXAMPLES / "start_wait_tag_branch.py", conf=TO_CONTACT)

    assert run.state == "success"
    assert (run.states["thank"], run.states["another_way"]) == ("success", "skipped")
    assert did(exchange, "ring", "tag", "end") == [
        ("ring", CONTACT),
        ("ring", EMPLOYEE),
        ("tag", "36"),
        ("end", "operator_disconnects"),
    ]
    assert (run.xcoms["ended"]["status"], run.xcoms["ended"]["answered"]) == ("ended", True)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(Script.busy(rings=6), id="busy"),
        pytest.param(Script.no_answer(rings=6), id="no answer"),
        pytest.param(Script(rings=0.5, employee_rings=0, talks=0), id="answered between two polls"),
    ],
)
def test_a_call_without_an_observed_answer_takes_the_other_branch_and_is_not_tagged(
    run_dag, exchange, connection, script
):
    connection(extra={"data_api": False})  # the report of the call would show the answer
    exchange.script(CONTACT, script)

    run = run_dag(EXAMPLES / "start_wait_tag_branch.py", conf=TO_CONTACT)

    assert run.state == "success"
    assert (run.states["thank"], run.states["another_way"]) == ("skipped", "success")
    assert (run.xcoms["answered"]["status"], run.xcoms["answered"]["answered"]) == ("ended", None)
    assert exchange.rings(CONTACT) == 1
    assert did(exchange, "tag") == []


# --- confirm_by_key ---


def test_the_key_that_a_person_presses_decides_about_the_next_task(run_dag, exchange):
    exchange.script(CONTACT, Script.presses("2", rings=0.2, talks=3))

    run = run_dag(EXAMPLES / "confirm_by_key.py", conf=TO_CONTACT)

    assert run.state == "success", run.states
    assert run.xcoms["confirm"]["operations"] == ["Меню", "Перезвонить"]
    assert (run.states["call_later"], run.states["confirmed"]) == ("success", "skipped")
    assert exchange.rings(CONTACT) == 1


# --- etl_callbacks ---


@pytest.fixture
def crm(tmp_path, monkeypatch, airflow_db):
    """Create the database of the connection ``crm``. Return a function that adds a call-back request.

    Airflow contains no database provider, so the fixture defines the connection's hook.
    """
    from airflow.models.pool import Pool
    from airflow.providers.common.sql.hooks.sql import DbApiHook
    from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

    file = tmp_path / "crm.sqlite"

    class SqliteHook(DbApiHook):
        conn_name_attr = "sqlite_conn_id"

        def get_conn(self):
            return sqlite3.connect(file)

    def get_hook(conn_id, hook_params=None):
        assert conn_id == "crm"
        return SqliteHook(sqlite_conn_id=conn_id)

    monkeypatch.setattr(SQLExecuteQueryOperator, "get_hook", staticmethod(get_hook))
    monkeypatch.setenv("AIRFLOW_CONN_CRM", "sqlite://")
    Pool.create_or_update_pool("callapi_callbacks", slots=2, description="", include_deferred=True)

    def add(request_id, phone, *, asked_on=None, employee_id=25):
        with sqlite3.connect(file) as db:
            day = asked_on or datetime.now(MOSCOW).date().isoformat()
            db.execute(
                "INSERT INTO callback_requests VALUES (?, ?, ?, ?)", (request_id, day, phone, employee_id)
            )

    with sqlite3.connect(file) as db:
        db.execute(
            "CREATE TABLE callback_requests (id INTEGER, asked_on DATE, phone TEXT, employee_id INTEGER)"
        )
    return add


def map_labels(run):
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        rows = select(TaskInstance).where(TaskInstance.run_id == run.run_id, TaskInstance.map_index >= 0)
        return sorted(ti.rendered_map_index or "" for ti in session.scalars(rows))


# --- campaign.py ---


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_dry_run_box_on_the_campaigns_form_dials_no_one(run_dag, exchange, tmp_path):
    run = run_dag(EXAMPLES / "campaign.py", conf={"dry_run": True, "folder": f"file://{tmp_path}"})

    assert run.state == "success"
    assert (run.xcoms["tell_them"]["people"], run.xcoms["tell_them"]["calls"]) == (3, 0)
    assert did(exchange, "ring") == []


def test_each_row_becomes_one_call_back_and_no_label_is_a_phone_number(run_dag, exchange, crm):
    crm(17, "79160000017")
    crm(18, "79160000018", employee_id=26)
    crm(3, "79160000003", asked_on="2001-01-01")
    exchange.script("79160000017", LONG_ENOUGH)
    exchange.script("79160000018", Script.busy(rings=0.2))

    run = run_dag(EXAMPLES / "etl_callbacks.py", conf=AT_ANY_HOUR)

    assert run.state == "success"
    rung = did(exchange, "ring")  # the executor chooses the order of the rows
    assert sorted(zip(rung[::2], rung[1::2], strict=True)) == [
        (("ring", EMPLOYEE), ("ring", "79160000017")),
        (("ring", COLLEAGUE), ("ring", "79160000018")),
    ]
    assert sorted(call.external_id for call in exchange.calls) == ["callback-17", "callback-18"]
    assert run.xcoms["report"] == {"answered": 1, "not answered": 1}
    assert map_labels(run) == ["callback-17", "callback-18"]
    assert not PHONE.search(str(run.xcoms["report"]))
    assert not [label for label in map_labels(run) if PHONE.search(label)]


def test_a_query_that_fails_is_no_success_of_the_call_backs(run_dag, crm, tmp_path):
    (tmp_path / "crm.sqlite").unlink()

    run = run_dag(EXAMPLES / "etl_callbacks.py", conf=AT_ANY_HOUR)

    assert (run.state, run.states["report"]) == ("failed", "success")


def test_a_day_without_requests_calls_no_one(run_dag, exchange, crm):
    run = run_dag(EXAMPLES / "etl_callbacks.py", conf=AT_ANY_HOUR)

    assert run.state == "success"
    assert run.states["call_back"] == "skipped"
    assert exchange.calls == []


# --- live_control ---

FIRST = ["record.call", "hold.call", "make.call"]
LAST = ["add.coach", "send.dtmf", "release.call"]


@pytest.mark.parametrize("then", ["restore", "transfer"])
def test_a_call_is_controlled_in_the_order_of_the_state_diagram(run_dag, exchange, then):
    for phone in (CONTACT, EMPLOYEE, COLLEAGUE, COACH):
        exchange.script(phone, UNTIL_RELEASED)

    run = run_dag(EXAMPLES / "live_control.py", conf={**TO_CONTACT, "then": then})

    assert run.state == "success"
    assert steered(exchange) == [*FIRST, f"{then}.talk", *LAST]
    assert did(exchange, "ring", "dtmf", "end") == [
        ("ring", EMPLOYEE),
        ("ring", CONTACT),
        ("ring", COLLEAGUE),
        ("ring", COACH),
        ("dtmf", "1"),
        ("end", "operator_disconnects"),
    ]
    assert exchange.calls[0].recorded
    assert run.xcoms["ended"]["answered"] is True


def test_a_poll_that_omits_the_active_call_leaves_no_one_on_hold(run_dag, exchange, monkeypatch):
    for phone in (CONTACT, EMPLOYEE, COLLEAGUE, COACH):
        exchange.script(phone, UNTIL_RELEASED)
    omitted = []

    def omit_once(call, profile, now):
        if exchange.requests("make.call") and not omitted:
            omitted.append(call)
            return False
        return is_listed(call, profile, now)

    monkeypatch.setattr(switchboard, "is_listed", omit_once)

    run = run_dag(EXAMPLES / "live_control.py", conf=TO_CONTACT)

    assert (run.state, len(omitted)) == ("success", 1)
    assert steered(exchange) == [*FIRST, "restore.talk", *LAST]


def test_an_unanswered_call_is_not_controlled(run_dag, exchange):
    exchange.script(CONTACT, Script.no_answer(rings=0.5))

    run = run_dag(EXAMPLES / "live_control.py", conf=TO_CONTACT)

    assert (run.state, run.states["answered"], run.states["hold"]) == ("failed", "failed", "upstream_failed")
    assert steered(exchange) == []


# --- missed_calls.py ---

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


def campaign_of(operator, run_after, missed_at):
    """Return the campaign of a run of ``missed_calls.py`` whose list has a missed call. None: no campaign."""
    operator = copy(operator)
    context = {
        "dag_run": SimpleNamespace(run_after=run_after),
        "macros": SimpleNamespace(timedelta=timedelta),
    }
    operator.render_template_fields(context)
    days = operator.contacts["parameters"].values()
    first, *last = map(datetime.fromisoformat, days)
    is_listed = first <= missed_at < min([run_after, *last])
    return operator.campaign if is_listed else None


def module_of(file):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("minute", [0, 15, 45, 59])
@pytest.mark.parametrize("missed", [-90, -45, -1, 0, 30, 600])
def test_a_missed_call_belongs_to_one_campaign_whatever_the_minute_of_the_hourly_run(minute, missed):
    missed_at = MIDNIGHT + timedelta(minutes=missed)
    began = missed_at.replace(minute=minute)

    call_back = module_of(EXAMPLES / "missed_calls.py").call_back
    campaigns = [campaign_of(call_back, began + timedelta(hours=hour), missed_at) for hour in range(-1, 30)]

    assert len(set(campaigns) - {None}) == 1


@pytest.mark.parametrize(("clock", "day"), [("00:30", "2026-03-02"), ("23:30", "2026-03-02")])
def test_the_call_backs_of_today_are_those_of_the_day_in_moscow(clock, day):
    operator = module_of(EXAMPLES / "etl_callbacks.py").requests
    run_after = datetime.fromisoformat(f"2026-03-02T{clock}:00+03:00").astimezone(UTC)

    operator.render_template_fields(
        {"dag_run": SimpleNamespace(run_after=run_after), "macros": SimpleNamespace(timedelta=timedelta)}
    )

    assert f"asked_on = '{day}'" in operator.sql


def test_each_person_whose_call_was_missed_is_called_back_once_a_day(
    run_dag, exchange, warehouse, missed_calls
):
    callers = list(missed_calls)
    source = EXAMPLES.joinpath("missed_calls.py").read_text("utf-8")
    source = source.replace("deferrable=True", "deferrable=True, calling_hours=None")
    source = source.replace("(hours=1)", "(hours=0)").replace("(hours=23)", "(hours=24)")  # at any hour

    run = run_dag(source)

    assert run.state == "success"
    assert run.xcoms["missed"]["rows"] == 3
    assert {number for (number,) in warehouse("SELECT id FROM missed_calls")} == {
        session for sessions in missed_calls.values() for session in sessions
    }
    assert sorted(warehouse("SELECT person, result FROM call_backs")) == [
        (phone, "answered") for phone in callers
    ]
    assert not [number for number in callers if number in json.dumps(run.xcoms)]

    again = run_dag(source)

    assert again.state == "success"
    assert [exchange.rings(phone) for phone in callers] == [1, 1]
