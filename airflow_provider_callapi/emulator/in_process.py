"""The in-process door: a `requests` session that the exchange answers without a socket.

Faults are the exceptions that `requests` raises for the real thing, and the body is read exactly
where the wire would have read it: that is how a client knows whether anything was sent.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from airflow_provider_callapi.emulator.dispatcher import Dispatcher
from airflow_provider_callapi.emulator.faults import Fault
from airflow_provider_callapi.emulator.http_messages import Answer, post


class InProcessAdapter(HTTPAdapter):
    """Answers every request from an exchange."""

    def __init__(self, dispatcher: Dispatcher, ip: str) -> None:
        super().__init__()
        self._dispatcher = dispatcher
        self._ip = ip

    def send(  # noqa: PLR0917  # the signature is requests'
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Hand the request over; raises what `requests` would raise."""
        body: Any = request.body
        if self._dispatcher.take_fault(_peek(body), refusing=True):
            raise _refused(request)
        content = _read(body)
        path = urlsplit(request.url or "").path
        answer, planned = post(self._dispatcher, path, request.headers, content, self._ip)
        fault = planned.fault if planned else None
        if fault in (Fault.DROP_BEFORE, Fault.DROP_AFTER):
            gone = http.client.RemoteDisconnected("Remote end closed connection without response")
            raise requests.ConnectionError(ProtocolError("Connection aborted.", gone), request=request)
        if fault is Fault.HANG:
            raise requests.ReadTimeout(f"Read timed out. (read timeout={timeout})", request=request)
        return self.build_response(request, _raw(answer, truncated=fault is Fault.TRUNCATED))


def in_process_session(dispatcher: Dispatcher, ip: str) -> requests.Session:
    """A session whose every URL leads to the exchange."""
    session = requests.Session()
    session.trust_env = False
    adapter = InProcessAdapter(dispatcher, ip)
    for prefix in ("https://", "http://"):
        session.mount(prefix, adapter)
    return session


def _peek(body: Any) -> bytes:
    """What is going to be sent, without the sender's noticing; a stream stays unread."""
    if isinstance(body, io.BytesIO):
        return body.getvalue()
    return b"" if body is None or hasattr(body, "read") else _read(body)


def _read(body: Any) -> bytes:
    content = body.read() if hasattr(body, "read") else body
    return content.encode() if isinstance(content, str) else bytes(content or b"")


def _raw(answer: Answer, *, truncated: bool) -> urllib3.HTTPResponse:
    content = answer.body[: len(answer.body) // 2] if truncated else answer.body
    return urllib3.HTTPResponse(
        io.BytesIO(content),
        headers=answer.headers,
        status=answer.status,
        reason=http.client.responses.get(answer.status),
        preload_content=False,
        enforce_content_length=True,
    )


def _refused(request: requests.PreparedRequest) -> requests.ConnectionError:
    url = urlsplit(request.url or "")
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    connection = urllib3.connection.HTTPConnection(host, port)
    cause = NewConnectionError(connection, "[Errno 111] Connection refused")
    pool = urllib3.HTTPConnectionPool(host, port)
    return requests.ConnectionError(MaxRetryError(pool, url.path, cause), request=request)
