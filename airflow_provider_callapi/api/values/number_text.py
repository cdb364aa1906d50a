"""The characters that may stand between the digits of a phone number.

People and programs write phone numbers with many forms of spaces, hyphens and dots. The function `fold`
converts these forms to ASCII characters.

The functions that read phone numbers and the function `mask_phones`, which shortens phone numbers in texts,
use the same characters. So every number that this package can read can also be shortened.
"""

from __future__ import annotations

import re
import unicodedata

FEWEST_DIGITS = 7
"""The smallest number of digits of a phone number. Fewer are an extension, a house number or a date."""
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0001-\U000e007f"
)
"""Characters without a width, such as marks of the writing direction, as ranges of a regular expression."""
HYPHENS = (
    "\u058a\u05be\u1806\u2010-\u2015\u2043\u2212\u2796\u2e17\u2e1a\u2e3a\u2e3b\u30fc"
    "\ufe31\ufe32\ufe58\ufe63\uff0d"
)
"""The forms of ``-``, without ``-`` itself, as ranges of a regular expression."""
DOTS = "\u00b7\u2022\u2024\u2027\u2219\u22c5\u30fb\uff0e\uff65"
"""The forms of the full stop, without ``.`` itself, as ranges of a regular expression."""
SLASHES = "\u2044\u2215\uff0f"
"""The forms of ``/``, without ``/`` itself."""
TILDES = "\u02dc\u223c\u223d\u301c\uff5e"
"""The forms of ``~``, without ``~`` itself."""
PLUSES = "\u207a\u2795\ufe62\uff0b"
"""The forms of ``+``, without ``+`` itself."""
SPACES = "\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000"
"""The forms of the space, without ASCII characters, as ranges of a regular expression."""

SEPARATOR = rf"[\s.()/~\-\uff08\uff09{INVISIBLE}{HYPHENS}{DOTS}{SLASHES}{TILDES}{SPACES}]"
"""A regular expression: one character that may stand between two digits of a phone number."""

_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
"""Matches a digit of another script, such as an Arabic one."""
_APOSTROPHES = "'`\u00b4\u02bc\u2018\u2019\u201b\uff07"


def _characters(ranges: str) -> list[str]:
    """Return the characters in the ranges of a regular expression: ``a-cx`` becomes ``[a, b, c, x]``."""
    characters: list[str] = []
    rest = list(ranges)
    while rest:
        first = rest.pop(0)
        if rest[:1] == ["-"]:
            characters += map(chr, range(ord(first), ord(rest[1]) + 1))
            del rest[:2]
        else:
            characters.append(first)
    return characters


_FOLDED: dict[int, str | None] = {
    ord(form): plain
    for plain, forms in (
        (None, INVISIBLE),
        ("-", HYPHENS),
        (".", DOTS),
        ("/", SLASHES),
        ("~", TILDES),
        ("+", PLUSES),
        (" ", SPACES),
        ("(", "\uff08"),
        (")", "\uff09"),
    )
    for form in _characters(forms)
}


def fold(text: str) -> str:
    """Return the text of a number in plain (ASCII) characters.

    All forms of hyphens, dots, slashes, tildes, plus signs, spaces, parentheses and digits become ASCII
    characters. The function removes:

    - invisible characters;
    - spaces around the text;
    - signs of a spreadsheet: an apostrophe before the number, ``="…"`` around the number.

    All other characters stay, also the hyphens and spaces inside the number.
    """
    if not text.isascii():
        text = _OTHER_DIGIT.sub(_ascii_digit, text.translate(_FOLDED))
    text = text.strip()
    if text[:1] in _APOSTROPHES:
        return text.lstrip(_APOSTROPHES).lstrip()
    if text.startswith('="') and text.endswith('"') and len(text) > 3:
        return text[2:-1].strip()
    return text


def only_digits(text: str) -> str:
    """Return the digits of a text, in any script, without all other characters."""
    return re.sub(r"\D", "", text)


def count_digits(text: str) -> int:
    """Return how many digits, in any script, a text contains."""
    return sum(map(str.isdecimal, text))


def _ascii_digit(digit: re.Match[str]) -> str:
    return str(unicodedata.decimal(digit[0]))
