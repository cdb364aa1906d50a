"""The log lines about calls: one for each change, with the call's ids and without phone numbers."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from airflow_fakes import CONTACT, PHONE, Task, informer_task
from ways_to_wait import WORKER_AND_DEFERRAL

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

pytest_plugins = ["airflow_desk", "telemetry_fakes"]


@WORKER_AND_DEFERRAL
def test_every_change_of_a_call_is_one_line_with_its_ids_in_worker_and_triggerer(desk, log_lines, deferrable):
    desk.exchange.script(CONTACT, Script(rings=7, talks=40))

    result = informer_task(desk, deferrable=deferrable, tags={"ended": 38}).run()

    lines = log_lines()
    assert [line["event"] for line in lines] == [
        "call intended",
        "call started",
        "call listed",
        "call answered",
        "call ended",
        "call settled",
        "call tagged",
        "call done",
    ]
    assert {line["external_id"] for line in lines} == {"order-7"}
    assert {line["call_session_id"] for line in lines[1:]} == {result["call_session_id"]}
    facts = ["answered", "finish_reason", "talk_seconds", "tags", "attempt", "call_session_id", "external_id"]
    assert [name for name in lines[-1] if name in facts] == facts, "the ids push no fact off the screen"
    assert lines[-1]["answered"] is True
    assert lines[-1]["tags"] == [38]
    assert not PHONE.search(json.dumps([{**line, "call_session_id": 0} for line in lines]))


@pytest.mark.parametrize("mode", ["poke", "reschedule"])
def test_a_sensor_logs_the_changes_that_it_observes(desk, log_lines, mode):
    desk.exchange.script(CONTACT, Script(rings=7, talks=40))
    session = desk.start(external_id="theirs")

    def make() -> CallApiSessionSensor:
        return CallApiSessionSensor(task_id="wait", call_session_id=session, mode=mode, timeout=600)

    waiting = Task(desk, make)
    if waiting.state is None and mode == "reschedule":
        pytest.skip("no task state in this Airflow: every poke starts again and logs what it observes")
    waiting.run()

    assert [(line["event"], line["call_session_id"], line["external_id"]) for line in log_lines()] == [
        (f"call {change}", session, "theirs") for change in ("listed", "answered", "ended", "done")
    ]


def test_the_keys_of_a_line_are_keys_of_the_json_in_airflows_task_log():
    """Configure the log as a task's process does. This needs its own process, because the log is global."""
    program = """
import sys
from airflow.sdk.log import configure_logging
try:
    configure_logging(json_output=True, output=sys.stdout.buffer)
except TypeError:  # Airflow 3.0 and 3.1
    configure_logging(enable_pretty_log=False, output=sys.stdout.buffer)
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.observability.log_lines import LogEvent, log_call_event
log_call_event(LogEvent.ANSWERED, Outcome(5, "order-7", answered=True))
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=100)

    (line,) = [json.loads(line) for line in run.stdout.splitlines() if b"order-7" in line]

    assert line["event"] == "call answered"
    assert (line["call_session_id"], line["external_id"], line["answered"]) == (5, "order-7", True)
    assert line["level"] == "info"
    assert "finish_reason" not in line, "what is not known is left out"
