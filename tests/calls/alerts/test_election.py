"""Fifty candidates claim in the same second and one wins: in simulated time, in any order of their steps."""

from __future__ import annotations

import dataclasses
import heapq
import json
import math
import random
import threading
from contextlib import suppress
from itertools import count
from types import SimpleNamespace

import pytest

from airflow_provider_callapi.calls.alerts import election
from airflow_provider_callapi.calls.alerts.election import (
    AlertSuppressed,
    Candidate,
    NoWinner,
    Progress,
    is_expired,
)

SETTLE = 4.0
QUIET = 900.0
KEY = "alert"
CALL = Progress(1, 206597836)


class World:
    """Simulated time for any number of actors. The sleeping actor that wakes first continues."""

    def __init__(self, seed=0):
        self.now = 1000.0
        self.random = random.Random(seed)
        self._asleep = []
        self._order = count()

    def clock(self):
        return self.now

    timer = clock
    ring_by = math.inf

    def sleep(self, seconds):
        woken = self._go_to_sleep(seconds)
        self._wake_next()
        assert woken.wait(60), "the simulation hangs"

    def run(self, *actors):
        """Run pairs of a start time and a function to their ends. Return the results in the same order."""
        results = [None] * len(actors)
        done = threading.Event()
        left = count(len(actors) - 1, -1)

        def live(position, function, woken):
            assert woken.wait(60), "the simulation hangs"
            try:
                results[position] = function()
            finally:
                done.set() if next(left) == 0 else self._wake_next()

        for position, (start, function) in enumerate(actors):
            woken = self._go_to_sleep(start)
            threading.Thread(target=live, args=(position, function, woken), daemon=True).start()
        self._wake_next()
        assert done.wait(60), "the simulation hangs"
        return results

    def _go_to_sleep(self, seconds):
        woken = threading.Event()
        heapq.heappush(self._asleep, (self.now + max(seconds, 0), next(self._order), woken))
        return woken

    def _wake_next(self):
        self.now, _, woken = heapq.heappop(self._asleep)
        woken.set()


class SlowStore:
    """A store of one value at the other end of a network."""

    def __init__(self, world, latency=0.0, value=None):
        self.world, self.latency, self.value = world, latency, value

    def get(self, key):
        self._travel()
        value = self.value
        self._travel()
        return value

    def set(self, key, value):
        self._travel()
        self.value = value
        self._travel()

    def _travel(self):
        self.world.sleep(self.world.random.uniform(0, self.latency))


def candidate(world, store, *, name="me", settle=SETTLE, quiet_for=QUIET, **options):
    times = (world.clock, world.timer, world.sleep)
    return Candidate(store, KEY, name, quiet_for, settle, *times, ring_by=world.ring_by, **options)


def acquire(one):
    """Take part in the election, and go on without a winner. Return the newest known call."""
    with suppress(NoWinner):
        one.acquire()
    return one.seen_call


def may_ring(one, newest):
    """Return whether a candidate may ring after its newest call. None: it has placed no call."""
    try:
        return one.may_continue(newest) if newest else one.may_begin()
    except NoWinner:
        return True


def reads(world, store, **changes):
    """Return what a candidate reads that cannot write: the call to continue with, or why it may not ring."""
    one = candidate(world, store, may_write=False, **changes)

    def act():
        try:
            return one.acquire()
        except AlertSuppressed as reason:
            return str(reason)

    return world.run((0, act))[0]


def rings(world, store, **changes):
    """Return an actor that rings one second after it has won, and returns whether it won."""

    def act():
        one = candidate(world, store, **changes)
        try:
            acquire(one)
        except AlertSuppressed:
            return False
        world.sleep(1)
        one.record_call(CALL)
        return True

    return act


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


class Killed(BaseException):
    """Airflow ends a callback."""


def killed_after(world, seconds, act):
    """Return an actor that is killed after some seconds, and then returns False."""

    def live():
        ends = world.now + seconds
        sleep = world.sleep

        class Mortal:
            clock, timer, random = world.clock, world.timer, world.random
            ring_by = ends - 5

            @staticmethod
            def sleep(seconds):
                sleep(min(seconds, ends - world.now))  # a store may have been slow until after the end
                if world.now >= ends:
                    raise Killed

        try:
            return act(Mortal)()
        except Killed:
            return False

    return live


@pytest.mark.parametrize("seed", range(10))
def test_sixteen_runs_that_fail_together_all_ring_within_the_20_s_of_a_callback(seed):
    world = World(seed)
    stores = [SlowStore(world, latency=0.15) for _ in range(16)]

    def mortal(n, store):
        return killed_after(world, 20, lambda mortal: rings(mortal, store, name=str(n)))

    assert all(world.run(*((0, mortal(n, store)) for n, store in enumerate(stores))))


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


@pytest.mark.parametrize("seed", range(20))
def test_two_runs_whose_tasks_fail_over_a_minute_ring_once_each_although_their_calls_end_at_once(seed):
    world = World(seed)
    stores = [SlowStore(world, latency=0.15), SlowStore(world, latency=0.15)]

    won = world.run(
        *((world.random.uniform(0, 60), rings(world, stores[n % 2], name=str(n))) for n in range(20)),
    )

    assert (sum(won[0::2]), sum(won[1::2])) == (1, 1)


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


PEOPLE = 3


