"""Compares the phone number that a service reports with the number in a start request.

A reported number may lack the country code, may be masked (``7900***0002``), and may end with DTMF tones. A
comparison can therefore be uncertain. `may_be_same_number` is False only if two numbers are certainly
different. `is_same_number` is True only if the digits leave no doubt but one: ten digits count as a Russian
number without its country code, although the same ten digits may be a whole number of another country.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from airflow_provider_callapi.calls.phone_numbers.numbering_plan import is_country_code, read_international

_NATIONAL_LENGTH = 10
"""The number of digits of a Russian phone number without the country code."""
# Many Russian numbers without the country code look like whole numbers of another country: nine of ten
# numbers of Moscow (495…) are also valid German numbers. If these did not count as Russian, an account whose
# service leaves out the country code would lose the answers of calls to Moscow. A mistake needs two
# participants of one call, such as the contact and an operator, whose numbers differ only by the 7 in front.
_RUSSIAN = re.compile(r"[78]?(\d{10})")
_SHORTEST = 7
"""A number without its country code that has fewer digits may be in a text by chance."""
_SHORTEST_PART = 5
"""A number with at least this many digits may be the end of a longer number."""
_LONGEST_COUNTRY_CODE = 3
_MASK = "*"
_LETTER = re.compile(r"[^\W\d_]")
_TONES = re.compile(r"[.,][\d*#wp.,\s]*")
"""DTMF tones and pauses behind a number, in lower case: ``.5wp``. Other text behind a dot is an address."""

SHOWN_NUMBER = "contains the phone number, which logs would then show"
"""What is wrong with an id that contains a person's phone number."""


def contact_key(contact: str) -> str:
    """Return a contact in the form that is equal for all spellings of the same contact.

    The case of letters does not matter: ``SIP25@Example.com`` becomes ``sip25@example.com``.

    :param contact: E.164 digits, or a SIP number.
    """
    return contact.lower()


def contains_number(text: str, number: str) -> bool:
    """Return whether the digits of a text contain a phone number, with or without its country code.

    Other characters between the digits of the text do not matter: ``926 000-00-11`` contains ``9260000011``.
    The digits of other scripts count, too, such as Arabic, full-width or superscript digits.

    :param number: E.164 digits, or a SIP number. If the name of the SIP number (the part before ``@``) is a
        phone number, the function searches for this phone number.
    """
    digits = _digits(text)
    return any(national in digits for national in _national_forms(number.partition("@")[0]))


def _national_forms(number: str) -> Iterator[str]:
    """Yield a number without its country code, and its last ten digits. Yield no form that is too short."""
    if not (number.isascii() and number.isdigit()):
        return
    if len(number) >= _NATIONAL_LENGTH:
        yield number[-_NATIONAL_LENGTH:]
    parsed = read_international(number)
    if parsed is not None and len(national := number.removeprefix(str(parsed.country_code))) >= _SHORTEST:
        yield national


def _digits(text: str) -> str:
    """Return the digits of a text, in any script, as ASCII digits."""
    return "".join(str(unicodedata.digit(character, "")) for character in text)


@lru_cache(maxsize=1000)  # the rules about one call compare the same numbers several times
def is_same_number(number: str | None, other: str | None) -> bool:
    """Return whether two texts are the same phone number or SIP number.

    The country code 7 may be missing or written as 8, as in Russia: ``9260000011``, ``89260000011`` and
    ``79260000011`` are the same number. So ten digits count as a Russian number, also if they are a whole
    number of another country: ``4733025228`` (Norway) is the same as ``74733025228``.

    The result is False if a text is empty or masked.
    """
    first, second = _signs(number), _signs(other)
    if not first or not second or _MASK in first + second:
        return False
    if _LETTER.search(first):  # a dot in a SIP number begins no tones: sip1.anna is not sip1.boris
        return _all_signs(number) == _all_signs(other)
    return _normal(first) == _normal(second)


def may_be_same_number(number: str | None, other: str | None) -> bool:
    """Return whether two texts may be the same phone number or SIP number.

    The result is True in these cases:

    - The texts are the same number, see `is_same_number`.
    - At least one of the two is None or contains no digit.
    - Both texts are masked, and neither their visible beginnings nor their visible ends contradict each
      other. A beginning may lack the country code. If a text has letters, nothing contradicts.
    - One text is masked, such as ``7900***0002``, and its visible digits fit the other number.
    - One text has at least five digits, and the other number ends with these digits.
    - One text has at least five digits, and the other is a SIP number with these digits.
    """
    first, second = _signs(number), _signs(other)
    if not _has_digits(first, second):
        return True
    if _MASK in first and _MASK in second:
        return _LETTER.search(first + second) is not None or _masks_agree(first, second)
    if _MASK in first:
        return _fits(first, second)
    if _MASK in second:
        return _fits(second, first)
    return is_same_number(first, second) or _contains(first, second) or _contains(second, first)


