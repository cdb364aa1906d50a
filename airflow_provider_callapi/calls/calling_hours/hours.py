"""Calling hours: when people may be called, in each person's time zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_callapi.api.values.value_kinds import kind_of
from airflow_provider_callapi.api.values.value_parts import WrongValue
from airflow_provider_callapi.calls.calling_hours.days import CallingDays
from airflow_provider_callapi.calls.texts.count_texts import count_text

NEVER = float("inf")
"""The time, in epoch seconds, of what does not happen."""
_SEARCHED_DAYS = 366
"""The number of days in which the next calling window is searched."""


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@dataclass(frozen=True)
class CallingHours:
    """The daily window in which people may be called, in the person's local time.

    :ivar opens: the first minute of the window.
    :ivar closes: the first minute after the window. If it is earlier than ``opens``, the window ends on the
        next day. If it equals ``opens``, the window lasts until the same time on the next day.
    :ivar days: the days on which a window opens. A window also ends when a date in `CallingDays.excluded`
        begins.
    """

    opens: time = time(0)
    closes: time = time(0)
    days: CallingDays = field(default_factory=CallingDays)

    @property
    def is_always_open(self) -> bool:
        """Return whether people may be called at any time."""
        return self.opens == self.closes and self.days.is_every_day

    @property
    def over_midnight(self) -> bool:
        """Return whether the calling window opens on one day and closes on the next day, after midnight."""
        return time(0) != self.closes < self.opens

    def window(self, now: float, zone: str) -> tuple[float, float]:
        """Return the calling window that is open now, or else the next window: (opens at, closes at).

        Both times are epoch seconds. Special results:

        - (``now``, infinity): people may be called at any time.
        - (infinity, infinity): no window opens within a year, or the country's workdays are not known so far
          ahead.

        A clock change can skip or repeat a local time:

        - If the opening or closing time is skipped, the moment of the change replaces it.
        - If the opening time is repeated, the second occurrence counts. Exception: if the window has closed
          by then, the first one counts.
        - If the closing time is repeated, the first occurrence counts.

        :param now: the present time, epoch seconds.
        :param zone: IANA name of the person's time zone.
        """
        if self.is_always_open:
            return now, NEVER
        for ahead, day in enumerate(self._searched_days(now, zone), -1):
            is_allowed = self.days.allow(day)
            if is_allowed is None and ahead >= 0:  # yesterday's window may still be open, and is not needed
                break
            if not is_allowed:
                continue
            is_cut = self.closes <= self.opens and day + timedelta(days=1) in self.days.excluded
            opens, closes = _opening_on(day, self.opens, time(0) if is_cut else self.closes, zone)
            if closes > now and closes > opens:
                return opens, closes
        return NEVER, NEVER

    def refuse_closed(self, now: float, zone: str) -> None:
        """Raise an error if a person may not be called now.

        :param now: epoch seconds.
        :param zone: IANA name of the person's time zone.
        :raises OutsideCallingHours: the person may not be called now.
        """
        opens, _ = self.window(now, zone)
        if opens > now:
            raise OutsideCallingHours(opens)

    def why_never(self, now: float, zone: str) -> str | None:
        """Return why no calling window is known to open within a year, as text for an error message.

        :param now: the present time, epoch seconds.
        :param zone: IANA name of the person's time zone.
        :return: the reason. For example, the calendar of workdays does not contain the next year. None: a
            calling window is open now, or opens within a year.
        """
        if self.window(now, zone)[0] < NEVER:
            return None
        days_from_today = islice(self._searched_days(now, zone), 1, None)
        unknown = next((day for day in days_from_today if self.days.allow(day) is None), None)
        if unknown is None or self.days.calendar is None:
            return f"calling_days: no day of the next {_SEARCHED_DAYS} days is a calling day"
        return (
            f"calling_days: the calendar of {self.days.calendar.country} does not know the workdays of "
            f"{unknown.year}. Install a newer package holidays, or list the days: "
            '{"days": ["mon", "tue", "wed", "thu", "fri"], "except": [dates]}'
        )

    def _searched_days(self, now: float, zone: str) -> Iterator[date]:
        """Yield the days to search for a calling window: yesterday, today and the days after today."""
        today = datetime.fromtimestamp(now, _zone(zone)).date()
        # yesterday's window may last until after midnight
        return (today + timedelta(days=ahead) for ahead in range(-1, _SEARCHED_DAYS))

    def __str__(self) -> str:
        hours = "all hours" if self.opens == self.closes else f"{self.opens:%H:%M} to {self.closes:%H:%M}"
        return f"{hours}, {self.days}"


class OutsideCallingHours(Exception):
    """A person may not be called now.

    :ivar opens_at: when the next calling window opens, epoch seconds. Infinity: no window is known to open.
    """

    def __init__(self, opens_at: float) -> None:
        super().__init__("outside the calling hours")
        self.opens_at = opens_at


def read_hours(value: Any) -> tuple[time, time]:
    """Return the two times of the daily calling window: (opens, closes).

    :param value: two texts, such as ``("09:00", "21:00")``. ``"24:00"`` means midnight, as ``"00:00"`` does.
    :return: two times of day. For all hours, both are midnight.
    :raises ValueError: the value is not a pair of times, a time has a time zone, or the two times are equal.
        Exception: ``("00:00", "24:00")`` means all hours. For a list, the error is a `WrongValue`.
    """
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("two times are needed")
    if len(value) != 2:
        raise WrongValue(f"the value has {count_text(len(value), 'entry', 'entries')}")
    opens, closes = (_read_time(entry, number) for number, entry in enumerate(value, start=1))
    # A mistake such as ("09:00", "09:00") would ring people at night.
    if opens == closes and (value[0] == "24:00" or value[1] != "24:00"):
        raise WrongValue("the two times are equal")
    return opens, closes


def year_in(timezone: str, now: float) -> int:
    """Return the calendar year, such as 2026, at a moment in a time zone.

    :param timezone: IANA name of the time zone.
    :param now: the moment, epoch seconds.
    """
    return datetime.fromtimestamp(now, _zone(timezone)).year


def _read_time(value: Any, number: int) -> time:
    """Return the time of day of one entry. ``number`` is the entry's position, from 1."""
    if not isinstance(value, str):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        shown = "a number: in YAML, write times in quotation marks" if is_number else kind_of(value)
        raise WrongValue(f"entry {number} is {shown}")
    if _SHORT_TIME.fullmatch(value):
        value = f"0{value}"
    try:
        # Python alone also reads 09.30, as 09:00:00.3.
        moment = time.fromisoformat(value if value != "24:00" else "00:00")
        if moment.tzinfo:
            raise WrongValue(f"entry {number} has a time zone: write the time alone")
        if not _TIME.fullmatch(value):
            raise ValueError
    except WrongValue:
        raise
    except ValueError:
        raise WrongValue(f"entry {number} is no time such as 09:00") from None
    return moment


