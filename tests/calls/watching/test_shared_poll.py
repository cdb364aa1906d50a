"""The shared poll: how often it polls, which subscribers get a snapshot, and when the loop ends."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shared_poll_world import Exchange, FakeTime, Subscriber, World, play, run_alone

from airflow_provider_callapi.api.errors import LimitExceeded, Unanswered
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.calls.watching.shared_poll import SharedPoll
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

# --- how many polls ---


@pytest.mark.parametrize("takes", [0.0, 0.5])
def test_two_hundred_subscribers_cause_as_many_polls_as_one(takes: float) -> None:
    def crowd(size: int) -> list[float]:
        polls: list[float] = []

        async def story(world: World) -> None:
            for _ in range(size):
                world.subscribers.append(Subscriber(world.poll, 5))
            await world.time.until(60)
            polls.extend(world.exchange.polled_at)
            received = [subscriber.received for subscriber in world.subscribers]
            assert received == [[at + takes for at in polls if at + takes <= 60]] * size

        play(story, takes=takes)
        return polls

    assert crowd(200) == crowd(1)
    assert len(crowd(1)) == (13 if takes == 0 else 11)


def test_the_first_subscriber_gets_a_snapshot_at_once_and_then_at_its_interval() -> None:
    async def story(world: World) -> None:
        subscriber = await world.join(5, at=100)
        await world.time.until(116)
        assert subscriber.received == [100, 105, 110, 115]

    play(story)


def test_subscribing_and_leaving_cause_no_poll() -> None:
    async def story(world: World) -> None:
        await world.join(10)
        for moment in range(1, 100):
            await world.leave(await world.join(10 + moment % 3, at=moment))
        assert world.exchange.polled_at == list(range(0, 100, 10))

    play(story)


def test_a_subscriber_gets_every_snapshot_after_it_subscribed_and_none_before() -> None:
    async def story(world: World) -> None:
        await world.join(5)
        late = await world.join(5, at=12)
        assert late.received == []
        await world.time.until(26)
        assert late.received == [15, 20, 25]

    play(story)


def test_a_slow_subscriber_misses_nothing_and_delays_no_other() -> None:
    async def story(world: World) -> None:
        other = await world.join(5)
        async with world.poll.subscribe(5) as next_snapshot:
            await world.time.until(21)
            assert other.received == [0, 5, 10, 15, 20]
            assert [(await next_snapshot()).at for _ in range(4)] == [5, 10, 15, 20]

    play(story)


def test_a_slow_poll_ends_before_the_next_one_begins() -> None:
    async def story(world: World) -> None:
        await world.join(1)
        await world.join(0.5, at=3)
        await world.time.until(40)
        assert world.exchange.polled_at == [0, 10.5, 21, 31.5]

    play(story, takes=10)


# --- the pace ---


def test_the_shortest_interval_decides_the_pace() -> None:
    async def story(world: World) -> None:
        await world.join(10)
        hasty = await world.join(2)
        await world.join(30)
        await world.time.until(11)
        assert world.exchange.polled_at == [0, 2, 4, 6, 8, 10]
        await world.leave(hasty)
        await world.time.until(45)
        assert world.exchange.polled_at[6:] == [12, 22, 32, 42]

    play(story)


def test_a_subscriber_with_a_shorter_interval_shortens_a_long_pause_and_causes_no_immediate_poll() -> None:
    async def story(world: World) -> None:
        await world.join(300)
        hasty = await world.join(5, at=100)
        assert world.exchange.polled_at == [0]
        await world.time.until(112)
        assert world.exchange.polled_at == [0, 105, 110]
        assert hasty.received == [105, 110]

    play(story)


@pytest.mark.parametrize("interval", [10, 11, 500])
def test_a_subscriber_with_the_same_or_a_longer_interval_does_not_change_the_pause(interval: float) -> None:
    async def story(world: World) -> None:
        await world.join(10)
        await world.join(interval, at=7)
        await world.time.until(21)
        assert world.exchange.polled_at == [0, 10, 20]

    play(story)


def test_a_subscriber_with_a_shorter_interval_during_a_poll_decides_the_pause_after_it() -> None:
    async def story(world: World) -> None:
        await world.join(300)
        await world.join(5, at=1)
        await world.time.until(20)
        assert world.exchange.polled_at == [0, 7, 14]

    play(story, takes=2)


def test_a_subscriber_with_a_shorter_interval_never_delays_the_poll_that_others_wait_for() -> None:
    async def story(world: World) -> None:
        first = await world.join(100)
        await world.join(10, at=95)
        await world.time.until(101)
        assert first.received == [0, 100], "it was promised snapshots at most 100 s apart"

    play(story)


def test_a_series_of_subscribers_with_shorter_and_shorter_intervals_does_not_delay_the_poll() -> None:
    async def story(world: World) -> None:
        first = await world.join(30)
        for n in range(1, 29):
            await world.join(30 - n, at=float(n * 2))
        assert len(first.received) > 1, f"nothing received for {world.time.now} s, at an interval of 30"

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
        assert world.exchange.polled_at == [0, 5, 5 + pause, 5 + pause + 5]

    play(story)


def test_a_subscriber_with_a_shorter_interval_does_not_shorten_the_pause_after_a_limit() -> None:
    async def story(world: World) -> None:
        world.exchange.failure = exceeded(60)
        await world.join(10)
        await world.join(2, at=5)
        await world.time.until(59)
        assert world.exchange.polled_at == [0], "the points are used up until 60"

    play(story)


def test_a_failed_poll_is_published_like_any_other_and_the_pace_stays() -> None:
    async def story(world: World) -> None:
        world.exchange.failure = Unanswered("no answer")
        subscriber = await world.join(5)
        await world.time.until(11)
        assert subscriber.received == [0, 5, 10]

    play(story)


# --- leaving ---


@pytest.mark.parametrize("moment", [3.0, 7.0, 11.0])
def test_the_last_subscriber_that_leaves_ends_the_loop_in_the_middle_of_a_pause(moment: float) -> None:
    async def story(world: World) -> None:
        first = await world.join(5)
        await world.join(7)
        await world.leave(first, at=moment)
        assert len(asyncio.all_tasks()) > 1
        await world.all_leave()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    play(story)


def test_no_poll_follows_if_the_last_subscriber_leaves_during_a_poll() -> None:
    async def story(world: World) -> None:
        await world.join(5, at=1)
        await world.time.until(2)
        assert world.exchange.running == 1
        await world.all_leave()
        await world.time.until(100)
        assert world.exchange.polled_at == [1]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    play(story, takes=10)


def test_a_subscriber_that_ends_its_context_leaves_nothing_behind() -> None:
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


def test_a_subscriber_after_an_idle_time_is_served_like_the_first() -> None:
    async def story(world: World) -> None:
        await world.leave(await world.join(5), at=7)
        again = await world.join(5, at=50)
        await world.time.until(61)
        assert again.received == [50, 55, 60]

    play(story)


def test_a_subscriber_that_comes_as_the_last_one_leaves_is_served() -> None:
    async def story(world: World) -> None:
        first = await world.join(5)
        await world.time.until(2)
        async with world.poll.subscribe(5) as next_snapshot:
            await world.leave(first)
            await world.time.until(5)
            assert (await next_snapshot()).at == 5
        async with world.poll.subscribe(5) as next_snapshot:  # no turn of the event loop in between
            await world.time.until(16)
            assert (await next_snapshot()).at == 10, "subscribing causes no poll"
            assert (await next_snapshot()).at == 15

    play(story)


def test_a_cancelled_subscriber_no_longer_decides_the_pace() -> None:
    async def story(world: World) -> None:
        calm = await world.join(20)
        hasty = await world.join(1)
        await world.time.until(3)
        received = list(hasty.received)
        await world.leave(hasty)
        await world.time.until(50)
        assert hasty.received == received
        assert calm.received == [0, 1, 2, 3, 4, 24, 44]

    play(story)


def test_a_subscriber_that_comes_during_the_poll_of_one_that_left_causes_no_second_poll() -> None:
    """A poll in a thread (`asyncio.to_thread`) continues when the task that awaits it is cancelled."""

    async def run() -> None:
        time = FakeTime()
        exchange = Exchange(time, takes=10)
        in_threads: list[asyncio.Task[Snapshot]] = []

        async def poll_in_thread() -> Snapshot:
            in_threads.append(asyncio.create_task(exchange.take_snapshot()))
            return await asyncio.shield(in_threads[-1])

        world = World(time, exchange, SharedPoll(poll_in_thread, sleep=time.sleep))
        await world.leave(await world.join(5), at=1)
        second = await world.join(5, at=2)
        await time.until(40)
        assert exchange.most_at_once == 1, f"polls began at {exchange.polled_at} and take 10 s each"
        assert second.received
        await world.all_leave()
        await time.until(100)
        await asyncio.gather(*in_threads)

    run_alone(run)


# --- bugs ---


def test_a_bug_in_a_poll_reaches_every_subscriber() -> None:
    async def story(world: World) -> None:
        subscribers = [await world.join(interval) for interval in (5, 7, 300)]
        world.exchange.bug = ZeroDivisionError("a bug")
        await world.time.until(100)
        assert [subscriber.waits for subscriber in subscribers] == [False] * 3
        assert [type(subscriber.error) for subscriber in subscribers] == [ZeroDivisionError] * 3
        assert world.exchange.polled_at == [0, 5]

    play(story)


def test_the_next_subscriber_gets_a_new_loop_after_a_bug() -> None:
    async def story(world: World) -> None:
        world.exchange.bug = ZeroDivisionError("a bug")
        await world.join(5)
        world.exchange.bug = None
        fresh = await world.join(5, at=20)
        await world.time.until(31)
        assert fresh.received == [20, 25, 30]

    play(story)


def test_a_subscriber_that_comes_before_the_others_raise_the_bug_gets_a_new_loop() -> None:
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
        assert fresh.received == [0, 5, 10]

    play(story)


def test_a_poll_that_is_cancelled_from_within_leaves_no_subscriber_waiting_forever() -> None:
    """The future of a thread is cancelled when its pool shuts down."""

    async def run() -> None:
        time = FakeTime()
        cancelled: list[float] = []

        async def take_snapshot() -> Snapshot:
            if not cancelled:
                cancelled.append(time.now)
                raise asyncio.CancelledError
            return Snapshot(time.now)

        poll = SharedPoll(take_snapshot, sleep=time.sleep)
        unlucky = Subscriber(poll, 5)
        await time.until(20)
        lucky = Subscriber(poll, 5)
        await time.until(41)
        assert unlucky.received or not unlucky.waits, "it received nothing and waits for ever"
        assert lucky.received, "the loop has ended and no subscriber starts another one"
        for subscriber in (unlucky, lucky):
            await subscriber.leave()

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


@settings(max_examples=150)
@given(steps=steps, takes=st.sampled_from([0.0, 0.25, 4.0]))
@example(
    steps=[(0.0, "join", 30.0, 0), (3.0, "works", 2.0, 0), (20.0, "join", 9.0, 0)], takes=0.0
)  # the newcomer's first pause would end after the others'
def test_no_subscriber_waits_longer_than_its_interval_because_of_the_others(
    steps: list[tuple[float, str, float, int]], takes: float
) -> None:
    async def story(world: World) -> None:
        came: dict[int, float] = {}
        for wait, step, interval, pick in steps:
            await world.time.until(world.time.now + wait)
            before = len(world.exchange.polled_at)
            if step == "join":
                was_idle = world.poll.idle
                subscriber = await world.join(interval)
                came[id(subscriber)] = world.time.now
                assert len(world.exchange.polled_at) - before <= was_idle, "subscribing caused a poll"
            elif step == "leave" and world.subscribers:
                await world.leave(world.subscribers[pick % len(world.subscribers)])
                assert len(world.exchange.polled_at) == before, "leaving caused a poll"
            elif step in ("limit", "works"):
                world.exchange.failure = exceeded(12) if step == "limit" else None
        end = world.time.now + 300
        await world.time.until(end)
        for subscriber in world.subscribers:
            times = [came[id(subscriber)], *subscriber.received, end]
            longest = max(b - a for a, b in pairwise(times))
            assert longest <= max(subscriber.interval, 12) + 2 * takes, f"{subscriber.interval=} {times=}"
        assert [subscriber.error for subscriber in world.subscribers] == [None] * len(world.subscribers)

    play(story, takes=takes)
