"""How many calls may be placed now, according to the service's counters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.errors import LimitExceeded
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.calls.campaign.engine.account_points import AccountPoints
from airflow_provider_callapi.calls.campaign.engine.pacing import Pacing

NOW = 1_000_000.0


def limits(minute: int = 100, reset: int = 60, *, of: int = 100, day: int = 10_000) -> Limits:
    return Limits(
        minute_limit=of,
        minute_remaining=minute,
        minute_reset=reset,
        day_limit=10_000,
        day_remaining=day,
        day_reset=7200,
    )


def pacing_after(*counters: tuple[float, Limits], reserve: float = 0.0) -> Pacing:
    pacing = Pacing(AccountPoints(reserve))
    for seconds, known in counters:
        pacing.points.update(known, NOW + seconds)
    return pacing


def placed(pacing: Pacing, seconds: float) -> int:
    """Return how many calls are allowed within so many seconds without new counters."""
    total, tenth = 0, 0
    while tenth <= seconds * 10:
        calls = pacing.calls_allowed(NOW + tenth / 10)
        pacing.record_requests(calls, calls, None, NOW + tenth / 10)
        total, tenth = total + calls, tenth + 1
    return total


def test_the_points_of_a_minute_are_spread_over_the_minute() -> None:
    pacing = pacing_after((0, limits(reset=60)))
    assert 45 <= placed(pacing, 28) <= 55


def test_no_call_uses_the_reserved_points() -> None:
    pacing = pacing_after((0, limits(10, reset=30)), reserve=0.1)
    assert pacing.calls_allowed(NOW) == 0
    assert pacing.next_slot(NOW) == (NOW + 31, "the minute's points")


def test_a_campaign_without_points_of_the_day_waits_until_the_reset_of_the_day() -> None:
    at, why = pacing_after((0, limits(day=0))).next_slot(NOW)
    assert (at, why) == (NOW + 7201, "the day's points")


@pytest.mark.parametrize("reason", ["minute", "day"])
def test_a_refusal_for_lack_of_points_blocks_dialling_until_the_reset(reason: str) -> None:
    pacing = pacing_after((0, limits()))
    counters = limits(0, 17, day=0 if reason == "day" else 500)
    pacing.record_limit_exceeded(LimitExceeded("x", params={"limit_type": reason}, limits=counters), NOW)
    reset = 17 if reason == "minute" else 7200

    assert pacing.next_slot(NOW) == (NOW + reset, f"the {reason}'s points")
    assert pacing.calls_allowed(NOW + reset - 1) == 0


def test_the_pacing_assumes_that_other_programs_keep_using_points_at_their_rate() -> None:
    """They used twenty points in twenty seconds, so ten seconds later they may have used another ten."""
    pacing = pacing_after((0, limits(100, 60)), (20, limits(80, 40)))
    assert pacing.next_slot(NOW + 20)[1] == ""
    few = pacing_after((0, limits(100, 60)), (50, limits(2, 10)))
    assert few.calls_allowed(NOW + 50) == 1, "fresh counters: two points are left"
    assert few.next_slot(NOW + 52)[1] == "the minute's points", "by now, others have them"


def test_the_points_of_the_campaign_do_not_count_as_those_of_other_programs() -> None:
    pacing = pacing_after((0, limits(100, 60)))
    pacing.record_requests(50, 50, limits(50, 30), NOW + 30)
    pacing.points.update(limits(50, 20), NOW + 40)
    assert pacing.next_slot(NOW + 50)[1] == ""


def test_a_reset_stated_in_whole_seconds_counts_only_after_the_full_second() -> None:
    pacing = pacing_after((0, limits(0, 0)))
    assert pacing.calls_allowed(NOW + 0.5) == 0
    assert pacing.next_slot(NOW + 1.0)[1] == ""


@pytest.mark.parametrize(
    ("calls", "max_active", "expected"),
    [
        (200, 60, (2.0, "the minute's points")),
        (200, 10, (10.0, "the limit of active calls (max_active_calls)")),
        (10_000, 1000, (100.0, "the minute's points")),
        (10_001, 1000, (24 * 60.0, "the day's points")),
        (30_000, 1000, (2 * 24 * 60.0, "the day's points")),
    ],
)
def test_the_forecast_names_the_limit_that_makes_the_campaign_last_longest(
    calls: int, max_active: int, expected: tuple[float, str]
) -> None:
    assert pacing_after((0, limits())).forecast(calls, max_active) == expected


def test_the_forecast_uses_only_the_limit_of_active_calls_if_the_service_states_no_counters() -> None:
    assert pacing_after((0, Limits())).forecast(20, 5) == (
        2.0,
        "the limit of active calls (max_active_calls)",
    )


def test_a_campaign_places_one_call_a_second_if_the_service_states_no_counters() -> None:
    pacing = pacing_after((0, Limits()))
    assert 9 <= placed(pacing, 10) <= 12, "with a burst of one"
    assert pacing.points.calls_per_minute() is None


def test_a_pause_is_long_enough_to_change_the_clock() -> None:
    pacing = pacing_after((0, limits()))
    pacing._credit = 1.0 - 1e-12
    far = 1.8e9
    pacing.points.update(limits(), far)
    assert pacing.next_slot(far)[0] > far


COUNTERS = st.none() | st.integers(-(10**9) + 1, 10**9 - 1)


@given(st.fixed_dictionaries(dict.fromkeys(Limits.model_fields, COUNTERS)), st.sampled_from([0.0, 0.01]))
def test_a_campaign_dials_again_within_a_day_whatever_the_counters_state(
    counters: dict[str, int | None], reserve: float
) -> None:
    """No answer states newer counters, because without a call the campaign sends no request."""
    pacing = pacing_after((0, Limits.model_validate(counters)), reserve=reserve)
    now, end = NOW, NOW + 86_400 + 10
    while now <= end and not pacing.calls_allowed(now):
        now = max(now + 1.0, pacing.next_slot(now)[0])
    assert now <= end


@pytest.mark.parametrize("reset", [{}, {"minute_reset": None}, {"minute_reset": 45_000}])
def test_the_minutes_points_come_back_within_a_minute_even_if_the_service_states_no_such_reset(
    reset: dict[str, int | None],
) -> None:
    pacing = pacing_after((0, Limits(minute_limit=100, minute_remaining=0, **reset)))
    assert pacing.next_slot(NOW + 30) == (NOW + 61, "the minute's points")
    pacing.calls_allowed(NOW + 60)
    assert pacing.calls_allowed(NOW + 62) > 0


def test_a_refusal_with_an_impossible_reset_pauses_dialling_for_no_longer_than_the_period() -> None:
    pacing = pacing_after((0, limits()))
    exceeded = {"limit_type": "minute"}
    pacing.record_limit_exceeded(
        LimitExceeded("refused", code=-32029, params=exceeded, limits=limits(0, 45_000)), NOW
    )
    assert pacing.next_slot(NOW) == (NOW + 60, "the minute's points")
