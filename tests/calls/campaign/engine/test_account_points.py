"""The service's counters show how many points a call costs."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.calls.campaign.engine.account_points import AccountPoints

NOW = 1_000_000.0


def limits(minute: int = 100, reset: int = 60) -> Limits:
    return Limits(minute_limit=100, minute_remaining=minute, minute_reset=reset)


@pytest.mark.parametrize("cost", [1, 2, 3])
def test_the_counters_show_the_cost_of_a_call_although_another_program_uses_points(cost: int) -> None:
    points = AccountPoints()
    points.update(limits(100), NOW)
    points.record_calls(4, limits(100 - 4 * cost - 20, 59), NOW + 1)  # another program used 20
    points.record_calls(4, limits(100 - 8 * cost - 20, 58), NOW + 2)
    assert points.cost == cost


def test_counters_from_before_a_reset_do_not_show_the_cost_of_a_call() -> None:
    points = AccountPoints()
    points.update(limits(3, 1), NOW)
    points.record_calls(2, limits(96, 59), NOW + 2)
    assert points.cost == 1
    points.record_calls(2, limits(92, 58), NOW + 3)
    assert points.cost == 2


def test_a_new_process_uses_the_cost_that_an_earlier_process_has_measured() -> None:
    points = AccountPoints(0.0, 3)
    points.update(limits(), NOW)
    assert (points.cost, points.known_cost) == (3, 3)
    assert points.calls_per_minute() == pytest.approx(100 / 3)
    assert (AccountPoints().cost, AccountPoints().known_cost) == (1, None)
