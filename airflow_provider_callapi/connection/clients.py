"""API clients that record metrics about each request.

If Airflow traces the task, the clients also record spans.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from opentelemetry import context, trace
from opentelemetry.trace import INVALID_SPAN, SpanKind, Status, StatusCode

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import Credentials
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.jsonrpc import JsonRpc
from airflow_provider_callapi.api.methods import Request
from airflow_provider_callapi.connection.settings import ConnectionSettings
from airflow_provider_callapi.observability import record_points_left, record_request

R = TypeVar("R")

Service = Literal["call_api", "data_api"]


class ObservedClient(Client):
    """A `Client` that also records metrics and trace spans about its requests.

    The metrics are the duration of a request and the points (rate-limit units) left. Spans exist only if
    Airflow traces the running task. A span contains no phone number.

    :param conn_id: id of the Airflow connection. The spans and the metrics of the points have this id as a
        tag.
    :param service: the service to which the client sends: ``call_api`` or ``data_api``.
    """

    def __init__(
        self,
        rpc: JsonRpc,
        credentials: Credentials,
        *,
        clock: Callable[[], float],
        conn_id: str,
        service: Service,
    ) -> None:
        super().__init__(rpc, credentials, clock=clock)
        self._conn_id = conn_id
        self._service = service

    def _send(self, request: Request[R], token: Any, time_limit: float) -> R:
        limits_before, started_at, result = self.limits, time.perf_counter(), "ok"
        with self._open_span(request) as span:
            try:
                answer = super()._send(request, token, time_limit)
                _set_answer_attributes(span, answer)
                return answer
            except Exception as error:
                result = type(error).__name__
                _set_error_attributes(span, error)
                raise
            finally:
                record_request(time.perf_counter() - started_at, method=request.method, result=result)
                if self.limits is not None and self.limits is not limits_before:
                    record_points_left(self.limits, conn_id=self._conn_id, service=self._service)

    def _open_span(self, request: Request[Any]) -> Any:
        if not trace.get_current_span().is_recording():
            return nullcontext(INVALID_SPAN)
        span = trace.get_tracer("airflow_provider_callapi").start_as_current_span(
            f"callapi {request.method}",
            kind=SpanKind.CLIENT,
            attributes={
                "rpc.system": "jsonrpc",
                "rpc.service": self._service,
                "rpc.method": request.method,
                "server.address": urlsplit(self.rpc.url).hostname or "",
                "callapi.conn_id": self._conn_id,
                **_call_ids(request),
            },
            record_exception=False,  # the traceback contains the request
            set_status_on_exception=False,
        )
        return span


def make_client(settings: ConnectionSettings, *, service: Service = "call_api") -> Client:
    """Return a new client of the Call API or the Data API.

    The client records metrics and spans about each request. The client shares neither the HTTP session nor
    the login with other clients.

    :param service: ``call_api`` or ``data_api``. ``data_api`` needs a connection that uses the Data API.
    """
    url = settings.url if service == "call_api" else settings.data_api_url
    assert url is not None, "the connection does not use the Data API"
    rpc = JsonRpc(url, timeout=settings.timeout, verify=settings.verify)
    return ObservedClient(
        rpc, settings.credentials(), clock=time.time, conn_id=settings.conn_id, service=service
    )


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


def _set_answer_attributes(span: trace.Span, answer: object) -> None:
    if span.is_recording():
        span.set_attributes(_call_ids(answer))


def _set_error_attributes(span: trace.Span, error: Exception) -> None:
    span.set_status(Status(StatusCode.ERROR, type(error).__name__))
    span.set_attribute("error.type", type(error).__name__)
    if isinstance(error, CallApiError):
        details = {
            "rpc.jsonrpc.error_code": getattr(error, "code", None),
            "rpc.jsonrpc.request_id": error.request_id,
            "callapi.error.mnemonic": getattr(error, "mnemonic", None),
        }
        span.set_attributes({name: value for name, value in details.items() if value is not None})
