"""The command ``airflow callapi verify``: it asks before it calls, and leaves no call when it is ended."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
from contextlib import redirect_stderr, suppress
from pathlib import Path

import pytest
import yaml
from airflow_fakes import CONTACT, VNUMBER

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.cli import verify_account
from airflow_provider_callapi.emulator import Profile, Script
from airflow_provider_callapi.verify.probes import MOST_CALLS, PROBES
from airflow_provider_callapi.verify.resume_file import only_user

pytestmark = pytest.mark.needs_airflow("3.2", "commands of providers")

NUMBERS = ("--contact", CONTACT, "--virtual-number", VNUMBER)


@pytest.fixture
def verify(callapi, monkeypatch, tmp_path):
    """Return a function that runs the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *options: callapi("verify", *options)


def test_the_help_states_the_probes_the_calls_and_the_points(callapi, capsys):
    with pytest.raises(SystemExit):
        callapi("verify", "--help")
    text = " ".join(capsys.readouterr().out.split())
    complete = [probe for probe in PROBES if not probe.only_on_request]
    assert f"A complete run places {sum(probe.calls for probe in complete)} calls" in text
    points = round(sum(probe.points for probe in complete), -1)
    assert f"uses about {points} points" in text
    assert f"at most {MOST_CALLS} calls" in text
    assert "Run only these probes: " + ", ".join(probe.name for probe in PROBES) in text


def test_the_profile_is_printed_for_the_emulator(verify, exchange):
    run = verify("--no-calls", "--yes", "--output", "json")

    profile = Profile.parse(run.out)
    assert run.code == 0
    assert profile.day_limit == exchange.account.day_limit
    assert profile.error_http_status == 200
    assert "| confirmed" in run.err, "the table goes to stderr"
    assert exchange.requests("start.informer_call") == 0


def test_the_default_output_is_the_table(verify):
    run = verify("--no-calls", "--yes")

    assert run.out.startswith("+--")
    assert "| confirmed" in run.out
    assert "It places no call." in run.err


def test_yaml_is_the_same_profile(verify):
    first = verify("--no-calls", "--yes", "--output", "json")
    second = verify("--no-calls", "--yes", "--output", "yaml")

    assert yaml.safe_load(second.out) == json.loads(first.out)
    assert "There is nothing left to do" not in second.err, "the login needs a login and is tried again"


def test_the_numbers_of_both_phones_are_needed_for_calls(verify, exchange):
    run = verify("--yes")

    assert run.code == 1
    assert "give --contact (your own phone) and --virtual-number, or --no-calls" in run.err
    assert exchange.requests("list.calls") == 0


@pytest.mark.parametrize("number", ["12", "not-a-phone", "+7 916 123-45-6", "7916123456789"])
@pytest.mark.parametrize("option", ["--contact", "--virtual-number", "--second-number", "--dead-operator"])
def test_a_wrong_number_is_an_error_that_does_not_repeat_it(option, number, verify, exchange):
    run = verify("--yes", *NUMBERS, option, number)

    assert run.code == 1
    assert option in run.err or "E.164" in run.err
    assert number not in run.err
    assert not exchange.calls


@pytest.mark.parametrize(
    ("own", "region"), [("9161234567", "RU"), ("8 916 123-45-67", "RU"), ("+7 916 123-45-67", "DE")]
)
def test_a_number_without_a_country_code_is_a_number_of_the_region(own, region, verify, monkeypatch):
    """Otherwise, the first digits of 9161234567 are the country code of India."""
    called = []

    def begins(gateway, options, file):
        called.append(options.contact)
        raise KeyboardInterrupt

    monkeypatch.setattr(verify_account, "Run", begins)
    verify("--yes", *NUMBERS, "--contact", own, "--region", region)

    assert called == [CONTACT]


def test_an_unknown_region_is_an_error(verify, exchange):
    assert "region: 'Russia' is not a code" in verify("--yes", *NUMBERS, "--region", "Russia").err
    assert not exchange.calls


def test_two_equal_numbers_are_an_error(verify, exchange):
    run = verify("--yes", *NUMBERS, "--second-number", "+7 916 123-45-67")

    assert run.code == 1
    assert "must differ" in run.err
    assert exchange.rings(CONTACT) == 0


def test_an_unknown_probe_is_an_error(verify):
    assert "--only: herd: there is no such probe" in verify("--yes", "--only", "herd").err


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_verify_sends_no_request_without_consent(answer, verify, exchange, monkeypatch):
    terminal = io.StringIO(answer)
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)

    run = verify(*NUMBERS)

    assert run.code == 1
    assert "It places 4 calls" in run.err
    assert "nothing was done" in run.err
    assert exchange.requests("list.calls") == 0


def test_the_plan_needs_the_option_yes_without_a_terminal(verify, exchange, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    run = verify(*NUMBERS)

    assert "no terminal to confirm the plan; use --yes" in run.err
    assert exchange.requests("list.calls") == 0


HANDLERS = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}


@pytest.fixture
def of_a_terminal():
    """Give the signals the handlers of a command in a terminal.

    A shell starts a background job with SIGINT ignored, and ``nohup`` ignores SIGHUP. The tests may run so.
    """
    of_the_tests = {number: signal.signal(number, handler) for number, handler in HANDLERS.items()}
    yield
    for number, handler in of_the_tests.items():
        signal.signal(number, handler)


@pytest.fixture
def in_a_call(of_a_terminal, exchange, monkeypatch):
    """Return a function that lets the command do something, e.g. get a signal, when its call is active."""
    exchange.script(CONTACT, Script(rings=0, talks=None))

    def when_active(act):
        monkeypatch.setattr(system_clock, "sleep", lambda _: exchange.active_calls and act())

    return when_active


