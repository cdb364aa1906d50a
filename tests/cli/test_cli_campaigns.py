"""The command ``airflow callapi campaigns``, run through Airflow's own parser."""

from __future__ import annotations

import getpass
import json
from dataclasses import replace

import pytest
import yaml
from campaigns_seen import PROGRESS

from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind

pytest_plugins = ["campaigns_seen"]
pytestmark = pytest.mark.needs_airflow("3.2", "commands of providers")
LEDGER = ("--ledger-conn-id", "ledger", "--output", "json")


def test_the_command_lists_campaigns_with_progress_and_outcomes(callapi, airflow_db, ledger):
    run = callapi("campaigns", *LEDGER)

    assert run.code == 0
    (row,) = json.loads(run.out)
    assert row == {
        "campaign": "spring",
        "shard": None,
        "doing": "dialling",
        "why": None,
        "finished": 50,
        "people": 200,
        "active": 10,
        "results": {"answered": 40, "busy": 10},
        "asked": None,
        "ends": "2025-10-09T08:59:20Z",
        "at": "2025-10-09T08:53:20Z",
        "dag_id": "marketing",
        "run_id": "manual__1",
        "task_id": "call",
        "map_index": -1,
    }


def test_yaml_contains_the_same_numbers_and_objects_as_json(callapi, airflow_db, ledger):
    ledger.write_wish("spring", Wish(WishKind.PAUSE, "anna", 1_760_000_100.0))

    rows = json.loads(callapi("campaigns", *LEDGER).out)

    assert rows[0]["asked"] == {"kind": "pause", "by": "anna", "at": "2025-10-09T08:55:00Z"}
    assert yaml.safe_load(callapi("campaigns", *LEDGER[:2], "--output", "yaml").out) == rows


def test_plain_text_shows_the_numbers_and_the_task_as_words(callapi, airflow_db, ledger):
    ledger.write_wish("spring", Wish(WishKind.PAUSE, "anna", 1_760_000_100.0))

    shown = callapi("campaigns", *LEDGER[:2], "--output", "plain").out

    for text in ("50/200", "answered 40, busy 10", "pause by anna", "marketing manual__1 call"):
        assert text in shown


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_table_shows_the_whole_name_in_one_line_for_the_next_command(
    callapi, airflow_db, ledger, monkeypatch, columns
):
    name = "my_campaign.notify.manual__2026-11-30T21:09:39.123456+00:00"
    ledger.publish(replace(PROGRESS, campaign=name))
    monkeypatch.setattr("airflow.cli.simple_table.is_tty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))

    shown = callapi("campaigns", *LEDGER[:2]).out

    assert f"\n{name} |" in shown


def test_the_table_shows_the_times_in_utc_and_the_task_without_the_index_of_an_unmapped_task(
    callapi, airflow_db, ledger
):
    table = callapi("campaigns", *LEDGER[:2]).out

    assert "ends (UTC)" in table
    assert "2025-10-09 08:59" in table
    assert "-1" not in table.replace("2025-10", "")


@pytest.mark.parametrize("action", ["pause", "resume", "stop"])
def test_the_command_writes_a_wish_with_the_name_of_the_user(callapi, airflow_db, ledger, action):
    run = callapi("campaigns", action, "spring", *LEDGER)

    asked = json.loads(run.out)[0]["asked"]
    assert (asked["kind"], asked["by"]) == (action, getpass.getuser())
    wish = ledger.read_wish("spring")
    assert (wish.kind, wish.by) == (action, getpass.getuser())


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_campaign_in_task_state_needs_no_ledger(callapi, autumn):
    run = callapi("campaigns", "stop", "autumn", "--output", "json")

    assert json.loads(run.out)[0]["asked"]["kind"] == "stop"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("pause",), "name the campaign: airflow callapi campaigns pause NAME"),
        (("pause", "sprung"), "no campaign is named 'sprung'"),
    ],
)
def test_a_mistake_is_reported_in_one_line(callapi, airflow_db, ledger, command, message):
    run = callapi("campaigns", *command, *LEDGER)

    assert (run.code, run.out) == (1, "")
    assert message in run.err


def test_a_ledger_that_cannot_be_read_is_a_warning(callapi, airflow_db, ledger):
    run = callapi("campaigns", "--ledger-conn-id", "missing", *LEDGER)

    assert json.loads(run.out)[0]["campaign"] == "spring"
    assert "missing" in run.err


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_silent_ledger_of_other_campaigns_does_not_hinder_a_stop(callapi, autumn, silent_ledger):
    run = callapi("campaigns", "stop", "autumn", "--ledger-conn-id", silent_ledger, "--output", "json")

    assert run.code == 1
    assert json.loads(run.out)[0]["asked"]["kind"] == "stop"
    assert f"ledger {silent_ledger}: the database does not answer" in run.err
