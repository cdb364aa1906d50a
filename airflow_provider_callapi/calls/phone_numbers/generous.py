"""The generous reader of phone numbers. It finds every number that a cell of a do-not-call list may mean.

The reader prefers to find too many numbers. If the reader finds a number that the cell does not mean, one
more person is not called. If the reader misses a number, a person is called who must not be called.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise, takewhile

from airflow_provider_callapi.api.number_text import fold
from airflow_provider_callapi.calls.phone_numbers.comparison import contact_key
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import (
    ROUNDED,
    NotANumber,
    NumberingPlan,
    e164,
    may_be_longer,
    read_digits,
    read_international,
)
from airflow_provider_callapi.calls.phone_numbers.strict import (
    MASKED,
    read_contact,
    refuse_rounded_float,
)

_MOST_DIGITS = 15
RANGE = "this may be a range of numbers; write each number, separated by commas"
"""What is wrong with a text such as ``79260000001 – 79260000009``, and what to do."""
FEWEST_DIGITS = 7
"""The smallest number of digits of a phone number beside words.

Fewer digits may be a house number or a date.
"""
_WHOLE_DIGITS = 10
"""The number of digits without a gap from which digits count as a whole phone number."""
_FRACTION = re.compile(r"(?<=\d{5})(?:\.0+(?!\.?\d)|,0+(?!\d))")
_EXPONENT = re.compile(r"\d[.,]?\d*[eEеЕ][+-]?(\d+)")
_EXTENSION = re.compile(r"(?:доб\w*|вн\w*|ext\w*|[xх#])[\s.:№=]*\d{1,6}(?!\d)", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9_.*#-])(?P<address>[A-Za-z0-9_.*#-]+(?:@[A-Za-z0-9_.*#-]+)+)"
    r"(?::\d{1,5}(?![\s().~/-]*\d))?"
)
"""Matches a SIP address ``name@domain`` and its port, without the ``sip:`` and ``<`` before the address."""
_SIP_SIGN = re.compile("[A-Za-z@*#]")
"""Matches the characters of which each SIP number has at least one."""
_SIP_WORD = re.compile(r"(?<!\w)(?=\S*[A-Za-z])(?=\S*[0-9])[A-Za-z0-9_.*#-]+(?!\w)")
_AROUND = "_.*#-"
"""The characters of a SIP address that may also be punctuation around the address."""
_AND = r"\b(?:[иійyei]|или|либо|также|та|және|and|or|und|oder|plus|плюс|oraz|et|ve|va)\b"
_UNTIL = r"\b(?:по|до|через|to|till|until|through|thru|bis)\b"
_READ = "\0"
"""Stands for a group of digits that belongs to a phone number."""
_SIGNS = rf"(?:[^\w{_READ}]|_)*"
_SHORTENED = re.compile(
    rf"{_READ}(?:[-*_/\\]\d{{1,6}}(?!\d)"
    rf"|{_SIGNS}(?:(?:\b[аa]\s+)?{_AND}(?:\s+(?:ещ[её]|на))*\s*|(?<=\s){_UNTIL}[\s-]*)?"
    rf"\d{{1,6}}\s*(?:$|[,;/&()|]|{_AND}))",
    re.IGNORECASE,
)
"""Matches the last digits of a second number behind a first one: ``, 02`` in ``8 926 000-00-01, 02``."""
_OTHER_SIGNS = re.compile(r"\d+(?:[\W_]\d+)+")
"""Matches digits with any one sign between them, such as ``8_926_000_00_01`` and ``79,260,000,001``."""
_ENDING = re.compile(rf"(?<![\d{_READ}])(?<!\d[:.,/])\d+(?:[ -]\d+)*(?![:.,/]?\d)")
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
_LONGEST_WORD, _LONGEST_NUMBER = 20, 40
"""The longest word and number before a sign, in characters. A search in a long text would take long."""
_WHOLE_LOCAL = 5
"""The number of digits from which digits may be a phone number without its area code: ``65-43-21``."""
_LIST_SIGNS = r",;|/\\&+().*•·\"'-"
_TO = re.compile(
    rf"\.{{2,}}|\s-+\s|(?<=\d{{7}})-(?=\+?\d{{7}})|{_UNTIL}|-*(?:[^\w\s{_LIST_SIGNS}]|_)+", re.IGNORECASE
)
"""Matches what may stand between the two ends of a range: ``79260000001..79260000009``.

