"""One loop of looks for everybody: how often it looks, who hears of it, and when it ends."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded, Unanswered
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.calls.polling import SharedPoll
from airflow_provider_callapi.calls.snapshot import Snapshot


class FakeTime:
    """Time that moves only when the test says so; who sleeps wakes at its moment, in order."""

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
        """Let everything happen that needs no time."""
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
    """What is looked at: notes when, and how many looks there are at once."""

    def __init__(self, time: FakeTime, *, takes: float = 0.0) -> None:
        self.time = time
        self.takes = takes
        self.looks: list[float] = []
        self.running = 0
        self.most_at_once = 0
        self.failure: CallApiError | None = None
        self.bug: Exception | None = None

    async def look(self) -> Snapshot:
        self.looks.append(self.time.now)
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
class Listener:
    """Somebody who waits: what they heard, and what ended it."""

    poll: SharedPoll
    interval: float
    heard: list[float] = field(default_factory=list)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            async with self.poll.subscribe(self.interval) as next_snapshot:
                while True:
                    self.heard.append((await next_snapshot()).at)
        except Exception as error:
            self.error = error

    async def leave(self) -> None:
        """Be cancelled while waiting, as a trigger is."""
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
    listeners: list[Listener] = field(default_factory=list)

    async def join(self, interval: float, *, at: float | None = None) -> Listener:
        if at is not None:
            await self.time.until(at)
        listener = Listener(self.poll, interval)
        self.listeners.append(listener)
        await self.time.settle()
        return listener

    async def leave(self, listener: Listener, *, at: float | None = None) -> None:
        if at is not None:
            await self.time.until(at)
        self.listeners.remove(listener)
        await listener.leave()
        await self.time.settle()

    async def everybody_leaves(self) -> None:
        for listener in list(self.listeners):
            await self.leave(listener)


def run_alone(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it as the only task of an event loop of its own."""

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await story()

    asyncio.run(bounded())


def play(story: Callable[[World], Coroutine[Any, Any, None]], *, takes: float = 0.0) -> None:
    """Run a story in an event loop of its own; afterwards everybody leaves and nothing may be left."""

    async def run() -> None:
        time = FakeTime()
        exchange = Exchange(time, takes=takes)
        world = World(time, exchange, SharedPoll(exchange.look, sleep=time.sleep))
        problems: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        await story(world)
        await world.everybody_leaves()
        assert world.poll.idle
        looks = len(exchange.looks)
        await time.until(time.now + 1000)
        assert len(exchange.looks) == looks, "looks though nobody listens"
        left_over = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left_over, "the last one left and something still runs"
        assert not problems
        assert exchange.most_at_once <= 1, "two looks at once"

    run_alone(run)


# --- how many looks ---


@pytest.mark.parametrize("takes", [0.0, 0.5])
def test_two_hundred_listeners_cost_as_many_looks_as_one(takes: float) -> None:
    def crowd(size: int) -> list[float]:
        looks: list[float] = []

        async def story(world: World) -> None:
            for _ in range(size):
                world.listeners.append(Listener(world.poll, 5))
            await world.time.until(60)
            looks.extend(world.exchange.looks)
            heard = [listener.heard for listener in world.listeners]
            assert heard == [[at + takes for at in looks if at + takes <= 60]] * size

        play(story, takes=takes)
        return looks

    assert crowd(200) == crowd(1)
    assert len(crowd(1)) == (13 if takes == 0 else 11)


def test_the_first_listener_is_answered_at_once_and_then_at_its_interval() -> None:
    async def story(world: World) -> None:
        listener = await world.join(5, at=100)
        await world.time.until(116)
        assert listener.heard == [100, 105, 110, 115]

    play(story)


def test_coming_and_going_causes_no_look() -> None:
    async def story(world: World) -> None:
        await world.join(10)
        for moment in range(1, 100):
            await world.leave(await world.join(10 + moment % 3, at=moment))
        assert world.exchange.looks == list(range(0, 100, 10))

    play(story)


