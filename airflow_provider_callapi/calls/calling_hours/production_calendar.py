"""Reads the workdays of a country from the package ``holidays``, which the extra ``[holidays]`` installs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, time, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.calls.calling_hours.days import CallingDays, WorkCalendar
from airflow_provider_callapi.calls.calling_hours.hours import CallingHours

if TYPE_CHECKING:
    from holidays import HolidayBase

NOT_INSTALLED = (
    "calling_days: workdays needs the package holidays: install airflow-provider-callapi[holidays], or list "
    'the days: {"days": ["mon", "tue", "wed", "thu", "fri"], "except": ["2026-01-01"]}'
)


def is_installed() -> bool:
    """Return whether the package ``holidays`` is installed. The package is not imported."""
    return find_spec("holidays") is not None


def read_calling_hours(
    hours: tuple[time, time] | None, days: CallingDays | None, *, country: str, year: int
) -> CallingHours:
    """Return the `CallingHours` (when people may be called) for the hours and days that an author gives.

    :param hours: when the daily calling window opens and closes, see `read_hours`. None: all hours.
    :param days: the days on which people may be called. None: every day.
    :param country: ISO 3166 code of the country, such as ``RU``. It is used only for ``workdays``.
    :param year: the present year. For ``workdays``, the result covers this year, the year before and the year
        after.
    :raises ValueError: the days are ``workdays``, and `read_calendar` fails. The message names the author's
        parameter, ``calling_days`` or ``region``.
    """
    opens, closes = hours or (time(0), time(0))
    days = days or CallingDays()
    if days.needs_calendar:
        days = replace(days, calendar=read_calendar(country, (year - 1, year, year + 1)))
    return CallingHours(opens, closes, days)


def read_calendar(country: str, years: Collection[int]) -> WorkCalendar:
    """Return the workdays of a country in the given years, from the package ``holidays``.

    The result lacks a year whose days off the package does not know.

    :param country: ISO 3166 code of the country, such as ``RU``.
    :param years: for example ``(2025, 2026, 2027)``.
    :raises ValueError: the package ``holidays`` is not installed or lacks the country. The message names the
        DAG author's parameter, ``calling_days`` or ``region``.
    """
    try:
        import holidays  # noqa: PLC0415 - an extra of this package, and heavy
    except ImportError:
        raise ValueError(NOT_INSTALLED) from None
    try:
        # A year's entry may move a day of the year before.
        calendar = holidays.country_holidays(country, years=range(min(years), max(years) + 2))
    except NotImplementedError:
        raise ValueError(
            f"region: the package holidays has no calendar of {country!r}, so calling_days cannot be workdays"
        ) from None
    known = frozenset(year for year in years if _knows(calendar, year))
    workdays = frozenset(day for year in known for day in _days_of(year) if calendar.is_working_day(day))
    return WorkCalendar(country, known, workdays)


def _knows(calendar: HolidayBase, year: int) -> bool:
    """Return whether the package ``holidays`` contains all days off of a year."""
    # Some governments move days off by a decree for each year. After the last listed decree, the days off
    # are unknown.
    listed = getattr(calendar, "special_public_holidays", {})
    decrees = [decreed for decreed, entries in listed.items() if _moves_days(entries)]
    return calendar.start_year <= year <= calendar.end_year and (not decrees or year <= max(decrees))


def _moves_days(entries: tuple[Any, ...]) -> bool:
    """Return whether a year's entries in the package ``holidays`` move a day off to another date."""
    # One tuple, or a tuple of tuples. (to month, to day, from month, from day, …) moves a day off.
    every = entries if isinstance(entries[0], tuple) else (entries,)
    return any(len(entry) > 3 for entry in every)


def _days_of(year: int) -> list[date]:
    first, length = date(year, 1, 1), (date(year + 1, 1, 1) - date(year, 1, 1)).days
    return [first + timedelta(days=number) for number in range(length)]
