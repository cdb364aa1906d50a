"""Callbacks that take part in an election in simulated time, with a store at the other end of a network.

Each actor is a thread, and only one of them runs: the sleeping actor that wakes first.
"""

from __future__ import annotations

import heapq
import math
import random
import threading
from contextlib import suppress
from itertools import count

from airflow_provider_callapi.calls.alerts.claims import Progress
from airflow_provider_callapi.calls.alerts.election import AlertSuppressed, Candidate, NoWinner

SETTLE = 4.0
QUIET = 900.0
KEY = "alert"
CALL = Progress(1, 206597836)
PEOPLE = 3
DEAD = {"by": "dead", "at": 990.0, "until": 2000.0}


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


def seconds_alone(world, store, **options):
    began = world.now
    assert world.run((0, candidate(world, store, **options).acquire)) == [None]
    return world.now - began


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
