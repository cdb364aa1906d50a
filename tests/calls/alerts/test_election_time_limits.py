"""Callbacks that Airflow ends after some seconds: someone rings in time."""

from __future__ import annotations

import pytest
from election_world import (
    DEAD,
    SlowStore,
    World,
    candidate,
    dials,
    killed_after,
    rings,
)

from airflow_provider_callapi.calls.alerts.election import AlertSuppressed, NoWinner


@pytest.mark.parametrize("seed", range(10))
def test_sixteen_runs_that_fail_together_all_ring_within_the_20_s_of_a_callback(seed):
    world = World(seed)
    stores = [SlowStore(world, latency=0.15) for _ in range(16)]

    def mortal(n, store):
        return killed_after(world, 20, lambda mortal: rings(mortal, store, name=str(n)))

    assert all(world.run(*((0, mortal(n, store)) for n, store in enumerate(stores))))


class SlowEachTime(SlowStore):
    """A store of which each access takes the same time."""

    def _travel(self):
        self.world.sleep(self.latency / 2)


@pytest.mark.parametrize("limit", [20, 50])
@pytest.mark.parametrize("latency", [0.1, 1, 2, 2.4, 2.5, 3, 4, 5, 8, 12])
def test_a_callback_rings_before_airflow_ends_it_however_slow_the_store_is(limit, latency):
    world, called = World(), []
    store = SlowEachTime(world, latency=latency)

    world.run((0, killed_after(world, limit, lambda mortal: dials(mortal, store, called))))

    assert called == ["me"]


@pytest.mark.parametrize("settle", [4, 9, 10, 15, 20, 60])
def test_a_callback_rings_before_airflow_ends_it_however_long_it_should_settle(settle):
    world, called = World(), []
    store = SlowStore(world, latency=0.1)

    world.run((0, killed_after(world, 20, lambda mortal: dials(mortal, store, called, settle=settle))))

    assert called == ["me"]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("latency", [0.5, 2, 4, 8])
@pytest.mark.parametrize("limit", [20, 50])
def test_of_many_callbacks_that_use_a_slow_store_someone_rings(seed, latency, limit):
    world, called = World(seed), []
    store = SlowStore(world, latency=latency)

    def mortal(number):
        return killed_after(world, limit, lambda mortal: dials(mortal, store, called, name=str(number)))

    world.run(*((world.random.uniform(0, 3), mortal(number)) for number in range(20)))

    assert called
    assert latency > 0.5 or len(called) == 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("doomed", [0, 1, 3, 20])
@pytest.mark.parametrize("later", [6, 8, 12])
def test_callbacks_that_cannot_win_in_time_leave_the_alert_to_a_later_one(seed, doomed, later):
    """The winner is killed before it rings. Its claim outlives the callbacks of the same second."""
    world, called = World(seed), []
    store = SlowStore(world, latency=0.05)

    def mortal(name):
        return killed_after(world, 20, lambda mortal: dials(mortal, store, called, name=name))

    world.run(
        (0, candidate(world, store, name="killed").acquire),
        *((world.random.uniform(0.1, 1.5), mortal(f"same second {number}")) for number in range(doomed)),
        (later, mortal("later")),
    )

    assert called == ["later"]


def many_of_20_seconds(world, store, called, *, begin, **options):
    """Run twenty callbacks of tasks that begin in the half second after ``begin``."""

    def mortal(number):
        return killed_after(
            world, 20, lambda mortal: dials(mortal, store, called, name=str(number), **options)
        )

    world.run(*((world.random.uniform(begin, begin + 0.5), mortal(number)) for number in range(20)))


@pytest.mark.parametrize("seed", range(10))
def test_one_of_many_callbacks_rings_although_a_dead_claim_leaves_too_little_time_to_settle(seed):
    """The claim expires after 19 s, and the callbacks must begin to ring after 21 s."""
    world, called = World(seed), []
    store = SlowStore(world, latency=0.05, value={**DEAD, "at": world.now})

    many_of_20_seconds(world, store, called, begin=5.7)

    assert len(called) == 1


@pytest.mark.parametrize("seed", range(10))
def test_one_of_many_callbacks_rings_although_settle_is_longer_than_its_time(seed):
    world, called = World(seed), []

    many_of_20_seconds(world, SlowStore(world, latency=0.05), called, begin=0, settle=60)

    assert len(called) == 1


def test_a_callback_whose_claim_is_written_too_slowly_rings_at_once():
    world = World()
    store = SlowStore(world)
    store.set = lambda key, value: world.sleep(16)
    one = candidate(world, store)
    one.ring_by = world.now + 15
    one.sleep = lambda seconds: pytest.fail("no time is left to settle")

    def act():
        with pytest.raises(NoWinner, match="no time is left for an election"):
            one.acquire()
        return one.may_begin(), world.now - 1000

    assert world.run((0, act)) == [(True, 16)]


def test_a_callback_without_time_relies_on_the_claim_that_it_has_read_last():
    world = World()
    store = SlowStore(world)
    late = candidate(world, store, name="late")

    def act():
        rings(world, store, name="rival")()
        late.ring_by = world.now + 5
        assert not late.may_begin()
        world.sleep(6)
        with pytest.raises(AlertSuppressed, match="another callback rings or has rung"):
            late.acquire()
        return True

    assert world.run((0, act)) == [True]
