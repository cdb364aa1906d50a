"""Refuses digits that seem to be a phone number, but do not show the whole number.

Examples: a range of numbers, a number that is cut, or a letter in place of a digit.
"""

from __future__ import annotations

import re
from itertools import pairwise

from airflow_provider_callapi.api.values.number_text import fold, only_digits
from airflow_provider_callapi.calls.phone_numbers.digit_groups import readings
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import (
    ROUNDED,
    NotANumber,
    NumberingPlan,
    may_be_longer,
)
from airflow_provider_callapi.calls.phone_numbers.strict import MASKED, SHORT_FORM, refuse_rounded_float

RANGE = "this may be a range of numbers; write each number, separated by commas"
"""What is wrong with a text such as ``79260000001 – 79260000009``, and what to do."""
UNTIL = r"\b(?:по|до|через|to|till|until|through|thru|bis)\b"
"""Matches the words between the two ends of a range, such as ``till``."""
_LIST_SIGNS = r",;|/\\&+().*•·\"'-"
_TO = re.compile(
    rf"\.{{2,}}|\s-+\s|(?<=\d{{7}})-(?=\+?\d{{7}})|{UNTIL}|-*(?:[^\w\s{_LIST_SIGNS}]|_)+", re.IGNORECASE
)
"""Matches what may stand between the two ends of a range: ``79260000001..79260000009``.

Every sign may do so, except the signs that separate the numbers of a list.
"""
_BOUNDS = re.compile(r"\[\s*\d+\s*,\s*\d+\s*\)|\(\s*\d+\s*,\s*\d+\s*\]")
"""Matches a range as PostgreSQL writes it: ``[79260000001,79260000009)``."""
_CUT = re.compile(r"\d(?=\s?(?:\.{2,}|[…?%]|ff\b)|[⁰¹²³⁴-⁹]|-\s*$)")
"""Matches the last digit before a sign that may stand for further digits: ``+43 664 12345...``."""
_AT_END, _AT_BEGIN = re.compile(r"\d[\d\s().-]*$"), re.compile(r"[\s+(]*\d[\d\s().-]*")
_LONGEST_NUMBER = 40
"""The longest number before a sign, in characters. A search in a long text would take long."""
_LOOK_ALIKE = str.maketrans("OoОоЗзIlІ", "000033111")
"""Letter → the digit for which people mistype the letter, or for which a scanner takes it."""
_MISTYPED = re.compile(r"(?<![^\W_])(?:[\dOoОоЗзIlІ][\s().-]*){7,15}(?![^\W_])")


def refuse_suspicious(text: str, plain: str, region: str) -> None:
    """Refuse a text in which a phone number seems to be damaged, or which may mean a range of numbers.

    :param plain: the text as `without_extensions` returns it.
    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country.
    :raises NotANumber: the text is refused.
    """
    if SHORT_FORM.search(text):
        raise NotANumber(ROUNDED)
    refuse_rounded_float(text.strip())
    if _may_be_range(plain, region):
        raise NotANumber(RANGE)
    ends = (match.end() for match in _CUT.finditer(plain))
    if any(_is_cut(plain[max(0, end - _LONGEST_NUMBER) : end], region) for end in ends):
        raise NotANumber(MASKED)
    if any(_is_mistyped(match[0], region) for match in _MISTYPED.finditer(plain)):
        raise NotANumber("a letter instead of a digit, such as O for 0")


def digits_meant(text: str) -> str:
    """Return the digits of a text, and the digits for which people may have mistyped letters: ``7926O01``."""
    return only_digits(text.translate(_LOOK_ALIKE))


def is_rounded_number(text: str, region: str) -> bool:
    """Return whether a text may be a phone number in the short form of a spreadsheet.

    Example: ``7,926E+10`` in Russia. The last digits of the phone number are lost. The result is True if the
    number has as many digits as the country code and a national number of the region together.

    :param region: ISO 3166 code of the country.
    """
    match = SHORT_FORM.fullmatch(fold(text))
    if match is None or len(match[2]) > 2:
        return False
    plan = NumberingPlan.of(region)
    return len(match[1]) + int(match[2]) - len(plan.country_code) in plan.lengths


def _may_be_range(text: str, region: str) -> bool:
    """Return whether a text may mean all numbers between two numbers: ``79260000001 по 79260000009``."""
    if _BOUNDS.search(text):
        return True
    for before, after in pairwise(_TO.split(text)):
        first, last = _AT_END.search(before), _AT_BEGIN.match(after)
        if first and last:
            ends = [readings(only_digits(end[0]), region) for end in (first, last)]
            if all(ends) and min(map(int, ends[0])) < min(map(int, ends[1])):
                return True
    return False


def _is_cut(text: str, region: str) -> bool:
    """Return whether a text ends in digits that are a phone number, and with more digits another one."""
    end = _AT_END.search(text)
    return end is not None and any(map(may_be_longer, readings(only_digits(end[0]), region)))


def _is_mistyped(text: str, region: str) -> bool:
    """Return whether letters in a text seem to be mistyped digits of a phone number: ``7926O000001``."""
    digits = only_digits(text)
    meant = digits_meant(text)
    return digits != meant and not readings(digits, region) and bool(readings(meant, region))
