"""Reads the time zones in a contact list: IANA names, and offsets such as ``+03:00`` and ``MSK``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from airflow_provider_callapi.api.number_text import fold
from airflow_provider_callapi.calls.iana_zones import is_iana_zone
from airflow_provider_callapi.calls.lists.problems import ListUnreadable

_OFFSET = re.compile(r"(?:(?:UTC|GMT)\s*([+-])\s*(\d{1,2})|([+-])(\d{2}))(?::?(\d{2}))?", re.IGNORECASE)
_MOSCOW = re.compile(r"(?:MSK|МСК)\s*(?:([+-])\s*(\d{1,2}))?", re.IGNORECASE)
_MOSCOW_HOURS = 3
_EARLIEST, _LATEST = -12, 14
_LOOKS_LIKE_A_ZONE = re.compile(r"[A-Z][A-Za-z_]+/[A-Z][\w/+-]+|(UTC|GMT)\s*[+-].*|(MSK|МСК).*|[+-]\d\d:\d\d")
_BACKWARDS = re.compile(r"Etc/GMT[+-]\d+", re.IGNORECASE)


@lru_cache(maxsize=1024)
def read_time_zone(text: str) -> str | None:
    """Return the IANA name of the time zone that a text names: ``MSK`` becomes ``Europe/Moscow``.

    :param text: an IANA name, or an offset such as ``MSK``, ``MSK+2``, ``UTC+3`` or ``+03:00``.
    :return: the IANA name. None: the text names no zone, or it is not certain which one. For example, ``+3``
        may mean UTC+3 or Moscow time plus three hours, and ``+05:30`` has no IANA name.
    """
    text = fold(text)
    if is_iana_zone(text):
        return text
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


def refuse_unnamed_zone(row: Mapping[str, Any]) -> None:
    """Raise an error if a row without a column ``timezone`` contains a time zone in another column.

    If the campaign ignored this time zone, it could call people at night.

    :param row: the row: column → value. The caller has checked that the row has no column ``timezone``.
    :raises ListUnreadable: a column contains a time zone. The error message names the column.
    """
    for name, value in row.items():
        is_likely = isinstance(value, str) and _LOOKS_LIKE_A_ZONE.fullmatch(value.strip())
        if is_likely and read_time_zone(value) is not None:
            raise ListUnreadable(
                f"the column {name!r} holds time zones: did you mean timezone? Name the column timezone. If "
                "these are not the time zones of the people, add an empty column timezone"
            )


def _zone_of(hours: int) -> str | None:
    if not _EARLIEST <= hours <= _LATEST:
        return None
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"
