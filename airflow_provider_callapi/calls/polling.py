"""One loop of looks for any number of listeners: a thousand waiting tasks cost no more than one."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from airflow_provider_callapi.calls.snapshot import Snapshot

NextSnapshot = Callable[[], Awaitable[Snapshot]]


class SharedPoll:
    """Looks while somebody listens, as often as the most impatient listener wants.

    Belongs to one event loop. A listener gets every snapshot taken after it came, and waits for
    the next one like the others do: coming and going causes no looks of its own.

    :param look: takes one snapshot; must not block the loop.
    :param sleep: ``asyncio.sleep``, or a test's.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[Snapshot]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._look = look
        self._sleep = sleep
        self._listeners: dict[asyncio.Queue[Snapshot | Exception], float] = {}
        self._loop_task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Nobody listens."""
        return not self._listeners

    @asynccontextmanager
    async def listen(self, interval: float) -> AsyncIterator[NextSnapshot]:
        """Listen for snapshots at most ``interval`` seconds apart, for the time of the context."""
        if interval <= 0:
            raise ValueError(f"the interval between two looks must be positive, not {interval:g}")
        queue: asyncio.Queue[Snapshot | Exception] = asyncio.Queue()
        if interval < min(self._listeners.values(), default=interval):
            self._changed.set()
        self._listeners[queue] = interval
        if self._loop_task is None:
            # in a context of its own: it logs for all listeners, not for the first
            self._loop_task = asyncio.create_task(self._run(), context=contextvars.Context())

        async def next_snapshot() -> Snapshot:
            item = await queue.get()
            if isinstance(item, Exception):
                raise item
            return item

        try:
            yield next_snapshot
        finally:
            del self._listeners[queue]
            if not self._listeners:
                self._changed.set()  # a look under way is let finish: there are never two at once

    async def _run(self) -> None:
        try:
            while self._listeners:
                snapshot = await self._look()
                self._tell(snapshot)
                await self._rest(snapshot)
        except Exception as error:  # a bug: the listeners must hear of it, not wait for ever
            self._tell(error)
        except asyncio.CancelledError:
            self._tell(RuntimeError("the shared poll was cancelled"))
            raise
        finally:
            self._loop_task = None

    def _tell(self, item: Snapshot | Exception) -> None:
        for queue in self._listeners:
            queue.put_nowait(item)

    async def _rest(self, snapshot: Snapshot) -> None:
        """Pause until the next look; a more impatient listener begins a second pause beside the first."""
        pauses: set[asyncio.Future[Any]] = set()
        try:
            while self._listeners:
                seconds = snapshot.pause(min(self._listeners.values()))
                pauses.add(asyncio.ensure_future(self._sleep(seconds)))
                self._changed.clear()
                changed: asyncio.Future[Any] = asyncio.ensure_future(self._changed.wait())
                done, _ = await asyncio.wait({*pauses, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if done & pauses:
                    return
        finally:
            for pause in pauses:
                pause.cancel()
