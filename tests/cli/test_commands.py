"""The commands of ``airflow callapi``, run through Airflow's own parser against the emulator over HTTP."""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from airflow_program import stdout_of
from strange_answers import add_unreadable_entry

from airflow_provider_callapi.api.methods import (
    Component,
    ListCalls,
    StartEmployeeCall,
    StartInformerCall,
    TagCall,
)
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.api.object_ids import LARGEST_ID
from airflow_provider_callapi.cli.definition import _SESSION_ID
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytestmark = pytest.mark.needs_airflow("3.2", "commands of providers")

CONTACT, VNUMBER = "79161234567", "74993720692"
AIRFLOW = Path(sys.executable).with_name("airflow")


@pytest.fixture
def talk(callapi, exchange):
    """Return the session id of a call that lasts until it is released."""
    exchange.default_script = Script(rings=0, employee_rings=0, talks=None)
    employees = exchange.account.employees
    employees[25] = replace(employees[25], full_name="Иванова [bold] Анна")
    with CallApiHook() as hook:
        request = StartEmployeeCall(
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            first_call="contact",
            employee={"id": 25},
            external_id="order-[bold]-7",
        )
        return hook.call(request).call_session_id


def failed_with_one_line(run):
    """Return whether a command failed with one line on stderr, nothing on stdout and exit code 1."""
    lines = [line for line in run.err.splitlines() if line.startswith("airflow callapi: ")]
    return run.code == 1 and not run.out and len(lines) == 1 and "Traceback" not in run.err


# --- reading commands ---


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


def test_a_missing_connection_is_reported_with_the_next_step(callapi):
    run = callapi("calls", "--conn-id", "missing")

    assert failed_with_one_line(run)
    assert "airflow connections add" in run.err
    assert "--conn-id" in run.err


@pytest.mark.parametrize("columns", [40, 80])
def test_a_terminal_shows_a_long_message_with_line_ends_between_words(
    callapi, monkeypatch, exchange, columns
):
    text = callapi("calls", "--conn-id", "missing").err
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    shown = callapi("calls", "--conn-id", "missing").err

    assert len(text.splitlines()) == 1, "a file and a pipe get one line"
    assert shown.split() == text.split()
    assert all(len(line) <= columns for line in shown.splitlines())


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


@pytest.mark.parametrize("external_id", ["1234567.89", "5e10", "2026.10", "007"])
def test_plain_text_shows_an_id_that_looks_like_a_number_unchanged(callapi, exchange, external_id):
    message = {"type": "tts", "value": "Hello"}
    call = {"virtual_phone_number": VNUMBER, "contact": CONTACT, "contact_message": message}
    with CallApiHook() as hook:
        hook.call(StartInformerCall.from_values({**call, "external_id": external_id}))

    assert callapi("calls", "-o", "plain").out.split()[-1] == external_id


def test_the_column_since_is_utc_for_every_time_zone_of_the_account(callapi, talk, exchange):
    (row,) = json.loads(callapi("calls", "-o", "json").out)

    started = exchange.call(talk).started_at
    assert abs(datetime.fromisoformat(row["since"]).timestamp() - started) < 2


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


# --- release ---


def confirming(monkeypatch, answer, *, tty=True):
    stdin = io.StringIO(f"{answer}\n")
    stdin.isatty = lambda: tty
    monkeypatch.setattr(sys, "stdin", stdin)


def test_release_ends_the_call_after_a_yes(callapi, talk, exchange, monkeypatch):
    confirming(monkeypatch, "y")

    run = callapi("release", str(talk))

    assert (run.code, exchange.call(talk).active) == (0, False)
    assert run.out.endswith(f"call session {talk} is released\n")


def test_release_leaves_the_call_alone_after_ctrl_d(callapi, talk, exchange, monkeypatch):
    stdin = io.StringIO()
    stdin.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", stdin)

    run = callapi("release", str(talk))

    assert (run.code, exchange.call(talk).active) == (1, True)
    assert run.err.endswith(f"call session {talk} was not released\n")


def test_release_leaves_the_call_alone_after_a_no(callapi, talk, exchange, monkeypatch):
    confirming(monkeypatch, "n")

    run = callapi("release", str(talk))

    assert (run.code, exchange.call(talk).active) == (1, True)
    assert "was not released" in run.err