def test_a_listener_hears_every_look_after_it_came_and_none_before() -> None:
    async def story(world: World) -> None:
        await world.join(5)
        late = await world.join(5, at=12)
        assert late.heard == []
        await world.time.until(26)
        assert late.heard == [15, 20, 25]

    play(story)


def test_a_slow_listener_misses_nothing_and_delays_nobody() -> None:
    async def story(world: World) -> None:
        other = await world.join(5)
        async with world.poll.subscribe(5) as next_snapshot:
            await world.time.until(21)
            assert other.heard == [0, 5, 10, 15, 20]
            assert [(await next_snapshot()).at for _ in range(4)] == [5, 10, 15, 20]

    play(story)


def test_a_look_that_takes_long_is_not_overtaken_by_the_next() -> None:
    async def story(world: World) -> None:
        await world.join(1)
        await world.join(0.5, at=3)
        await world.time.until(40)
        assert world.exchange.looks == [0, 10.5, 21, 31.5]

    play(story, takes=10)


# --- who decides the pace ---


def test_the_most_impatient_listener_decides_the_pace() -> None:
    async def story(world: World) -> None:
        await world.join(10)
        hasty = await world.join(2)
        await world.join(30)
        await world.time.until(11)
        assert world.exchange.looks == [0, 2, 4, 6, 8, 10]
        await world.leave(hasty)
        await world.time.until(45)
        assert world.exchange.looks[6:] == [12, 22, 32, 42]

    play(story)


def test_a_more_impatient_listener_shortens_a_long_pause_and_causes_no_look_at_once() -> None:
    async def story(world: World) -> None:
        await world.join(300)
        hasty = await world.join(5, at=100)
        assert world.exchange.looks == [0]
        await world.time.until(112)
        assert world.exchange.looks == [0, 105, 110]
        assert hasty.heard == [105, 110]

    play(story)


@pytest.mark.parametrize("interval", [10, 11, 500])
def test_a_listener_that_is_as_patient_or_more_leaves_the_pause_as_it_is(interval: float) -> None:
    async def story(world: World) -> None:
        await world.join(10)
        await world.join(interval, at=7)
        await world.time.until(21)
        assert world.exchange.looks == [0, 10, 20]

    play(story)


def test_a_more_impatient_listener_during_a_look_decides_the_pause_after_it() -> None:
    async def story(world: World) -> None:
        await world.join(300)
        await world.join(5, at=1)
        await world.time.until(20)
        assert world.exchange.looks == [0, 7, 14]

    play(story, takes=2)


def test_a_more_impatient_listener_never_delays_the_look_the_others_wait_for() -> None:
    async def story(world: World) -> None:
        first = await world.join(100)
        await world.join(10, at=95)
        await world.time.until(101)
        assert first.heard == [0, 100], "it was promised snapshots at most 100 s apart"

    play(story)


def test_a_row_of_ever_more_impatient_listeners_does_not_put_the_look_off() -> None:
    async def story(world: World) -> None:
        first = await world.join(30)
        for n in range(1, 29):
            await world.join(30 - n, at=float(n * 2))
        assert len(first.heard) > 1, f"nothing heard for {world.time.now} s, at an interval of 30"

    play(story)


# --- limits and failures ---


def exceeded(seconds: int) -> LimitExceeded:
    return LimitExceeded("limit", limits=Limits(minute_remaining=0, minute_reset=seconds))


@pytest.mark.parametrize(("reset", "pause"), [(3, 5), (40, 40), (60, 60), (40_000, 60)])
def test_a_limit_lengthens_the_pause_but_to_no_more_than_a_minute(reset: int, pause: float) -> None:
    async def story(world: World) -> None:
        await world.join(5)
        world.exchange.failure = exceeded(reset)
        await world.time.until(5)
        world.exchange.failure = None
        await world.time.until(5 + pause + 6)
        assert world.exchange.looks == [0, 5, 5 + pause, 5 + pause + 5]

    play(story)


def test_a_more_impatient_listener_does_not_shorten_the_pause_that_a_limit_asks_for() -> None:
    async def story(world: World) -> None:
        world.exchange.failure = exceeded(60)
        await world.join(10)
        await world.join(2, at=5)
        await world.time.until(59)
        assert world.exchange.looks == [0], "the points are used up until 60"

    play(story)


