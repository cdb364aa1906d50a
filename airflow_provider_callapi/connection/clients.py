"""API clients that record metrics about each request.

If Airflow traces the task, the clients also record spans.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import Credentials
from airflow_provider_callapi.api.request import Request
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.connection.renewed_credentials import RenewedCredentials
from airflow_provider_callapi.connection.settings import ConnectionSettings
from airflow_provider_callapi.observability.metrics import record_points_left, record_request
from airflow_provider_callapi.observability.spans import (
    open_request_span,
    set_answer_attributes,
    set_error_attributes,
)

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
        limits_before, started_at, result = self.limits, system_clock.monotonic(), "ok"
        with open_request_span(
            request, url=self.rpc.url, service=self._service, conn_id=self._conn_id
        ) as span:
            try:
                answer = super()._send(request, token, time_limit)
                set_answer_attributes(span, answer)
                return answer
            except Exception as error:
                result = type(error).__name__
                set_error_attributes(span, error)
                raise
            finally:
                record_request(system_clock.monotonic() - started_at, method=request.method, result=result)
                if self.limits is not None and self.limits is not limits_before:
                    record_points_left(self.limits, conn_id=self._conn_id, service=self._service)


def make_client(
    settings: ConnectionSettings,
    *,
    service: Service = "call_api",
    read_again: Callable[[], ConnectionSettings] | None = None,
) -> Client:
    """Return a new client of the Call API or the Data API.

    The client records metrics and spans about each request. The client shares neither the HTTP session nor
    the login with other clients.

    :param service: ``call_api`` or ``data_api``. ``data_api`` needs a connection that uses the Data API.
    :param read_again: reads the connection again if the service refuses the credentials. None: the client
        keeps its credentials.
    """
    url = settings.url if service == "call_api" else settings.data_api_url
    assert url is not None, "the connection does not use the Data API"
    rpc = JsonRpc(url, timeout=settings.timeout, verify=settings.verify)
    credentials: Credentials = (
        settings.credentials() if read_again is None else RenewedCredentials(settings, read_again)
    )
    return ObservedClient(rpc, credentials, clock=system_clock.now, conn_id=settings.conn_id, service=service)