Every sign may do so, except the signs that separate the numbers of a list.
"""
_BOUNDS = re.compile(r"\[\s*\d+\s*,\s*\d+\s*\)|\(\s*\d+\s*,\s*\d+\s*\]")
"""Matches a range as PostgreSQL writes it: ``[79260000001,79260000009)``."""
_CUT = re.compile(r"\d(?=\s?(?:\.{2,}|[…?%]|ff\b)|[⁰¹²³⁴-⁹]|-\s*$)")
"""Matches the last digit before a sign that may stand for further digits: ``+43 664 12345...``."""
_AT_END, _AT_BEGIN = re.compile(r"\d[\d\s().-]*$"), re.compile(r"[\s+(]*\d[\d\s().-]*")
_GAP_BEFORE_END = re.compile(r"[\s-]+\d{1,4}$")
_LOOK_ALIKE = str.maketrans("OoОоЗзIlІ", "000033111")
"""Letter → the digit for which people mistype the letter, or for which a scanner takes it."""
_MISTYPED = re.compile(r"(?<![^\W_])(?:[\dOoОоЗзIlІ][\s().-]*){7,15}(?![^\W_])")
_SEGMENT = re.compile(r"\+?[\d\s().~/-]*\d[\d\s().~/-]*")


def find_numbers(text: str, region: str) -> frozenset[str]:
    """Return every number that a text contains: E.164 digits, and SIP numbers as `contact_key` returns them.

    - If a number can be read in two ways, the result contains both readings.
    - If the whole text is a SIP number, the result contains this SIP number.
    - If a part of the text is a SIP number with a domain, ``name@domain``, the result contains this SIP
      number.
    - If a word beside a phone number is a SIP number, such as ``sip25``, the result contains this SIP number.
    - If the name before ``@`` is a phone number, the result contains this phone number, too.

    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country.
    :raises NotANumber: the text contains no number, or digits that seem to be a mistyped number.
    """
    only = _read_strictly(text, region)
    if only is not None and only.isdigit():
        return frozenset((only,)) if text == only else frozenset((only, *_other_readings(text, region)))
    sip_numbers, rest = _split_sip_numbers(text, region)
    if any("*" in number for number in sip_numbers):
        raise NotANumber(MASKED)
    if sip_numbers:
        # Digits beside an address may be a mistyped phone number, so the rest must be readable by itself.
        beside = find_numbers(rest, region) if re.search(r"\d", rest) else frozenset()
        return sip_numbers | _search_digits(text, region) | beside
    if _EXPONENT.search(text):
        raise NotANumber(ROUNDED)
    refuse_rounded_float(text.strip())
    plain = _without_extensions(text)
    if _may_be_range(plain, region):
        raise NotANumber(RANGE)
    ends = (match.end() for match in _CUT.finditer(plain))
    if any(_is_cut(plain[max(0, end - _LONGEST_NUMBER) : end], region) for end in ends):
        raise NotANumber(MASKED)
    if any(_is_mistyped(match[0], region) for match in _MISTYPED.finditer(plain)):
        raise NotANumber("a letter instead of a digit, such as O for 0")
    most_left = FEWEST_DIGITS - 1 if any(map(str.isalpha, plain)) else 0
    found: set[str] = set()
    rest = plain
    for segment, numbers, left in _read_segments(plain, region):
        found |= numbers
        if _longest_sequence(left) > most_left:
            raise NotANumber("digits that are not a phone number")
        rest = rest.replace(segment, left, 1)
    if _SHORTENED.search(rest):
        raise NotANumber("a second number without its first digits; write each number whole")
    found.update(_read_other_signs(plain, region))
    if not found:
        raise NotANumber("no phone number")
    return frozenset(found).union(_sip_words(plain, region))


def search_numbers(text: str, region: str) -> frozenset[str]:
    """Return the phone numbers with seven or more digits in a text, and ignore the rest of the text.

    Unlike `find_numbers`, the function raises no error for digits that are no phone number.

    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country.
    """
    return _search_digits(text, region) | _split_sip_numbers(text, region)[0]


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
    rest = _without_extensions(text)
    for segment, _, left in _read_segments(rest, region):
        rest = rest.replace(segment, left, 1)
    ends = {re.sub(r"\D", "", match[0]) for match in _ENDING.finditer(rest) if _may_be_end(match, rest)}
    completed = {number[: -len(end)] + end for number in numbers if number.isdigit() for end in ends}
    return frozenset(number for number in completed if read_international(number) is not None)


def numbers_in_sip(sip: str, region: str) -> frozenset[str]:
    """Return the phone numbers that the name of a SIP number may mean, as E.164 digits.

    Example: ``8-926-000-00-01@example.com`` may mean ``79260000001``.

    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country.
    """
    name = sip.partition("@")[0]
    return _search_digits(re.sub(r"[\W_]", " ", name), region)


def is_rounded_number(text: str, region: str) -> bool:
    """Return whether a text may be a phone number in the short form of a spreadsheet.

    Example: ``7,926E+10`` in Russia. The last digits of the phone number are lost. The result is True if the
    number has as many digits as the country code and a national number of the region together.

    :param region: ISO 3166 code of the country.
    """
    match = _EXPONENT.fullmatch(fold(text))
    if match is None or len(match[1]) > 2:
        return False
    plan = NumberingPlan.of(region)
    return int(match[1]) + 1 - len(plan.country_code) in plan.lengths


def _search_digits(text: str, region: str) -> frozenset[str]:
    if sum(map(str.isdecimal, text)) < FEWEST_DIGITS:
        return frozenset()
    plain = _without_extensions(text)
    found = (numbers for _, numbers, _ in _read_segments(plain, region))
    return frozenset(_read_other_signs(plain, region)).union(*found)


def _read_other_signs(plain: str, region: str) -> Iterator[str]:
    for segment in _SEGMENT.findall(plain):
        if "/" in segment:  # a slash may also be inside a number that stands beside another one
            yield from _read_segment(segment, region)[0]
    for match in _OTHER_SIGNS.finditer(plain):
        groups = re.findall(r"\d+", match[0])
        for first in range(len(groups)):
            for joined in takewhile(_is_short, accumulate(groups[first : first + _MOST_DIGITS])):
                if len(joined) >= FEWEST_DIGITS and (number := read_digits(joined, region)):
                    yield number


def _is_short(digits: str) -> bool:
    return len(digits) <= _MOST_DIGITS


def _may_be_end(match: re.Match[str], text: str) -> bool:
    """Return whether the digits of ``match`` are possibly the last digits of a phone number."""
    length = len(re.sub(r"\D", "", match[0]))
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


def _split_sip_numbers(text: str, region: str) -> tuple[frozenset[str], str]:
    """Return the SIP numbers in a text, and the rest of the text.

    If the name before ``@`` is a phone number, the set contains the SIP number, and also this phone number.
    """
    if not _SIP_SIGN.search(text):
        return frozenset(), text
    found: set[str] = set()

    def remove(match: re.Match[str]) -> str:
        written = match["address"]
        # No contact can be an address that the strict reader refuses, such as an e-mail without a digit.
        addresses = {each for each in (written, written.strip(_AROUND)) if _read_strictly(each, region)}
        for address in addresses:
            found.update({contact_key(address)}, numbers_in_sip(address, region))
        return " ; " if addresses else match[0]

    only = _read_strictly(text, region)
    if only is not None and not only.isdigit():
        bare = _read_strictly(only.strip(_AROUND), region)  # sip25@x.ru. at the end of a sentence
        return frozenset(map(contact_key, filter(None, (only, bare)))) | numbers_in_sip(only, region), ""
    rest = _ADDRESS.sub(remove, fold(text)) if "@" in text else text
    return frozenset(found), rest


def _sip_words(text: str, region: str) -> Iterator[str]:
    """Yield the words of a text that are SIP numbers with a letter and a digit, such as ``sip25``."""
    for word in _SIP_WORD.findall(text):
        sip = _read_strictly(word.strip(_AROUND), region)
        if sip is not None and not sip.isdigit():
            yield contact_key(sip)


def _without_extensions(text: str) -> str:
    return _EXTENSION.sub(" ; ", _FRACTION.sub("", fold(text)))


def _read_strictly(text: str, region: str) -> str | None:
    try:
        return read_contact(text, region)
    except NotANumber:
        return None


def _other_readings(text: str, region: str) -> Iterator[str]:
    """Yield the phone numbers that a text can mean: with all its digits, and without an extension.

    Digits behind the last gap can be an extension.
    """
    plain = _FRACTION.sub("", fold(text))
    yield from _readings(re.sub(r"\D", "", plain), region)
    # If all numbers of the region have one length, no digit of a valid number belongs to an extension.
    if not NumberingPlan.of(region).has_one_length and (match := _GAP_BEFORE_END.search(plain)):
        yield from _readings(re.sub(r"\D", "", plain[: match.start()]), region)


def _may_be_range(text: str, region: str) -> bool:
    """Return whether a text may mean all numbers between two numbers: ``79260000001 по 79260000009``."""
    if _BOUNDS.search(text):
        return True
    for before, after in pairwise(_TO.split(text)):
        first, last = _AT_END.search(before), _AT_BEGIN.match(after)
        if first and last:
            ends = [_readings(re.sub(r"\D", "", end[0]), region) for end in (first, last)]
            if all(ends) and min(map(int, ends[0])) < min(map(int, ends[1])):
                return True
    return False


def _is_cut(text: str, region: str) -> bool:
    """Return whether a text ends in digits that are a phone number, and with more digits another one."""
    end = _AT_END.search(text)
    return end is not None and any(map(may_be_longer, _readings(re.sub(r"\D", "", end[0]), region)))


def _is_mistyped(text: str, region: str) -> bool:
    """Return whether letters in a text seem to be mistyped digits of a phone number: ``7926O000001``."""
    digits = re.sub(r"\D", "", text)
    meant = re.sub(r"\D", "", text.translate(_LOOK_ALIKE))
    return digits != meant and not _readings(digits, region) and bool(_readings(meant, region))


def _split_at_slashes(segments: list[str]) -> Iterator[str]:
    """Split texts at the slashes that separate phone numbers, but not at slashes inside one number."""
    for segment in segments:
        parts = segment.split("/")  # 8926000/8926001 is two numbers, 8/926/0000011 is one
        has_numbers = any(len(re.findall(r"\d", part)) >= FEWEST_DIGITS for part in parts[:-1])
        yield from parts if has_numbers else [segment]


def _read_as_international(digits: str) -> Iterator[str]:
    """Yield the phone numbers that ``digits`` can mean if they begin with a country code."""
    number = read_international(digits, has_trunk_zero=True)
    if number is None:
        return
    yield e164(number)
    code = str(number.country_code)
    if digits.startswith(f"{code}0") and (other := read_international(code + digits[len(code) + 1 :])):
        yield e164(other)  # in Italy, the 0 of +39 (0) may or may not belong to the number


def _read_segments(text: str, region: str) -> Iterator[tuple[str, set[str], str]]:
    """Split a text at signs such as ``;``. Yield (part, its phone numbers, the part without their digits).

    `_read_segment` reads each part.
    """
    for segment in _split_at_slashes(_SEGMENT.findall(text)):
        yield segment, *_read_segment(segment, region)


def _read_segment(segment: str, region: str) -> tuple[set[str], str]:
    """Return the phone numbers in a text, and the text without the digits of these numbers.

    The character `_READ` replaces each group of these digits.
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
            for number in _readings(joined, region):
                span = range(first, last + 1)
                spans.setdefault(number, span)
                covered.update(span)
    found = {*spans, *_foreign_ends(spans, groups, region)}
    # Joined with its neighbours, a mistyped number may become a valid number of someone else.
    covered -= {number for number, group in enumerate(groups) if _is_spoilt(group, region)}
    left = iter([_READ if number in covered else group for number, group in enumerate(groups)])
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


def _longest_sequence(unread: str) -> int:
    """Return the length of the longest run of digits that belongs to no phone number."""
    # In `unread`, `_READ` stands in place of each digit of the phone numbers that were found. Characters
    # between two digits, such as spaces, neither count nor end the run.
    return max(map(len, re.sub(rf"[^\d{_READ}]", "", unread).split(_READ)))


def _is_spoilt(group: str, region: str) -> bool:
    """Return whether a group of digits is as long as a phone number, but is not a valid phone number."""
    return len(group) >= _WHOLE_DIGITS and not _readings(group, region)


def _readings(digits: str, region: str) -> set[str]:
    if len(digits) < FEWEST_DIGITS:
        return set()
    national = read_digits(digits, region)
    return {*_read_as_international(digits), *([national] if national else [])}
