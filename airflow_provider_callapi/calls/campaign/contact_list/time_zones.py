"""Reads the time zones in a contact list: IANA names, and offsets such as ``+03:00`` and ``MSK``."""

from __future__ import annotations

import re
from functools import lru_cache

from airflow_provider_callapi.api.values.number_text import fold
from airflow_provider_callapi.calls.iana_zones import is_certain_zone, is_iana_zone

_OFFSET = re.compile(r"(?:(?:UTC|GMT)\s*([+-])\s*(\d{1,2})|([+-])(\d{2}))(?::?(\d{2}))?", re.IGNORECASE)
_MOSCOW = re.compile(r"(?:MSK|МСК)\s*(?:([+-])\s*(\d{1,2}))?", re.IGNORECASE)
_MOSCOW_HOURS = 3
_EARLIEST, _LATEST = -12, 14
_BACKWARDS = re.compile(r"Etc/GMT([+-]\d+)", re.IGNORECASE)


@lru_cache(maxsize=1024)
def read_time_zone(text: str) -> str | None:
    """Return the IANA name of the time zone that a text names: ``MSK`` becomes ``Europe/Moscow``.

    :param text: an IANA name, or an offset such as ``MSK``, ``MSK+2``, ``UTC+3`` or ``+03:00``.
    :return: the IANA name. None: the text names no zone, it is not certain which one, or the offset is no
        whole number of hours. For example, ``+3`` may mean UTC+3 or Moscow time plus three hours. ``EST`` may
        mean New York time with or without summer time.
    """
    text = fold(text)
    if is_iana_zone(text):
        return text if is_certain_zone(text) else None
    if match := _MOSCOW.fullmatch(text):
        if not match[2]:
            return "Europe/Moscow"
        return _zone_of(_MOSCOW_HOURS + int(f"{match[1]}{match[2]}"))
    if match := _OFFSET.fullmatch(text):
        sign, hours = (match[1], match[2]) if match[2] else (match[3], match[4])
        return _zone_of(int(f"{sign}{hours}")) if match[5] in (None, "00") else None
    return None


def is_backwards(zone: str) -> bool:
    """Return whether the sign in the name of a time zone is the opposite of the usual sign.

    Example: ``Etc/GMT-3`` is UTC+3, three hours *ahead* of Greenwich.

    :param zone: IANA name of the time zone.
    """
    return _BACKWARDS.fullmatch(zone) is not None


def describe_backwards(zone: str) -> str:
    """Return the offset of a time zone for which `is_backwards` is True, as text: ``Etc/GMT-3 is UTC+3``.

    :param zone: IANA name of the time zone.
    """
    match = _BACKWARDS.fullmatch(zone)
    assert match is not None, f"the sign of {zone} is not the opposite one"
    return f"{zone} is UTC{-int(match[1]):+d}"


def _zone_of(hours: int) -> str | None:
    if not _EARLIEST <= hours <= _LATEST:
        return None
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"
