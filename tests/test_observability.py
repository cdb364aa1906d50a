"""What whoever runs Airflow is told of the calls: metrics, spans, and a log line a change."""

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
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_fakes import CAMPAIGN_MODULES_WITH_A_CLOCK, CONTACT, TTS, VNUMBER, Task, events_of
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from airflow_provider_callapi import observability
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallUnresolved
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor
from airflow_provider_callapi.triggers._loop import shared_poll
from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger

pytest_plugins = ["airflow_desk"]

WAYS = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferral"])
PHONE = re.compile(r"\d{10,}")


class Stats:
    """Airflow's metrics, kept: ``(kind, name, tags)`` → the values."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any, dict[str, str] | None]] = []

    def incr(self, name: str, *, tags: dict[str, str] | None = None) -> None:
        self.sent.append(("incr", name, 1, tags))

    def gauge(self, name: str, value: float, *, tags: dict[str, str] | None = None) -> None:
        self.sent.append(("gauge", name, value, tags))

    def timing(self, name: str, value: Any, *, tags: dict[str, str] | None = None) -> None:
        self.sent.append(("timing", name, value, tags))

    def named(self, name: str) -> list[Any]:
        """The values of the metric that has its tags' values in its name."""
        return [value for _, sent, value, tags in self.sent if sent == name and not tags]

    def tagged(self, name: str) -> list[dict[str, str]]:
        return [tags for _, sent, _, tags in self.sent if sent == name and tags]


@pytest.fixture
def stats(monkeypatch):
    stats = Stats()
    monkeypatch.setattr(observability, "_stats", lambda: stats)
    return stats


@pytest.fixture
def told():
    """The lines of calls, as they were told."""
    with capture_logs() as lines:
        yield lambda: [line for line in lines if line.get("logger_name") == "callapi"]


def task(desk: Any, **changes: Any) -> Task:
    def make() -> CallApiStartInformerCallOperator:
        return CallApiStartInformerCallOperator(
            **{
                "task_id": "call",
                "virtual_phone_number": VNUMBER,
                "contact": CONTACT,
                "contact_message": TTS,
                "external_id": "order-7",
                "wait_for_completion": True,
                **changes,
            }
        )

    return Task(desk, make)


# --- log lines ---


@WAYS
def test_every_change_of_a_call_is_one_line_with_its_ids_wherever_it_is_waited_for(desk, told, deferrable):
    desk.exchange.script(CONTACT, Script(rings=7, talks=40))

    result = task(desk, deferrable=deferrable, tags={"ended": 38}).run()

    lines = told()
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
    assert lines[-1]["answered"] is True
    assert lines[-1]["tags"] == [38]
    assert not PHONE.search(json.dumps([{**line, "call_session_id": 0} for line in lines]))


def test_a_try_that_goes_on_with_a_call_says_so_and_tells_nothing_twice(desk, told):
    desk.exchange.script(CONTACT, Script(rings=3, talks=80))
    waiting = task(desk, timeout=60.0)
    with pytest.raises(Exception, match="still active"):
        waiting.run()
    before = len(told())
    if waiting.state is None:
        pytest.skip("no task state in this Airflow: no second try")

    waiting.retry()

    assert [line["event"] for line in told()[:before]][-1] == "call timed out"
    events = [line["event"] for line in told()[before:]]
    assert events[0] == "call resumed"
    assert "call intended" not in events
    assert "call started" not in events
    assert events[-1] == "call done"


def test_an_unresolved_call_is_a_warning_with_the_id_to_look_for(desk, told, stats):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    with pytest.raises(CallUnresolved):
        task(desk).run()

    (line,) = [line for line in told() if line["event"] == "call unresolved"]
    assert line["log_level"] == "warning"
    assert line["external_id"] == "order-7"
    assert stats.named("callapi.calls.unresolved") == [1]
    assert stats.tagged("callapi.calls") == [{"outcome": "unresolved"}]
    assert [sent[1] for sent in stats.sent].count("callapi.unresolved") == 1


def test_a_refused_call_is_told_as_not_placed_and_counted(desk, told, stats):
    desk.exchange.account.blacklist.add(CONTACT)

    with pytest.raises(CallApiFailure):
        task(desk).run()

    assert [line["event"] for line in told()] == ["call intended", "call not placed"]
    assert stats.tagged("callapi.calls") == [{"outcome": "refused"}]


