"""What the package ``holidays`` knows of Russia's production calendar, and what it does not know."""

from __future__ import annotations

import sys
from datetime import date, time, timedelta

import pytest

from airflow_provider_callapi.calls.calling_hours import production_calendar
from airflow_provider_callapi.calls.calling_hours.days import CallingDays
from airflow_provider_callapi.calls.calling_hours.hours import CallingHours
from airflow_provider_callapi.calls.calling_hours.production_calendar import (
    is_installed,
    read_calendar,
    read_calling_hours,
)

WORKING_SATURDAYS = {date(2024, 4, 27), date(2024, 11, 2), date(2024, 12, 28), date(2025, 11, 1)}
MOVED_DAYS_OFF = {
    *(date(2024, 4, 29), date(2024, 4, 30), date(2024, 5, 10), date(2024, 12, 30), date(2024, 12, 31)),
    *(date(2025, 5, 2), date(2025, 5, 8), date(2025, 6, 13), date(2025, 11, 3), date(2025, 12, 31)),
    *(date(2026, 1, 9), date(2026, 3, 9), date(2026, 5, 11), date(2026, 12, 31)),
}
"""Of the government's decrees for 2024, 2025 and 2026, and Mondays after a public holiday on a weekend."""
PUBLIC_HOLIDAYS = {
    *((1, day) for day in range(1, 9)),
    *((2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)),
}


def test_the_calendar_of_russia_agrees_with_the_decrees_on_every_day() -> None:
    calendar = read_calendar("RU", (2024, 2025, 2026))
    day, expected = date(2024, 1, 1), set()
    while day.year < 2027:
        is_off = day.weekday() >= 5 or (day.month, day.day) in PUBLIC_HOLIDAYS or day in MOVED_DAYS_OFF
        if not is_off or day in WORKING_SATURDAYS:
            expected.add(day)
        day += timedelta(days=1)

    assert calendar.years == {2024, 2025, 2026}
    assert calendar.workdays == expected
    assert [sum(d.year == year for d in calendar.workdays) for year in (2024, 2025, 2026)] == [248, 247, 247]


def test_years_after_the_last_decree_are_unknown() -> None:
    assert read_calendar("RU", range(2020, 2028)).years == frozenset(range(2020, 2028))
    assert not read_calendar("RU", range(2040, 2042)).years
    assert read_calendar("DE", (2041,)).years == {2041}  # a country without decrees
    assert not read_calendar("DE", (1800, 2300)).years


def test_the_error_of_an_unknown_country_names_the_parameter() -> None:
    with pytest.raises(ValueError, match=r"^region: the package holidays has no calendar of 'XX'"):
        read_calendar("XX", (2026,))


def test_only_days_that_depend_on_workdays_read_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    assert read_calling_hours(None, None, country="RU", year=2026) == CallingHours()
    days = CallingDays.of(["mon"])
    window = (time(9), time(21))
    assert read_calling_hours(window, days, country="XX", year=2026) == CallingHours(*window, days)
    with pytest.raises(ValueError, match=r"calling_days: .*install airflow-provider-callapi\[holidays\]"):
        read_calling_hours(window, CallingDays.of("workdays"), country="RU", year=2026)


def test_the_calendar_contains_the_years_before_and_after() -> None:
    hours = read_calling_hours(None, CallingDays.of("workdays"), country="RU", year=2025)
    assert hours.days.calendar == read_calendar("RU", (2024, 2025, 2026))


def test_the_check_for_the_installed_package_imports_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert is_installed()
    monkeypatch.setattr(production_calendar, "find_spec", lambda name: None)
    assert not is_installed()