def test_release_without_a_terminal_requires_the_option_yes(callapi, talk, exchange, monkeypatch):
    confirming(monkeypatch, "y", tty=False)

    run = callapi("release", str(talk))

    assert failed_with_one_line(run)
    assert "--yes" in run.err
    assert exchange.call(talk).active


def test_release_with_yes_asks_no_question_and_succeeds_for_an_ended_call(callapi, talk, monkeypatch):
    confirming(monkeypatch, "", tty=False)

    runs = [callapi("release", str(talk), "--yes") for _ in range(2)]

    assert [run.code for run in runs] == [0, 0]
    assert "is released" in runs[0].out
    assert "is not active: it has ended or never existed" in runs[1].out


@pytest.mark.parametrize("session", ["0", "00", "-5", "1.5", "x", "", "٣", "9" * 5000, str(LARGEST_ID + 1)])
def test_release_refuses_a_value_that_is_no_session_id_in_one_sentence(capsys, session):
    parser = argparse.ArgumentParser()
    _SESSION_ID.add_to_parser(parser)

    with pytest.raises(SystemExit):
        parser.parse_args(["--", session])

    assert "a session id is a whole number from 1" in capsys.readouterr().err


def test_release_accepts_the_largest_session_id_that_a_list_of_calls_can_contain():
    parser = argparse.ArgumentParser()
    _SESSION_ID.add_to_parser(parser)

    session = CallSession(call_session_id=LARGEST_ID).call_session_id
    assert parser.parse_args([str(session)]).call_session_id == session


def test_release_of_session_0_ends_without_a_traceback_and_without_a_request(callapi, exchange, capsys):
    with pytest.raises(SystemExit):
        callapi("release", "0", "--yes")

    shown = capsys.readouterr().err
    assert "a session id is a whole number from 1" in shown
    assert "Traceback" not in shown
    assert exchange.journal == []


def test_release_of_a_call_that_never_existed_does_not_claim_that_it_has_ended(callapi):
    run = callapi("release", "999", "--yes")

    assert run.code == 0
    assert run.out == "call session 999 is not active: it has ended or never existed\n"


@pytest.mark.parametrize("session", ["twelve", ""])
def test_a_session_id_that_is_no_number_is_refused_by_the_parser(callapi, session):
    with pytest.raises(SystemExit) as end:
        callapi("release", session)

    assert end.value.code == 2


def test_a_program_can_read_the_result_of_a_release(callapi, talk, monkeypatch):
    confirming(monkeypatch, "y")

    asked = callapi("release", str(talk), "-o", "json")
    again = callapi("release", str(talk), "--yes", "-o", "yaml")

    assert json.loads(asked.out) == {"session": talk, "was_over_already": False}
    assert "(y/n)" in asked.err, "the question is not for the program"
    assert yaml.safe_load(again.out) == {"session": talk, "was_over_already": True}


def test_a_program_can_read_every_result_of_a_check(callapi, connection):
    works = callapi("check", "-o", "json")
    connection(password="no-such-key-at-all")
    broken = callapi("check", "-o", "json")

    assert (works.code, json.loads(works.out)["works"]) == (0, True)
    assert (broken.code, json.loads(broken.out)["works"]) == (1, False)
    assert "does not know this access key" in json.loads(broken.out)["message"]


# --- what the account has ---


@pytest.mark.parametrize(
    ("command", "row"),
    [
        (
            "numbers",
            {"number": "74993720692", "name": None, "status": "manual_lock", "scenarios": [23456]},
        ),
        (
            "employees",
            {"id": 25, "name": "Иванова Анна", "phones": ["7926…0001 (active)"], "extension": "125"},
        ),
        ("scenarios", {"id": 23456, "name": "Отдел продаж", "numbers": ["74993720692"]}),
        ("media", {"id": 2034, "name": "Музыка удержания", "type": "user", "seconds": 5}),
        ("tags", {"id": 36, "name": "Answered", "system": False}),
    ],
)
def test_a_list_of_the_account_has_the_ids_that_operators_need(callapi, connection, exchange, command, row):
    exchange.account.locked.add("74993720692")
    as_json = callapi(command, "-o", "json")
    as_table = callapi(command)

    assert as_json.code == as_table.code == 0, as_json.err
    assert row in json.loads(as_json.out)
    first = str(next(iter(row.values())))
    assert first in as_table.out


def test_complete_numbers_of_employees_are_shown_on_request(callapi, connection):
    run = callapi("employees", "-o", "json", "--show-phone-numbers")
    assert json.loads(run.out)[0]["phones"] == ["79260000001 (active)"]


