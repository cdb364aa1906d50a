"""Values of workbook cells: numbers, dates and times to calculate with, whose text is what the cell shows."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any


class ShownValue:
    """The base of numbers, dates, times and durations whose text is the text that their cell shows.

    A value that is calculated from such a value, for example the next day, has Python's text again.

    :ivar shown: the text that the cell shows, such as ``15%`` for 0.15. None: Python's text applies.
    """

    shown: str | None = None

    def __str__(self) -> str:
        return super().__str__() if self.shown is None else self.shown


class ShownInt(ShownValue, int):
    """A whole number such as 1, which its cell shows as ``100%``."""


class ShownFloat(ShownValue, float):
    """A number such as 0.15, which its cell shows as ``15%``."""


class ShownDatetime(ShownValue, datetime):
    """A date with or without a time of day, which its cell shows as ``01.12.2026``, for example."""


class ShownDate(ShownValue, date):
    """A date, which its cell shows as ``01.12.2026``, for example."""


class ShownTime(ShownValue, time):
    """A time of day, which its cell shows as ``18:30``, for example."""


class ShownTimedelta(ShownValue, timedelta):
    """A duration, which its cell shows as ``30:00``, for example."""


class LongNumber(int):
    """A whole number with more than 15 digits. A workbook does not hold its last digits."""


_KINDS: dict[type, Any] = {
    int: ShownInt,
    float: ShownFloat,
    datetime: ShownDatetime,
    date: ShownDate,
    time: ShownTime,
    timedelta: ShownTimedelta,
}


def shown_as(value: Any, text: str | None) -> Any:
    """Return an equal value whose text is the text that the cell shows.

    :param value: an int, float, date, datetime, time or timedelta.
    :param text: the text that the cell shows. None: it is unknown, and the value stays unchanged.
    """
    if text is None or text == str(value):
        return value
    kind = _KINDS[type(value)]
    # Dates, times and durations tell the arguments from which a copy of them is made.
    shown = kind(value) if isinstance(value, int | float) else kind(*value.__reduce__()[1])
    shown.shown = text
    return shown


def stored_text(value: Any) -> str:
    """Return Python's text of a value, also if its cell shows another text: ``0.15`` and not ``15%``."""
    return super(ShownValue, value).__str__() if isinstance(value, ShownValue) else str(value)
