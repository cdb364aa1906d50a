"""The command ``release``: it asks before it ends a call, and says whether the call was active."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest
import yaml

from airflow_provider_callapi.emulator import Fault

pytestmark = pytest.mark.needs_airflow("3.2", "commands of providers")


def confirming(monkeypatch, answer, *, tty=True):
    stdin = io.StringIO(f"{answer}\n")
    stdin.isatty = lambda: tty
    monkeypatch.setattr(sys, "stdin", stdin)


def test_release_ends_the_call_after_a_yes(callapi, talk, exchange, monkeypatch):
    confirming(monkeypatch, "y")

    run = callapi("release", str(talk))

    assert (run.code, exchange.call(talk).active) == (0, False)
    assert run.out.endswith(f"call session {talk} is released\n")


def test_release_leaves_the_call_alone_after_a_no(callapi, talk, exchange, monkeypatch):
    confirming(monkeypatch, "n")

    run = callapi("release", str(talk))

    assert (run.code, exchange.call(talk).active) == (1, True)
    assert "was not released" in run.err


def test_release_leaves_the_call_alone_after_ctrl_d(callapi, talk, exchange, monkeypatch):
    stdin = io.StringIO()
    stdin.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", stdin)

    run = callapi("release", str(talk))

    assert (run.code, exchange.call(talk).active) == (1, True)
    assert run.err.endswith(f"call session {talk} was not released\n")


def test_ctrl_c_at_the_question_releases_no_call(callapi, talk, exchange, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    confirming(monkeypatch, "y")
    monkeypatch.setattr("airflow_provider_callapi.cli.output.ask_yesno", interrupted)

    assert callapi("release", str(talk)).code == 130
    assert exchange.call(talk).active


def test_release_without_a_terminal_requires_the_option_yes(callapi, talk, exchange, monkeypatch):
    confirming(monkeypatch, "y", tty=False)

    run = callapi("release", str(talk))

    assert run.failed_with_one_line
    assert "--yes" in run.err
    assert exchange.call(talk).active


def test_release_with_yes_asks_no_question_and_succeeds_for_an_ended_call(callapi, talk, monkeypatch):
    confirming(monkeypatch, "", tty=False)

    runs = [callapi("release", str(talk), "--yes") for _ in range(2)]

    assert [run.code for run in runs] == [0, 0]
    assert "is released" in runs[0].out
    assert "is not active: it has ended or never existed" in runs[1].out


def test_release_of_a_call_that_never_existed_does_not_claim_that_it_has_ended(callapi):
    run = callapi("release", "999", "--yes")

    assert run.code == 0
    assert run.out == "call session 999 is not active: it has ended or never existed\n"


@pytest.mark.parametrize("session", ["0", "twelve", ""])
def test_release_of_a_value_that_is_no_session_id_ends_without_a_traceback_and_without_a_request(
    callapi, exchange, capsys, session
):
    with pytest.raises(SystemExit) as end:
        callapi("release", session, "--yes")

    shown = capsys.readouterr().err
    assert end.value.code == 2
    assert "a session id is a whole number from 1" in shown
    assert "Traceback" not in shown
    assert exchange.journal == []


def test_a_release_whose_answer_was_lost_is_sent_again(callapi, talk, exchange):
    exchange.fault(Fault.DROP_AFTER, method="release.call")

    assert callapi("release", str(talk), "--yes").code == 0
    assert not exchange.call(talk).active


def test_used_up_points_are_reported_at_once_without_a_wait(callapi, talk, exchange):
    exchange.account.minute_limit = 0

    run = callapi("release", str(talk), "--yes")

    assert run.failed_with_one_line
    assert re.search(r"limit_exceeded.*reset in \d+ s", run.err)
    assert exchange.requests("release.call") == 1


def test_a_program_can_read_the_result_of_a_release(callapi, talk, monkeypatch):
    confirming(monkeypatch, "y")

    asked = callapi("release", str(talk), "-o", "json")
    again = callapi("release", str(talk), "--yes", "-o", "yaml")

    assert json.loads(asked.out) == {"session": talk, "was_over_already": False}
    assert "(y/n)" in asked.err, "the question is not for the program"
    assert yaml.safe_load(again.out) == {"session": talk, "was_over_already": True}
