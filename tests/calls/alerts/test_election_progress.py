"""Callbacks that call one person after another: each person is called once, whoever is killed."""

from __future__ import annotations

import dataclasses
import math

import pytest
from election_world import (
    CALL,
    QUIET,
    SETTLE,
    SlowStore,
    World,
    callback,
    candidate,
    escalates,
    killed_after,
    reads,
)

from airflow_provider_callapi.calls.alerts.claims import Progress
from airflow_provider_callapi.calls.alerts.election import AlertSuppressed


def test_a_candidate_finds_its_progress_after_a_restart():
    world = World()
    store = SlowStore(world)

    def escalates():
        one = candidate(world, store, name="deadline 7")
        before = one.acquire()
        one.record_call(CALL)
        one.record_call(Progress(2, 9))
        return before

    assert world.run((0, escalates)) == [None]
    assert reads(world, store, name="deadline 7") == Progress(2, 9)
    assert reads(world, store) == "another callback rings or has rung"
    world.now += QUIET
    assert reads(world, store, name="deadline 7") is None


def test_a_candidate_does_not_wait_for_its_own_claim_after_a_restart():
    world = World()
    store = SlowStore(world)

    def claims():
        return candidate(world, store).acquire()

    assert world.run((0, claims), (SETTLE + 1, claims)) == [None, None]
    assert world.now == pytest.approx(1000 + SETTLE + 1 + SETTLE)


@pytest.mark.parametrize("seed", range(40))
def test_two_processes_of_one_candidate_call_each_person_once(seed):
    """Airflow moves a trigger to another triggerer, or retries a task, while the first process still runs."""
    world, called = World(seed), []
    store = SlowStore(world, latency=SETTLE / 8)  # a call, a reading and a writing end within SETTLE
    actors = [escalates(world, store, called, token=str(number)) for number in range(3)]

    world.run(*((world.random.uniform(0, 3 * seed), actor) for actor in actors))

    assert called == [1, 2, 3]


@pytest.mark.parametrize("killed", ["old", "new"])
def test_if_one_process_of_a_candidate_is_killed_the_other_one_continues(killed):
    """Both wait for the claim of a rival, and then the old process replaces the claim of the new one."""
    world, called = World(2), []
    store = SlowStore(world)

    def process(token):
        def act(mortal):
            one = escalates(mortal, store, called, token=token, name="deadline", abandoned_after=60.0)
            return one

        return killed_after(world, 60 if token == killed else 1e6, act)

    world.run((0, lambda: candidate(world, store).acquire()), (5, process("old")), (6, process("new")))

    assert called == [1, 2, 3]


def test_a_new_process_does_not_repeat_a_call_that_the_old_one_stores_after_the_election():
    world = World()
    store = SlowStore(world)
    old, new = candidate(world, store, token="old"), candidate(world, store, token="new")

    def act():
        assert old.acquire() is None
        assert new.acquire() is None
        old.record_call(CALL)
        new.withdraw()
        return new.may_begin(), new.acquire(), old.may_continue(CALL), new.may_continue(CALL)

    assert world.run((0, act)) == [(False, CALL, False, True)]
    assert reads(world, store) == CALL


def test_a_new_process_notices_that_a_person_acknowledges_during_its_election():
    world = World()
    store = SlowStore(world)
    old, new = candidate(world, store, token="old"), candidate(world, store, token="new")

    def rings_and_ends():
        old.acquire()
        old.record_call(CALL)
        world.sleep(10)
        old.record_call(dataclasses.replace(CALL, acknowledged=True))

    def begins():
        with pytest.raises(AlertSuppressed, match="a person has acknowledged it"):
            new.acquire()
        return True

    assert world.run((0, rings_and_ends), (SETTLE + 8, begins))[1]


def test_no_process_calls_the_next_person_after_an_acknowledgement():
    world = World()
    store = SlowStore(world)
    old, new = candidate(world, store, token="old"), candidate(world, store, token="new")

    def act():
        old.acquire()
        old.record_call(CALL)
        assert new.acquire() == CALL
        new.record_call(Progress(2, 9))
        old.record_call(dataclasses.replace(CALL, acknowledged=True))
        new.record_call(Progress(2, 9))
        return new.may_continue(Progress(2, 9))

    assert world.run((0, act)) == [False]
    assert reads(world, store) == reads(world, store, name="rival") == "a person has acknowledged it"


@pytest.mark.parametrize("end", [{"acknowledged": True}, {"is_last": True}])
def test_a_finished_escalation_is_not_continued(end):
    world = World()
    store = SlowStore(world)

    def rings_and_ends():
        one = candidate(world, store, name="first")
        one.acquire()
        one.record_call(Progress(1, 7, **end))

    world.run((0, rings_and_ends), (200, lambda: None))
    assert reads(world, store, name="later", abandoned_after=60.0) in (
        "a person has acknowledged it",
        "another callback rings or has rung",
    )


@pytest.mark.parametrize(("abandoned_after", "expected"), [(60.0, [1, 2, 3]), (math.inf, [1])])
def test_a_candidate_without_a_time_limit_calls_the_people_whom_a_killed_rival_has_left(
    abandoned_after, expected
):
    world, called = World(), []
    store = SlowStore(world)
    killed = escalates(world, store, called, calls=1, name="a callback of 20 seconds")
    heir = escalates(world, store, called, name="a deadline", abandoned_after=abandoned_after)

    world.run((0, killed), (10, heir))

    assert called == expected


def test_a_candidate_without_a_time_limit_waits_for_the_end_of_a_living_rival():
    world, called = World(), []
    store = SlowStore(world)
    living = escalates(world, store, called, name="a callback of a DAG")
    waiting = escalates(world, store, called, name="a deadline", abandoned_after=60.0)

    world.run((0, living), (10, waiting))

    assert called == [1, 2, 3]


@pytest.mark.parametrize("seed", range(60))
def test_any_mixture_of_callbacks_calls_each_person_once_although_some_are_killed(seed):
    world, calls = World(seed), []
    store = SlowStore(world, latency=SETTLE / 8)
    draw = world.random

    def mortal(name):
        def act(mortal):
            return callback(mortal, store, calls, continues=False, name=name)

        return killed_after(world, draw.choice([20, 50]), act)

    deadline = {"name": "deadline", "continues": True}
    actors = [(draw.uniform(0, 100), mortal(f"task {number}")) for number in range(draw.randint(1, 4))]
    processes = draw.randint(1, 2)
    actors += [
        (draw.uniform(0, 100), callback(world, store, calls, token=f"process {number}", **deadline))
        for number in range(processes)
    ]
    if processes == 1 and draw.random() < 0.5:  # a user deletes the Variable
        actors.append((draw.uniform(0, 100), lambda: setattr(store, "value", None)))

    world.run(*actors)

    assert [person for _, person in sorted(calls)] == [1, 2, 3]
