"""One loop of looks for any number of listeners: a thousand waiting tasks cost no more than one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

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
        self._pause: asyncio.Future[None] | None = None

    @property
    def idle(self) -> bool:
        """Nobody listens."""
        return not self._listeners

    @asynccontextmanager
    async def listen(self, interval: float) -> AsyncIterator[NextSnapshot]:
        """Listen for snapshots at most ``interval`` seconds apart, for the time of the context."""
        queue: asyncio.Queue[Snapshot | Exception] = asyncio.Queue()
        impatient = interval < min(self._listeners.values(), default=interval)
        self._listeners[queue] = interval
        if self._loop_task is None:
            self._loop_task = asyncio.create_task(self._run())
        elif impatient and self._pause is not None:
            self._pause.cancel()

        async def next_snapshot() -> Snapshot:
            item = await queue.get()
            if isinstance(item, Exception):
                raise item
            return item

        try:
            yield next_snapshot
        finally:
            del self._listeners[queue]
            if not self._listeners and self._loop_task is not None:
                self._loop_task.cancel()
                self._loop_task = None

    async def _run(self) -> None:
        while True:
            try:
                snapshot = await self._look()
            except Exception as error:  # a bug: the listeners must hear of it, not wait for ever
                self._loop_task = None
                self._tell(error)
                return
            self._tell(snapshot)
            await self._wait(snapshot.pause(min(self._listeners.values())))

    def _tell(self, item: Snapshot | Exception) -> None:
        for queue in self._listeners:
            queue.put_nowait(item)

    async def _wait(self, seconds: float) -> None:
        """Sleep; a more impatient listener ends the pause, and its own shorter one begins."""
        while True:
            self._pause = asyncio.ensure_future(self._sleep(seconds))
            try:
                await asyncio.wait({self._pause})
            finally:
                interrupted = not self._pause.done() or self._pause.cancelled()
                self._pause.cancel()
            if not interrupted:
                return
            seconds = min(self._listeners.values())
