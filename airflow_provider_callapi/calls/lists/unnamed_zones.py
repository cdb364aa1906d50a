"""Finds time zones in the columns of a list that has no column ``timezone``.

A campaign that ignored such a time zone could call people at night.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from airflow_provider_callapi.api.values.number_text import HYPHENS, PLUSES, SLASHES, fold
from airflow_provider_callapi.calls.iana_zones import is_like_iana_zone
from airflow_provider_callapi.calls.lists.column_names import in_latin, shown_name
from airflow_provider_callapi.calls.lists.columns import seems_time_zone
from airflow_provider_callapi.calls.lists.countries import country_column
from airflow_provider_callapi.calls.lists.nested_values import label_of, open_value
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

_PLACE = re.compile(r"(?<![\w/.-])[a-z_-]+(?:/[a-z_-]+)+", re.IGNORECASE)
"""Matches a text that may be an IANA name, such as ``Asia/Omsk``. Other words with a slash match too."""
_MOSCOW = "[MМ][SСC][KК]"
_FROM = rf"(?:[UУ][TТ][CС]|GMT|{_MOSCOW})"
"""A regular expression: the names from which offsets count. The letters may be Latin or Cyrillic."""
_PLUS = "(?:[+-]|плюс|минус|plus|minus)"
"""A regular expression: the sign of an offset, also as a word."""
_OFFSET = rf"{_PLUS}\s*(?:0?\d|1[0-4])(?::?[0-5]\d)?"
"""A regular expression: a signed number of hours, perhaps with minutes, such as ``+7`` and ``-05:30``."""
_HOURS = r"\s*(?:(?:ч|h)\w{0,4}\.?)?"
"""A regular expression: the word for hours behind an offset, if any, as in ``+7 ч.``."""
_OFFSET_BESIDE_WORDS = re.compile(
    rf"(?:(?!\d:\d).)*?\b{_FROM}[\s:=.(]*{_OFFSET}(?!\d)", re.IGNORECASE | re.DOTALL
)
"""Matches the beginning of a text such as ``Omsk, UTC+6``.

A clock time before the offset does not match: a text such as ``2 March 2026 09:00 GMT+0300`` is a time.
"""
_OFFSET_BEHIND_WORDS = re.compile(
    rf"\D*{_OFFSET}{_HOURS}\s*(?:(?:к|от|по|from|to)\s+)?(?:{_FROM}\b|Москв[еы])", re.IGNORECASE
)
"""Matches the beginning of a text such as ``Omsk, +6 UTC`` or ``+7 ч. к Москве``. No digit stands before."""
_CONTINENT = re.compile(
    r"(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)[\W_]+(\w.*)",
    re.IGNORECASE,
)
"""Matches a text that may be an IANA name with another sign instead of the slash, such as ``Asia-Omsk``."""
_IN_RUSSIAN = re.compile(
    r"\b(?:Азия|Европа)\s*/\s*(?:Калининград|Москва|Самара|Саратов|Ульяновск|Волгоград|Астрахань|Киров"
    r"|Екатеринбург|Омск|Новосибирск|Барнаул|Томск|Новокузнецк|Красноярск|Иркутск|Чита|Якутск|Владивосток"
    r"|Магадан|Сахалин|Камчатка|Анадырь|Минск|Киев|Алма-?Ат[аы]|Алматы|Астана|Актау|Актобе|Атырау|Ташкент"
    r"|Бишкек|Баку|Ереван|Тбилиси)\b",
    re.IGNORECASE,
)
"""Matches the Russian form of an IANA name, such as ``Азия/Омск``."""
_SIGN = re.compile(f"[%/+{SLASHES}{PLUSES}{HYPHENS}-]")
_NAME_OF_A_ZONE = re.compile(
    r"standard time$|^(?:russia time zone|rtz) ?\d+|^\w+ское время$"
    r"|^(?:yekt|omst|novt|krat|irkt|yakt|vlat|magt|pett|samt|sakt|eest|cest|aest)$"
)
"""Matches, in lower case, the names of zones in Windows and in Russian, and abbreviations of four letters.

