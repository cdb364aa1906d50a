"""Fifty claim in the same second and one wins: in simulated time, whatever the order of their steps."""

from __future__ import annotations

import heapq
import json
import random
import threading
from itertools import count

import pytest

from airflow_provider_callapi.calls import claiming
from airflow_provider_callapi.calls.claiming import Claimant

SETTLE = 4.0
QUIET = 900.0


class World:
    """Time of its own for any number of actors; of those who sleep, the first to wake goes on."""

    def __init__(self, seed=0):
        self.now = 1000.0
        self.random = random.Random(seed)
        self._asleep = []
        self._order = count()

    def clock(self):
        return self.now

    def sleep(self, seconds):
        woken = self._lie_down(seconds)
        self._wake_the_next()
        assert woken.wait(20), "the simulation hangs"

    def run(self, *actors):
        """Run (start, function) to their ends; the results in the actors' order."""
        results = [None] * len(actors)
        done = threading.Event()
        left = count(len(actors) - 1, -1)

        def live(position, function, woken):
            assert woken.wait(20), "the simulation hangs"
            try:
                results[position] = function()
            finally:
                done.set() if next(left) == 0 else self._wake_the_next()

        for position, (start, function) in enumerate(actors):
            woken = self._lie_down(start)
            threading.Thread(target=live, args=(position, function, woken), daemon=True).start()
        self._wake_the_next()
        assert done.wait(20), "the simulation hangs"
        return results

    def _lie_down(self, seconds):
        woken = threading.Event()
        heapq.heappush(self._asleep, (self.now + max(seconds, 0), next(self._order), woken))
        return woken

    def _wake_the_next(self):
        self.now, _, woken = heapq.heappop(self._asleep)
        woken.set()


class Slow:
    """A register at the other end of a network."""

    def __init__(self, world, latency=0.0, value=None):
        self.world, self.latency, self.value = world, latency, value

    def read(self):
        self._travel()
        value = self.value
        self._travel()
        return value

    def write(self, value):
        self._travel()
        self.value = value
        self._travel()

    def _travel(self):
        self.world.sleep(self.world.random.uniform(0, self.latency))


def claimant(world, register, *, alert="run 1", by="me", settle=SETTLE, quiet_for=QUIET):
    return Claimant(register, alert, by, quiet_for, settle, world.clock, world.sleep)


def rings(world, register, calls=frozenset(), **changes):
    """An actor who rings a second after it has won, unless a call is seen; returns whether it did."""

    def act():
        claim = claimant(world, register, **changes)
        if not claim.win():
            return False
        if claim.alert in calls:
            claim.rang()
            return False
        world.sleep(1)
        if isinstance(calls, set):
            calls.add(claim.alert)
        claim.rang()
        return True

    return act


@pytest.mark.parametrize("seed", range(40))
def test_of_fifty_who_fail_within_a_moment_one_wins(seed):
    world = World(seed)
    register = Slow(world, latency=SETTLE / 4.1)  # four ways from the reading to the writing

    won = world.run(
        *((world.random.uniform(0, seed / 2), rings(world, register, by=str(n))) for n in range(50))
    )

    assert sum(won) == 1


def test_without_the_time_to_settle_several_win(monkeypatch):
    """Why there is a wait; also that this simulation can tell."""
    monkeypatch.setattr(claiming, "_LISTED_WITHIN", 0.0)
    winners = set()
    for seed in range(20):
        world = World(seed)
        register = Slow(world, latency=1.0)
        actors = (rings(world, register, by=str(n), settle=0.0) for n in range(3))
        winners.add(sum(world.run(*((0, actor) for actor in actors))))

    assert max(winners) > 1


@pytest.mark.parametrize("seed", range(20))
def test_two_runs_that_fail_together_both_ring_once(seed):
    """The register remembers the newest alert only; the calls in progress tell of the other."""
    world = World(seed)
    register = Slow(world, latency=0.3)
    calls = set()

    won = world.run(
        *((0, rings(world, register, calls, alert=f"run {n % 2}", by=str(n))) for n in range(10)),
    )

    assert (sum(won[0::2]), sum(won[1::2])) == (1, 1)


def test_a_rival_who_claims_and_dies_is_replaced():
    world = World()
    register = Slow(world)

    def dies():
        return claimant(world, register, by="dead").win()

    assert world.run((0, dies), (1, rings(world, register, by="heir"))) == [True, True]


def test_a_rival_who_could_not_ring_leaves_it_to_the_next_at_once():
    world = World()
    register = Slow(world)

    def cannot():
        claim = claimant(world, register, by="mute")
        won = claim.win()
        claim.give_up()
        return won

    assert world.run((0, cannot), (1, rings(world, register, by="heir"))) == [True, True]
    assert world.now < 1000 + 2 * SETTLE + 3


@pytest.mark.parametrize(("later", "won"), [(QUIET - 20, False), (QUIET + 20, True)])
def test_an_alert_is_quiet_for_its_time_only(later, won):
    world = World()
    register = Slow(world)

    assert world.run((0, rings(world, register)), (later, rings(world, register, by="later"))) == [True, won]


def test_who_was_slow_to_write_gives_anothers_call_time_to_be_listed():
    world = World()
    register = Slow(world)
    write = register.write

    def slowly(value):
        world.sleep(SETTLE + 1)
        write(value)

    register.write = slowly

    assert claimant_alone(world, register) == pytest.approx(SETTLE + 1 + SETTLE + 5)


def claimant_alone(world, register):
    began = world.now
    assert world.run((0, claimant(world, register).win)) == [True]
    return world.now - began


@pytest.mark.parametrize("value", ["", "{}", "not JSON", "[1]", json.dumps({"alert": "run 1"}), "7"])
def test_a_register_that_says_nothing_readable_stops_nobody(value):
    world = World()

    assert claimant_alone(world, Slow(world, value=value)) == pytest.approx(SETTLE)


def test_after_a_minute_of_rivalry_the_alert_rings():
    world = World()
    register = Slow(world)
    register.write = lambda value: None  # as if somebody else always wrote after us
    register.read = lambda: json.dumps({"alert": "another", "by": "x", "at": world.now, "rang": False})

    assert 60 <= claimant_alone(world, register) < 70