@pytest.mark.parametrize("mode", ["poke", "reschedule"])
def test_a_sensor_tells_what_it_sees_of_a_call(desk, told, mode):
    desk.exchange.script(CONTACT, Script(rings=7, talks=40))
    session = desk.start(external_id="theirs")

    def make() -> CallApiSessionSensor:
        return CallApiSessionSensor(task_id="wait", call_session_id=session, mode=mode, timeout=600)

    waiting = Task(desk, make)
    if waiting.state is None and mode == "reschedule":
        pytest.skip("no task state in this Airflow: every poke begins anew, and says what it sees")
    waiting.run()

    assert [(line["event"], line["call_session_id"], line["external_id"]) for line in told()] == [
        (f"call {change}", session, "theirs") for change in ("listed", "answered", "ended")
    ]


def test_the_keys_of_a_line_are_keys_of_the_json_in_airflows_task_log():
    """As a task's process sets its log up, in a process of its own: the log is one for the whole process."""
    program = """
import sys
from airflow.sdk.log import configure_logging
try:
    configure_logging(json_output=True, output=sys.stdout.buffer)
except TypeError:  # Airflow 3.0 and 3.1
    configure_logging(enable_pretty_log=False, output=sys.stdout.buffer)
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.observability import Change, log_call_event
log_call_event(Change.ANSWERED, Outcome(5, "order-7", answered=True))
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=100)

    (line,) = [json.loads(line) for line in run.stdout.splitlines() if b"order-7" in line]

    assert line["event"] == "call answered"
    assert (line["call_session_id"], line["external_id"], line["answered"]) == (5, "order-7", True)
    assert line["level"] == "info"
    assert "finish_reason" not in line, "what is not known is left out"


# --- metrics ---


@WAYS
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

    task(desk, deferrable=deferrable).run()

    assert stats.tagged("callapi.calls") == [{"outcome": end}]
    assert stats.named(f"callapi.calls.{end}") == [1]


def test_a_call_that_nobody_waits_for_counts_as_started(desk, stats, told):
    task(desk, wait_for_completion=False).run()

    assert stats.tagged("callapi.calls") == [{"outcome": "started"}]
    assert [line["event"] for line in told()] == ["call intended", "call started"]


def test_the_points_left_are_told_by_connection_and_service(desk, stats):
    with CallApiHook() as hook:
        hook.poll_snapshots(5.0).__next__()
        left = hook.limits

    assert left is not None
    assert (
        stats.named("callapi.points.minute_remaining.callapi_default.call_api")[-1] == left.minute_remaining
    )
    assert stats.named("callapi.points.day_remaining.callapi_default.call_api")[-1] == left.day_remaining
    assert stats.tagged("callapi.points.day_remaining")[-1] == {
        "conn_id": "callapi_default",
        "service": "call_api",
    }


def test_every_request_is_timed_by_method_and_result(desk, stats):
    desk.exchange.fault(Fault.INTERNAL_ERROR, method="list.calls")

    with CallApiHook() as hook:
        looks = hook.poll_snapshots(5.0)
        assert next(looks).failure is not None
        assert next(looks).failure is None

    assert stats.tagged("callapi.requests") == [
        {"method": "list.calls", "result": "ServiceFailed"},
        {"method": "list.calls", "result": "ok"},
    ]
    assert len(stats.named("callapi.requests.list__calls.ok")) == 1


def test_the_age_of_the_poll_grows_while_looks_fail_and_is_nothing_when_nobody_waits(desk, stats):
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


def test_a_look_that_ends_when_nobody_waits_any_more_leaves_no_age(desk, stats, monkeypatch):
    looking, gone = threading.Event(), threading.Event()
    look = shared_poll.take_snapshot

    def slow(*args):
        looking.set()
        assert gone.wait(5)
        return look(*args)

    monkeypatch.setattr(shared_poll, "take_snapshot", slow)
    desk.exchange.fault(Fault.INTERNAL_ERROR, method="list.calls")

    async def main():
        async with shared_poll.subscribe("callapi_default", 5.0):
            assert await asyncio.to_thread(looking.wait, 5)
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


def test_a_metric_that_cannot_be_sent_fails_nothing(desk, monkeypatch):
    def broken() -> Any:
        raise OSError("no metrics today")

    monkeypatch.setattr(observability, "_stats", broken)

    assert task(desk, wait_for_completion=False).run()["status"] == "started"


def test_no_metric_has_a_number_or_an_id_of_a_call(desk, stats):
    result = task(desk).run()

    told = json.dumps([(name, tags) for _, name, _, tags in stats.sent])
    assert not PHONE.search(told)
    assert str(result["call_session_id"]) not in told
    assert "order-7" not in told


@pytest.fixture
def statsd():
    """A port of 127.0.0.1 at which StatsD's datagrams arrive; says the lines that did."""
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
    "a process of the core, as a triggerer is": """
try:
    from airflow.observability.metrics.stats_utils import get_stats_factory
    from airflow.observability import stats
    stats.initialize(factory=get_stats_factory(), export_legacy_names=True)
except ImportError:
    pass
except TypeError:  # 3.2
    from airflow.observability.stats import Stats
    Stats.initialize(factory=get_stats_factory())
""",
    "a process that nobody has set up": "",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_metrics_reach_statsd_from_whatever_process_of_airflow(statsd, program):
    port, lines = statsd
    told = "\nfrom airflow_provider_callapi.observability import count_call\ncount_call('unresolved')\n"
    environment = {
        **os.environ,
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(port),
    }

    subprocess.run([sys.executable, "-c", program + told], env=environment, check=True, timeout=100)

    received = lines("callapi.unresolved")
    assert {line for line in received if "callapi" in line} == {
        "airflow.callapi.calls:1|c",
        "airflow.callapi.calls.unresolved:1|c",
        "airflow.callapi.unresolved:1|c",
    }