def test_a_failed_look_is_heard_like_any_other_and_the_pace_stays() -> None:
    async def story(world: World) -> None:
        world.exchange.failure = Unanswered("no answer")
        listener = await world.join(5)
        await world.time.until(11)
        assert listener.heard == [0, 5, 10]

    play(story)


# --- leaving ---


@pytest.mark.parametrize("moment", [3.0, 7.0, 11.0])
def test_the_last_to_leave_ends_the_loop_in_the_middle_of_a_pause(moment: float) -> None:
    async def story(world: World) -> None:
        first = await world.join(5)
        await world.join(7)
        await world.leave(first, at=moment)
        assert len(asyncio.all_tasks()) > 1
        await world.everybody_leaves()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    play(story)


def test_the_last_to_leave_during_a_look_makes_it_the_last_look() -> None:
    async def story(world: World) -> None:
        await world.join(5, at=1)
        await world.time.until(2)
        assert world.exchange.running == 1
        await world.everybody_leaves()
        await world.time.until(100)
        assert world.exchange.looks == [1]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    play(story, takes=10)


def test_a_listener_that_leaves_in_its_own_way_leaves_nothing_behind_either() -> None:
    async def story(world: World) -> None:
        async with world.poll.subscribe(5) as next_snapshot:
            assert not world.poll.idle
            assert (await next_snapshot()).at == 0
        assert world.poll.idle
        with pytest.raises(ZeroDivisionError):
            async with world.poll.subscribe(5):
                raise ZeroDivisionError
        assert world.poll.idle

    play(story)


def test_after_a_time_with_nobody_a_new_listener_is_served_as_the_first_was() -> None:
    async def story(world: World) -> None:
        await world.leave(await world.join(5), at=7)
        again = await world.join(5, at=50)
        await world.time.until(61)
        assert again.heard == [50, 55, 60]

    play(story)


def test_a_listener_that_comes_in_the_moment_the_last_one_leaves_is_served() -> None:
    async def story(world: World) -> None:
        first = await world.join(5)
        await world.time.until(2)
        async with world.poll.subscribe(5) as next_snapshot:
            await world.leave(first)
            await world.time.until(5)
            assert (await next_snapshot()).at == 5
        async with world.poll.subscribe(5) as next_snapshot:  # no turn of the event loop in between
            await world.time.until(16)
            assert (await next_snapshot()).at == 10, "coming causes no look of its own"
            assert (await next_snapshot()).at == 15

    play(story)


def test_who_is_cancelled_while_waiting_decides_nothing_any_more() -> None:
    async def story(world: World) -> None:
        calm = await world.join(20)
        hasty = await world.join(1)
        await world.time.until(3)
        heard = list(hasty.heard)
        await world.leave(hasty)
        await world.time.until(50)
        assert hasty.heard == heard
        assert calm.heard == [0, 1, 2, 3, 4, 24, 44]

    play(story)


def test_a_listener_that_comes_while_the_look_of_one_that_left_is_under_way_causes_no_second_one() -> None:
    """A look in a thread (`asyncio.to_thread`) goes on when whoever awaits it is cancelled."""

    async def run() -> None:
        time = FakeTime()
        exchange = Exchange(time, takes=10)
        in_threads: list[asyncio.Task[Snapshot]] = []

        async def look_in_a_thread() -> Snapshot:
            in_threads.append(asyncio.create_task(exchange.look()))
            return await asyncio.shield(in_threads[-1])

        world = World(time, exchange, SharedPoll(look_in_a_thread, sleep=time.sleep))
        await world.leave(await world.join(5), at=1)
        second = await world.join(5, at=2)
        await time.until(40)
        assert exchange.most_at_once == 1, f"looks began at {exchange.looks} and take 10 s each"
        assert second.heard
        await world.everybody_leaves()
        await time.until(100)
        await asyncio.gather(*in_threads)

    run_alone(run)


# --- bugs ---


