"""Trace spans about requests and calls, inside the span of the task.

Spans exist only if Airflow traces the running task. A span contains no phone number.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry import context, trace
from opentelemetry.trace import INVALID_SPAN, SpanKind, Status, StatusCode

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.observability.outcome_fields import outcome_fields

if TYPE_CHECKING:
    from airflow_provider_callapi.api.request import Request
    from airflow_provider_callapi.calls.outcomes.outcome import Outcome
    from airflow_provider_callapi.observability.metrics import CallOutcomeTag


def open_request_span(
    request: Request[Any], *, url: str, service: str, conn_id: str
) -> AbstractContextManager[trace.Span]:
    """Return a context manager that records a trace span for one request.

    The context manager returns the span. If Airflow does not trace the running task, nothing is recorded.

    :param url: the URL of the service. The span contains only the host.
    :param service: ``call_api`` or ``data_api``.
    :param conn_id: id of the Airflow connection.
    """
    if not trace.get_current_span().is_recording():
        return nullcontext(INVALID_SPAN)
    return trace.get_tracer("airflow_provider_callapi").start_as_current_span(
        f"callapi {request.method}",
        kind=SpanKind.CLIENT,
        attributes={
            "rpc.system": "jsonrpc",
            "rpc.service": service,
            "rpc.method": request.method,
            "server.address": urlsplit(url).hostname or "",
            "callapi.conn_id": conn_id,
            **_call_ids(request),
        },
        record_exception=False,  # the traceback contains the request
        set_status_on_exception=False,
    )


def set_answer_attributes(span: trace.Span, answer: object) -> None:
    """Add the ids of the call in an answer to the span of the request."""
    if span.is_recording():
        span.set_attributes(_call_ids(answer))


def set_error_attributes(span: trace.Span, error: Exception) -> None:
    """Mark the span of a failed request, with the class and the codes of the error. Omit the error's text."""
    span.set_status(Status(StatusCode.ERROR, type(error).__name__))
    span.set_attribute("error.type", type(error).__name__)
    if isinstance(error, CallApiError):
        details = {
            "rpc.jsonrpc.error_code": getattr(error, "code", None),
            "rpc.jsonrpc.request_id": error.request_id,
            "callapi.error.mnemonic": getattr(error, "mnemonic", None),
        }
        span.set_attributes({name: value for name, value in details.items() if value is not None})


def trace_call(call: Outcome, outcome: CallOutcomeTag) -> None:
    """Record a trace span for an ended call, inside the task's span.

    The span covers the time from the call's start to the call's end. The function creates the span only after
    the call's end, because the process that placed the call may end before the call, and would lose an open
    span.
    """
    if not trace.get_current_span().is_recording() or call.started_at is None:
        return
    fields = {"outcome": outcome, **outcome_fields(call.to_xcom())}
    span = trace.get_tracer("airflow_provider_callapi").start_span(
        "callapi call",
        start_time=_nanoseconds(call.started_at),
        attributes={f"callapi.{name}": value for name, value in fields.items() if value is not None},
    )
    if call.answered_at is not None:
        span.add_event("answered", timestamp=_nanoseconds(call.answered_at))
    ended_at = call.started_at if call.ended_at is None else max(call.ended_at, call.started_at)
    span.end(_nanoseconds(ended_at))


def join_current_trace() -> Callable[[], object]:
    """Return an ``initializer`` for a thread pool, which joins the pool's threads to the current trace.

    The current trace span, such as the span of the task, then becomes the parent of the threads' spans.
    Without the initializer, a thread of the pool has no current span.
    """
    return partial(context.attach, context.get_current())


def _call_ids(message: object) -> dict[str, Any]:
    """Return the ids of a call in a request or an answer, as attributes of a trace span.

    Example: ``{"callapi.call_session_id": 17}``.
    """
    ids = {name: getattr(message, name, None) for name in ("call_session_id", "external_id")}
    return {f"callapi.{name}": value for name, value in ids.items() if value is not None}


def _nanoseconds(epoch_seconds: float) -> int:
    return round(epoch_seconds * 1e9)
