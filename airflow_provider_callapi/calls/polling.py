"""One poll loop for any number of subscribers. A subscriber is, for example, the trigger of a waiting task.

A thousand waiting tasks send no more requests than one waiting task.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from airflow_provider_callapi.calls.snapshot import Snapshot

NextSnapshot = Callable[[], Awaitable[Snapshot]]
"""A function that waits for a subscriber's next snapshot and returns the snapshot."""


class SharedPoll:
    """A loop that polls while there are subscribers, and gives each snapshot to every subscriber.

    A subscriber is, for example, the trigger of a task that waits for a call. The shortest interval of all
    subscribers is the time between two polls. A shared poll belongs to one event loop. Each subscriber gets
    every snapshot that is taken after the subscription began. A new subscriber waits for the next regular
    poll. The arrival or departure of a subscriber never causes an extra poll.

    :param take_snapshot: takes one snapshot. This function must not block the event loop.
    :param sleep: ``asyncio.sleep``, or a replacement in a test.
    """

    def __init__(
        self,
        take_snapshot: Callable[[], Awaitable[Snapshot]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._take_snapshot = take_snapshot
        self._sleep = sleep
        self._subscribers: dict[asyncio.Queue[Snapshot | Exception], float] = {}
        """Queue of a subscriber → the subscriber's interval in seconds."""
        self._awaited: dict[asyncio.Queue[Snapshot | Exception], Callable[[], Iterable[int]]] = {}
        """Queue of a subscriber → function that returns the calls for whose answer the subscriber waits."""
        self._loop_task: asyncio.Task[None] | None = None
        self._subscribers_changed = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether no subscriber, such as the trigger of a waiting task, uses this poll."""
        return not self._subscribers

    @property
    def awaited_answers(self) -> set[int]:
        """The session ids of all calls for whose answer a subscriber waits."""
        return {call_session_id for awaited in self._awaited.values() for call_session_id in awaited()}

    @asynccontextmanager
    async def subscribe(
        self, interval: float, awaited: Callable[[], Iterable[int]] = tuple
    ) -> AsyncIterator[NextSnapshot]:
        """Subscribe to the snapshots until the context ends.

        The context manager returns a function that waits for the next snapshot and returns the snapshot:
        ``async with poll.subscribe(5.0) as next_snapshot: snapshot = await next_snapshot()``.

        :param interval: the longest time between two polls, in seconds.
        :param awaited: returns the session ids of the calls for whose answer the subscriber waits.
        :raises ValueError: the interval is not positive.
        """
        if interval <= 0:
            raise ValueError(f"the interval between two polls must be positive, not {interval:g}")
        queue: asyncio.Queue[Snapshot | Exception] = asyncio.Queue()
        if interval < min(self._subscribers.values(), default=interval):
            self._subscribers_changed.set()
        self._subscribers[queue] = interval
        self._awaited[queue] = awaited
        if self._loop_task is None:
            # The context is empty, because the loop logs for all subscribers and not only for the first one.
            self._loop_task = asyncio.create_task(self._run(), context=contextvars.Context())

        async def next_snapshot() -> Snapshot:
            item = await queue.get()
            if isinstance(item, Exception):
                raise item
            return item

        try:
            yield next_snapshot
        finally:
            del self._subscribers[queue], self._awaited[queue]
            if not self._subscribers:
                # This ends the pause. A poll in progress is not cancelled, so two polls never run at once.
                self._subscribers_changed.set()

    async def _run(self) -> None:
        try:
            while self._subscribers:
                snapshot = await self._take_snapshot()
                self._publish(snapshot)
                await self._pause_after(snapshot)
        except Exception as error:  # a bug: the subscribers raise the error instead of waiting for ever
            self._publish(error)
        except asyncio.CancelledError:
            self._publish(RuntimeError("the shared poll was cancelled"))
            raise
        finally:
            self._loop_task = None

    def _publish(self, item: Snapshot | Exception) -> None:
        for queue in self._subscribers:
            queue.put_nowait(item)

    async def _pause_after(self, snapshot: Snapshot) -> None:
        """Sleep until the time of the next poll, or until no subscribers are left.

        If a new subscriber has a shorter interval, a second pause of this interval begins. The method returns
        when the first of the two pauses ends.
        """
        pauses: set[asyncio.Future[Any]] = set()
        try:
            while self._subscribers:
                seconds = snapshot.pause(min(self._subscribers.values()))
                pauses.add(asyncio.ensure_future(self._sleep(seconds)))
                self._subscribers_changed.clear()
                changed: asyncio.Future[Any] = asyncio.ensure_future(self._subscribers_changed.wait())
                done, _ = await asyncio.wait({*pauses, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if done & pauses:
                    return
        finally:
            for pause in pauses:
                pause.cancel()
