"""The tolerance that every wait uses unless its author sets another."""

from __future__ import annotations

from airflow_provider_callapi.calls.tolerance import TOLERANCE, PollTolerance


def test_one_miss_proves_nothing_and_ten_failed_polls_are_survived() -> None:
    assert PollTolerance() == TOLERANCE
    assert (TOLERANCE.misses, TOLERANCE.failures) == (2, 10)