def test_a_bug_in_a_look_reaches_every_listener() -> None:
    async def story(world: World) -> None:
        listeners = [await world.join(interval) for interval in (5, 7, 300)]
        world.exchange.bug = ZeroDivisionError("a bug")
        await world.time.until(100)
        assert [listener.waits for listener in listeners] == [False] * 3
        assert [type(listener.error) for listener in listeners] == [ZeroDivisionError] * 3
        assert world.exchange.looks == [0, 5]

    play(story)


def test_after_a_bug_the_next_listener_gets_a_fresh_loop() -> None:
    async def story(world: World) -> None:
        world.exchange.bug = ZeroDivisionError("a bug")
        await world.join(5)
        world.exchange.bug = None
        fresh = await world.join(5, at=20)
        await world.time.until(31)
        assert fresh.heard == [20, 25, 30]

    play(story)


def test_a_listener_that_comes_before_the_others_have_heard_of_the_bug_gets_a_fresh_loop() -> None:
    async def story(world: World) -> None:
        async with world.poll.subscribe(5) as stuck:  # has not asked yet when the bug strikes
            world.exchange.bug = ZeroDivisionError("a bug")
            await world.time.settle()
            world.exchange.bug = None
            fresh = await world.join(5)
            await world.time.until(6)
            with pytest.raises(ZeroDivisionError):
                await stuck()
        await world.time.until(11)
        assert fresh.heard == [0, 5, 10]

    play(story)


def test_a_look_that_is_cancelled_from_within_leaves_nobody_waiting_for_ever() -> None:
    """As a thread's future is when its pool shuts down."""

    async def run() -> None:
        time = FakeTime()
        cancelled: list[float] = []

        async def look() -> Snapshot:
            if not cancelled:
                cancelled.append(time.now)
                raise asyncio.CancelledError
            return Snapshot(time.now)

        poll = SharedPoll(look, sleep=time.sleep)
        unlucky = Listener(poll, 5)
        await time.until(20)
        lucky = Listener(poll, 5)
        await time.until(41)
        assert unlucky.heard or not unlucky.waits, "it heard nothing and waits for ever"
        assert lucky.heard, "the loop is dead and nobody starts another one"
        for listener in (unlucky, lucky):
            await listener.leave()

    run_alone(run)


# --- any coming and going ---

steps = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 3.0, 20.0]),
        st.sampled_from(["join", "join", "leave", "limit", "works"]),
        st.sampled_from([2.0, 5.0, 9.0, 30.0]),
        st.integers(0, 99),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(steps=steps, takes=st.sampled_from([0.0, 0.25, 4.0]))
@example(
    steps=[(0.0, "join", 30.0, 0), (3.0, "works", 2.0, 0), (20.0, "join", 9.0, 0)], takes=0.0
)  # the newcomer's first pause would end after the others'
def test_however_they_come_and_go_looks_are_as_far_apart_as_the_listeners_want(
    steps: list[tuple[float, str, float, int]], takes: float
) -> None:
    async def story(world: World) -> None:
        came: dict[int, float] = {}
        for wait, step, interval, pick in steps:
            await world.time.until(world.time.now + wait)
            before = len(world.exchange.looks)
            if step == "join":
                was_idle = world.poll.idle
                listener = await world.join(interval)
                came[id(listener)] = world.time.now
                assert len(world.exchange.looks) - before <= was_idle, "joining caused a look"
            elif step == "leave" and world.listeners:
                await world.leave(world.listeners[pick % len(world.listeners)])
                assert len(world.exchange.looks) == before, "leaving caused a look"
            elif step in ("limit", "works"):
                world.exchange.failure = exceeded(12) if step == "limit" else None
        end = world.time.now + 300
        await world.time.until(end)
        for listener in world.listeners:
            times = [came[id(listener)], *listener.heard, end]
            longest = max(b - a for a, b in pairwise(times))
            assert longest <= max(listener.interval, 12) + 2 * takes, f"{listener.interval=} {times=}"
        assert [listener.error for listener in world.listeners] == [None] * len(world.listeners)

    play(story, takes=takes)
