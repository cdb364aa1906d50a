"""The rule by which a missing call has ended, and the tolerance that every wait uses by default."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.watching.end_rule import TOLERANCE, PollTolerance
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

SECONDS = st.integers(0, 120).map(float)


def test_the_default_tolerance_is_two_misses_and_ten_failed_polls() -> None:
    assert PollTolerance() == TOLERANCE
    assert (TOLERANCE.misses, TOLERANCE.failures) == (2, 10)


@given(st.integers(1, 4), st.lists(SECONDS, max_size=6), SECONDS)
def test_a_call_has_ended_when_it_is_missing_often_enough_and_longer_than_any_call_that_came_back(
    misses: int, pauses: list[float], needed_absence: float
) -> None:
    tolerance = PollTolerance(misses=misses)
    observation, at = Observation(listed=True), 1000.0
    for pause in pauses:
        at += pause
        observation = observation.with_miss(at)

    ended = tolerance.has_ended(observation, Snapshot(at, needed_absence=needed_absence))

    missing_for = sum(pauses[1:])
    assert ended == (len(pauses) >= misses and (needed_absence == 0 or missing_for > needed_absence))
