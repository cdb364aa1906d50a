"""One look for all viewers."""

from __future__ import annotations

import asyncio
import threading

import pytest

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.emulator import ManualClock
from airflow_provider_callapi.plugin.shared_look import SharedLook


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    clock = ManualClock(100.0)
    monkeypatch.setattr(system_clock, "now", clock)
    return clock


class Service:
    """Counts the polls. Each poll takes as long as the test wants."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.polls: list[float] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.began = threading.Event()

    def poll(self) -> float:
        now = self.clock()
        self.polls.append(now)
        self.began.set()
        assert self.may_answer.wait(60)
        return now


def test_a_look_serves_all_viewers_for_its_lifetime(clock: ManualClock) -> None:
    service = Service(clock)
    shared = SharedLook(service.poll)
    assert service.polls == []

    for _ in range(3):
        assert asyncio.run(shared.look()) == 100.0
        clock.advance(1.5)
    assert service.polls == [100.0]

    clock.advance(0.5)
    assert asyncio.run(shared.look()) == 105.0


def test_viewers_who_come_during_a_poll_get_its_look_and_hold_no_thread(clock: ManualClock) -> None:
    """Airflow's API server has few threads, which also serve the running tasks."""
    service = Service(clock)
    service.may_answer.clear()
    shared = SharedLook(service.poll)

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


def test_a_look_that_began_before_a_change_is_not_shown_after_it(clock: ManualClock) -> None:
    service = Service(clock)
    service.may_answer.clear()
    shared = SharedLook(service.poll)

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


def test_an_error_reaches_all_viewers_and_the_next_viewer_reads_again(clock: ManualClock) -> None:
    polls: list[float] = []

    def fail() -> float:
        polls.append(clock())
        raise ValueError("away")

    shared = SharedLook(fail)

    for _ in range(2):
        with pytest.raises(ValueError, match="away"):
            asyncio.run(shared.look())
    assert len(polls) == 2


def test_a_slow_look_serves_all_viewers_who_waited_for_it(clock: ManualClock) -> None:
    """Otherwise, each of ten viewers of a service that is away would wait for its timeout in turn."""

    def poll() -> float:
        began_at = clock()
        clock.advance(10.0)
        return began_at

    shared = SharedLook(poll)

    assert [asyncio.run(shared.look()), asyncio.run(shared.look())] == [100.0, 100.0]


def test_a_new_poll_follows_an_expired_look_and_a_clock_that_went_back(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(clock)
    shared = SharedLook(service.poll)
    asyncio.run(shared.look())
    shared.expire()
    asyncio.run(shared.look())
    assert len(service.polls) == 2

    monkeypatch.setattr(system_clock, "now", lambda: 50.0)
    asyncio.run(shared.look())
    assert len(service.polls) == 3