def escalates(world, store, called, *, calls=PEOPLE, **options):
    """Return an actor that calls one person after another, each 30 seconds after the one before.

    A process may overwrite a call that another one has just stored. The notifier therefore also looks into
    the list of active calls after the election, and so does the actor.
    """

    def act():
        one = candidate(world, store, **options)
        progress = one.acquire()
        if called and (progress is None or progress.person < max(called)):
            progress = Progress(max(called), 100 + max(called))
        while True:
            if progress:
                one.record_call(progress)
                world.sleep(30)
                if progress.person >= calls:
                    return
            if not may_ring(one, progress):
                progress = one.acquire() or progress
                continue
            person = progress.person + 1 if progress else 1
            called.append(person)
            world.sleep(1)  # the start request
            progress = Progress(person, 100 + person, is_last=person == PEOPLE)

    return until_suppressed(act)


def until_suppressed(act):
    """Return an actor that ends quietly if it must not ring."""

    def live():
        with suppress(AlertSuppressed):
            act()

    return live


@pytest.mark.parametrize("seed", range(40))
def test_two_processes_of_one_candidate_call_each_person_once(seed):
    """Airflow moves a trigger to another triggerer, or retries a task, while the first process still runs."""
    world, called = World(seed), []
    store = SlowStore(world, latency=SETTLE / 8)  # a call, a reading and a writing end within SETTLE
    actors = [escalates(world, store, called, token=str(number)) for number in range(3)]

    world.run(*((world.random.uniform(0, 3 * seed), actor) for actor in actors))

    assert called == [1, 2, 3]


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


@pytest.mark.parametrize("call", [None, 0, -3, "x", [7]])
def test_a_claim_with_a_call_without_an_id_is_no_claim(call):
    world = World()
    claim = {"alert": "run 1", "by": "x", "at": world.now, "until": world.now + QUIET}

    assert seconds_alone(
        world, SlowStore(world, value={**claim, "person": 1, "call_session_id": call})
    ) == pytest.approx(SETTLE)


def test_only_a_claim_expires():
    world = World()
    store = SlowStore(world)
    world.run((0, rings(world, store)))

    assert not is_expired(store.value, world.now + QUIET - 1)
    assert is_expired(store.value, world.now + QUIET + 1)
    for value in (None, "", "79161234567", {"contact": "Ivan"}, [1], 79161234567):
        assert not is_expired(value, world.now + QUIET + 1)


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


def seconds_alone(world, store, **options):
    began = world.now
    assert world.run((0, candidate(world, store, **options).acquire)) == [None]
    return world.now - began


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


def callback(world, store, calls, *, continues, **options):
    """Return an actor that does what the notifier does: it looks into ``list.calls``, and calls the people.

    :param calls: a list of pairs (when the call began, person), which the callback reads. It sees a call half
        a second after its begin, and for ever, as in the Data API.
    :param continues: whether the callback continues with a call of another process.
    """

    def newest_call():
        people = [person for began, person in calls if began < world.clock() - 0.5]
        return Progress(max(people), 100 + max(people), is_last=max(people) == PEOPLE) if people else None

    def act():
        one = candidate(world, store, abandoned_after=120.0 if continues else math.inf, **options)
        progress = acquire(one)
        while True:
            found = newest_call()
            if found and not continues:
                one.record_found_call(found)
                return
            progress = max(filter(None, (found, progress)), key=lambda call: call.person, default=None)
            if progress:
                one.record_call(progress)
            while progress is None or not progress.is_last:
                if progress:
                    world.sleep(30)  # the phone rings
                if not may_ring(one, progress):
                    break
                person = progress.person + 1 if progress else 1
                calls.append((world.clock(), person))
                world.sleep(world.random.choice([0.7, 1, 1, 3, 18]))  # the start request
                progress = Progress(person, 100 + person, is_last=person == PEOPLE)
                one.record_call(progress)
            else:
                return
            progress = acquire(one) or progress

    return until_suppressed(act)


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


class ForgetfulStore(SlowStore):
    """A store that loses some of the values that are written to it."""

    def __init__(self, world, *, loses, **options):
        super().__init__(world, **options)
        self.loses = loses

    def set(self, key, value):
        if self.world.random.random() < self.loses:
            self._travel()
        else:
            super().set(key, value)


DEAD = {"by": "dead", "at": 990.0, "until": 2000.0}


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


@pytest.mark.parametrize("limit", [20, 50, 1e6])
@pytest.mark.parametrize("skew", [0, 10, 18, 19, 25, 60, 600])
@pytest.mark.parametrize("ahead_is_first", [True, False])
def test_one_of_two_candidates_rings_although_their_clocks_differ(limit, skew, ahead_is_first):
    rang = [_rings_of_two(limit, skew, later, ahead_is_first) for later in (0, 0.3, 1, 3, 6, 10)]
    assert rang == [1] * 6


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


class SlowEachTime(SlowStore):
    """A store of which each access takes the same time."""

    def _travel(self):
        self.world.sleep(self.latency / 2)


def dials(world, store, called, *, start=1.0, **options):
    """Return an actor that does what a callback of a task does. ``start``: seconds of the start request.

    It looks into ``called`` before it rings, as into ``list.calls``.
    """

    def act():
        one = candidate(world, store, **options)
        while True:
            acquire(one)
            if called:
                return
            if not may_ring(one, None):
                continue
            world.sleep(start / 2)
            called.append(one.candidate_id)
            world.sleep(start / 2)
            one.record_call(CALL)
            return

    return until_suppressed(act)


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
