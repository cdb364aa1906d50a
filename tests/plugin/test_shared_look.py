"""One look for all viewers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from airflow_provider_callapi.emulator import ManualClock
from airflow_provider_callapi.plugin.shared_look import SharedLook


class Service:
    """Counts the polls. Each poll takes as long as the test wants."""

    def __init__(self) -> None:
        self.polls: list[float] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def take(self, now: float) -> float:
        self.polls.append(now)
        assert self.may_answer.wait(60)
        return now


def test_a_look_serves_all_viewers_for_its_lifetime() -> None:
    clock, service = ManualClock(100.0), Service()
    shared = SharedLook(service.take, clock, lifetime=5.0)
    assert service.polls == []

    for _ in range(3):
        assert shared.look() == 100.0
        clock.advance(1.5)
    assert service.polls == [100.0]

    clock.advance(0.5)
    assert shared.look() == 105.0


def test_a_viewer_who_comes_during_a_poll_gets_its_look() -> None:
    service = Service()
    service.may_answer.clear()
    shared = SharedLook(service.take, lambda: 100.0, lifetime=5.0)

    with ThreadPoolExecutor(10) as pool:
        looks = [pool.submit(shared.look) for _ in range(10)]
        service.may_answer.set()

    assert {look.result() for look in looks} == {100.0}
    assert service.polls == [100.0]


def test_a_slow_look_serves_all_viewers_who_waited_for_it() -> None:
    """Otherwise, each of ten viewers of a service that is away would wait for its timeout in turn."""
    clock = ManualClock(100.0)

    def take(now: float) -> float:
        clock.advance(10.0)
        return now

    shared = SharedLook(take, clock, lifetime=5.0)

    assert [shared.look(), shared.look()] == [100.0, 100.0]


def test_a_new_poll_follows_an_expired_look_and_a_clock_that_went_back() -> None:
    clock, service = ManualClock(100.0), Service()
    shared = SharedLook(service.take, clock, lifetime=5.0)
    shared.look()
    shared.expire()
    shared.look()
    assert len(service.polls) == 2

    SharedLook(service.take, lambda: 50.0, lifetime=5.0).look()
    assert service.polls[-1] == 50.0
