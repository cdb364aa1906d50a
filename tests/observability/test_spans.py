"""The trace spans: each request and each ended call is a span inside the task's span."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from airflow_fakes import CONTACT, informer_task
from opentelemetry import trace
from ways_to_wait import WORKER_AND_DEFERRAL

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallUnresolved

pytest_plugins = ["airflow_desk", "telemetry_fakes"]


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
