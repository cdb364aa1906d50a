"""Fifty claim in the same second and one wins: in simulated time, whatever the order of their steps."""

from __future__ import annotations

import heapq
import json
import random
import threading
from itertools import count

import pytest

from airflow_provider_callapi.calls.alerts import election
from airflow_provider_callapi.calls.alerts.election import Candidate, Progress, is_over

SETTLE = 4.0
QUIET = 900.0
CALL = Progress(1, 206597836)


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
    return Candidate(register, alert, by, quiet_for, settle, world.clock, world.sleep)


def rings(world, register, **changes):
    """An actor who rings a second after it has won; returns whether it did."""

    def act():
        claim = claimant(world, register, **changes)
        if not claim.acquire():
            return False
        world.sleep(1)
        claim.rang(CALL)
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
    monkeypatch.setattr(election, "_LISTED_WITHIN", 0.0)
    winners = set()
    for seed in range(20):
        world = World(seed)
        register = Slow(world, latency=1.0)
        actors = (rings(world, register, by=str(n), settle=0.0) for n in range(3))
        winners.add(sum(world.run(*((0, actor) for actor in actors))))

    assert max(winners) > 1


class Killed(BaseException):
    """Airflow's end of a callback."""


def killed_after(world, seconds, act):
    """An actor to whom Airflow gives only so much time; False: it was killed."""

    def live():
        ends = world.now + seconds
        sleep = world.sleep

        class Mortal:
            clock, random = world.clock, world.random

            @staticmethod
            def sleep(seconds):
                sleep(min(seconds, ends - world.now))
                if world.now >= ends:
                    raise Killed

        try:
            return act(Mortal)()
        except Killed:
            return False

    return live


@pytest.mark.parametrize("seed", range(10))
def test_sixteen_runs_that_fail_together_ring_within_the_20_s_of_a_callback(seed):
    world = World(seed)
    registers = [Slow(world, latency=0.15) for _ in range(16)]

    def mortal(n, register):
        return killed_after(world, 20, lambda mortal: rings(mortal, register, alert=f"run {n}", by=str(n)))

    assert all(world.run(*((0, mortal(n, register)) for n, register in enumerate(registers))))


@pytest.mark.parametrize("seed", range(20))
def test_two_runs_whose_tasks_fail_over_a_minute_ring_once_each_with_calls_that_end_at_once(seed):
    world = World(seed)
    registers = [Slow(world, latency=0.15), Slow(world, latency=0.15)]

    won = world.run(
        *(
            (world.random.uniform(0, 60), rings(world, registers[n % 2], alert=f"run {n % 2}", by=str(n)))
            for n in range(20)
        ),
    )

    assert (sum(won[0::2]), sum(won[1::2])) == (1, 1)


def test_whoever_goes_on_after_a_restart_knows_how_far_it_had_got():
    world = World()
    register = Slow(world)

    def escalates():
        claim = claimant(world, register, by="deadline 7")
        before = claim.step()
        claim.acquire()
        claim.rang(CALL)
        claim.rang(Progress(2, 9))
        return before, claim.step(), claim.others_have_rung()

    assert world.run((0, escalates)) == [(None, Progress(2, 9), False)]
    assert (claimant(world, register).step(), claimant(world, register).others_have_rung()) == (None, True)
    world.now += QUIET
    assert claimant(world, register, by="deadline 7").step() is None


def test_ones_own_claim_of_before_a_restart_is_not_waited_for():
    world = World()
    register = Slow(world)

    def claims():
        return claimant(world, register).acquire()

    assert world.run((0, claims), (SETTLE + 1, claims)) == [True, True]
    assert world.now == pytest.approx(1000 + SETTLE + 1 + SETTLE)


def test_a_claim_that_has_grown_void_is_kept_if_nobody_else_has_rung():
    world = World(0)
    register = Slow(world)
    slow, rival = claimant(world, register), claimant(world, register, by="rival")

    def act():
        assert slow.acquire()
        began = world.clock()
        assert slow.renew()
        at_once = world.clock() - began
        world.sleep(20)
        assert slow.renew()
        world.sleep(20)
        assert rival.acquire()
        rival.rang(CALL)
        assert not slow.renew()
        slow.give_up()
        return at_once, rival.others_have_rung(), slow.others_have_rung()

    assert world.run((0, act)) == [(0, False, True)]


def test_a_claim_is_over_when_its_time_is_and_nothing_else_is_a_claim():
    world = World()
    register = Slow(world)
    world.run((0, rings(world, register)))

    assert not is_over(register.value, world.now + QUIET - 1)
    assert is_over(register.value, world.now + QUIET + 1)
    for value in (None, "", "79161234567", '{"contact": "Ivan"}', "[1]"):
        assert not is_over(value, world.now + QUIET + 1)


def test_a_rival_who_claims_and_dies_is_replaced():
    world = World()
    register = Slow(world)

    def dies():
        return claimant(world, register, by="dead").acquire()

    assert world.run((0, dies), (1, rings(world, register, by="heir"))) == [True, True]


def test_a_rival_who_could_not_ring_leaves_it_to_the_next_at_once():
    world = World()
    register = Slow(world)

    def cannot():
        claim = claimant(world, register, by="mute")
        won = claim.acquire()
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
    assert world.run((0, claimant(world, register).acquire)) == [True]
    return world.now - began


@pytest.mark.parametrize("value", ["", "{}", "not JSON", "[1]", json.dumps({"alert": "run 1"}), "7"])
def test_a_register_that_says_nothing_readable_stops_nobody(value):
    world = World()

    assert claimant_alone(world, Slow(world, value=value)) == pytest.approx(SETTLE)


def test_after_a_minute_of_rivalry_the_alert_rings():
    world = World()
    register = Slow(world)
    register.write = lambda value: None  # as if somebody else always wrote after us
    rival = {"alert": "run 1", "by": "x", "until": world.now + QUIET}
    register.read = lambda: json.dumps({**rival, "at": world.now})

    assert 60 <= claimant_alone(world, register) < 70
