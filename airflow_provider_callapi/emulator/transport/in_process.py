"""A `requests` session whose requests the emulator answers in the same process, without a network port.

If a test has planned a fault of the connection, a request raises the exception that `requests` raises for the
real failure.

If a planned fault refuses the connection, and the body of the request is a stream, the session does not read
the stream. The unread stream shows the client that the request was not sent.
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

from airflow_provider_callapi.emulator.faults import Fault
from airflow_provider_callapi.emulator.services.dispatcher import Dispatcher
from airflow_provider_callapi.emulator.transport.http_messages import HandledPost, handle_post


class InProcessAdapter(HTTPAdapter):
    """A `requests` adapter: an exchange in the same process answers the requests, without a network.

    If the exchange does not serve the host of a request (`Dispatcher.serves_host`), the request fails with
    `requests.ConnectionError`.

    :param dispatcher: the emulated exchange that answers the requests.
    :param ip: the IP address that the exchange sees as the client's address.
    """

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
        """Return the emulated exchange's response to a request.

        Only the parameter ``request`` has an effect on the response.

        :raises requests.ConnectionError: a planned fault refuses or breaks the connection, or the exchange
            does not serve the host (`Dispatcher.serves_host`).
        :raises requests.ReadTimeout: `Fault.HANG` is planned. The method does not wait for the timeout.
        """
        url = urlsplit(request.url or "")
        unreachable = not self._dispatcher.serves_host(url.hostname or "", url.path)
        if unreachable or self._dispatcher.take_fault(_peek(request.body), connecting=True):
            raise _connection_refused(request)
        body = _read_body(request.body)
        handled = handle_post(self._dispatcher, url.path, request.headers, body, self._ip)
        if handled.fault in (Fault.DROP_BEFORE, Fault.DROP_AFTER):
            cause = http.client.RemoteDisconnected("Remote end closed connection without response")
            raise requests.ConnectionError(ProtocolError("Connection aborted.", cause), request=request)
        if handled.fault is Fault.HANG:
            raise requests.ReadTimeout(f"Read timed out. (read timeout={timeout})", request=request)
        return self.build_response(request, _urllib3_response(handled))


def in_process_session(dispatcher: Dispatcher, ip: str) -> requests.Session:
    """Return a `requests` session for the emulated exchange. It does not use the network.

    A request to a host that the exchange does not serve fails with `requests.ConnectionError` (see
    `Dispatcher.serves_host`). By default, the exchange serves all hosts.

    :param ip: the IP address that the exchange sees as the client's address.
    """
    session = requests.Session()
    session.trust_env = False
    adapter = InProcessAdapter(dispatcher, ip)
    for prefix in ("https://", "http://"):
        session.mount(prefix, adapter)
    return session


def _peek(body: Any) -> bytes:
    """Return the body of a request.

    For a stream other than `io.BytesIO`, return ``b""`` and leave the stream unread.
    """
    # If a planned fault refuses the connection, the client takes a read stream as a sign that the request was
    # sent. The stream therefore stays unread.
    if isinstance(body, io.BytesIO):
        return body.getvalue()  # getvalue does not change the position in the stream
    return b"" if body is None or hasattr(body, "read") else _read_body(body)


def _read_body(body: Any) -> bytes:
    content = body.read() if hasattr(body, "read") else body
    return content.encode() if isinstance(content, str) else bytes(content or b"")


def _urllib3_response(handled: HandledPost) -> urllib3.HTTPResponse:
    response = handled.response
    body = response.first_half if handled.fault is Fault.TRUNCATED else response.body
    return urllib3.HTTPResponse(
        io.BytesIO(body),
        headers=response.headers,
        status=response.status,
        reason=http.client.responses.get(response.status),
        preload_content=False,
        enforce_content_length=True,
    )


def _connection_refused(request: requests.PreparedRequest) -> requests.ConnectionError:
    url = urlsplit(request.url or "")
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    connection = urllib3.connection.HTTPConnection(host, port)
    cause = NewConnectionError(connection, "[Errno 111] Connection refused")
    pool = urllib3.HTTPConnectionPool(host, port)
    return requests.ConnectionError(MaxRetryError(pool, url.path, cause), request=request)
