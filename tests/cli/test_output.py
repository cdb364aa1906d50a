"""What each command writes and how it ends: one line for an error, nothing but the answer on stdout."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import pytest
import yaml
from airflow_fakes import CONTACT
from airflow_program import stdout_of

from airflow_provider_callapi.cli.output import print_result
from airflow_provider_callapi.emulator import Fault

pytestmark = pytest.mark.needs_airflow("3.2", "commands of providers")


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

    assert run.failed_with_one_line, run
    assert "no-such-key-at-all" not in run.err


def test_a_missing_connection_is_reported_with_the_next_step(callapi):
    run = callapi("calls", "--conn-id", "missing")

    assert run.failed_with_one_line, run
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


@pytest.mark.parametrize("command", ["calls", "limits", "talk-options"])
def test_an_error_contains_advice(callapi, connection, command):
    connection(password="no-such-key-at-all")

    assert "The service does not know this access key" in callapi(command).err


def test_a_contact_in_an_error_is_shortened(callapi, connection, exchange):
    connection(password=CONTACT)

    run = callapi("check")

    assert run.failed_with_one_line
    assert CONTACT not in run.err


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
    assert run.failed_with_one_line, run
    assert sum(entry.kind == "fault" for entry in exchange.journal) == 1


def test_a_shorter_timeout_of_the_connection_is_kept(connection):
    from airflow_provider_callapi.supervision.short_hook import ShortTimeoutHook

    connection(extra={"timeout": 2})
    assert ShortTimeoutHook().settings.timeout == 2
    connection(extra={"timeout": 30})
    assert ShortTimeoutHook().settings.timeout == 10


@pytest.mark.parametrize("command", ["calls", "limits", "talk-options", "check", "release 5 --yes"])
def test_ctrl_c_ends_a_command_without_output(callapi, monkeypatch, command):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("airflow_provider_callapi.api.client.Client.call", interrupted)

    run = callapi(*command.split())

    assert (run.code, run.out, run.err) == (130, "", "")


@pytest.mark.parametrize("command", ["campaigns", "campaigns stop spring"])
def test_ctrl_c_ends_a_command_without_a_connection_without_output(callapi, monkeypatch, command):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    for name in ("list_campaigns", "ask_campaign"):
        monkeypatch.setattr(f"airflow_provider_callapi.cli.campaigns.{name}", interrupted)

    run = callapi(*command.split())

    assert (run.code, run.out, run.err) == (130, "", "")


AIRFLOW = Path(sys.executable).with_name("airflow")


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


@pytest.fixture
def stdout_encoding(monkeypatch):
    """Return a function that gives stdout an encoding, and returns what a command has written there."""
    written = io.BytesIO()

    def give(encoding: str) -> io.BytesIO:
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding=encoding, write_through=True))
        return written

    return give


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "koi8-r"])
@pytest.mark.parametrize("output", ["json", "yaml", "table", "plain"])
def test_calls_are_listed_if_stdout_cannot_write_the_sign_of_a_shortened_number(
    callapi, talk, output, encoding, stdout_encoding
):
    """Otherwise, the command that ends all calls would end none of them."""
    complete = callapi("calls", "--output", output).out
    written = stdout_encoding(encoding)

    assert callapi("calls", "--output", output).code == 0

    shown = written.getvalue().decode(encoding)
    if output == "json":
        assert json.loads(shown) == json.loads(complete)
    elif output == "yaml":
        assert yaml.safe_load(shown) == yaml.safe_load(complete)
    else:
        assert str(talk) in shown
        assert "7916?4567" in shown


def test_a_sentence_is_printed_if_stdout_cannot_write_one_of_its_characters(stdout_encoding):
    written = stdout_encoding("ascii")

    print_result("7916…4567 is free", {}, Namespace(output="text"))

    assert written.getvalue() == b"7916?4567 is free\n"