def interrupted(*_):
    raise KeyboardInterrupt


def active_in_file():
    return json.loads(Path("callapi-verify.state.json").read_text())["active"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_command_and_its_call(number, verify, exchange, in_a_call):
    in_a_call(lambda: os.kill(os.getpid(), number))

    run = verify("--yes", *NUMBERS, "--only", "released")

    assert run.code == 130
    assert exchange.rings(CONTACT) == 1
    assert exchange.active_calls == []
    assert {number: signal.getsignal(number) for number in HANDLERS} == HANDLERS
    assert active_in_file() is None


def test_a_command_that_ignores_the_end_of_its_terminal_goes_on(verify, in_a_call):
    """As after ``nohup``."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals = []

    def hang_up():
        os.kill(os.getpid(), signal.SIGHUP)
        signals.append("SIGHUP")
        if len(signals) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    in_a_call(hang_up)

    assert verify("--yes", *NUMBERS, "--only", "released").code == 130
    assert len(signals) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_command_that_nobody_reads_any_more_ends_its_call(number, verify, exchange, in_a_call):
    """Ctrl-C also kills ``tee``, to which the command writes."""
    reading, writing = os.pipe()

    def interrupt():
        os.close(reading)
        os.kill(os.getpid(), number)

    in_a_call(interrupt)
    with suppress(BrokenPipeError), os.fdopen(writing, "w", buffering=1) as pipe, redirect_stderr(pipe):
        run = verify("--yes", *NUMBERS, "--only", "released")

    assert run.code == 130
    assert exchange.rings(CONTACT) == 1
    assert exchange.active_calls == []
    assert active_in_file() is None


def test_a_resume_file_of_another_connection_is_an_error(verify, tmp_path):
    (tmp_path / "other.json").write_text('{"conn_id": "other"}')

    run = verify("--no-calls", "--yes", "--resume-file", "other.json")

    assert run.code == 1
    assert "the file belongs to the connection other" in run.err


def test_a_second_run_with_the_same_resume_file_is_an_error_and_leaves_the_call_of_the_first(
    verify, exchange, in_a_call
):
    seconds = []

    def run_a_second():
        seconds.append(verify("--yes", *NUMBERS, "--only", "points"))
        seconds.append(len(exchange.active_calls))
        os.kill(os.getpid(), signal.SIGTERM)

    in_a_call(run_a_second)

    verify("--yes", *NUMBERS, "--only", "released")

    second, active_calls = seconds
    assert second.code == 1
    assert "another airflow callapi verify uses this file; wait for its end" in second.err
    assert active_calls == 1
    assert exchange.requests("start.informer_call") == 1


@pytest.mark.parametrize("end", ["finished", "refused", "interrupted"])
def test_a_resume_file_is_free_after_the_end_of_a_run(end, verify, monkeypatch):
    with monkeypatch.context() as patch:
        if end == "interrupted":
            patch.setattr(verify_account, "Run", interrupted)
        verify("--yes", "--no-calls", "--only", "herd" if end == "refused" else "points")

    assert verify("--yes", "--no-calls", "--only", "points").code == 0


def test_two_runs_with_resume_files_of_their_own_do_not_wait_for_each_other(verify):
    with only_user(Path("one.json")):
        assert verify("--yes", "--no-calls", "--only", "points", "--resume-file", "two.json").code == 0


def test_a_resume_file_in_a_folder_that_does_not_exist_is_an_error(verify, exchange):
    run = verify("--yes", "--no-calls", "--resume-file", "nowhere/state.json")

    assert run.code == 1
    assert "cannot be locked (FileNotFoundError); name another file with --resume-file" in run.err
    assert exchange.requests("list.calls") == 0


def test_findings_of_another_account_are_not_shown_as_those_of_this_account(
    verify, exchange, connection, tmp_path
):
    verify("--no-calls", "--yes", "--only", "points")
    exchange.account.key = "the-key-of-another-account"
    connection(password=exchange.account.key)

    run = verify("--no-calls", "--yes", "--only", "points")

    assert (run.code, run.out) == (1, "")
    assert "the connection callapi_default had another account or other credentials" in run.err
    assert len(json.loads((tmp_path / "callapi-verify.state.json").read_text())["account"]) == 4


@pytest.mark.parametrize("disk_is_full_after", [0, 2])
def test_a_resume_file_that_cannot_be_written_ends_the_call_and_is_one_line(
    verify, exchange, monkeypatch, disk_is_full_after
):
    written = []
    write_text = Path.write_text

    def write(path, *args, **options):
        if len(written) >= disk_is_full_after:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        return write_text(path, *args, **options)

    monkeypatch.setattr(Path, "write_text", write)
    exchange.script(CONTACT, Script(rings=0, talks=None))
    monkeypatch.setattr(system_clock, "sleep", lambda seconds: None)

    run = verify(*NUMBERS, "--yes", "--only", "errors", "released")

    assert run.code == 1
    assert "cannot be written (OSError); name another file with --resume-file" in run.err
    assert exchange.rings(CONTACT) == (1 if disk_is_full_after else 0)
    assert exchange.active_calls == []


def test_a_wrong_key_is_one_line_with_advice(verify, connection):
    connection(password="wrong")

    run = verify("--no-calls", "--yes")

    assert run.code == 1
    assert "access_token_invalid" in run.err or "Password" in run.err
    assert "Traceback" not in run.err
    assert "wrong" not in run.out
