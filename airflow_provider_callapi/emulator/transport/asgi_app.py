"""The ASGI application of the emulator.

The application uses no web framework, because a web framework gives no access to the network connection. The
application breaks the connection to a client if a test has planned this fault.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from airflow_provider_callapi.emulator.faults import Fault
from airflow_provider_callapi.emulator.services.dispatcher import Dispatcher
from airflow_provider_callapi.emulator.transport.http_messages import VERSION_PATH, HttpResponse, handle_post


class EmulatorApp:
    """The ASGI application that answers JSON-RPC requests: POST requests on paths such as ``/v4.0``.

    A test can plan faults, and some of them break the network connection. The application can break a
    connection only if the server is uvicorn with h11, and calls the application directly, without a
    middleware.

    :param dispatcher: the exchange that answers the JSON-RPC requests.
    :param other_app: the application that answers all other requests.
    """

    def __init__(self, dispatcher: Dispatcher, other_app: ASGIApp) -> None:
        self._dispatcher = dispatcher
        self._other_app = other_app
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Break the connections that `Fault.HANG` keeps open without an answer."""
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_rpc = scope["type"] == "http" and VERSION_PATH.fullmatch(scope["path"])
        if not is_rpc or scope["method"] != "POST":
            await self._other_app(scope, receive, send)
            return
        body = await _read_body(receive)
        headers = {name.decode().title(): value.decode() for name, value in scope["headers"]}
        ip = scope["client"][0] if scope["client"] else "127.0.0.1"
        handled = handle_post(self._dispatcher, scope["path"], headers, body, ip)
        response = handled.response
        if handled.planned and handled.fault is Fault.HANG:
            await self._hold_connection(receive, handled.planned.seconds)
        if handled.fault in (Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.HANG):
            _transport(send).abort()
            await _wait_for_disconnect(receive)
        elif handled.fault is Fault.TRUNCATED:
            await _send_head(send, response)
            await send({"type": "http.response.body", "body": response.first_half, "more_body": True})
            _transport(send).close()
            await _wait_for_disconnect(receive)
        else:
            await _send_head(send, response)
            await send({"type": "http.response.body", "body": response.body})

    async def _hold_connection(self, receive: Receive, seconds: float) -> None:
        """Wait until the client disconnects or the emulator closes, but no longer than the given seconds."""
        ends = {
            asyncio.create_task(self._closing.wait()),
            asyncio.create_task(_wait_for_disconnect(receive)),
        }
        _, pending = await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()


async def _read_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_head(send: Send, response: HttpResponse) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})


def _transport(send: Send) -> asyncio.Transport:
    cycle: Any = getattr(send, "__self__", None)
    transport: asyncio.Transport = cycle.transport
    return transport
