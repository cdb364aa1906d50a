"""Elections with a store that is slow, loses what is written, or cannot be used."""

from __future__ import annotations

import pytest
from election_world import (
    CALL,
    DEAD,
    SETTLE,
    ForgetfulStore,
    SlowStore,
    World,
    callback,
    candidate,
    dials,
    escalates,
    killed_after,
    reads,
    rings,
    seconds_alone,
)

from airflow_provider_callapi.calls.alerts.election import AlertSuppressed


@pytest.mark.parametrize("settle", [0, 0.1, SETTLE])
def test_a_slow_candidate_waits_until_a_rivals_call_is_listed(settle):
    world = World()
    store = SlowStore(world)
    write = store.set

    def slowly(key, value):
        world.sleep(settle + 1)
        write(key, value)

    store.set = slowly

    assert seconds_alone(world, store, settle=settle) == pytest.approx(settle + 1 + settle + 5)


@pytest.mark.parametrize("fails", [1, 3])
def test_a_store_that_fails_for_a_while_does_not_let_two_candidates_ring(fails):
    world, called = World(), []
    store = SlowStore(world)
    read, failures = store.get, iter(range(fails))

    def sometimes(key):
        if 15 < world.now - 1000 < 40 and next(failures, None) is not None:
            raise OSError("the API server does not answer")
        return read(key)

    living = escalates(world, store, called, name="a callback of a DAG")
    waiting = escalates(world, store, called, name="a deadline", abandoned_after=60.0)
    store.get = sometimes

    world.run((0, living), (10, waiting))

    assert called == [1, 2, 3]


def test_a_call_is_stored_although_the_store_cannot_be_read():
    world = World()
    store = SlowStore(world)
    one = candidate(world, store)

    def act():
        one.acquire()
        read, store.get = store.get, lambda key: 1 / 0
        one.record_call(CALL)
        store.get = read

    world.run((0, act))
    assert reads(world, store) == CALL


def test_a_candidate_that_waited_remembers_the_call_although_the_store_loses_it():
    world = World()
    store = SlowStore(world)
    waiting = candidate(world, store, name="deadline", abandoned_after=60.0)

    def waits():
        with pytest.raises(OSError, match="unreadable"):
            waiting.acquire()
        return waiting.seen_call

    def fails(key):
        raise OSError("unreadable")

    def breaks():
        store.get = fails

    assert world.run((0, rings(world, store)), (10, waits), (20, breaks))[1] == CALL
    assert world.now - 1000 >= 60


def test_a_candidate_that_could_not_use_the_store_does_not_ring_after_a_rival_has_rung():
    world = World()
    store = SlowStore(world)
    unlucky = candidate(world, store, name="unlucky")

    def act():
        read, store.get = store.get, lambda key: 1 / 0
        with pytest.raises(ZeroDivisionError):
            unlucky.acquire()
        store.get = read
        begins = [unlucky.may_begin()]
        rings(world, store)()
        begins.append(unlucky.may_begin())
        with pytest.raises(AlertSuppressed, match="another callback rings or has rung"):
            unlucky.acquire()
        return begins

    assert world.run((0, act)) == [[True, False]]


@pytest.mark.parametrize("value", [None, "", {"a": 1}, {**DEAD, "at": 0.0}, DEAD], ids=str)
@pytest.mark.parametrize("limit", [20, 50, 1e6])
def test_a_candidate_rings_although_the_store_keeps_no_claim(value, limit):
    world, called = World(), []
    store = ForgetfulStore(world, loses=1, latency=0.1, value=value)

    world.run((0, killed_after(world, limit, lambda mortal: dials(mortal, store, called))))

    assert called == ["me"]


@pytest.mark.parametrize("value", [None, "", DEAD], ids=str)
def test_a_candidate_calls_everybody_although_the_store_keeps_no_call(value):
    world, calls = World(), []
    store = ForgetfulStore(world, loses=1, latency=0.1, value=value)

    world.run((0, callback(world, store, calls, continues=True)))

    assert [person for _, person in calls] == [1, 2, 3]
    assert calls[-1][0] - 1000 < 180


@pytest.mark.parametrize("seed", range(60))
def test_any_mixture_of_callbacks_reaches_everybody_although_the_store_is_slow_and_forgetful(seed):
    world, calls = World(seed), []
    draw = world.random
    store = ForgetfulStore(world, loses=draw.choice([0, 0.1, 0.5, 1]), latency=draw.choice([0.1, 1, 3, 6]))

    def mortal(name):
        def act(mortal):
            return callback(mortal, store, calls, continues=False, name=name)

        return killed_after(world, draw.choice([20, 50]), act)

    actors = [(draw.uniform(0, 100), mortal(f"task {number}")) for number in range(draw.randint(0, 4))]
    deadline = callback(world, store, calls, name="deadline", continues=True)

    world.run(*actors, (draw.uniform(0, 100), deadline))

    assert {person for _, person in calls} == {1, 2, 3}


@pytest.mark.parametrize("seed", range(60))
def test_of_callbacks_that_airflow_ends_someone_rings_although_the_store_is_slow_and_forgetful(seed):
    world, called = World(seed), []
    draw = world.random
    store = ForgetfulStore(world, loses=draw.choice([0, 0.1, 0.5, 1]), latency=draw.choice([0.1, 1, 3, 6]))

    def mortal(number):
        act = lambda mortal: dials(mortal, store, called, name=str(number))  # noqa: E731
        return killed_after(world, draw.choice([20, 50]), act)

    world.run(*((draw.uniform(0, 10), mortal(number)) for number in range(draw.randint(1, 10))))

    assert called
