"""Finds the digits and the ``%`` that a cell's number format shows, and rounds as the format does.

With the format ``"+7 "000 000-00-00``, a workbook shows the number 9260000001 as ``+7 926 000-00-01``. The
stored number alone may be the number of a stranger, for example in another country.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from airflow_provider_callapi.calls.texts.number_texts import MOST_DIGITS, number_text

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<place>[0#?]|General)|(?P<plain>[ ()/+1-9-])|[_*].'
    r"|\[\$(?P<currency>[^\]-]*)(?:-[^\]]*)?\]|\[[^\]<>=$][^\]<>=]*\]"
)
"""Matches a part of a number format: a text, a place for a digit, a gap, or a colour or language."""
_SIGNS = re.compile(r"[^\d+-]")
_ADDED_DIGIT = re.compile(r'"[^"]*[\d+][^"]*"|\\[\d+]|(?<![Ee])\+|\[\$[^\]-]*\d')
"""Matches a digit or a ``+`` that a number format adds to the stored number."""
_SMALLEST_PHONE_NUMBER = 1_000_000
_NO_PLACE = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]|[ ()+-]')
"""Matches what stands in a number format beside the places for digits, such as a text or a gap."""
_CONDITION = re.compile(r"\[[<>=]")
_PLACES = re.compile(r"[#0?,]*[#0?](?:\.([#0?]*))?")
"""Matches the places for digits, such as ``#,##0.00``. A ``,`` at the end divides the number by 1000."""


def may_show_other_digits(value: int | str, number_format: str) -> bool:
    """Return whether a workbook may show other digits than this package reads from the cell.

    Examples are the number 9162345678 with the format ``[>9999999]"+1 "0;0``, and the text ``9162345678``
    with the format ``"+1 "@``: the workbook shows a ``1`` that the cell does not contain. If `shown_text`
    returns the text that the workbook shows for a number, the result is False.

    :param number_format: the number format of the cell.
    """
    if isinstance(value, str):
        return _adds_to_texts(number_format)
    if value < _SMALLEST_PHONE_NUMBER or "," in number_format:  # `,` separates thousands: an amount
        return False
    return _parts(number_format) is None and bool(_ADDED_DIGIT.search(number_format))


@lru_cache(maxsize=1024)
def _adds_to_texts(number_format: str) -> bool:
    """Return whether a cell's number format adds digits or a ``+`` to a text, as ``"+1 "@`` does."""
    parts = (part for part in number_format.split(";") if "@" in part)
    return any(_ADDED_DIGIT.search(part) for part in parts)


def shown_text(value: int, number_format: str) -> str | None:
    """Return the text that a workbook shows for a number, if the format adds a digit, ``+`` or ``-``.

    Examples: ``+7 926 000-00-01`` for 9260000001, and ``0042`` for 42 with the format ``0000``.

    :param number_format: the number format of the cell.
    :return: the text. None in each of these cases: the number is negative; the format adds neither a digit
        nor ``+`` nor ``-``; or the format has parts other than texts and places for digits (``0``, ``#``).
    """
    parts = _parts(number_format)
    if value < 0 or parts is None:
        return None
    digits = str(value)
    missing = sum(is_place for _, is_place in parts) - len(digits)
    shown, used = [], 0
    for text, is_place in parts:
        if not is_place:
            shown.append(text)
        elif missing > 0:
            missing -= 1
            shown.append({"0": "0", "?": " "}.get(text, ""))
        else:
            # The first place also shows the digits for which there is no place.
            end, missing = used + 1 - missing, 0
            shown.append(digits[used:end])
            used = end
    whole = "".join(shown)
    return whole if _SIGNS.sub("", whole) != digits else None


@lru_cache(maxsize=1024)
def _parts(number_format: str) -> tuple[tuple[str, bool], ...] | None:
    """Return (text, whether it stands for a digit) for each part of a cell's number format.

    None: the format is unreadable, or no part stands for a digit.
    """
    # The part of the format behind `;` is for negative numbers, and is ignored.
    parts: list[tuple[str, bool]] = []
    position = 0
    while position < len(number_format) and number_format[position] != ";":
        match = _TOKEN.match(number_format, position)
        if match is None:
            return None
        position = match.end()
        text = match["quoted"] or match["escaped"] or match["plain"] or match["currency"] or ""
        parts.append((match["place"], True) if match["place"] else (text, False))
    return tuple(parts) if any(is_place for _, is_place in parts) else None


def decimal_text(value: int | float, number_format: str) -> str:
    """Return a number as a workbook shows it: rounded, and with its ``%``, but without zeros at the end.

    Examples: ``15%`` for 0.15 with the format ``0%``, and ``0.3`` for 0.1 + 0.2 with any format. The text has
    a full stop as decimal point, and neither a separator of thousands nor the texts of the format. A number
    from 1,000,000 on is not rounded, because it may be a phone number. A format with other parts, such as
    ``0.00E+00``, rounds nothing either.

    :param number_format: the number format of the cell.
    """
    places, is_percent = _places(number_format, value < 0)
    number = Decimal(f"{value:.{MOST_DIGITS}g}") * (100 if is_percent else 1)
    if places is not None and abs(number) < _SMALLEST_PHONE_NUMBER:
        number = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return number_text(number) + ("%" if is_percent else "")


@lru_cache(maxsize=1024)
def _places(number_format: str, is_negative: bool) -> tuple[int | None, bool]:
    """Return how many decimal places a format shows (None: unknown), and whether it shows a percentage."""
    if _CONDITION.search(number_format):
        return None, False
    sections = _NO_PLACE.sub("", number_format).split(";")
    section = sections[1] if is_negative and len(sections) > 1 else sections[0]
    match = _PLACES.fullmatch(section.replace("%", "", 1))
    return (len(match[1] or "") if match else None), section.count("%") == 1
