"""Reads the phone numbers in a text whose digits have gaps, and shows which digits belong to no number.

The generous reader tries every way to join groups of digits that stand side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, takewhile
from typing import NamedTuple

from airflow_provider_callapi.api.values.number_text import FEWEST_DIGITS, count_digits, fold, only_digits
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import (
    NumberingPlan,
    e164,
    read_digits,
    read_international,
)
from airflow_provider_callapi.calls.phone_numbers.strict import EXTENSION_WORD

_MOST_DIGITS = 15
_WHOLE_DIGITS = 10
"""The number of digits without a gap from which digits count as a whole phone number."""
READ = "\0"
"""Stands for a group of digits that belongs to a phone number."""
_FRACTION = re.compile(r"(?<=\d{5})(?:\.0+(?!\.?\d)|,0+(?!\d))")
_EXTENSION = re.compile(rf"(?:{EXTENSION_WORD}|[xх#])[\s.:№=]*\d{{1,6}}(?!\d)", re.IGNORECASE)
_SEGMENT = re.compile(r"\+?[\d\s().~/-]*\d[\d\s().~/-]*")
_OTHER_SIGNS = re.compile(r"\d+(?:[\W_]\d+)+")
"""Matches digits with any one sign between them, such as ``8_926_000_00_01`` and ``79,260,000,001``."""
_GAP_BEFORE_END = re.compile(r"[\s-]+\d{1,4}$")


def without_extensions(text: str) -> str:
    """Return a text in plain characters, without the extensions and the fractions of numbers.

    Example: ``8 (495) 123-45-67 ext. 12`` becomes ``8 (495) 123-45-67  ; ``.
    """
    return _EXTENSION.sub(" ; ", _FRACTION.sub("", fold(text)))


def readings(digits: str, region: str) -> set[str]:
    """Return the phone numbers that digits without a gap can mean, as E.164 digits.

    Fewer than `FEWEST_DIGITS` digits mean no phone number.

    :param region: ISO 3166 code of a country. Digits without a country code belong to this country.
    """
    if len(digits) < FEWEST_DIGITS:
        return set()
    national = read_digits(digits, region)
    return {*_read_as_international(digits), *([national] if national else [])}


def other_readings(text: str, region: str) -> Iterator[str]:
    """Yield the phone numbers that a text can mean: with all its digits, and without an extension.

    Digits behind the last gap can be an extension.
    """
    plain = _FRACTION.sub("", fold(text))
    yield from readings(only_digits(plain), region)
    # If all numbers of the region have one length, no digit of a valid number belongs to an extension.
    if not NumberingPlan.of(region).has_one_length and (match := _GAP_BEFORE_END.search(plain)):
        yield from readings(only_digits(plain[: match.start()]), region)


class Reading(NamedTuple):
    """What the digits of a text are.

    :ivar numbers: the phone numbers in the text, as E.164 digits.
    :ivar rest: the text with `READ` in place of each group of digits that belongs to a phone number.
    :ivar unread: the largest number of digits side by side, also with spaces, hyphens and the like between
        them, that belong to no phone number.
    """

    numbers: frozenset[str]
    rest: str
    unread: int


def read_text(text: str, region: str) -> Reading:
    """Find the phone numbers in a text that is split at signs such as ``;``.

    :param text: the text as `without_extensions` returns it.
    :param region: ISO 3166 code of a country. Digits without a country code belong to this country.
    """
    found: set[str] = set()
    rest, unread = text, 0
    for segment in _split_at_slashes(_SEGMENT.findall(text)):
        numbers, left = _read_segment(segment, region)
        found |= numbers
        rest = rest.replace(segment, left, 1)
        unread = max(unread, *map(count_digits, left.split(READ)))
    return Reading(frozenset(found), rest, unread)


def read_other_signs(text: str, region: str) -> Iterator[str]:
    """Yield the phone numbers with a sign inside at which `read_text` splits: ``8_926_000_00_01``.

    :param text: the text as `without_extensions` returns it.
    :param region: ISO 3166 code of a country. Digits without a country code belong to this country.
    """
    for segment in _SEGMENT.findall(text):
        if "/" in segment:  # a slash may also be inside a number that stands beside another one
            yield from _read_segment(segment, region)[0]
    for match in _OTHER_SIGNS.finditer(text):
        groups = re.findall(r"\d+", match[0])
        for first in range(len(groups)):
            for joined in takewhile(_is_short, accumulate(groups[first : first + _MOST_DIGITS])):
                if len(joined) >= FEWEST_DIGITS and (number := read_digits(joined, region)):
                    yield number


def _is_short(digits: str) -> bool:
    return len(digits) <= _MOST_DIGITS


def _read_as_international(digits: str) -> Iterator[str]:
    """Yield the phone numbers that ``digits`` can mean if they begin with a country code."""
    number = read_international(digits, has_trunk_zero=True)
    if number is None:
        return
    yield e164(number)
    code = str(number.country_code)
    if digits.startswith(f"{code}0") and (other := read_international(code + digits[len(code) + 1 :])):
        yield e164(other)  # in Italy, the 0 of +39 (0) may or may not belong to the number


def _split_at_slashes(segments: list[str]) -> Iterator[str]:
    """Split texts at the slashes that separate phone numbers, but not at slashes inside one number."""
    for segment in segments:
        parts = segment.split("/")  # 8926000/8926001 is two numbers, 8/926/0000011 is one
        has_numbers = any(count_digits(part) >= FEWEST_DIGITS for part in parts[:-1])
        yield from parts if has_numbers else [segment]


def _read_segment(segment: str, region: str) -> tuple[set[str], str]:
    """Return the phone numbers in a text, and the text without the digits of these numbers.

    The character `READ` replaces each group of these digits.
    """
    groups = re.findall(r"\d+", segment)
    spans: dict[str, range] = {}  # phone number → the positions of its groups
    covered: set[int] = set()
    for first in range(len(groups)):
        joined = ""
        for last in range(first, len(groups)):
            joined += groups[last]
            if len(joined) > _MOST_DIGITS:
                break
            for number in readings(joined, region):
                span = range(first, last + 1)
                spans.setdefault(number, span)
                covered.update(span)
    found = {*spans, *_foreign_ends(spans, groups, region)}
    # Joined with its neighbours, a mistyped number may become a valid number of someone else.
    covered -= {number for number, group in enumerate(groups) if _is_spoilt(group, region)}
    left = iter([READ if number in covered else group for number, group in enumerate(groups)])
    return found, re.sub(r"\d+", lambda _: next(left), segment)


def _foreign_ends(spans: Mapping[str, range], groups: Sequence[str], region: str) -> Iterator[str]:
    # Example: `8 (916) 736-67-79 - 37` may be one foreign number, +91 67366 77937 (India), or show only the
    # last digits of a second number, 8 (916) 736-67-37, which this function yields. `spans`: each number that
    # was read → positions of its digits in `groups`, the runs of digits.
    code = NumberingPlan.of(region).country_code
    of_region = {number: span for number, span in spans.items() if number.startswith(code)}
    covered = {position for span in spans.values() for position in span}
    for number, span in of_region.items():
        behind = {position for position in covered if position > span[-1]}
        of_others = (other for other in of_region.values() if set(other).isdisjoint(span))
        for position in behind.difference(*of_others):
            shortened = number[: -len(groups[position])] + groups[position]
            if read_international(shortened):
                yield shortened


def _is_spoilt(group: str, region: str) -> bool:
    """Return whether a group of digits is as long as a phone number, but is not a valid phone number."""
    return len(group) >= _WHOLE_DIGITS and not readings(group, region)
