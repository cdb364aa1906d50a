"""Dates and times as people write them: ``01.12.2026 10:05``, and not ``2026-12-01 10:05:00``.

The rule is the same for a database, a data frame, an XCom, the values of a DAG, and a workbook.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from airflow_provider_callapi.calls.texts.shown_values import ShownValue

_MIDNIGHT = time()
_WITH_ZONE = (
    "a time with a time zone, which may be another hour for the person; convert it to the person's zone, "
    "e.g. in the query, and write it with {{ ….strftime('%d.%m.%Y %H:%M') }}"
)
_DURATION = "a duration (timedelta); insert a number or a text, e.g. {{ ….total_seconds() // 60 }} minutes"
_NUMPY = {"datetime64": "datetime64[us]", "timedelta64": "timedelta64[us]"}
"""Type of numpy, which is not imported → the precision that Python's dates and durations have."""


def is_date(value: Any) -> bool:
    """Return whether a value is a date, a time or a duration, also one of pandas, pendulum or numpy."""
    return isinstance(value, date | time | timedelta) or type(value).__name__ in _NUMPY


def spoken_date(value: Any) -> str:
    """Return a date or a time as text.

    - A date, and a date at midnight: ``01.12.2026``.
    - A date with another time of day: ``01.12.2026 10:05``, or ``01.12.2026 10:05:07``.
    - A time of day: ``10:05``, or ``10:05:07``.
    - A cell of a workbook: what the cell shows, such as ``1.12.26``.

    :param value: a value for which `is_date` is true. A fraction of a second is left out.
    :raises ValueError: the value is a duration, or has a time zone. The message says what the author can do.
    """
    if isinstance(value, ShownValue) and value.shown is not None:
        return value.shown
    if precision := _NUMPY.get(type(value).__name__):
        value = value.astype(precision).item()
    if isinstance(value, datetime | time) and value.tzinfo is not None:
        raise ValueError(_WITH_ZONE)
    if isinstance(value, datetime):
        day, hour = value.date(), value.time()
        return _day(day) if hour == _MIDNIGHT else f"{_day(day)} {_hour(hour)}"
    if isinstance(value, date):
        return _day(value)
    if isinstance(value, time):
        return _hour(value)
    raise ValueError(_DURATION)


def _day(value: date) -> str:
    return f"{value.day:02}.{value.month:02}.{value.year:04}"


def _hour(value: time) -> str:
    return f"{value.hour:02}:{value.minute:02}" + (f":{value.second:02}" if value.second else "")
