"""Compares two phone numbers, as a service reports them and as a start request contains them.

A reported number may lack the country code, may be masked, and may end with DTMF tones. Two questions need
two answers. The proof that a person was reached needs numbers that are certainly the same. The proof that a
person was *not* reached needs numbers that are certainly different.
"""

from __future__ import annotations

import re

_NATIONAL_LENGTH = 10
"""The number of digits of a Russian phone number without the country code."""
_COUNTRY_CODES = ("", "7", "8")
"""What may stand before the national number in Russia."""
_MASK = "*"


def is_same_number(number: str | None, other: str | None) -> bool:
    """Return whether two texts are certainly the same phone number or SIP address.

    Return False if a text is empty or masked.
    """
    first, second = _signs(number), _signs(other)
    if not first or not second or _MASK in first + second:
        return False
    return not _variants(first).isdisjoint(_variants(second))


def may_be_same_number(number: str | None, other: str | None) -> bool:
    """Return whether two texts may be the same phone number or SIP address.

    An empty text may be any number. A masked text, such as ``7900***0002``, may be each number with the shown
    digits. Two masked texts may be the same number.
    """
    first, second = _signs(number), _signs(other)
    if not first or not second:
        return True
    if _MASK in first and _MASK in second:
        return True
    if _MASK in first:
        return _fits(first, second)
    return _fits(second, first) if _MASK in second else is_same_number(first, second)


def _fits(masked: str, number: str) -> bool:
    """Return whether a text with masked signs may be a number. The masked signs may be an extension."""
    shown = masked.partition(_MASK)[0]
    if len(shown) >= _NATIONAL_LENGTH and is_same_number(shown, number):
        return True
    pattern = re.compile(r"\w*".join(map(re.escape, re.split(r"\*+", masked))))
    return any(map(pattern.fullmatch, _variants(number)))


def _variants(signs: str) -> set[str]:
    """Return a number with each country code that may stand before it."""
    if not signs.isdigit() or len(signs) < _NATIONAL_LENGTH:
        return {signs}
    return {signs, *(code + signs[-_NATIONAL_LENGTH:] for code in _COUNTRY_CODES)}


def _signs(number: str | None) -> str:
    """Return the digits and letters of a number without its DTMF tones. Each masked sign is an asterisk."""
    text = re.split(r"[.,]", (number or "").lower())[0]
    if not re.search(r"[^\W\d_xх]", text):  # no letter but the Latin and the Russian x
        text = re.sub(r"[xх•·#_?…]", _MASK, text)
    return re.sub(r"[^\w*]|_", "", text)
