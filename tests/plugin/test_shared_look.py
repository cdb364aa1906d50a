"""One look for all viewers."""

from __future__ import annotations

import asyncio
import threading

import pytest

from airflow_provider_callapi.emulator import ManualClock
from airflow_provider_callapi.plugin.shared_look import SharedLook


class Service:
    """Counts the polls. Each poll takes as long as the test wants."""

    def __init__(self) -> None:
        self.polls: list[float] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.began = threading.Event()

    def take(self, now: float) -> float:
        self.polls.append(now)
        self.began.set()
        assert self.may_answer.wait(60)
        return now


def test_a_look_serves_all_viewers_for_its_lifetime() -> None:
    clock, service = ManualClock(100.0), Service()
    shared = SharedLook(service.take, clock, lifetime=5.0)
    assert service.polls == []

    for _ in range(3):
        assert asyncio.run(shared.look()) == 100.0
        clock.advance(1.5)
    assert service.polls == [100.0]

    clock.advance(0.5)
    assert asyncio.run(shared.look()) == 105.0


def test_viewers_who_come_during_a_poll_get_its_look_and_hold_no_thread() -> None:
    """Airflow's API server has few threads, which also serve the running tasks."""
    service = Service()
    service.may_answer.clear()
    shared = SharedLook(service.take, lambda: 100.0, lifetime=5.0)

    async def watch() -> list[float]:
        threads = threading.active_count()
        viewers = [asyncio.create_task(shared.look()) for _ in range(100)]
        await asyncio.sleep(0)
        assert threading.active_count() == threads + 1
        viewers.pop().cancel()
        service.may_answer.set()
        return await asyncio.gather(*viewers)

    assert asyncio.run(watch()) == [100.0] * 99
    assert service.polls == [100.0]


def test_a_look_that_began_before_a_change_is_not_shown_after_it() -> None:
    service = Service()
    service.may_answer.clear()
    clock = ManualClock(100.0)
    shared = SharedLook(service.take, clock, lifetime=5.0)

    async def watch() -> list[float]:
        before = asyncio.create_task(shared.look())
        assert await asyncio.to_thread(service.began.wait, 60)
        clock.advance(1.0)
        shared.expire()
        after = asyncio.create_task(shared.look())
        await asyncio.sleep(0)
        service.may_answer.set()
        return [await before, await after, await shared.look()]

    assert asyncio.run(watch()) == [100.0, 101.0, 101.0]


def test_an_error_reaches_all_viewers_and_the_next_viewer_reads_again() -> None:
    polls: list[float] = []

    def fail(now: float) -> float:
        polls.append(now)
        raise ValueError("away")

    shared = SharedLook(fail, lambda: 100.0, lifetime=5.0)

    for _ in range(2):
        with pytest.raises(ValueError, match="away"):
            asyncio.run(shared.look())
    assert len(polls) == 2


def test_a_slow_look_serves_all_viewers_who_waited_for_it() -> None:
    """Otherwise, each of ten viewers of a service that is away would wait for its timeout in turn."""
    clock = ManualClock(100.0)

    def take(now: float) -> float:
        clock.advance(10.0)
        return now

    shared = SharedLook(take, clock, lifetime=5.0)

    assert [asyncio.run(shared.look()), asyncio.run(shared.look())] == [100.0, 100.0]


def test_a_new_poll_follows_an_expired_look_and_a_clock_that_went_back() -> None:
    clock, service = ManualClock(100.0), Service()
    shared = SharedLook(service.take, clock, lifetime=5.0)
    asyncio.run(shared.look())
    shared.expire()
    asyncio.run(shared.look())
    assert len(service.polls) == 2

    asyncio.run(SharedLook(service.take, lambda: 50.0, lifetime=5.0).look())
    assert service.polls[-1] == 50.0
