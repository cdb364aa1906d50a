"""The HTTP door: plain ASGI, because a fault has to break the connection itself, not answer on it."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from airflow_provider_callapi.emulator.exchange import Exchange
from airflow_provider_callapi.emulator.faults import Fault
from airflow_provider_callapi.emulator.http_messages import VERSION_PATH, Answer, post


class HttpDoor:
    """JSON-RPC on ``/vX.Y``; everything else is another application's.

    Must be the outermost application, and uvicorn's h11 its server: it takes the transport from
    uvicorn's ``send``.
    """

    def __init__(self, exchange: Exchange, rest: ASGIApp) -> None:
        self._exchange = exchange
        self._rest = rest
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Let go of connections that hang."""
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_rpc = scope["type"] == "http" and VERSION_PATH.fullmatch(scope["path"])
        if not is_rpc or scope["method"] != "POST":
            await self._rest(scope, receive, send)
            return
        body = await _body(receive)
        headers = {name.decode().title(): value.decode() for name, value in scope["headers"]}
        ip = scope["client"][0] if scope["client"] else "127.0.0.1"
        answer, planned = post(self._exchange, scope["path"], headers, body, ip)
        fault = planned.fault if planned else None
        if planned and fault is Fault.HANG:
            await self._hang(receive, planned.seconds)
        if fault in (Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.HANG):
            _transport(send).abort()
            await _left(receive)
            return
        if fault is Fault.TRUNCATED:
            await _start(send, answer)
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            _transport(send).close()
            await _left(receive)
            return
        await _start(send, answer)
        await send({"type": "http.response.body", "body": answer.body})

    async def _hang(self, receive: Receive, seconds: float) -> None:
        ends = {asyncio.create_task(self._closing.wait()), asyncio.create_task(_left(receive))}
        _, pending = await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send, answer: Answer) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})


def _transport(send: Send) -> asyncio.Transport:
    cycle: Any = getattr(send, "__self__", None)
    transport: asyncio.Transport = cycle.transport
    return transport
