"""The clients of a connection: each request is a metric, and a span inside the task's span."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import CONTACT, informer_task
from opentelemetry import trace

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.emulator import Fault
from airflow_provider_callapi.exceptions import CallApiFailure, CallUnresolved
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytest_plugins = ["airflow_desk", "telemetry_fakes"]


# --- metrics ---


def test_the_points_left_are_recorded_by_connection_and_service(desk, stats):
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
        snapshots = hook.poll_snapshots(5.0)
        assert next(snapshots).failure is not None
        assert next(snapshots).failure is None

    assert stats.tagged("callapi.requests") == [
        {"method": "list.calls", "result": "ServiceFailed"},
        {"method": "list.calls", "result": "ok"},
    ]
    assert len(stats.named("callapi.requests.list__calls.ok")) == 1


# --- spans ---


def test_a_request_is_a_span_within_the_tasks_with_the_calls_ids_and_no_number(desk, spans):
    result: dict[str, Any] = {}

    *requests, airflows = spans.traced(
        lambda: result.update(informer_task(desk, external_id=None, wait_for_completion=False).run())
    )

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
        "callapi.external_id": result["external_id"],
        "callapi.call_session_id": result["call_session_id"],
    }


def test_the_span_of_a_failed_request_names_the_error_and_keeps_its_text(desk, spans):
    desk.exchange.account.blacklist.add(CONTACT)

    def refused() -> None:
        with pytest.raises(CallApiFailure):
            informer_task(desk, external_id=None).run()

    span = spans.traced(refused)[0]

    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes["error.type"] == "CallRefused"
    assert span.attributes["callapi.error.mnemonic"] == "contact_in_blacklist"
    assert span.events == ()
    assert CONTACT not in span.to_json()


def test_a_request_without_a_task_span_has_no_span(desk, spans):
    informer_task(desk, wait_for_completion=False).run()

    assert spans.finished() == ()


def test_the_shared_polls_of_the_triggerer_have_no_span(desk, spans):
    requests = [
        span.name
        for span in spans.traced(lambda: informer_task(desk, external_id=None, deferrable=True).run())
    ]

    assert "callapi start.informer_call" in requests
    assert "callapi list.calls" not in requests


def test_an_error_inside_a_span_reaches_the_task_unchanged(desk, spans):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    def lost() -> None:
        with pytest.raises((CallUnresolved, CallApiError)):
            informer_task(desk, external_id=None).run()

    assert spans.traced(lost)[0].attributes["error.type"] == "Unanswered"