Examples: ``Vladivostok Standard Time``, ``RTZ 9 (зима)``, ``Омское время`` and ``VLAT``. An abbreviation of
three letters, such as ``EST``, may be something else.
"""
_SHORT = 8
"""A text of up to this length, such as ``MSK`` with spaces, may name a time zone without a sign."""
_ONLY_AN_OFFSET = re.compile(
    rf"{_MOSCOW}|[(\[]?[+-]\d\d:\d\d[)\]]?|(?:UTC|GMT)\s?\d{{1,2}}|Москва\s*{_PLUS}\s*\d{{1,2}}",
    re.IGNORECASE,
)
"""Matches a text that is only an offset, such as ``+03:00``, ``UTC10`` or ``Москва +7``."""
_SIGNED_OR_ZERO = re.compile(
    rf"(?:[+-]\s*(?:0?\d|1[0-4])(?::[0-5]\d)?|(?:\+1[0-4]|[+-]0\d)[0-5]\d|0|00:00){_HOURS}", re.IGNORECASE
)
"""Matches a signed number of hours such as ``+7``, ``-05:30`` or ``+7 ч``, and zero. ``-1000`` is a debt."""
_NAMED_OFFSET = re.compile(
    rf"(?:.*[,;.])?\s*([^:=]{{2,40}})[:=]\s*[+-]\s*(?:0?\d|1[0-4])(?::?[0-5]\d)?{_HOURS}(?:[,;.].*)?"
)
"""Matches a text such as ``Часовой пояс: +7``. Group: the name before the offset."""
_LONGEST_OFFSET = 12
_LARGEST_OFFSET = timedelta(hours=14)
_STEP = timedelta(minutes=15)
"""Each offset from UTC is a multiple of a quarter of an hour."""
_PAIR = 2
"""The length of a list that may be a name and its value, as in ``["utc", -5]``."""


def refuse_unnamed_zone(row: Mapping[str, Any], line: int) -> None:
    """Raise an error if a row without a column ``timezone`` contains a time zone in another column.

    If the campaign ignored this time zone, it could call people at night.

    :param row: the row: column → value. The caller has checked that the row has no column ``timezone``.
    :param line: the number of the row in the list, for the error message.
    :raises ListUnreadable: a column contains a time zone, or an object with a field for a time zone. The
        error message names the column and the row.
    """
    for name, value in row.items():
        if _holds_zone(value):
            raise ListUnreadable(_unnamed(name, line))


class SignedColumns:
    """Finds columns that seem to contain time zones, as offsets such as ``+7``.

    Use it for a list without a column ``timezone``: the author may have given the column another name.
    """

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._other: set[str] = set()

    def add(self, row: Mapping[str, Any], line: int) -> None:
        """Record which columns of a row contain an offset such as ``+7``, and which contain another value.

        In a column such as ``country code``, ``+7`` is a country.

        :param row: the row: column → value.
        :param line: the number of the row in the list.
        """
        for name, value in row.items():
            if name in self._other or value is None or country_column(str(name)):
                continue
            text = _offset_text(value)
            offset = fold(text) if len(text) <= _LONGEST_OFFSET else ""
            if not _SIGNED_OR_ZERO.fullmatch(offset):
                self._other.add(name)
            elif name not in self._first and offset[0] in "+-":
                self._first[name] = line

    def refuse(self) -> None:
        """Raise an error if a column seems to contain time zones, as offsets from UTC such as ``+7``.

        Such a column contains at least one offset with a sign, and no other values than offsets, zeros and
        empty cells. Before this, the caller must `add` all rows.

        :raises ListUnreadable: there is such a column. The error message names the column and a row.
        """
        for name, line in self._first.items():
            if name not in self._other:
                raise ListUnreadable(_unnamed(name, line))


def _offset_text(value: Any) -> str:
    """Return a cell's text. A duration, such as an interval of a database, becomes ``-05:00`` or ``0``.

    A positive duration may be anything, and becomes ``0``. But no call or delay is negative.
    """
    if not isinstance(value, timedelta) or value > _LARGEST_OFFSET or value % _STEP:
        return str(value)
    return f"-{-value!s:0>8}"[:6] if value < timedelta(0) else "0"


def _unnamed(name: str, line: int) -> str:
    return (
        f"the column {shown_name(name)} holds time zones, see row {line}: did you mean timezone? Name the "
        "column timezone. If these are not the time zones of the people, add an empty column timezone"
    )


def _holds_zone(value: Any) -> bool:
    """Return whether a value contains a time zone, also inside of dicts, lists and texts in JSON."""
    inside = open_value(value)
    if isinstance(inside, Mapping):
        if seems_time_zone(label_of(inside) or ""):
            return True
        return any(map(seems_time_zone, inside)) or any(map(_holds_zone, inside.values()))
    if inside is not None:
        has_name = len(inside) == _PAIR and any(
            isinstance(part, str) and seems_time_zone(part) for part in inside
        )
        return has_name or any(map(_holds_zone, inside))
    return value is not None and _contains_zone(str(value))


def _names_offset(text: str) -> bool:
    named = _NAMED_OFFSET.fullmatch(text) if ":" in text or "=" in text else None
    return named is not None and seems_time_zone(named[1].strip())


@lru_cache(maxsize=1024)
def _contains_zone(text: str) -> bool:
    """Return whether a text certainly contains a time zone, in any spelling that people use."""
    if (place := _CONTINENT.match(text)) and is_like_iana_zone("/".join(place.groups()).replace(" ", "_")):
        return True
    if len(text) > _SHORT and not _SIGN.search(text):  # a quick answer for most values, such as names
        lower = text.strip().casefold()
        if _NAME_OF_A_ZONE.search(lower):
            return True
        if not ("плюс" in lower or "минус" in lower or "plus" in lower or "minus" in lower):
            return False
    text = unquote(fold(text))
    if (
        _NAME_OF_A_ZONE.search(text.casefold())
        or _IN_RUSSIAN.search(text)
        or _ONLY_AN_OFFSET.fullmatch(text)
        or _OFFSET_BESIDE_WORDS.match(text)
        or _OFFSET_BEHIND_WORDS.match(text)
        or _names_offset(text)
    ):
        return True
    if "/" not in text:  # a quick answer
        return False
    text = in_latin(text.casefold())
    words = re.split(r"\d", re.sub(r"\s*/\s*", "/", text))[0]
    places = (*_PLACE.findall(words), *_PLACE.findall(words.replace(" ", "_")))
    return any(map(is_like_iana_zone, places))
