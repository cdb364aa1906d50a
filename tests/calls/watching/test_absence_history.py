"""What snapshots show about missing calls: when a second look follows, and how long a call must be
missing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from steady_account import steady_history

from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.watching.absence_history import SECOND_LOOK_AFTER, AbsenceHistory
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import Phase, SessionWatch

INTERVAL = 5.0
FOREVER = 1e12


def snapshot(at: float, *listed: int, **fields: object) -> Snapshot:
    sessions = {number: CallSession(call_session_id=number) for number in listed}
    return Snapshot(at, sessions, **fields)  # type: ignore[arg-type]


def test_a_new_account_gets_no_second_look():
    history = AbsenceHistory()
    history.add(snapshot(0, 1, 2))
    history.add(snapshot(5, 2))

    assert not history.is_steady
    assert not history.permits_second_look({1})


def test_a_steady_account_gets_a_second_look_when_a_watched_call_is_missing():
    history = steady_history()
    assert history.is_steady
    history.add(snapshot(1_000, 1, 2))
    history.add(snapshot(1_005, 2))

    assert history.permits_second_look({1})
    assert not history.permits_second_look({2})  # it is listed
    assert not history.permits_second_look({3})  # it was never listed


def test_no_second_look_follows_the_second_snapshot_without_a_call():
    history = steady_history()
    history.add(snapshot(1_000, 1, 2))
    history.add(snapshot(1_005, 2))
    history.add(snapshot(1_010, 2))

    assert not history.permits_second_look({1})


def test_a_second_look_that_replaces_a_regular_poll_does_not_count_as_an_extra_poll():
    history = steady_history()
    for number in range(10, 20):  # each time, the only watched call is missing, and the polls end
        history.add(snapshot(1_000 + 30 * number, number))
        history.add(snapshot(1_005 + 30 * number))
        assert history.permits_second_look({number})
        history.begin_second_look()
        history.add(snapshot(1_005.5 + 30 * number))


def test_no_second_look_follows_if_many_calls_vanish_at_once_and_none_is_left():
    history = steady_history()
    history.add(snapshot(1_000, 1, 2, 3, 4, 5))
    history.add(snapshot(1_005))

    assert not history.permits_second_look({1})


UNANSWERED = Unanswered("timeout", method="list.calls")


@pytest.mark.parametrize("useless", [{"failure": UNANSWERED}, {"left_out": 1}])
def test_a_snapshot_that_proves_no_absence_does_not_change_the_history(useless):
    history = steady_history()
    history.add(snapshot(1_000, 1, 2))
    history.add(snapshot(1_005, **useless))

    assert not history.permits_second_look({1, 2})
    history.add(snapshot(1_010, 2))
    assert history.permits_second_look({1})


def test_a_connection_sends_at_most_a_tenth_more_polls():
    history = steady_history()
    second_looks = 0
    for number in range(1_000):  # with each regular poll, a watched call is missing
        history.add(snapshot(1_000 + number * INTERVAL, number + 10, 1))
        if history.permits_second_look({number + 9, number + 10}):
            second_looks += 1
            history.begin_second_look()
            history.add(snapshot(1_000 + number * INTERVAL + SECOND_LOOK_AFTER, number + 10, 1))

    assert 95 <= second_looks <= 105


def test_a_call_that_comes_back_makes_the_account_unsteady_and_lengthens_the_needed_absence():
    history = steady_history()
    for at, listed in [(1_000, (1, 2)), (1_005, (2,)), (1_010, (2,)), (1_015, (1, 2))]:
        history.add(snapshot(at, *listed))

    assert not history.is_steady
    assert history.longest_return == 5


@given(
    steps=st.lists(
        st.tuples(st.floats(0.1, 100), st.frozensets(st.integers(1, 6)), st.booleans()), max_size=30
    )
)
def test_a_history_survives_json(steps):
    history, at = AbsenceHistory(), 0.0
    for seconds, listed, second in steps:
        at += seconds
        if second and history.permits_second_look(listed):
            history.begin_second_look()
        history.add(snapshot(at, *listed))
        copy = AbsenceHistory.from_json(history.to_json())
        assert copy.to_json() == history.to_json()
        assert all(copy.permits_second_look({n}) == history.permits_second_look({n}) for n in range(7))


@dataclass
class Account:
    """An account whose calls end at random times. Some calls vanish from the list for some seconds before.

    :ivar vanish_for: seconds.
    :ivar share: the share of calls that vanish once.
    """

    vanish_for: float
    share: float
    calls: int = 700
    seed: int = 7
    begins: dict[int, float] = field(default_factory=dict)
    ends: dict[int, float] = field(default_factory=dict)
    vanishes: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        for number in range(1, self.calls + 1):
            begin = number * 9.0 + chance.random() * 9
            self.begins[number] = begin
            self.ends[number] = begin + 20 + chance.random() * 60
            if chance.random() < self.share:
                self.vanishes[number] = begin + 5 + chance.random() * 10

    def listed(self, at: float) -> Iterator[int]:
        first = max(int(at / 9) - 12, 1)
        for number in range(first, min(first + 14, self.calls + 1)):
            vanish = self.vanishes.get(number, FOREVER)
            if self.begins[number] <= at < self.ends[number] and not vanish <= at < vanish + self.vanish_for:
                yield number

    def play(self, *, adaptive: bool = True) -> tuple[list[float], int, int]:
        """Return the delays of the true ends in seconds, the number of false ends, and of polls."""
        history, watches, done = AbsenceHistory(), {}, set()
        delays, false_ends, polls, at = [], 0, 0, 0.0
        while at < self.calls * 9.0 + 120:
            polls += 1
            taken = snapshot(at, *self.listed(at))
            history.add(taken)
            taken = replace(taken, needed_absence=history.needed_absence if adaptive else 0.0)
            for number in taken.sessions.keys() - done:
                watches.setdefault(
                    number, SessionWatch(number, FOREVER, FOREVER, observation=Observation(listed=True))
                )
            for number, watch in list(watches.items()):
                if watch.update(taken) is Phase.ENDED:
                    del watches[number]
                    done.add(number)
                    if at < self.ends[number]:
                        false_ends += 1
                    else:
                        delays.append(at - self.ends[number])
            if adaptive and history.permits_second_look(watches):
                history.begin_second_look()
                at += SECOND_LOOK_AFTER
            else:
                at += INTERVAL
        return sorted(delays), false_ends, polls


@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
def test_second_looks_cause_no_false_ends_on_an_account_whose_calls_vanish_for_a_moment(
    share,
):
    _, before, _ = Account(3.0, share).play(adaptive=False)
    _, after, _ = Account(3.0, share).play()

    assert before == after == 0


def test_there_are_fewer_false_ends_on_an_account_whose_calls_vanish_longer_than_an_interval():
    _, before, _ = Account(7.0, 0.3).play(adaptive=False)
    _, after, _ = Account(7.0, 0.3).play()

    assert before > 50
    assert after < 5


@settings(max_examples=5)
@given(seed=st.integers(0, 1_000))
def test_second_looks_end_waits_earlier_and_send_at_most_a_tenth_more_polls(seed):
    slow, _, regular = Account(0.0, 0.0, seed=seed).play(adaptive=False)
    fast, false_ends, polls = Account(0.0, 0.0, seed=seed).play()

    assert false_ends == 0
    assert polls <= 1.1 * regular + 2
    assert sum(fast) < sum(slow)


def test_an_extended_snapshot_states_how_long_a_call_must_be_missing():
    history = AbsenceHistory()
    for at, listed in ((0, [1]), (5, []), (10, [])):
        assert history.extend(snapshot(at, *listed)).needed_absence == 3.5
    assert history.extend(snapshot(15, 1)) == snapshot(15, 1, needed_absence=5)
