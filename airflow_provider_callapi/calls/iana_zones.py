"""IANA time zones: which names are known, and which zones have the same times."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

_NO_PLACE = re.compile(r"localtime|posixrules|Factory|(posix|right)/.*", re.IGNORECASE | re.DOTALL)
"""Matches the files of a machine's tz database that are no IANA zones. File systems may ignore case."""
_WITHOUT_SUMMER_TIME = frozenset({"EST", "MST"})
"""IANA names without summer time. People in New York and Denver write them in summer, too."""


def is_iana_zone(name: str) -> bool:
    """Return whether a text is an IANA time zone that this machine knows, such as ``Europe/Moscow``."""
    if _NO_PLACE.fullmatch(name):
        return False
    try:
        ZoneInfo(name)  # a folder of zones raises an OSError
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def is_certain_zone(name: str) -> bool:
    """Return whether a text is an IANA time zone, and certainly means this zone to its author.

    For example, the result for ``EST`` is False. This zone has no summer time, but its author may mean the
    time in New York. In summer, people would then be called an hour too late.
    """
    return is_iana_zone(name) and name not in _WITHOUT_SUMMER_TIME


def is_like_iana_zone(text: str) -> bool:
    """Return whether a text is the name of an IANA time zone if case is ignored, e.g. ``asia/omsk``."""
    return text.casefold() in _folded_names()


@cache
def _folded_names() -> frozenset[str]:
    return frozenset(map(str.casefold, available_timezones()))


def have_same_times(first: str, second: str, year: int) -> bool:
    """Return whether two time zones have the same UTC offset on the first day of each month of ``year``.

    Zones with different names may have the same offsets, such as ``Europe/Moscow`` and ``Europe/Simferopol``.

    :param first: IANA name of a zone that this machine knows.
    :param second: IANA name of a zone that this machine knows.
    """
    days = [datetime(year, month, 1, tzinfo=UTC) for month in range(1, 13)]
    return all(
        day.astimezone(ZoneInfo(first)).utcoffset() == day.astimezone(ZoneInfo(second)).utcoffset()
        for day in days
    )
