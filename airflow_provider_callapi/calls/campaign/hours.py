"""Calling hours: at what hours and on which weekdays people may be called, in each person's time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def is_timezone(name: str) -> bool:
    """Return whether a text is the name of an IANA time zone, such as ``Europe/Moscow``."""
    try:
        _zone(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


@dataclass(frozen=True)
class CallingHours:
    """The daily window in which people may be called, in local time.

    :ivar opens: the first minute of the window.
    :ivar closes: the first minute after the window. If ``closes`` is earlier than ``opens``, the window ends
        on the next day. If ``closes`` equals ``opens``, the window lasts all day.
    :ivar days: the weekdays on which a window opens; 0 is Monday.
    """

    opens: time = time(0)
    closes: time = time(0)
    days: frozenset[int] = frozenset(range(7))

    @classmethod
    def parse(cls, hours: Sequence[str] | None, days: Sequence[str] | None) -> CallingHours:
        """Return the calling hours that an author gives as text.

        :param hours: when the window opens and closes, such as ``("09:00", "21:00")``; None: all day.
        :param days: names of weekdays, such as ``("mon", "tue")``; None: every day.
        :raises ValueError: a time or a day is not valid. The text names the field.
        """
        opens, closes = time(0), time(0)
        if hours is not None:
            try:
                first, last = hours
                opens, closes = _time_of_day(first), _time_of_day(last)
                if opens.tzinfo or closes.tzinfo:
                    raise ValueError
            except (TypeError, ValueError):
                raise ValueError('calling_hours: give two times, such as ("09:00", "21:00")') from None
        try:
            wanted = range(7) if days is None else [DAYS.index(str(day).lower()[:3]) for day in days]
        except (TypeError, ValueError):
            raise ValueError(f"calling_days: give names of {DAYS}") from None
        if not wanted:
            raise ValueError("calling_days: give at least one day")
        return cls(opens, closes, frozenset(wanted))

    @property
    def over_midnight(self) -> bool:
        """Return whether the calling window opens on one day and closes on the next day, after midnight."""
        return time(0) != self.closes < self.opens

    def window(self, now: float, zone: str) -> tuple[float, float]:
        """Return the calling window that is open now, or else the next window: (opens at, closes at).

        Both times are epoch seconds. If people may be called at any time, the window is (``now``, infinity).
        At every moment of the returned window, the local time is inside the calling hours. If a clock change
        skips the opening or closing time, the moment of the change is used. If a clock change repeats the
        opening time, the second occurrence is used. If a clock change repeats the closing time, the first
        occurrence is used.

        :param now: epoch seconds.
        :param zone: IANA name of the person's time zone.
        """
        if self.opens == self.closes and len(self.days) == len(DAYS):
            return now, float("inf")
        today = datetime.fromtimestamp(now, _zone(zone)).date()
        # Search two weeks, because a clock change may skip the only window of a week.
        for ahead in range(-1, 15):
            day = today + timedelta(days=ahead)
            if day.weekday() not in self.days:
                continue
            opens, closes = _opening_on(day, self.opens, self.closes, zone)
            if closes > now and closes > opens:
                return opens, closes
        raise AssertionError("every fortnight has a window")


def _time_of_day(text: str) -> time:
    return time(0) if text == "24:00" else time.fromisoformat(text)


@lru_cache(maxsize=1024)
def _opening_on(day: date, opens: time, closes: time, zone: str) -> tuple[float, float]:
    opening = datetime.combine(day, opens)
    closing = datetime.combine(day if closes > opens else day + timedelta(days=1), closes)
    first, second = _first_and_last(opening, zone)
    closes_at, _ = _first_and_last(closing, zone)
    return (second if second < closes_at else first), closes_at


def _first_and_last(local: datetime, zone: str) -> tuple[float, float]:
    """Return the first and the last moment at which the clock of a zone shows the time ``local``.

    Both moments are epoch seconds. The moments are equal, unless a clock change repeats the local time. If a
    clock change skips the local time, both are the moment of the change.
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
