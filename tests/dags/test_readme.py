"""What the README says is tried out: its DAG, its test, its connections, its tables."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

import pytest

from airflow_provider_callapi import exceptions
from airflow_provider_callapi.api import errors
from airflow_provider_callapi.api.methods import METHODS, Repeat
from airflow_provider_callapi.calls import placing
from airflow_provider_callapi.calls.snapshot import Snapshot
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.emulator.call_api import HANDLERS
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators import call_control, start_call

README = Path(__file__).parents[2].joinpath("README.md").read_text("utf-8")
OPERATORS = {
    operator.request_type.method: name
    for module in (start_call, call_control)
    for name, operator in vars(module).items()
    if name.startswith("CallApi") and "request_type" in vars(operator)
}
"""Method → the operator's name, from the code."""


def block(name):
    """The code block marked ``<!-- test: name -->``."""
    found = re.search(rf"<!-- test: {name} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert found, f"README has no block {name}"
    return found[1]


def table(heading):
    """The rows of the first table under a heading, without its head; cells without backquotes."""
    section = README.partition(f"\n{heading}\n")[2]
    lines = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """The README's DAG waits 5 s between two looks; here a fiftieth of it."""
    pause = Snapshot.pause
    monkeypatch.setattr(Snapshot, "pause", lambda snapshot, interval: pause(snapshot, interval / 50))


def test_the_dag_calls_waits_tags_and_returns_what_the_readme_shows(run_dag, exchange):
    exchange.script("79161234567", Script(rings=0.3, talks=3))

    run = run_dag(block("dag"))

    assert run.state == "success"
    call = run.xcoms["remind"]
    assert (call["answered"], call["status"], call["tags"]) == (True, "ended", [36])
    shown = README.partition("returns, without a phone number:")[2].partition("More to copy")[0]
    assert re.findall(r'"(\w+)": ', shown) == list(call)


def test_the_test_shown_for_the_fixture_passes(callapi_emulator, monkeypatch, airflow_db):
    file = Path(os.environ["AIRFLOW_HOME"], "dags", "dag_of_the_readme.py")
    file.write_text(block("dag") + block("pytest"))
    try:
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.test_the_reminder_rings_once(callapi_emulator, monkeypatch)
    finally:
        file.unlink()


def test_the_connections_shown_are_read_as_the_table_says(monkeypatch):
    shown = re.findall(r"export AIRFLOW_CONN_CALLAPI_DEFAULT='(.*)'", README)
    settings = []
    for value in shown:
        monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", value)
        settings.append(CallApiHook().settings)

    key, login = settings
    assert (key.login, key.url) == (None, "https://callapi.comagic.ru/v4.0")
    assert key.data_api_url == "https://dataapi.comagic.ru/v2.0"
    assert (login.login, login.url) == ("login", "https://callapi.uiscom.ru/v4.0")
    assert (login.timezone, login.data_api_url) == ("Asia/Yekaterinburg", None)


def test_the_table_of_operators_is_complete_and_true():
    assert {row[1]: row[0] for row in table("## Operators")} == OPERATORS


def test_the_table_of_coverage_is_complete_and_true():
    rows = {row[0]: row[1:] for row in table("## Coverage")}

    assert list(rows) == list(METHODS)
    assert set(HANDLERS) == set(METHODS)
    for method, (request, operator, emulator, component, again) in rows.items():
        kind = METHODS[method]
        assert request == kind.__name__
        assert operator == OPERATORS.get(method, operator), method
        assert operator.startswith("–") is (method not in OPERATORS), method
        assert emulator == "yes"
        assert component == kind.component.name.lower(), method
        assert again == ("no" if kind.repeat is Repeat.NEVER else "yes"), method


def test_the_table_of_faults_is_complete_and_true():
    rows = {row[0]: row[2] for row in table("## The telephone exchange: a test tool")}

    assert rows == {fault.name: "yes" if fault.carried_out else "no" for fault in Fault}


def test_the_trees_of_errors_and_the_journal_are_the_codes_own():
    for module in (exceptions, errors):
        tree = (module.__doc__ or "").partition("::\n\n")[2].partition("\n\n")[0]
        drawn = "\n".join(line.removeprefix("    ").rstrip() for line in tree.splitlines())
        assert drawn.rstrip() in README, f"{module.__name__} draws another tree"
    says = re.findall(r"^(\w+) {4,}(\S.*)$", placing.__doc__ or "", re.MULTILINE)
    assert [tuple(row) for row in table("## Reliability")] == says
