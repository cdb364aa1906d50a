"""A client whose every request is measured, and is a span where Airflow traces the task."""

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
from airflow_provider_callapi.observability import points_left, request_took

R = TypeVar("R")

Service = Literal["call_api", "data_api"]


class ObservedClient(Client):
    """A `Client` that says what it does: a timing, the points left, and a span.

    There is a span only within one that is recorded, the task's: the looks of the triggerer's poll serve
    many tasks and belong to none of them, so they are measured and not traced. A span has no phone number.

    :param conn_id: the connection, for the tags.
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

    def _send(self, request: Request[R], token: Any) -> R:
        limits, began, result = self.limits, time.perf_counter(), "ok"
        with self._span(request) as span:
            try:
                answer = super()._send(request, token)
                _describe(span, answer)
                return answer
            except Exception as error:
                result = type(error).__name__
                _describe_error(span, error)
                raise
            finally:
                request_took(time.perf_counter() - began, method=request.method, result=result)
                if self.limits is not None and self.limits is not limits:
                    points_left(self.limits, conn_id=self._conn_id, service=self._service)

    def _span(self, request: Request[Any]) -> Any:
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
                **_ids(request),
            },
            record_exception=False,  # its stack holds the request
            set_status_on_exception=False,
        )
        return span


def make_client(settings: ConnectionSettings, *, service: Service = "call_api") -> Client:
    """A client of one of the services, with its own HTTP session and login; each request is measured."""
    url = settings.url if service == "call_api" else settings.data_api_url
    assert url is not None, "the connection does not use the Data API"
    rpc = JsonRpc(url, timeout=settings.timeout, verify=settings.verify)
    return ObservedClient(
        rpc, settings.credentials(), clock=time.time, conn_id=settings.conn_id, service=service
    )


def same_trace() -> Callable[[], object]:
    """For the ``initializer`` of a pool: what its threads do belongs to the present span."""
    return partial(context.attach, context.get_current())


def _ids(thing: object) -> dict[str, Any]:
    """The ids by which a call is found elsewhere, of a request or of an answer."""
    ids = {name: getattr(thing, name, None) for name in ("call_session_id", "external_id")}
    return {f"callapi.{name}": value for name, value in ids.items() if value is not None}


def _describe(span: trace.Span, answer: object) -> None:
    if span.is_recording():
        span.set_attributes(_ids(answer))


def _describe_error(span: trace.Span, error: Exception) -> None:
    span.set_status(Status(StatusCode.ERROR, type(error).__name__))
    span.set_attribute("error.type", type(error).__name__)
    if isinstance(error, CallApiError):
        facts = {
            "rpc.jsonrpc.error_code": getattr(error, "code", None),
            "rpc.jsonrpc.request_id": error.request_id,
            "callapi.error.mnemonic": getattr(error, "mnemonic", None),
        }
        span.set_attributes({name: value for name, value in facts.items() if value is not None})
