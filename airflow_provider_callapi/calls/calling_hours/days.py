"""Calling days: on which days people may be called, by weekday, by a country's calendar, or by date."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

from airflow_provider_callapi.api.values.value_kinds import kind_of, shown_word
from airflow_provider_callapi.api.values.value_parts import InvalidPart, WrongValue, check_keys, invalid_part
from airflow_provider_callapi.calls.texts.count_texts import count_text

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKDAYS = "workdays"
"""The text for the workdays of a country's production calendar."""
_ALL_WEEKDAYS = frozenset(range(len(DAYS)))
_FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS = {name: number for names in (DAYS, _FULL_NAMES) for number, name in enumerate(names)}
"""Name of a weekday → its number; 0 is Monday."""
_KEYS = frozenset({"days", "also", "except"})
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class WorkCalendar:
    """The production calendar of a country: its workdays. A government can swap workdays and days off.

    :ivar country: ISO 3166 code of the country, such as ``RU``.
    :ivar years: the years that the calendar contains.
    :ivar workdays: all workdays of these years.
    """

    country: str
    years: frozenset[int]
    workdays: frozenset[date]


@dataclass(frozen=True)
class CallingDays:
    """The days on which people may be called.

    :ivar weekdays: the weekdays on which people may be called; 0 is Monday. None: the workdays of a country.
    :ivar also: further dates on which people may be called.
    :ivar excluded: dates on which no one may be called.
    :ivar calendar: the workdays of the country, used only if ``weekdays`` is None. None: not known, e.g.
        while Airflow reads the DAG file.
    """

    weekdays: frozenset[int] | None = _ALL_WEEKDAYS
    also: frozenset[date] = frozenset()
    excluded: frozenset[date] = frozenset()
    calendar: WorkCalendar | None = None

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return the days on which people may be called, from the value that a DAG's author gives.

        The value has one of these forms:

        - names of weekdays: ``["mon", "tue"]``;
        - the text ``"workdays"``: the workdays of a country;
        - a dict ``{"days": …, "also": […], "except": […]}`` with at least one of these keys. ``days`` has one
          of the two forms above; the default is every day. ``also`` adds dates (``["2026-12-31"]``), and
          ``except`` removes dates. If one of these two is None or an empty list, it has no dates.

        :raises ValueError: the value has another form, or a date is both in ``also`` and in ``except``. For a
            part of a dict, the error is an `InvalidPart`.
        """
        if not isinstance(value, Mapping):
            return cls(_read_days(value))
        if not value:
            raise ValueError("at least one of the keys days, also and except is needed")
        check_keys(value, known=_KEYS)
        weekdays = _read_days_part(value["days"]) if "days" in value else _ALL_WEEKDAYS
        also, excluded = (_read_dates(name, value.get(name)) for name in ("also", "except"))
        if also & excluded:
            raise InvalidPart("except: a date is also in the key also")
        return cls(weekdays, also, excluded)

    @property
    def needs_calendar(self) -> bool:
        """Whether the calling days are a country's workdays. If so, a `WorkCalendar` is needed."""
        return self.weekdays is None

    @property
    def is_every_day(self) -> bool:
        """Whether people may be called on every day."""
        return self.weekdays == _ALL_WEEKDAYS and not self.excluded

    def allow(self, day: date) -> bool | None:
        """Return whether people may be called on a day.

        :return: True or False. None: unknown, because the calendar of workdays is missing or does not contain
            the year of the day.
        """
        if day in self.excluded:
            return False
        if day in self.also:
            return True
        if self.weekdays is not None:
            return day.weekday() in self.weekdays
        if self.calendar is None or day.year not in self.calendar.years:
            return None
        return day in self.calendar.workdays

    def __str__(self) -> str:
        if self.weekdays is None:
            days = WORKDAYS if self.calendar is None else f"{WORKDAYS} of {self.calendar.country}"
        elif self.weekdays == _ALL_WEEKDAYS:
            days = "every day"
        else:
            days = ", ".join(DAYS[number] for number in sorted(self.weekdays))
        more = f", {count_text(len(self.also), 'more day')}" if self.also else ""
        fewer = f" except {count_text(len(self.excluded), 'day')}" if self.excluded else ""
        return f"{days}{more}{fewer}"


def _read_days(value: Any) -> frozenset[int] | None:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, Collection) or isinstance(names, Mapping | bytes | bytearray) or not names:
        raise ValueError("names of weekdays are needed")
    folded = [str(name).strip().lower() for name in names]
    if folded == [WORKDAYS]:
        return None
    for number, (name, known) in enumerate(zip(names, folded, strict=True), start=1):
        if known == WORKDAYS:
            raise WrongValue("workdays must be the only entry")
        if known not in _NUMBERS:
            shown = shown_word(name)
            raise WrongValue(
                f"{shown} is not a weekday: write {', '.join(DAYS)}"
                if shown
                else f"entry {number} is {kind_of(name)}, and not a weekday: write {', '.join(DAYS)}"
            )
    return frozenset(_NUMBERS[name] for name in folded)


def _read_days_part(value: Any) -> frozenset[int] | None:
    try:
        return _read_days(value)
    except ValueError as error:
        reason = str(error) if isinstance(error, WrongValue) else None
        raise invalid_part("days", "names of weekdays, such as mon, or workdays", value, reason) from None


def _read_dates(key: str, value: Any) -> frozenset[date]:
    if value is None:
        return frozenset()
    dates = [value] if isinstance(value, str | date) else value
    if not isinstance(dates, Collection) or isinstance(dates, Mapping | bytes | bytearray):
        raise invalid_part(key, "a list of dates", value)
    return frozenset(_read_date(key, one) for one in dates)


def _read_date(key: str, value: Any) -> date:
    """Return the date of a text such as ``"2026-12-31"``. A `date`, as YAML files give it, stays unchanged.

    :param key: the key of the list that contains the value, for the error.
    :raises InvalidPart: the value is no date.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    # date.fromisoformat() alone also reads weeks: "2026-W01" would be the Monday 2025-12-29.
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        with suppress(ValueError):  # e.g. 2026-02-30
            return date.fromisoformat(value.strip())
    raise invalid_part(key, "a date, such as 2026-12-31,", value)
