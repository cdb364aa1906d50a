"""Finds the digits that a cell's number format shows in addition to the stored number.

With the format ``"+7 "000 000-00-00``, a workbook shows the number 9260000001 as ``+7 926 000-00-01``. The
stored number alone may be the number of a stranger, for example in another country.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<place>[0#?]|General)|(?P<plain>[ ()/+1-9-])|[_*].'
    r"|\[\$(?P<currency>[^\]-]*)(?:-[^\]]*)?\]|\[[^\]<>=$][^\]<>=]*\]"
)
"""Matches a part of a number format: a text, a place for a digit, a gap, or a colour or language."""
_SIGNS = re.compile(r"[^\d+-]")
_ADDED_DIGIT = re.compile(r'"[^"]*[\d+][^"]*"|\\[\d+]|(?<![Ee])\+|\[\$[^\]-]*\d')
"""Matches a digit or a ``+`` that a number format adds to the stored number."""
_SMALLEST_PHONE_NUMBER = 1_000_000


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
