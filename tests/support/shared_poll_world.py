"""A shared poll in a time that only the test moves, with its service and its subscribers."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.watching.shared_poll import SharedPoll
from airflow_provider_callapi.calls.watching.snapshot import Snapshot


class FakeTime:
    """Time that only the test moves. Sleepers wake at their moments, in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, self._count, woken))
        await woken

    async def settle(self) -> None:
        """Run the event loop until nothing is left that needs no time."""
        for _ in range(30):
            await asyncio.sleep(0)

    async def until(self, moment: float) -> None:
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= moment:
            at, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self.now = at
                woken.set_result(None)
                await self.settle()
        self.now = moment


class Exchange:
    """The polled service. It records when it is polled and how many polls overlap."""

    def __init__(self, time: FakeTime, *, takes: float = 0.0) -> None:
        self.time = time
        self.takes = takes
        self.polled_at: list[float] = []
        self.running = 0
        self.most_at_once = 0
        self.failure: CallApiError | None = None
        self.bug: Exception | None = None

    async def take_snapshot(self) -> Snapshot:
        self.polled_at.append(self.time.now)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            if self.takes:
                await self.time.sleep(self.takes)
        finally:
            self.running -= 1
        if self.bug:
            raise self.bug
        return Snapshot(self.time.now, failure=self.failure)


@dataclass(eq=False)
class Subscriber:
    """One subscriber: the times of its snapshots, and the error that ended it."""

    poll: SharedPoll
    interval: float
    received: list[float] = field(default_factory=list)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self._task = asyncio.create_task(self._receive_all())

    async def _receive_all(self) -> None:
        try:
            async with self.poll.subscribe(self.interval) as next_snapshot:
                while True:
                    self.received.append((await next_snapshot()).at)
        except Exception as error:
            self.error = error

    async def leave(self) -> None:
        """Cancel the subscriber while it waits, as Airflow cancels a trigger."""
        self._task.cancel()
        await asyncio.wait({self._task})

    @property
    def waits(self) -> bool:
        return not self._task.done()


@dataclass
class World:
    time: FakeTime
    exchange: Exchange
    poll: SharedPoll
    subscribers: list[Subscriber] = field(default_factory=list)

    async def join(self, interval: float, *, at: float | None = None) -> Subscriber:
        if at is not None:
            await self.time.until(at)
        subscriber = Subscriber(self.poll, interval)
        self.subscribers.append(subscriber)
        await self.time.settle()
        return subscriber

    async def leave(self, subscriber: Subscriber, *, at: float | None = None) -> None:
        if at is not None:
            await self.time.until(at)
        self.subscribers.remove(subscriber)
        await subscriber.leave()
        await self.time.settle()

    async def all_leave(self) -> None:
        for subscriber in list(self.subscribers):
            await self.leave(subscriber)


def run_alone(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a story as the only task of a new event loop."""

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await story()

    asyncio.run(bounded())


def play(story: Callable[[World], Coroutine[Any, Any, None]], *, takes: float = 0.0) -> None:
    """Run a story in a new event loop. Afterwards all subscribers leave, and no task may be left."""

    async def run() -> None:
        time = FakeTime()
        exchange = Exchange(time, takes=takes)
        world = World(time, exchange, SharedPoll(exchange.take_snapshot, sleep=time.sleep))
        problems: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        await story(world)
        await world.all_leave()
        assert world.poll.idle
        polls = len(exchange.polled_at)
        await time.until(time.now + 1000)
        assert len(exchange.polled_at) == polls, "polls without a subscriber"
        left_over = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left_over, "the last one left and something still runs"
        assert not problems
        assert exchange.most_at_once <= 1, "two polls at once"

    run_alone(run)
