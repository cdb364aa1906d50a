"""The rule of max_lateness: which DAG runs are too late to call anyone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_provider_callapi.calls.calling_hours.lateness import too_late_reason

DUE, DAY = 1_800_000_000.0, 86_400.0


@pytest.mark.parametrize("late", [-DAY, 0.0, DAY - 1, DAY])
def test_a_run_within_max_lateness_may_call(late: float) -> None:
    assert too_late_reason(DUE, DUE + late, timedelta(days=1)) is None


def test_a_run_beyond_max_lateness_may_not_call_and_the_reason_names_the_parameter() -> None:
    reason = too_late_reason(DUE, DUE + DAY + 1, timedelta(days=1))
    assert reason is not None
    assert "due 1 day, 0:00:01 ago" in reason
    assert "max_lateness (1 day, 0:00:00)" in reason
    assert "set max_lateness=None" in reason
    assert "due 1 day, 0:00:01 ago" in str(too_late_reason(DUE, DUE + DAY + 0.25, timedelta(days=1)))


def test_every_run_may_call_without_max_lateness() -> None:
    assert too_late_reason(DUE, DUE + 365 * DAY, None) is None


def test_a_run_without_a_due_time_may_call() -> None:
    assert too_late_reason(None, DUE, timedelta(0)) is None


def test_a_max_lateness_of_zero_allows_no_second() -> None:
    assert too_late_reason(DUE, DUE, timedelta(0)) is None
    assert too_late_reason(DUE, DUE + 0.001, timedelta(0)) is not None