def sip_user(number: str) -> str:
    """Return the part of a SIP number or SIP address before the ``@``. Return a phone number unchanged.

    Example: ``sip:79260000011@pbx.example`` becomes ``79260000011``.
    """
    address = number.rpartition("<")[2].strip()  # "Anna" <sip:anna@pbx.example>
    return re.split("[@;>]", re.sub("^(sips?|tel):", "", address, flags=re.IGNORECASE))[0]


def begins_with(number: str | None, prefix: str) -> bool:
    """Return whether a reported number begins with ``prefix``.

    The country code 7 may be missing in the reported number, or written as 8: ``84951234567`` begins with
    ``7495``. In a masked number, only the digits before the mask count.

    :param prefix: digits that begin with the country code.
    """
    signs = _signs(number)
    russian = _RUSSIAN.fullmatch(signs)
    return signs.startswith(prefix) or (russian is not None and f"7{russian[1]}".startswith(prefix))


def _normal(signs: str) -> str:
    """Return a Russian number without the country code. Return any other number unchanged."""
    russian = _RUSSIAN.fullmatch(signs)
    return russian[1] if russian else signs


def _has_digits(*texts: str) -> bool:
    return all(re.search(r"\d", text) for text in texts)


def _contains(text: str, number: str) -> bool:
    """Return whether ``text`` ends with ``number``, or is a SIP number that contains ``number``.

    A number with fewer than five digits is too short for this: the result is False.
    """
    digits = number.lstrip("0")
    if not digits.isdigit() or len(digits) < _SHORTEST_PART:
        return False
    return text.endswith(digits) if text.isdigit() else digits in text


def _fits(masked: str, number: str) -> bool:
    """Return whether a masked text, such as ``7900***0002``, may stand for ``number``."""
    # The mask may hide an extension behind a whole number: 79000000002***
    shown = masked.partition(_MASK)[0]
    if len(shown) >= _NATIONAL_LENGTH and is_same_number(shown, number):
        return True
    pattern = re.compile(r"\w*".join(map(re.escape, re.split(r"\*+", masked))))
    return any(map(pattern.fullmatch, _variants(number)))


def _masks_agree(first: str, second: str) -> bool:
    """Return whether two masked texts, such as ``7900***0002``, may stand for the same number."""
    (begin, *ends), (other_begin, *other_ends) = (re.split(r"\*+", text) for text in (first, second))
    for shown, masked in ((begin, second), (other_begin, first)):
        # The mask may hide an extension behind a whole number: 79000000002***
        if len(shown) >= _NATIONAL_LENGTH and _fits(masked, shown):
            return True
    begins_agree = any(
        one.startswith(other) or other.startswith(one)
        for one in _begins(begin)
        for other in _begins(other_begin)
    )
    # Tones behind a number may follow a further *: 7900***0002*5
    return begins_agree and any(
        one.endswith(other) or other.endswith(one) for one in ends for other in other_ends
    )


def _begins(shown: str) -> set[str]:
    """Return what the other spellings of a number may show, if one spelling begins with ``shown``.

    The country code may be missing. It may also be hidden in part, so that nothing is known of the rest. In
    Russia, an 8 may stand for the country code, and in other countries a 0 may come before the number.
    """
    begins = {shown, shown.removeprefix("8")}
    begins |= {begin.lstrip("0") for begin in begins}  # 00 49 151, 0 151, and in Belarus 8 0 29
    return begins.union(*map(_without_country_code, begins))


def _without_country_code(shown: str) -> set[str]:
    national = {shown[length:] for length in (1, 2, 3) if is_country_code(shown[:length])}
    return national or ({""} if len(shown) < _LONGEST_COUNTRY_CODE else set())


def _variants(signs: str) -> set[str]:
    """Return four spellings of a number: unchanged, its last ten digits, and these with 7 or 8 in front."""
    national = signs[-_NATIONAL_LENGTH:]  # Russian numbers are written with each of these prefixes
    return {signs, national, f"7{national}", f"8{national}"}


def _signs(number: str | None) -> str:
    """Return the digits and letters of a phone number or SIP number, with ``*`` for each masked digit."""
    if number and number.isascii() and number.isdigit():
        return number
    text = (number or "").lower()
    if (dot := re.search(r"[.,]", text)) and _TONES.fullmatch(text, dot.start()):
        text = text[: dot.start()]
    if not re.search(r"[^\W\d_xх]", text):  # no letter but the Latin and the Russian x
        text = re.sub(r"[xх•·#_?…]", _MASK, text)
    return re.sub(r"[^\w*]|_", "", text)


def _all_signs(address: str | None) -> str:
    """Return the letters (in lower case) and digits of a SIP number: ``sip25examplecom``."""
    return re.sub(r"\W|_", "", (address or "").lower())
