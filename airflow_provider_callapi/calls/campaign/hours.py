"""When people may be called: hours of the day and days of the week, on the clock of their own wall."""

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
    """Whether there is such a time zone (IANA)."""
    try:
        _zone(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


@dataclass(frozen=True)
class CallingHours:
    """The windows in which people may be called.

    :ivar opens: the first minute of the day's window.
    :ivar closes: the first minute after it; before ``opens`` it is the next day's, equal means all day.
    :ivar days: weekdays on which a window opens, 0 is Monday.
    """

    opens: time = time(0)
    closes: time = time(0)
    days: frozenset[int] = frozenset(range(7))

    @classmethod
    def parse(cls, hours: Sequence[str] | None, days: Sequence[str] | None) -> CallingHours:
        """From ``("09:00", "21:00")`` and ``("mon", "tue")``; None means always.

        :raises ValueError: names the field.
        """
        opens, closes = time(0), time(0)
        if hours is not None:
            try:
                first, last = hours
                opens, closes = _time_of_day(first), _time_of_day(last)
                if opens.tzinfo or closes.tzinfo:
                    raise ValueError
            except (TypeError, ValueError):
                raise ValueError('calling_hours: two times are needed, ("09:00", "21:00")') from None
        try:
            wanted = range(7) if days is None else [DAYS.index(str(day).lower()[:3]) for day in days]
        except (TypeError, ValueError):
            raise ValueError(f"calling_days: names of {DAYS} are needed") from None
        if not wanted:
            raise ValueError("calling_days: at least one day is needed")
        return cls(opens, closes, frozenset(wanted))

    @property
    def over_midnight(self) -> bool:
        """Whether a window ends on the next day."""
        return time(0) != self.closes < self.opens

    def window(self, now: float, zone: str) -> tuple[float, float]:
        """The window that is open, or else the next one: (opens at, closes at), epoch seconds.

        A time that a change of the clocks skips is taken as the moment of the change; of a time that comes
        twice, the second opens and the first closes, so that no clock on a wall shows another hour.
        """
        if self.opens == self.closes and len(self.days) == len(DAYS):
            return now, float("inf")
        today = datetime.fromtimestamp(now, _zone(zone)).date()
        # two weeks: a week's only window may be in the hour that a change of the clocks skips
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
    first, second = _epochs(opening, zone)
    closes_at, _ = _epochs(closing, zone)
    return (second if second < closes_at else first), closes_at


def _epochs(wall: datetime, zone: str) -> tuple[float, float]:
    """When a clock on the wall shows this, for the first and for the last time."""
    moment = wall.replace(tzinfo=_zone(zone), fold=0)
    first, last = moment.timestamp(), moment.replace(fold=1).timestamp()
    if first > last:  # skipped
        first = last = _change(last, first, zone)
    return first, last


def _change(first: float, last: float, zone: str) -> float:
    """The moment between two at which the offset changes."""
    offset = datetime.fromtimestamp(first, _zone(zone)).utcoffset()
    while last - first > 1:
        middle = (first + last) // 2
        if datetime.fromtimestamp(middle, _zone(zone)).utcoffset() == offset:
            first = middle
        else:
            last = middle
    return last