@pytest.mark.parametrize("command", ["numbers", "employees", "scenarios", "media", "tags", "check --tag 36"])
def test_a_list_of_the_account_needs_the_data_api(callapi, connection, command):
    connection(extra={"data_api": False})
    run = callapi(*command.split())

    assert failed_with_one_line(run), run
    assert "tick Use the Data API (extra.data_api)" in " ".join(run.err.split())


def test_the_error_of_a_refused_list_names_the_data_api_and_the_remedy(callapi, connection, exchange):
    exchange.account.data_api_whitelist.clear()
    run = callapi("numbers")

    assert failed_with_one_line(run), run
    assert "IP list for the Data API" in run.err


THINGS = [
    "--virtual-number=74993720692",
    "--scenario=23456",
    "--employee=25",
    "--media-file=2034",
    "--tag=36",
    "--sip-line=sip25",
]


def test_a_check_of_objects_that_the_account_has_succeeds(callapi, connection):
    run = callapi("check", *THINGS, "-o", "json")

    assert run.code == 0, run.err
    assert json.loads(run.out)["problems"] == []


@pytest.mark.parametrize("number", ["+7 (499) 372-06-92", "8 499 372-06-92", " 74993720692 "])
def test_a_check_finds_a_virtual_number_in_every_spelling_that_operators_read(callapi, connection, number):
    assert callapi("check", f"--virtual-number={number}").code == 0


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (
            "--virtual-number=74990000000",
            "The account has no virtual number 7499…0000: `airflow callapi numbers` lists its numbers.",
        ),
        ("--virtual-number=74951045771", "The virtual number 7495…5771 is off (manual_lock)."),
        ("--scenario=5", "The account has no scenario 5."),
        ("--employee=5", "The account has no employee 5."),
        ("--employee=27", "Employee 27 has no telephone that is switched on."),
        ("--media-file=5", "The account has no media file 5."),
        ("--tag=5", "The account has no tag 5."),
        ("--sip-line=sip5", "The account has no SIP line sip5."),
        ("--sip-line=sip26", "The SIP line sip26 is off (manual_lock)."),
    ],
)
def test_a_check_names_objects_that_the_account_lacks_or_has_switched_off(
    callapi, connection, exchange, option, sentence
):
    exchange.account.locked |= {"74951045771", "sip26"}
    exchange.account.employees[27] = replace(
        exchange.account.employees[25], id=27, phone_numbers=(), other_numbers=()
    )
    as_text = callapi("check", *THINGS, option)
    as_json = callapi("check", *THINGS, option, "-o", "json")

    assert as_text.code == as_json.code == 1
    assert as_text.out.startswith("Connected; ")
    assert as_text.err.rstrip().endswith(f"airflow callapi: {sentence}")
    assert json.loads(as_json.out)["problems"] == [sentence]


def test_a_list_that_cannot_be_read_is_reported_and_is_no_mistake(callapi, connection, exchange):
    exchange.account.forbidden_methods.add("get.tags")
    run = callapi("check", "--tag=5", "--scenario=23456")

    assert run.code == 0
    assert "The account's tags were not checked: get.tags: Permission denied" in run.err


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


# --- errors ---


@pytest.mark.parametrize("command", ["calls", "limits", "talk-options", "check", "release 5 --yes"])
@pytest.mark.parametrize("wrong", ["key", "host", "no such connection", "a field"])
def test_an_error_is_one_line_on_stderr_and_an_exit_code(callapi, connection, command, wrong):
    more = []
    if wrong == "key":
        connection(password="no-such-key-at-all")
    elif wrong == "host":
        connection(host="http://callapi.example.com", port=None)  # plain http is refused before it is sent
    elif wrong == "a field":
        connection(extra={"timeout": "soon"})
    else:
        more = ["--conn-id", "nobody_made_this"]

    run = callapi(*command.split(), *more)

    assert failed_with_one_line(run), run
    assert "no-such-key-at-all" not in run.err


@pytest.mark.parametrize("command", ["calls", "limits", "talk-options", "check"])
def test_a_service_that_hangs_is_asked_once_and_not_for_long(
    callapi, connection, exchange, monkeypatch, command
):
    from airflow_provider_callapi.supervision import short_hook

    monkeypatch.setattr(short_hook, "_TIMEOUT", 0.3)
    connection(extra={"timeout": 600})
    exchange.fault(Fault.HANG, times=9, seconds=5)
    began = time.monotonic()

    run = callapi(command)

    assert time.monotonic() - began < 4
    assert failed_with_one_line(run), run
    assert sum(entry.kind == "fault" for entry in exchange.journal) == 1


