"""Fifty candidates claim in the same second and one wins: in simulated time, in any order of their steps."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from election_world import (
    CALL,
    QUIET,
    SETTLE,
    SlowStore,
    World,
    acquire,
    candidate,
    reads,
    rings,
    seconds_alone,
    until_suppressed,
)

from airflow_provider_callapi.calls.alerts import election
from airflow_provider_callapi.calls.alerts.claims import Progress, is_expired
from airflow_provider_callapi.calls.alerts.election import AlertSuppressed, NoWinner


@pytest.mark.parametrize("seed", range(40))
def test_one_of_fifty_candidates_that_fail_together_wins(seed):
    world = World(seed)
    store = SlowStore(world, latency=SETTLE / 4.1)  # reading and writing take four trips

    won = world.run(
        *((world.random.uniform(0, seed / 2), rings(world, store, name=str(n))) for n in range(50))
    )

    assert sum(won) == 1


def test_several_candidates_win_without_the_time_to_settle(monkeypatch):
    """This shows why candidates wait, and that the simulation detects two winners."""
    monkeypatch.setattr(election, "_LISTED_WITHIN", 0.0)
    winners = set()
    for seed in range(20):
        world = World(seed)
        store = SlowStore(world, latency=1.0)
        actors = (rings(world, store, name=str(n), settle=0.0) for n in range(3))
        winners.add(sum(world.run(*((0, actor) for actor in actors))))

    assert max(winners) > 1


@pytest.mark.parametrize("seed", range(20))
def test_two_runs_whose_tasks_fail_over_a_minute_ring_once_each_although_their_calls_end_at_once(seed):
    world = World(seed)
    stores = [SlowStore(world, latency=0.15), SlowStore(world, latency=0.15)]

    won = world.run(
        *((world.random.uniform(0, 60), rings(world, stores[n % 2], name=str(n))) for n in range(20)),
    )

    assert (sum(won[0::2]), sum(won[1::2])) == (1, 1)


@pytest.mark.parametrize("seed", range(6))
def test_one_of_fifty_candidates_wins_although_a_user_deletes_the_claim_during_the_election(seed):
    world = World(seed)
    store = SlowStore(world, latency=SETTLE / 8)
    actors = [(world.random.uniform(0, 2), rings(world, store, name=str(n))) for n in range(50)]

    won = world.run(
        (world.random.uniform(0, SETTLE), lambda: setattr(store, "value", None)),
        *actors,
    )

    assert sum(won[1:]) == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_candidate_that_cannot_write_sees_a_rival_that_begins_in_the_same_second(seed):
    world = World(seed)
    store = SlowStore(world, latency=0.5)
    reading = candidate(world, store, name="deadline", may_write=False)
    writing = candidate(world, store, name="task")

    def read():
        with pytest.raises(AlertSuppressed):
            reading.acquire()

    def write():
        acquire(writing)
        world.sleep(1.0)  # the start request
        writing.record_call(CALL)
        return writing.is_elected

    starts = (world.random.uniform(0, 1) for _ in range(2))
    assert world.run((next(starts), read), (next(starts), write)) == [None, True]


def test_a_candidate_replaces_the_claim_of_a_dead_rival():
    world = World()
    store = SlowStore(world)

    def dies():
        candidate(world, store, name="dead").acquire()

    assert world.run((0, dies), (1, rings(world, store, name="heir"))) == [None, True]


def test_a_candidate_that_withdraws_lets_its_rival_ring_at_once():
    world = World()
    store = SlowStore(world)

    def cannot():
        one = candidate(world, store, name="mute")
        one.acquire()
        one.withdraw()

    assert world.run((0, cannot), (1, rings(world, store, name="heir"))) == [None, True]
    assert world.now < 1000 + 2 * SETTLE + 3


@pytest.mark.parametrize(("later", "won"), [(QUIET - 20, False), (QUIET + 20, True)])
def test_an_alert_rings_again_only_after_quiet_for(later, won):
    world = World()
    store = SlowStore(world)

    assert world.run((0, rings(world, store)), (later, rings(world, store, name="later"))) == [True, won]


def test_a_claim_is_renewed_after_its_lease_unless_a_rival_has_rung():
    world = World(0)
    store = SlowStore(world)
    slow, rival = candidate(world, store), candidate(world, store, name="rival")

    def act():
        assert slow.acquire() is None
        began = world.clock()
        assert slow.may_begin()
        at_once = world.clock() - began
        world.sleep(20)
        assert slow.may_begin()
        renewed = world.clock() - began
        world.sleep(20)
        assert rival.acquire() is None
        rival.record_call(CALL)
        assert not slow.may_begin()
        slow.withdraw()
        return at_once, renewed

    assert world.run((0, act)) == [(0, 20 + SETTLE)]
    assert reads(world, store, name="rival") == CALL


def test_a_candidate_that_loses_its_right_after_a_minute_takes_part_in_a_new_election():
    """For example, it has waited for new points, and a rival has sent its start request meanwhile."""
    world, called = World(), []
    store = SlowStore(world, latency=0.1)
    slow, rival = candidate(world, store, name="slow"), candidate(world, store, name="rival")

    def waits_for_points():
        slow.acquire()
        world.sleep(62)
        if not slow.may_begin():
            slow.acquire()
        called.append("slow")

    def begins_its_call():
        rival.acquire()
        called.append("rival")
        world.sleep(2)
        rival.record_call(CALL)

    world.run((0, until_suppressed(waits_for_points)), (62, begins_its_call))

    assert called == ["rival"]


def test_an_election_without_a_winner_ends_after_a_minute():
    world = World()
    store = SlowStore(world)
    store.set = lambda key, value: None  # as if a rival always wrote last
    rival = {"alert": "run 1", "by": "x", "until": world.now + QUIET}
    store.get = lambda key: {**rival, "at": world.now}

    def act():
        with pytest.raises(NoWinner):
            candidate(world, store).acquire()
        return world.now - 1000

    assert 60 <= world.run((0, act))[0] < 70


def test_a_found_call_silences_others_for_as_long_as_if_it_had_been_stored_when_it_began():
    world = World()
    store = SlowStore(world)
    finding, later = (candidate(world, store, name=name) for name in ("finding", "later"))

    def find():
        acquire(finding)
        finding.record_found_call(dataclasses.replace(CALL, began_at=world.now - QUIET + 60))

    def ring_later():
        acquire(later)
        return later.is_elected

    assert world.run((0, find), (120, ring_later)) == [None, True]
    assert "began_at" not in store.value


@pytest.mark.parametrize("slow_is_first", [True, False])
def test_a_rival_that_finds_the_call_in_the_list_does_not_stop_the_one_that_rings(slow_is_first):
    """A slow start request can let a second candidate win, which then finds the call in `list.calls`."""
    world = World()
    store = SlowStore(world)
    slow, second = candidate(world, store, name="slow"), candidate(world, store, name="second")

    def act():
        assert slow.acquire() is None
        world.sleep(SETTLE + 16)
        assert second.acquire() is None
        stored = [slow.record_call, second.record_found_call]
        for store_call in stored if slow_is_first else reversed(stored):
            store_call(Progress(1, 7))
        second.withdraw()
        goes_on = [slow.may_continue(Progress(1, 7))]
        slow.record_call(Progress(2, 8))
        second.record_found_call(Progress(1, 7))
        return [*goes_on, slow.may_continue(Progress(2, 8))]

    assert world.run((0, act)) == [[True, True]]
    assert reads(world, store, name="slow") == Progress(2, 8)


def test_only_a_claim_expires():
    world = World()
    store = SlowStore(world)
    world.run((0, rings(world, store)))

    assert not is_expired(store.value, world.now + QUIET - 1)
    assert is_expired(store.value, world.now + QUIET + 1)
    for value in (None, "", "79161234567", {"contact": "Ivan"}, [1], 79161234567):
        assert not is_expired(value, world.now + QUIET + 1)


def test_an_active_claim_does_not_expire_although_the_alert_is_quiet_for_a_second():
    """The callback of another alert would delete it."""
    world = World()
    store = SlowStore(world)
    world.run((0, candidate(world, store, quiet_for=1).acquire))

    assert not is_expired(store.value, world.now + SETTLE + 15)
    assert is_expired(store.value, world.now + 600)


def test_a_claim_of_a_version_with_more_fields_is_a_claim():
    world = World()
    store = SlowStore(world)
    world.run((0, rings(world, store)))
    store.value |= {"alert": "run 1"}

    assert reads(world, store, name="later") == "another callback rings or has rung"


@pytest.mark.parametrize("call", [None, 0, -3, "x", [7]])
def test_a_claim_with_a_call_without_an_id_is_no_claim(call):
    world = World()
    claim = {"alert": "run 1", "by": "x", "at": world.now, "until": world.now + QUIET}

    assert seconds_alone(
        world, SlowStore(world, value={**claim, "person": 1, "call_session_id": call})
    ) == pytest.approx(SETTLE)


WRONG_TYPES = {"alert": "run 1", "by": "x", "at": "now", "until": None, "person": "Ivan"}
RUNG = {"by": "x", "at": 1000.0, "until": 2000.0, "person": 1, "call_session_id": 7}
NO_NUMBERS = [math.nan, math.inf, 10**400]


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            {},
            "not JSON",
            [1],
            {"alert": "run 1"},
            7,
            "{}",
            json.dumps({"alert": "run 1"}),
            "7",
            WRONG_TYPES,
        ),
        *({**RUNG, name: number} for name in ("at", "person", "call_session_id") for number in NO_NUMBERS),
    ],
    ids=lambda value: str(value)[:90],
)
def test_a_value_that_is_no_claim_delays_no_candidate(value):
    world = World()

    assert seconds_alone(world, SlowStore(world, value=value)) == pytest.approx(SETTLE)
