"""Metrics, spans and log lines about calls."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_fakes import CAMPAIGN_MODULES_WITH_A_CLOCK, CONTACT, TTS, VNUMBER, Task, events_of, informer_task
from structlog.testing import capture_logs

from airflow_provider_callapi import observability
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallUnresolved
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor
from airflow_provider_callapi.triggers._loop import polls_by_connection
from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger

pytest_plugins = ["airflow_desk", "telemetry_fakes"]

WORKER_AND_DEFERRAL = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferral"])
PHONE = re.compile(r"\d{10,}")


@pytest.fixture
def log_lines():
    """Return a function that returns the log lines about calls."""
    with capture_logs() as lines:
        yield lambda: [line for line in lines if line.get("logger_name") == "callapi"]


# --- log lines ---


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
        (f"call {change}", session, "theirs") for change in ("listed", "answered", "ended")
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
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.observability import LogEvent, log_call_event
log_call_event(LogEvent.ANSWERED, Outcome(5, "order-7", answered=True))
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=100)

    (line,) = [json.loads(line) for line in run.stdout.splitlines() if b"order-7" in line]

    assert line["event"] == "call answered"
    assert (line["call_session_id"], line["external_id"], line["answered"]) == (5, "order-7", True)
    assert line["level"] == "info"
    assert "finish_reason" not in line, "what is not known is left out"


# --- metrics ---


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


def test_the_age_of_the_poll_grows_while_polls_fail_and_is_zero_without_a_waiting_task(desk, stats):
    desk.exchange.script(CONTACT, Script(rings=3, talks=60))
    session = desk.start()
    now = desk.clock()
    desk.exchange.fault(Fault.INTERNAL_ERROR, method="list.calls", times=3)
    waiting = CallApiSessionTrigger(
        callapi_conn_id="callapi_default",
        call=Outcome(session, started_at=now).to_xcom(),
        until="answered",
        poll_interval=5.0,
        appear_by=now + 60,
        deadline=now + 600,
    )

    asyncio.run(events_of(waiting))

    assert stats.named("callapi.poll.age.callapi_default") == [0.0, 5.0, 10.0, 15.0, 0.0]


def test_a_poll_that_ends_after_the_last_task_leaves_no_age(desk, stats, monkeypatch):
    polling, gone = threading.Event(), threading.Event()
    take_snapshot = polls_by_connection.take_snapshot

    def slow(*args):
        polling.set()
        assert gone.wait(60)
        return take_snapshot(*args)

    monkeypatch.setattr(polls_by_connection, "take_snapshot", slow)
    desk.exchange.fault(Fault.INTERNAL_ERROR, method="list.calls")

    async def main():
        async with polls_by_connection.subscribe("callapi_default", 5.0):
            assert await asyncio.to_thread(polling.wait, 5)
            desk.clock.advance(60)
        gone.set()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

    asyncio.run(main())

    assert stats.named("callapi.poll.age.callapi_default") == [0.0]


def test_a_campaigns_calls_are_counted_by_their_result(desk, stats, monkeypatch):
    for name in CAMPAIGN_MODULES_WITH_A_CLOCK:
        fake = SimpleNamespace(time=desk.clock, monotonic=desk.clock, sleep=desk.sleep)
        monkeypatch.setattr(importlib.import_module(f"airflow_provider_callapi.{name}"), "time", fake)
    desk.exchange.default_script = Script(rings=3, talks=20)
    busy = "79160000002"
    desk.exchange.script(busy, Script.busy(3))

    def make() -> CallApiCampaignOperator:
        return CallApiCampaignOperator(
            task_id="campaign",
            campaign="july",
            contacts=[{"phone": "79160000001"}, {"phone": busy}],
            call={
                "method": "start.informer_call",
                "virtual_phone_number": VNUMBER,
                "contact_message": TTS,
            },
            max_attempts=1,
            deferrable=False,
        )

    campaign = Task(desk, make)
    if campaign.state is None:
        pytest.skip("no task state in this Airflow: the campaign would need an SQL database")
    campaign.run()

    results = sorted(stats.tagged("callapi.campaign.calls"), key=lambda tags: tags["result"])
    assert results == [
        {"campaign": "july", "result": "answered"},
        {"campaign": "july", "result": "busy"},
    ]


def test_a_metric_that_cannot_be_sent_does_not_fail_the_task(desk, monkeypatch):
    def broken() -> Any:
        raise OSError("no metrics today")

    monkeypatch.setattr(observability, "_stats", broken)

    assert informer_task(desk, wait_for_completion=False).run()["status"] == "started"


def test_no_metric_has_a_number_or_an_id_of_a_call(desk, stats):
    result = informer_task(desk).run()

    sent = json.dumps([(name, tags) for _, name, _, tags in stats.sent])
    assert not PHONE.search(sent)
    assert str(result["call_session_id"]) not in sent
    assert "order-7" not in sent


@pytest.fixture
def statsd():
    """Return a UDP port for StatsD's datagrams, and a function that returns the received lines."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(2)

        def lines(until: str) -> list[str]:
            received: list[str] = []
            while not any(until in line for line in received):
                received += udp.recv(65_535).decode().splitlines()
            return received

        yield udp.getsockname()[1], lines


PROGRAMS = {
    "a core process, such as a triggerer": """
try:
    from airflow.observability.metrics.stats_utils import get_stats_factory
    from airflow.observability import stats
    stats.initialize(factory=get_stats_factory(), export_legacy_names=True)
except ImportError:
    pass
except (AttributeError, TypeError):  # 3.2
    from airflow.observability.stats import Stats
    Stats.initialize(factory=get_stats_factory(Stats))
""",
    "a process without any setup": "",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_metrics_reach_statsd_from_every_process_of_airflow(statsd, program):
    port, lines = statsd
    count = "\nfrom airflow_provider_callapi.observability import count_call\ncount_call('unresolved')\n"
    environment = {
        **os.environ,
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(port),
    }

    subprocess.run([sys.executable, "-c", program + count], env=environment, check=True, timeout=100)

    received = lines("callapi.unresolved")
    assert {line for line in received if "callapi" in line} == {
        "airflow.callapi.calls:1|c",
        "airflow.callapi.calls.unresolved:1|c",
        "airflow.callapi.unresolved:1|c",
    }


# --- spans ---


@WORKER_AND_DEFERRAL
def test_an_ended_call_is_a_span_inside_the_tasks_span(desk, spans, deferrable):
    desk.exchange.script(CONTACT, Script(rings=7, talks=40))
    result: dict[str, Any] = {}

    *ours, airflows = spans.traced(lambda: result.update(informer_task(desk, deferrable=deferrable).run()))

    (span,) = [span for span in ours if span.name == "callapi call"]
    began, answered, ended = (_nanoseconds(result[f"{what}_at"]) for what in ("started", "answered", "ended"))
    assert span.parent.span_id == airflows.context.span_id
    assert (span.start_time, span.end_time) == (began, ended)
    assert [(event.name, event.timestamp) for event in span.events] == [("answered", answered)]
    assert dict(span.attributes) == {
        "callapi.outcome": "answered",
        "callapi.call_session_id": result["call_session_id"],
        "callapi.external_id": "order-7",
        "callapi.attempt": 1,
        "callapi.answered": True,
        "callapi.finish_reason": result["finish_reason"],
        "callapi.talk_seconds": 40,
        "callapi.tags": (),
    }


def _nanoseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1e9)
