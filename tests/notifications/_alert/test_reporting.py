"""What the log and the metrics show of an alert that fails."""

from __future__ import annotations

import re

import pytest
from failing_callbacks import ON_DUTY, SECOND, SYNC_AND_ASYNC, notifier, of_dag, of_task, rung

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.notifications._alert import answer_wait, ringing

pytest_plugins = ["airflow_desk"]


@SYNC_AND_ASYNC
def test_the_log_shows_in_a_sentence_that_every_call_was_refused(desk, log, ring):
    desk.exchange.account.blacklist.add(ON_DUTY)

    ring(notifier(), of_dag())

    lines = [line for line in log().splitlines() if "No person was rung for" in line]
    assert lines
    for line in lines:
        assert re.search(
            r"No person was rung for DAG sales, run \S+: no call is confirmed; the lines above show whether "
            "a phone may have rung",
            line,
        )


@SYNC_AND_ASYNC
@pytest.mark.parametrize("contact", ["{{ duty }}", ["{{ duty }}", "{{ missing.phone }}"]])
def test_the_log_shows_that_no_phone_rang_if_no_contact_can_be_called(desk, log, ring, contact):
    ring(notifier(contact), {**of_task(), "duty": "8 916 000-00-0"})

    assert rung(desk) == []
    assert "no contact has a number that can be called" in log()
    assert "may have rung" not in log()


@SYNC_AND_ASYNC
def test_an_error_after_the_first_call_is_logged_as_an_interrupted_escalation(
    desk, monkeypatch, log, results, ring
):
    def fails(*_):
        raise RuntimeError("no watch")

    monkeypatch.setattr(answer_wait, "watch_of", fails)
    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert results() == ["rang"]
    assert "A phone was rung for DAG sales" in log()
    assert "No person was rung" not in log()


def test_an_error_text_holds_no_complete_phone_number(desk, monkeypatch, log):
    def fails(*args):
        raise ValueError(f"what about {ON_DUTY}")

    monkeypatch.setattr(ringing, "build_requests", fails)
    notifier()(of_task())

    assert "ValueError: what about 7916…0001" in log()


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    ("contact", "script", "result"),
    [
        (ON_DUTY, Script(), "rang"),
        ([ON_DUTY, SECOND], Script(rings=5, talks=30), "answered"),
        ([ON_DUTY, SECOND], Script.busy(), "rang"),
        ("{{ 12 }}", Script(), "nobody"),
        ("{{ nonsense( }}", Script(), "nobody"),
    ],
)
def test_every_alert_is_counted_once_by_its_result(desk, results, *, contact, script, result, ring):
    desk.exchange.default_script = script
    ring(notifier(contact), of_dag())

    assert results() == [result]


def test_a_suppressed_alert_is_counted_as_quiet(desk, results):
    notifier()(of_task("a"))
    notifier()(of_task("b"))

    assert results() == ["rang", "quiet"]
