"""The commands that read: the active calls as a table, text or data, and the points that are left."""

from __future__ import annotations

import json
import re
from datetime import datetime

import pytest
import yaml
from airflow_fakes import CONTACT, VNUMBER
from strange_answers import add_unreadable_entry

from airflow_provider_callapi.api.methods import ListCalls, StartInformerCall, TagCall
from airflow_provider_callapi.api.request import Component
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytestmark = pytest.mark.needs_airflow("3.2", "commands of providers")


def test_calls_are_a_table_that_shows_who_is_on_the_line_without_phone_numbers(callapi, talk):
    run = callapi("calls")

    assert run.code == 0
    heading, _, row, second = run.out.splitlines()[:4]
    assert [cell.strip() for cell in heading.split("|")] == [
        "session",
        "dir",
        "since (UTC)",
        "contact",
        "legs",
    ]
    cells = [cell.strip() for cell in row.split("|")]
    assert cells[:2] == [str(talk), "out"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", cells[2])
    assert cells[3] == "7916…4567"
    assert cells[4].startswith("contact: Разговор")
    assert second.split("|")[4].strip() == "Иванова [bold] Анна: Разговор", "rich took it for markup"
    assert CONTACT not in run.out


def test_a_table_of_calls_fits_a_terminal_of_80_columns_with_a_line_for_each_leg(callapi, talk, monkeypatch):
    monkeypatch.setattr("airflow.cli.simple_table.is_tty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")

    _, _, *lines = callapi("calls").out.rstrip().splitlines()

    assert [line.split("|")[-1].strip() for line in lines] == [
        "contact: Разговор",
        "Иванова [bold] Анна: Разговор",
    ]


def test_plain_text_has_all_of_a_call_in_one_line(callapi, talk):
    heading, row = callapi("calls", "-o", "plain").out.splitlines()

    assert heading.split()[-2:] == ["tags", "external_id"]
    assert "contact: Разговор, Иванова [bold] Анна: Разговор" in row
    assert row.endswith("order-[bold]-7")


@pytest.mark.parametrize("external_id", ["1234567.89", "5e10", "2026.10", "007"])
def test_plain_text_shows_an_id_that_looks_like_a_number_unchanged(callapi, exchange, external_id):
    message = {"type": "tts", "value": "Hello"}
    call = {"virtual_phone_number": VNUMBER, "contact": CONTACT, "contact_message": message}
    with CallApiHook() as hook:
        hook.call(StartInformerCall.from_values({**call, "external_id": external_id}))

    assert callapi("calls", "-o", "plain").out.split()[-1] == external_id


@pytest.mark.parametrize("output", ["plain", "table"])
@pytest.mark.parametrize("control", ["\n", "\r", "\x1b[2J", "\x9b2J", "\u2028", "\v"])
def test_a_name_with_control_characters_makes_no_second_line_and_steers_no_terminal(
    callapi, talk, exchange, output, control
):
    lines = len(callapi("calls", "-o", output).out.splitlines())
    exchange.account.employees[25].full_name = f"Анна{control}{talk + 1}"
    exchange.calls[0].external_id = f"7{control}{talk + 1}"

    run = callapi("calls", "-o", output)

    assert len(run.out.splitlines()) == lines
    assert control not in "".join(run.out.splitlines())


def test_a_call_that_cannot_be_read_is_counted_on_stderr(callapi, talk, monkeypatch):
    add_unreadable_entry(monkeypatch)
    run = callapi("calls", "--output", "json")
    assert run.code == 0
    assert [row["session"] for row in json.loads(run.out)] == [talk]
    assert "1 more active call is not shown" in run.err


def test_informer_calls_have_no_employee_leg(callapi, exchange):
    exchange.default_script = Script(rings=0, talks=None)
    with CallApiHook() as hook:
        hook.call(
            StartInformerCall(
                virtual_phone_number=VNUMBER,
                contact=CONTACT,
                contact_message={"type": "tts", "value": "Hello"},
            )
        )

    (row,) = json.loads(callapi("calls", "-o", "json").out)

    assert [leg.partition(":")[0] for leg in row["legs"]] == ["contact"]


def test_the_column_since_is_utc_for_every_time_zone_of_the_account(callapi, talk, exchange):
    (row,) = json.loads(callapi("calls", "-o", "json").out)

    started = exchange.call(talk).started_at
    assert abs(datetime.fromisoformat(row["since"]).timestamp() - started) < 2


def test_times_are_in_the_accounts_zone_if_the_connection_names_none(callapi, connection, exchange):
    exchange.account.timezone = "Asia/Yekaterinburg"
    exchange.default_script = Script(rings=0, talks=None)
    connection(extra={"timezone": "Asia/Yekaterinburg"})
    with CallApiHook() as hook:
        message = {"type": "tts", "value": "Hello"}
        hook.call(StartInformerCall(virtual_phone_number=VNUMBER, contact=CONTACT, contact_message=message))
    named = json.loads(callapi("calls", "-o", "json").out)[0]["since"]
    connection(extra={"timezone": None})

    assert json.loads(callapi("calls", "-o", "json").out)[0]["since"] == named
    assert [entry.method for entry in exchange.journal].count("get.account") == 1


def test_times_are_shown_even_if_the_data_api_does_not_answer(callapi, talk, connection, exchange):
    connection(extra={"timezone": None})
    exchange.fault(Fault.INTERNAL_ERROR, method="get.account", times=9)

    run = callapi("calls", "-o", "json")

    assert run.code == 0
    assert json.loads(run.out)[0]["session"] == talk
    assert "the times may be wrong" in run.err


@pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_a_program_can_read_the_calls(callapi, talk, output, read):
    with CallApiHook() as hook:
        hook.call(TagCall(call_session_id=talk, tag_id=36))

    (row,) = read(callapi("calls", "--output", output).out)

    assert row["session"] == talk, "a number is a number"
    assert row["external_id"] == "order-[bold]-7"
    assert row["tags"] == ["Answered"]
    assert row["contact"] == "7916…4567"
    assert [leg.rpartition(": ")[2] for leg in row["legs"]] == ["Разговор", "Разговор"]


def test_show_phone_numbers_prints_whole_numbers(callapi, talk):
    assert CONTACT in callapi("calls", "--show-phone-numbers").out


def test_no_calls_are_no_error(callapi):
    assert callapi("calls", "-o", "json").out.strip() == "[]"
    assert callapi("calls").code == 0


def test_a_command_sends_only_the_requests_that_it_needs(callapi, talk, exchange):
    before = len(exchange.journal)

    callapi("calls")

    assert [e.method for e in list(exchange.journal)[before:] if e.kind == "request"] == ["list.calls"]


def test_limits_show_the_points_left_of_both_periods_and_cost_none(callapi, exchange):
    exchange.account.minute_limit, exchange.account.day_limit = 10, 20

    first, second = (json.loads(callapi("limits", "-o", "json").out) for _ in range(2))

    counters = [(row["service"], row["per"], row["limit"], row["left"]) for row in first]
    assert counters[:2] == [("Call API", "minute", 10, 10), ("Call API", "day", 20, 20)]
    assert [row[:2] for row in counters[2:]] == [("Data API", "minute"), ("Data API", "day")]
    assert [row["left"] for row in second] == [row["left"] for row in first], "it is free"
    assert all(0 <= row["reset_in_seconds"] <= 86_400 for row in first)


def test_limits_show_only_the_call_api_if_the_connection_has_no_data_api(callapi, connection):
    connection(extra={"data_api": False})

    assert {row["service"] for row in json.loads(callapi("limits", "-o", "json").out)} == {"Call API"}


def test_limits_omit_the_data_api_for_a_login_because_its_login_costs_a_point(callapi, connection, exchange):
    account = exchange.account
    connection(login=account.login, password=account.password)

    run = callapi("limits", "-o", "json")

    assert run.code == 0
    assert {row["service"] for row in json.loads(run.out)} == {"Call API"}
    assert "a login there costs a point" in run.err


def test_the_limits_of_the_call_api_are_shown_even_if_the_data_api_fails(callapi, exchange):
    exchange.fault(Fault.HTML, method="get.calls_report")

    run = callapi("limits", "-o", "json")

    assert {row["service"] for row in json.loads(run.out)} == {"Call API"}
    assert run.code == 1
    assert 'Check "Data API host"' in run.err


def test_limits_are_shown_even_if_the_answer_that_contains_them_is_an_error(callapi, exchange):
    exchange.account.components_off.add(Component.MANAGEMENT)
    with CallApiHook() as hook, pytest.raises(Exception, match="component_disabled"):
        hook.call(ListCalls())

    run = callapi("limits", "-o", "plain")

    assert run.code == 0
    assert "minute" in run.out


def test_the_talk_options_show_the_actions_of_the_buttons(callapi):
    rows = json.loads(callapi("talk-options", "-o", "json").out)

    assert {"button": "4", "does": "transfer_call", "name": "Трансфер", "with": None} in rows
