"""The forms in which an author states on which days people may be called."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
import yaml

from airflow_provider_callapi.calls.calling_hours.days import CallingDays

WEEK = frozenset(range(7))


@pytest.mark.parametrize(
    ("given", "days"),
    [
        (["mon", "tue"], CallingDays(frozenset({0, 1}))),
        (("Monday", "SUN"), CallingDays(frozenset({0, 6}))),
        ({"fri"}, CallingDays(frozenset({4}))),
        ("sat", CallingDays(frozenset({5}))),
        ("workdays", CallingDays(None)),
        (["Workdays"], CallingDays(None)),
        ({"days": "workdays"}, CallingDays(None)),
        ({"except": ["2026-12-31"]}, CallingDays(WEEK, excluded=frozenset({date(2026, 12, 31)}))),
        (
            {"days": ["mon"], "also": "2026-11-01"},
            CallingDays(frozenset({0}), frozenset({date(2026, 11, 1)})),
        ),
        ({"also": None, "except": []}, CallingDays(WEEK)),
    ],
)
def test_each_form_of_the_calling_days_is_read(given: Any, days: CallingDays) -> None:
    assert CallingDays.of(given) == days


def test_the_days_and_dates_need_no_quotes_in_yaml() -> None:
    given = yaml.safe_load("{days: workdays, also: [2026-11-01], except: [2026-12-31, '2027-01-11']}")
    excluded = frozenset({date(2026, 12, 31), date(2027, 1, 11)})
    assert CallingDays.of(given) == CallingDays(None, frozenset({date(2026, 11, 1)}), excluded)


@pytest.mark.parametrize(
    "given",
    [
        *([], {}, "", "someday", "holidays", ["workdays", "sat"], [None], 5, b"mon", [["mon"]]),
        *({"day": "mon"}, {"days": []}, {"days": None}, {"days": {"mon": 1}}, {"except": ["31.12.2026"]}),
        *({"except": [20261231]}, {"also": {"2026-12-31": 1}}, {"also": [datetime(2026, 12, 31)]}),
        {"also": ["2026-12-31"], "except": ["2026-12-31"]},
    ],
)
def test_other_forms_of_the_calling_days_are_refused(given: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        CallingDays.of(given)


def test_a_workday_is_unknown_without_a_calendar() -> None:
    days = CallingDays.of({"days": "workdays", "also": ["2026-01-03"], "except": ["2026-01-04"]})
    assert [days.allow(date(2026, 1, day)) for day in (3, 4, 5)] == [True, False, None]
    assert (days.needs_calendar, days.is_every_day, str(days)) == (
        True,
        False,
        "workdays, 1 more days except 1 days",
    )
