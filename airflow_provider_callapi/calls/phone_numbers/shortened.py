"""Finds and completes shortened phone numbers: the last digits of a second number behind a whole one."""

from __future__ import annotations

import re
from collections.abc import Collection

from airflow_provider_callapi.api.values.number_text import FEWEST_DIGITS, count_digits, only_digits
from airflow_provider_callapi.calls.phone_numbers.digit_groups import (
    READ,
    read_text,
    without_extensions,
)
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import read_international
from airflow_provider_callapi.calls.phone_numbers.suspicious import UNTIL

_AND = r"\b(?:[иійyei]|или|либо|также|та|және|and|or|und|oder|plus|плюс|oraz|et|ve|va)\b"
_SIGNS = rf"(?:[^\w{READ}]|_)*"
_SHORTENED = re.compile(
    rf"{READ}(?:[-*_/\\]\d{{1,6}}(?!\d)"
    rf"|{_SIGNS}(?:(?:\b[аa]\s+)?{_AND}(?:\s+(?:ещ[её]|на))*\s*|(?<=\s){UNTIL}[\s-]*)?"
    rf"\d{{1,6}}\s*(?:$|[,;/&()|]|{_AND}))",
    re.IGNORECASE,
)
"""Matches the last digits of a second number behind a first one: ``, 02`` in ``8 926 000-00-01, 02``."""
_ENDING = re.compile(rf"(?<![\d{READ}])(?<!\d[:.,/])\d+(?:[ -]\d+)*(?![:.,/]?\d)")
"""Matches digits that may be the end of a phone number, but not a date or a time."""
_NAME_BEFORE = re.compile(r"(?:\b[A-ZА-ЯЁ]\w*[\s:-]{1,3}|[*…-]\s?|\.\.)$")
_NAME_BEHIND = re.compile(r"\s*[(-]?\s?[A-ZА-ЯЁ]\w")
_EXPLAINED_BEFORE = re.compile(
    r"(?:\b(?:д|дом|кв|корп\w*|стр\w*|эт\w*|оф\w*|каб\w*|под\w*|дог\w*|заказ\w*|сч[её]т\w*|ул"
    r"|от|до|[свк]|со|по|на|после|flat|house|apt|room|order|age|from|to|till|until|at)\b[\s.:]*|[№#]\s*"
    r"|[^\W\d_])$",
    re.IGNORECASE,
)
_EXPLAINED_BEHIND = re.compile(
    r"\s*(?:%|(?:лет|год|раз|руб|час|мин|дн|день|янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек|этаж"
    r"|times|years|days|hours)|(?:г|р|ч|эт|шт|am|pm)\b)",
    re.IGNORECASE,
)
"""Match words beside digits that are a house number, a time or a count, or a letter before, as in sip25."""
_LONGEST_WORD = 20
"""The longest word before a sign, in characters. A search in a long text would take long."""
_WHOLE_LOCAL = 5
"""The number of digits from which digits may be a phone number without its area code: ``65-43-21``."""


def has_shortened(rest: str) -> bool:
    """Return whether a text contains the last digits of a second number behind a first one.

    :param rest: the text without the digits of the numbers that were found, see `Reading`.
    """
    return _SHORTENED.search(rest) is not None


def complete_numbers(text: str, numbers: Collection[str], region: str) -> frozenset[str]:
    """Return the complete phone numbers for the shortened numbers in a text.

    Example: in ``Anna 8 926 000-00-01, Boris 02``, the digits ``02`` may be the end of a second number, so
    the function returns ``79260000002``. A word beside such digits, such as ``house`` or ``years``, can show
    that they are no end of a number. But digits are always taken for the end of a number in these cases:

    - The digits begin with a zero.
    - A name or a sign such as ``…`` is before the digits.
    - A name is behind the digits.
    - The digits are at least as many as those of a local phone number.

    :param numbers: the phone numbers that `find_numbers` has found in the text.
    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country.
    """
    if not any(map(str.isalpha, text)):
        return frozenset()
    rest = read_text(without_extensions(text), region).rest
    ends = {only_digits(match[0]) for match in _ENDING.finditer(rest) if _may_be_end(match, rest)}
    completed = {number[: -len(end)] + end for number in numbers if number.isdigit() for end in ends}
    return frozenset(number for number in completed if read_international(number) is not None)


def _may_be_end(match: re.Match[str], text: str) -> bool:
    """Return whether the digits of ``match`` are possibly the last digits of a phone number."""
    length = count_digits(match[0])
    return length < FEWEST_DIGITS and (
        length >= _WHOLE_LOCAL
        or match[0].startswith("0")
        or _NAME_BEFORE.search(text, 0, match.start()) is not None
        or _NAME_BEHIND.match(text, match.end()) is not None
        or not _is_explained(match, text)
    )


def _is_explained(match: re.Match[str], text: str) -> bool:
    before, behind = match.span()
    word = text[max(0, before - _LONGEST_WORD) : before]  # a search in a long text would take long
    return bool(_EXPLAINED_BEFORE.search(word) or _EXPLAINED_BEHIND.match(text, behind))