def test_a_shorter_timeout_of_the_connection_is_kept(connection):
    from airflow_provider_callapi.supervision.short_hook import ShortTimeoutHook

    connection(extra={"timeout": 2})
    assert ShortTimeoutHook().settings.timeout == 2
    connection(extra={"timeout": 30})
    assert ShortTimeoutHook().settings.timeout == 10


@pytest.mark.parametrize("command", ["calls", "limits", "talk-options"])
def test_an_error_contains_advice(callapi, connection, command):
    connection(password="no-such-key-at-all")

    assert "The service does not know this access key" in callapi(command).err


@pytest.mark.parametrize("command", ["calls", "limits", "talk-options", "check", "release 5 --yes"])
def test_ctrl_c_ends_a_command_without_output(callapi, monkeypatch, command):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("airflow_provider_callapi.api.client.Client.call", interrupted)

    run = callapi(*command.split())

    assert (run.code, run.out, run.err) == (130, "", "")


def test_ctrl_c_at_the_question_releases_no_call(callapi, talk, exchange, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    confirming(monkeypatch, "y")
    monkeypatch.setattr("airflow_provider_callapi.cli.output.ask_yesno", interrupted)

    assert callapi("release", str(talk)).code == 130
    assert exchange.call(talk).active


def test_used_up_points_are_reported_at_once_without_a_wait(callapi, talk, exchange):
    exchange.account.minute_limit = 0

    run = callapi("release", str(talk), "--yes")

    assert failed_with_one_line(run)
    assert re.search(r"limit_exceeded.*reset in \d+ s", run.err)
    assert exchange.requests("release.call") == 1


def test_a_release_whose_answer_was_lost_is_sent_again(callapi, talk, exchange):
    exchange.fault(Fault.DROP_AFTER, method="release.call")

    assert callapi("release", str(talk), "--yes").code == 0
    assert not exchange.call(talk).active


def test_check_prints_what_test_connection_returns(callapi, connection):
    assert callapi("check").out == f"{CallApiHook().test_connection()[1]}\n"


def test_a_contact_in_an_error_is_shortened(callapi, connection, exchange):
    connection(password=CONTACT)

    run = callapi("check")

    assert failed_with_one_line(run)
    assert CONTACT not in run.err


def test_a_command_sends_only_the_requests_that_it_needs(callapi, talk, exchange):
    before = len(exchange.journal)

    callapi("calls")

    assert [e.method for e in list(exchange.journal)[before:] if e.kind == "request"] == ["list.calls"]


# --- as a program ---


def test_the_command_airflow_callapi_check_ends_with_an_exit_code_of_its_own(airflow_db):
    done = subprocess.run(
        [AIRFLOW, "callapi", "check", "--conn-id", "nobody_made_this"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert done.returncode == 1, done
    assert "nobody_made_this" in done.stderr


def test_a_command_writes_only_its_answer_to_stdout(airflow_db, callapi_emulator):
    """A warning, here about a deprecated version, must not appear on stdout."""
    callapi_emulator.exchange.account.deprecated_version = callapi_emulator.exchange.account.version
    commands = (["calls"], ["limits"], ["release", "5", "--yes"])
    checked, *written = stdout_of(
        ["callapi", "check"],
        *(["callapi", *command, "--output", "json"] for command in commands),
        AIRFLOW_CONN_CALLAPI_DEFAULT=json.dumps(callapi_emulator.connection()),
    )

    assert "Connected; 0 active calls" in checked
    for output in written:
        assert json.loads(output) is not None, output


def test_the_emulator_takes_the_options_of_its_own_command(callapi):
    assert "--manual-clock" in callapi("emulator", "--help").out
    wrong = callapi("emulator", "--speed", "fast")
    assert wrong.code == 2
    assert "--speed" in wrong.err


def test_the_emulator_serves_until_it_is_stopped(airflow_db):
    with subprocess.Popen(
        [AIRFLOW, "callapi", "emulator", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if line.startswith("export "))
            fields = json.loads(line.partition("=")[2].strip().strip("'"))
            import requests

            page = requests.get(f"{fields['host']}:{fields['port']}/", timeout=10)
            assert page.ok
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()


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
