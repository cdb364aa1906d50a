"""The generous reader of phone numbers. It finds every number that a cell of a do-not-call list may mean.

The reader prefers to find too many numbers. If the reader finds a number that the cell does not mean, one
more person is not called. If the reader misses a number, a person is called who must not be called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from airflow_provider_callapi.api.values.number_text import FEWEST_DIGITS, count_digits, fold
from airflow_provider_callapi.calls.phone_numbers.comparison import contact_key
from airflow_provider_callapi.calls.phone_numbers.digit_groups import (
    other_readings,
    read_other_signs,
    read_text,
    without_extensions,
)
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.phone_numbers.shortened import has_shortened
from airflow_provider_callapi.calls.phone_numbers.strict import MASKED, read_contact
from airflow_provider_callapi.calls.phone_numbers.suspicious import refuse_suspicious

_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9_.*#-])(?P<address>[A-Za-z0-9_.*#-]+(?:@[A-Za-z0-9_.*#-]+)+)"
    r"(?::\d{1,5}(?![\s().~/-]*\d))?"
)
"""Matches a SIP number ``name@domain`` and its port, without the ``sip:`` and ``<`` before the address."""
_SIP_SIGN = re.compile("[A-Za-z@*#]")
"""Matches the characters of which each SIP number has at least one."""
_SIP_WORD = re.compile(r"(?<!\w)(?=\S*[A-Za-z])(?=\S*[0-9])[A-Za-z0-9_.*#-]+(?!\w)")
_AROUND = "_.*#-"
"""The characters of a SIP number that may also be punctuation around the address."""


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
        return frozenset((only,)) if text == only else frozenset((only, *other_readings(text, region)))
    sip_numbers, rest = _split_sip_numbers(text, region)
    if any("*" in number for number in sip_numbers):
        raise NotANumber(MASKED)
    if sip_numbers:
        # Digits beside an address may be a mistyped phone number, so the rest must be readable by itself.
        beside = find_numbers(rest, region) if re.search(r"\d", rest) else frozenset()
        return sip_numbers | _search_digits(text, region) | beside
    plain = without_extensions(text)
    refuse_suspicious(text, plain, region)
    reading = read_text(plain, region)
    if reading.unread > (FEWEST_DIGITS - 1 if any(map(str.isalpha, plain)) else 0):
        raise NotANumber("digits that are not a phone number")
    if has_shortened(reading.rest):
        raise NotANumber("a second number without its first digits; write each number whole")
    found = reading.numbers.union(read_other_signs(plain, region))
    if not found:
        raise NotANumber("no phone number")
    return found.union(_sip_words(plain, region))


def search_numbers(text: str, region: str) -> frozenset[str]:
    """Return the phone numbers with seven or more digits in a text, and ignore the rest of the text.

    Unlike `find_numbers`, the function raises no error for digits that are no phone number.

    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country.
    """
    return _search_digits(text, region) | _split_sip_numbers(text, region)[0]


def numbers_in_sip(sip: str, region: str) -> frozenset[str]:
    """Return the phone numbers that the name of a SIP number may mean, as E.164 digits.

    Example: ``8-926-000-00-01@example.com`` may mean ``79260000001``.

    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country.
    """
    name = sip.partition("@")[0]
    return _search_digits(re.sub(r"[\W_]", " ", name), region)


def _search_digits(text: str, region: str) -> frozenset[str]:
    if count_digits(text) < FEWEST_DIGITS:
        return frozenset()
    plain = without_extensions(text)
    return read_text(plain, region).numbers.union(read_other_signs(plain, region))


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


def _read_strictly(text: str, region: str) -> str | None:
    try:
        return read_contact(text, region)
    except NotANumber:
        return None
