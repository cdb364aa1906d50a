"""Watchers of call events as the triggerer runs them, and their asset state."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_fakes import Desk, rebuild
from json_store import JsonStore

from airflow_provider_callapi.emulator import Emulator, Exchange
from airflow_provider_callapi.triggers import call_events
from airflow_provider_callapi.triggers.call_events import CallApiEventTrigger

ALL = ("started", "answered", "ended")


class AssetState(JsonStore):
    """A fake of Airflow's asset state, which outlives a triggerer."""

    async def aget(self, key: str, default: Any = None) -> Any:
        return self.get(key, default)

    async def aset(self, key: str, value: Any) -> None:
        self.set(key, value)


class Watching:
    """A watcher as the triggerer runs it: rebuilt from JSON. It records its events as JSON."""

    def __init__(self, watcher: CallApiEventTrigger, store: Any = None) -> None:
        self.trigger = rebuild(*watcher.serialize())
        self.trigger.asset_state_store = store
        self.payloads: list[dict[str, Any]] = []
        self.task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        async with aclosing(self.trigger.run()) as events:
            async for event in events:
                self.payloads.append(json.loads(json.dumps(event.payload, allow_nan=False)))

    @property
    def reported(self) -> list[tuple[str, int]]:
        return [(payload["event"], payload["call_session_id"]) for payload in self.payloads]

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@asynccontextmanager
async def watching(*watchers: CallApiEventTrigger, store: Any = None) -> AsyncIterator[list[Watching]]:
    """Run watchers as a triggerer does. A watcher that ends by itself fails the test."""
    running = [Watching(watcher, store) for watcher in watchers]
    try:
        yield running
        assert not any(one.task.done() for one in running), "a watcher ended by itself"
    finally:
        for one in running:
            await one.stop()


async def until(condition: Any, within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met"
        await asyncio.sleep(0.01)


def watcher(**changes: Any) -> CallApiEventTrigger:
    return CallApiEventTrigger(**{"events": ALL, "poll_interval": 0.1, **changes})


@pytest.fixture
def wire(callapi_emulator: Emulator, connection: Any, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    monkeypatch.setattr(call_events, "_PAUSE_BEFORE_RECONNECT", 0.05)
    monkeypatch.setattr(CallApiEventTrigger, "log", logging.getLogger("watcher"))  # caplog reads no structlog
    connection(extra={"timeout": 1.5})
    exchange = callapi_emulator.exchange
    exchange.account.minute_limit = 10_000
    return exchange


@pytest.fixture
def simulated(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    """Return the exchange of a desk: watchers poll it as fast as they can; their sleeps move its clock."""
    sleepless = SimpleNamespace(**{**vars(asyncio), "sleep": desk.asleep})
    monkeypatch.setattr(call_events, "asyncio", sleepless)
    return desk.exchange


async def polled(exchange: Exchange, times: int = 1) -> None:
    """Wait for some more polls, and until the watchers have their snapshots."""
    before = exchange.requests("list.calls")
    await until(lambda: exchange.requests("list.calls") >= before + times)
    await asyncio.sleep(0.05)
