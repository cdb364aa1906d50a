"""Writes dates, times and durations of workbook cells as the number formats of the cells show them."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

_NO_PART = re.compile(r'"[^"]*"|\[[^\]]*\]|[_*].|\\[^ ./:,-]|\\|am/pm|a/p')
"""Matches what stands in a format beside the parts of a date: texts, a language, gaps and ``AM/PM``."""
_DAY, _HOUR = r"(?:yyyy|yy|mm?|dd?)(?:[./-](?:yyyy|yy|mm?|dd?))*", r"(?:hh?|nn?|ss?)(?::(?:nn?|ss?))*"
_ONLY_NUMBERS = re.compile(rf"{_DAY}|{_HOUR}|{_DAY},? {_HOUR}")
"""Matches a usual format of a date and a time, without the names of months and weekdays."""
_OF_THE_SYSTEM = ("mm-dd-yy", "m/d/yy h:mm")
"""The built-in formats. Instead of these, each computer shows dates in the order of its own country."""
_DATE_PARTS = {"dd": "(?<!d)dd?(?!d)", "mm": "m", "yyyy": "y"}
"""Part of a date → regular expression for the format that shows this part in some form."""
_PART = re.compile("y+|m+|d+|h+|n+|s+")
_FIELDS = {"y": "year", "m": "month", "d": "day", "h": "hour", "n": "minute", "s": "second"}
_DURATION = re.compile(r"(?:\[\$[^\]]*\])?\[(hh?)\]:mm(:ss)?")


def date_text(value: date | datetime | time | timedelta, number_format: str) -> str | None:
    """Return the text that a workbook shows for a date, a time or a duration: ``01.12.2026``, ``18:30``.

    If the order of the numbers depends on the computer, or the format contains the name of a month, the order
    is that of ``01.12.2026 18:30``. The text then has those of these numbers that the cell shows in some
    form. In place of a weekday, or of the name of a month alone, it has the whole date. A text of the format
    and ``AM`` or ``PM`` are left out; hours are from 0 to 23.

    :param number_format: the number format of the cell, such as ``dd.mm.yyyy``.
    :return: the text. None: the format shows none of these numbers, parts of a second, or a date for a value
        without a date.
    """
    if isinstance(value, timedelta):
        return _duration_text(value, number_format)
    form = _plain_form(number_format)
    parts: list[str] = []
    for part in _PART.findall(form):
        number = getattr(value, _FIELDS[part[0]], None)
        if number is None:
            return None
        parts.append(f"{number:0{len(part)}}"[-4 if part == "yyyy" else -2 :])
    if not parts or ("s" in form and isinstance(value, datetime | time) and value.microsecond):
        return None
    rest = iter(parts)
    return _PART.sub(lambda _: next(rest), form)


def shows_date(number_format: str) -> bool:
    """Return whether a number format shows a day, a month or a year. For a time of day, it shows no date."""
    return any(part[0] in "ymd" for part in _PART.findall(_plain_form(number_format)))


@lru_cache(maxsize=1024)
def _plain_form(number_format: str) -> str:
    """Return a date format as numbers only, with ``n`` for minutes: ``dd.mm.yyyy hh:nn``.

    Empty: the format shows no number.
    """
    form = _NO_PART.sub("", _first_section(number_format))
    form = " ".join(form.split()).strip(" ,.")
    form = re.sub(r"(h+\W*)(m+)", lambda found: found[1] + "n" * len(found[2]), form)
    form = re.sub(r"(m+)(\W*s)", lambda found: "n" * len(found[1]) + found[2], form)
    if _ONLY_NUMBERS.fullmatch(form) and number_format not in _OF_THE_SYSTEM:
        return form
    parts = [part for part, pattern in _DATE_PARTS.items() if re.search(pattern, form)]
    # A number cannot say a weekday, and the name of a month alone would be a number without a meaning.
    days = ".".join(_DATE_PARTS if "ddd" in form or parts == ["mm"] else parts)
    hours = ("hh:nn:ss" if "s" in form else "hh:nn") if "h" in form else ""
    return f"{days} {hours}".strip()


def _duration_text(value: timedelta, number_format: str) -> str | None:
    match = _DURATION.fullmatch(_first_section(number_format))
    if match is None or value < timedelta(0) or (match[2] and value.microseconds):
        return None
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:0{len(match[1])}}:{minutes:02}" + (f":{seconds:02}" if match[2] else "")


def _first_section(number_format: str) -> str:
    """Return a number format without its sections behind a ``;``, which are not for dates."""
    return number_format.partition(";")[0].lower()
