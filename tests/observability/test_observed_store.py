"""The store that logs and counts a call: each change once, also if a later try continues with the call."""

from __future__ import annotations

import logging

import pytest
from airflow_fakes import CONTACT, informer_task
from ways_to_wait import WORKER_AND_DEFERRAL

from airflow_provider_callapi.calls.single_call.call_record import RECORD_KEY
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallUnresolved
from airflow_provider_callapi.observability import observed_store

pytest_plugins = ["airflow_desk", "telemetry_fakes"]


def test_a_try_that_adopts_a_call_logs_the_adoption_and_repeats_no_line(desk, log_lines):
    desk.exchange.script(CONTACT, Script(rings=3, talks=80))
    waiting = informer_task(desk, timeout=60.0)
    with pytest.raises(Exception, match="still active"):
        waiting.run()
    before = len(log_lines())
    if waiting.state is None:
        pytest.skip("no task state in this Airflow: no second try")

    waiting.retry()

    assert [line["event"] for line in log_lines()[:before]][-1] == "call timed out"
    events = [line["event"] for line in log_lines()[before:]]
    assert events[0] == "call resumed"
    assert "call intended" not in events
    assert "call started" not in events
    assert events[-1] == "call done"


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_task_that_turns_back_to_its_first_person_counts_each_call_once(desk, log_lines, stats):
    first = informer_task(desk)
    result = first.run()
    other = informer_task(desk, contact="79260000077", external_id="order-8")
    make, first.make = first.make, other.make
    first.retry()
    before = len(log_lines())
    first.make = make
    assert first.retry() == result
    assert sum(map(len, (stats.named("callapi.calls.answered"), stats.named("callapi.calls.unknown")))) == 2
    assert "call done" not in [line["event"] for line in log_lines()[before:]]


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("damage", [{"stage": "of a newer version"}, {"stage": None}, 7], ids=str)
def test_a_record_that_cannot_be_read_rings_nobody_and_the_error_says_what_to_do(desk, damage):
    task = informer_task(desk, wait_for_completion=False)
    task.run()
    task.state.set(
        RECORD_KEY, {**task.state.get(RECORD_KEY), **damage} if isinstance(damage, dict) else damage
    )
    with pytest.raises(ValueError, match=r"sends no start request .* Install the newer version again"):
        task.retry()
    assert desk.exchange.rings(CONTACT) == 1


def test_an_unresolved_call_is_logged_as_a_warning_with_its_external_id(desk, log_lines, stats):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    with pytest.raises(CallUnresolved):
        informer_task(desk).run()

    (line,) = [line for line in log_lines() if line["event"] == "call unresolved"]
    assert line["log_level"] == "warning"
    assert line["external_id"] == "order-7"
    assert stats.named("callapi.calls.unresolved") == [1]
    assert stats.tagged("callapi.calls") == [{"outcome": "unresolved"}]
    assert [sent[1] for sent in stats.sent].count("callapi.unresolved") == 1


def test_a_refused_call_is_logged_as_not_placed_and_counted(desk, log_lines, stats):
    desk.exchange.account.blacklist.add(CONTACT)

    with pytest.raises(CallApiFailure):
        informer_task(desk).run()

    assert [line["event"] for line in log_lines()] == ["call intended", "call not placed"]
    assert stats.tagged("callapi.calls") == [{"outcome": "refused"}]


@WORKER_AND_DEFERRAL
@pytest.mark.parametrize(
    ("script", "end"),
    [
        (Script(rings=3, talks=40), "answered"),
        (Script.busy(8), "not_answered"),
        (Script.busy(8), "unknown"),
    ],
)
def test_a_call_is_counted_once_by_its_end(desk, stats, script, end, deferrable):
    desk.connect(extra={"data_api": end != "unknown"})
    desk.exchange.script(CONTACT, script)

    informer_task(desk, deferrable=deferrable).run()

    assert stats.tagged("callapi.calls") == [{"outcome": end}]
    assert stats.named(f"callapi.calls.{end}") == [1]


def test_a_call_without_a_wait_counts_as_started(desk, stats, log_lines):
    informer_task(desk, wait_for_completion=False).run()

    assert stats.tagged("callapi.calls") == [{"outcome": "started"}]
    assert [line["event"] for line in log_lines()] == ["call intended", "call started"]


def test_a_span_that_cannot_be_written_is_in_the_debug_log_and_fails_no_task(
    desk, stats, log_lines, monkeypatch, caplog
):
    monkeypatch.setattr(observed_store, "trace_call", lambda *_: 1 / 0)
    caplog.set_level(logging.DEBUG, logger="airflow_provider_callapi")
    desk.exchange.script(CONTACT, Script(rings=3, talks=40))

    assert informer_task(desk).run()["status"] == "ended"

    (record,) = [record for record in caplog.records if "trace span" in record.getMessage()]
    assert record.levelno == logging.DEBUG
    assert "ZeroDivisionError" in caplog.text
    assert log_lines()[-1]["event"] == "call done"
    assert stats.tagged("callapi.calls") == [{"outcome": "answered"}]
