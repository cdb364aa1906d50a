"""Elections of hosts whose clocks differ, are far ahead, or are set back."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from election_world import (
    QUIET,
    SETTLE,
    SlowStore,
    World,
    candidate,
    killed_after,
    reads,
    rings,
)


def _rings_of_two(limit, skew, later, ahead_is_first):
    world = World()
    store = SlowStore(world, latency=0.1)

    def acts(name, offset):
        def act(mortal):
            clock = SimpleNamespace(
                clock=lambda: world.clock() + offset,
                timer=world.timer,
                sleep=mortal.sleep,
                ring_by=mortal.ring_by,
            )
            return rings(clock, store, name=name)

        return killed_after(world, limit, act)

    ahead, behind = acts("ahead", skew), acts("behind", 0)
    first, second = (ahead, behind) if ahead_is_first else (behind, ahead)

    return sum(world.run((0, first), (later, second)))


@pytest.mark.parametrize("limit", [20, 50, 1e6])
@pytest.mark.parametrize("skew", [0, 10, 18, 19, 25, 60, 600])
@pytest.mark.parametrize("ahead_is_first", [True, False])
def test_one_of_two_candidates_rings_although_their_clocks_differ(limit, skew, ahead_is_first):
    rang = [_rings_of_two(limit, skew, later, ahead_is_first) for later in (0, 0.3, 1, 3, 6, 10)]
    assert rang == [1] * 6


@pytest.mark.parametrize(
    ("ahead", "won"), [(10, False), (QUIET - 1, False), (QUIET + 60, True), (3 * 3600, True)]
)
def test_a_call_by_a_clock_that_was_far_ahead_silences_no_later_alert(ahead, won):
    """For example, a host took its hardware clock for UTC until its first synchronisation."""
    world = World()
    store = SlowStore(world)
    world.now += ahead
    world.run((0, rings(world, store)))
    world.now -= ahead

    assert (reads(world, store, name="later") is None) is won
    assert world.run((0, rings(world, store, name="later"))) == [won]


def test_a_candidate_that_cannot_write_does_not_wait_for_the_time_of_a_clock_that_is_ahead():
    world = World()
    store = SlowStore(world)
    world.now += 3 * 3600
    world.run((0, candidate(world, store, name="ahead").acquire))
    world.now -= 3 * 3600
    reading = candidate(world, store, name="deadline", may_write=False)
    began = world.now

    def act():
        assert reading.acquire() is None
        return reading.may_begin(), world.now - began

    assert world.run((0, act)) == [(True, pytest.approx(SETTLE + 5 + SETTLE, abs=1))]


@pytest.mark.parametrize("back", [0, 20, 3600])
def test_a_clock_that_is_set_back_during_the_election_delays_no_candidate(back):
    world, offset = World(), [0.0]
    store = SlowStore(world)
    host = SimpleNamespace(
        clock=lambda: world.now + offset[0], timer=world.timer, sleep=world.sleep, ring_by=math.inf
    )

    def sets_back():
        offset[0] = -back

    dies, heir = candidate(host, store, name="dead").acquire, rings(host, store, name="heir")

    assert world.run((0, dies), (1, heir), (6, sets_back)) == [None, True, None]
    assert world.now - 1000 <= SETTLE + 15 + SETTLE + 2