_TIME = re.compile(r"[0-9]{2}:?[0-9]{2}(:[0-9]{2})?")
"""Matches a time such as ``09:00``."""
_SHORT_TIME = re.compile(r"[0-9]:[0-9]{2}(:[0-9]{2})?")
"""Matches a time such as ``9:00``, as people and spreadsheets write it."""


@lru_cache(maxsize=1024)
def _opening_on(day: date, opens: time, closes: time, zone: str) -> tuple[float, float]:
    opening = datetime.combine(day, opens)
    closing = datetime.combine(day if closes > opens else day + timedelta(days=1), closes)
    first, second = _first_and_last(opening, zone)
    closes_at, _ = _first_and_last(closing, zone)
    return (second if second < closes_at else first), closes_at


def _first_and_last(local: datetime, zone: str) -> tuple[float, float]:
    """Return the first and the last epoch second at which a zone's clock shows a local time.

    For a skipped time, both are the moment of the clock change.
    """
    moment = local.replace(tzinfo=_zone(zone), fold=0)
    first, last = moment.timestamp(), moment.replace(fold=1).timestamp()
    if first > last:  # a clock change skips the local time
        first = last = _clock_change(last, first, zone)
    return first, last


def _clock_change(first: float, last: float, zone: str) -> float:
    """Return the moment between ``first`` and ``last`` at which the zone's offset from UTC changes.

    All times are epoch seconds.
    """
    offset = datetime.fromtimestamp(first, _zone(zone)).utcoffset()
    while last - first > 1:
        middle = (first + last) // 2
        if datetime.fromtimestamp(middle, _zone(zone)).utcoffset() == offset:
            first = middle
        else:
            last = middle
    return last