# --- spans ---


@pytest.fixture
def spans(monkeypatch):
    """What is exported while the task's span is open."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", lambda *args, **kwargs: provider.get_tracer("test"))

    def traced(work: Callable[[], Any]) -> list[Any]:
        with provider.get_tracer("airflow").start_as_current_span("worker.call"):
            work()
        return list(exporter.get_finished_spans())

    yield SimpleNamespace(traced=traced, finished=exporter.get_finished_spans)
    provider.shutdown()


def test_a_request_is_a_span_within_the_tasks_with_the_calls_ids_and_no_number(desk, spans):
    result: dict[str, Any] = {}

    *requests, airflows = spans.traced(lambda: result.update(task(desk, wait_for_completion=False).run()))

    (span,) = requests
    assert span.name == "callapi start.informer_call"
    assert span.kind is trace.SpanKind.CLIENT
    assert span.parent.span_id == airflows.context.span_id
    assert dict(span.attributes) == {
        "rpc.system": "jsonrpc",
        "rpc.service": "call_api",
        "rpc.method": "start.informer_call",
        "server.address": "127.0.0.1",
        "callapi.conn_id": "callapi_default",
        "callapi.external_id": "order-7",
        "callapi.call_session_id": result["call_session_id"],
    }


@WAYS
def test_a_call_that_is_over_is_a_span_within_the_tasks_from_its_start_to_its_end(desk, spans, deferrable):
    desk.exchange.script(CONTACT, Script(rings=7, talks=40))
    result: dict[str, Any] = {}

    *ours, airflows = spans.traced(lambda: result.update(task(desk, deferrable=deferrable).run()))

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


def test_the_span_of_a_failed_request_names_the_error_and_keeps_its_text(desk, spans):
    desk.exchange.account.blacklist.add(CONTACT)

    def refused() -> None:
        with pytest.raises(CallApiFailure):
            task(desk).run()

    span = spans.traced(refused)[0]

    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes["error.type"] == "CallRefused"
    assert span.attributes["callapi.error.mnemonic"] == "contact_in_blacklist"
    assert span.events == ()
    assert CONTACT not in span.to_json()


def test_without_a_span_of_airflows_there_is_none_of_ours(desk, spans):
    task(desk, wait_for_completion=False).run()

    assert spans.finished() == ()


def test_the_looks_of_the_shared_poll_belong_to_no_task(desk, spans):
    requests = [span.name for span in spans.traced(lambda: task(desk, deferrable=True).run())]

    assert "callapi start.informer_call" in requests
    assert "callapi list.calls" not in requests


def test_a_task_survives_an_error_in_a_span_as_it_would_without(desk, spans):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    def lost() -> None:
        with pytest.raises((CallUnresolved, CallApiError)):
            task(desk).run()

    assert spans.traced(lost)[0].attributes["error.type"] == "Unanswered"
