"""Compares two phone numbers, as a service reports them and as a start request contains them.

A reported number may lack the country code, may be masked, and may end with DTMF tones. Two questions need
two answers. The proof that a person was reached needs numbers that are certainly the same. The proof that a
person was *not* reached needs numbers that are certainly different.
"""

from __future__ import annotations

import re

_NATIONAL_LENGTH = 10
"""The number of digits of a Russian phone number without the country code."""
_RUSSIAN = re.compile(r"[78]?(\d{10})")
_SHORTEST_PART = 5
"""A number with at least this many digits may be the end of a longer number."""
_MASK = "*"

SHOWN_NUMBER = "holds the phone number; logs show ids unmasked"
"""What is wrong with an id that contains a person's phone number."""


def contains_number(text: str, number: str) -> bool:
    """Return whether the digits of a text contain a phone number, with or without its country code.

    :param number: E.164 digits, or a SIP number.
    """
    national = number[-_NATIONAL_LENGTH:]
    return len(national) == _NATIONAL_LENGTH and national in re.sub(r"[^0-9]", "", text)


def is_same_number(number: str | None, other: str | None) -> bool:
    """Return whether two texts are certainly the same phone number or SIP address.

    In Russia, the country code may be missing or written as 8. Return False if a text is empty or masked.
    """
    first, second = _signs(number), _signs(other)
    if not first or not second or _MASK in first + second:
        return False
    return _normal(first) == _normal(second)


def may_be_same_number(number: str | None, other: str | None) -> bool:
    """Return whether two texts may be the same phone number or SIP address.

    A text without a digit may be any number. A masked text, such as ``7900***0002``, may be each number with
    the shown digits. Two masked texts may be the same number. A number may lack its first digits, and may
    stand in a SIP address.
    """
    first, second = _signs(number), _signs(other)
    if not _has_digits(first, second) or (_MASK in first and _MASK in second):
        return True
    if _MASK in first:
        return _fits(first, second)
    if _MASK in second:
        return _fits(second, first)
    return is_same_number(first, second) or _contains(first, second) or _contains(second, first)


def _normal(signs: str) -> str:
    """Return a Russian number without its country code, and any other number unchanged."""
    russian = _RUSSIAN.fullmatch(signs)
    return russian[1] if russian else signs


def _has_digits(*texts: str) -> bool:
    return all(re.search(r"\d", text) for text in texts)


def _contains(text: str, number: str) -> bool:
    """Return whether a number ends a longer number without its first digits, or stands in a SIP address."""
    digits = number.lstrip("0")
    if not digits.isdigit() or len(digits) < _SHORTEST_PART:
        return False
    return text.endswith(digits) if text.isdigit() else digits in text


def _fits(masked: str, number: str) -> bool:
    """Return whether a text with masked signs may be a number. The masked signs may be an extension."""
    shown = masked.partition(_MASK)[0]
    if len(shown) >= _NATIONAL_LENGTH and is_same_number(shown, number):
        return True
    pattern = re.compile(r"\w*".join(map(re.escape, re.split(r"\*+", masked))))
    return any(map(pattern.fullmatch, _variants(number)))


def _variants(signs: str) -> set[str]:
    """Return a number with and without each country code that may stand before it in Russia."""
    national = signs[-_NATIONAL_LENGTH:]
    return {signs, national, f"7{national}", f"8{national}"}


def _signs(number: str | None) -> str:
    """Return the digits and letters of a number without its DTMF tones. Each masked sign is an asterisk."""
    text = re.split(r"[.,]", (number or "").lower())[0]
    if not re.search(r"[^\W\d_xх]", text):  # no letter but the Latin and the Russian x
        text = re.sub(r"[xх•·#_?…]", _MASK, text)
    return re.sub(r"[^\w*]|_", "", text)
