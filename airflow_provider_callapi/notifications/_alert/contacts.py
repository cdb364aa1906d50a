"""Read the phone numbers of an alert: the people whom it calls, and the number from which it calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Set
from typing import Any

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.api.parameter_types import check_phone_or_sip
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.api.values.value_kinds import is_template_text
from airflow_provider_callapi.calls.lists.column_names import fold_name
from airflow_provider_callapi.calls.lists.columns import PHONE
from airflow_provider_callapi.calls.phone_numbers.comparison import SHOWN_NUMBER, contains_number
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber, is_region
from airflow_provider_callapi.calls.phone_numbers.request_numbers import read_numbers
from airflow_provider_callapi.calls.phone_numbers.strict import read_destination, refuse_octal
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.parameters.schema import as_invalid_parameter

_WRITTEN_LIST = re.compile(r"\s*(?:\[(.*)\]|\((\s*['\"].*)\)|\{(\s*['\"][^:]*)\})\s*", re.DOTALL)
"""Matches the text that a template makes of a list, tuple or set: ``['79260000001', '79260000002']``."""
_SEPARATORS = re.compile(r"[,;；|\t\r\n\u2028\u2029]")
_NUMBER_AMONG_WORDS = re.compile(r"(?<!\w)\+?[\d(][\d\s().\-\u2010-\u2015]*\d(?!\w)")
"""Matches the digits of a number beside words: ``+7 926 000-00-01`` in ``Anna: +7 926 000-00-01``."""
_ITEM = re.compile(r"\s*(?:\d{1,2}[.)]|[-*\u2022#])\s+")
"""Matches the begin of an item in a written list, such as ``1. ``."""
_SIGNS_AROUND = "\"'«»“”„<>{}[]"
"""The signs that a program or a person writes around a number."""
_DIGITS_OF_A_WHOLE_NUMBER = 10
"""The number of digits from which a word between blanks is a whole number, and not a part of one."""
_ANY_REGION = "RU"
"""The region with which a number is read if its region is unknown. Digits of this region are not added."""


def split_contacts(contact: Any) -> list[str]:
    """Return the phone numbers in the parameter ``contact`` as a list of texts, as the author wrote them.

    An entry of a list may contain several numbers, too.
    """
    parts = [
        number
        for entry in _entries(contact)
        for part in _split_text(str(entry))
        for number in _without_words(part)
    ]
    return [number for part in parts for number in _split_whole_numbers(part)]


def _split_text(text: str) -> list[str]:
    if written := _WRITTEN_LIST.fullmatch(text):
        text = re.sub(r"['\"]", "", written[1] or written[2] or written[3] or "")
    return [part for part in map(str.strip, _SEPARATORS.split(text)) if part]


def _without_words(text: str) -> list[str]:
    """Return the whole numbers beside words or quotes, such as those of ``Anna: 79260000001 (at night)``.

    If the text has other digits, too, such as an extension, or is a SIP number, the result is the text.
    """
    plain = _ITEM.sub("", text, count=1) if _ITEM.match(text) else text
    has_words = any(sign.isalpha() or sign in _SIGNS_AROUND for sign in plain) or plain.count("+") > 1
    if "@" in text or not (has_words or plain != text):
        return [text]
    numbers = _NUMBER_AMONG_WORDS.findall(plain)
    counts = [_count_digits(number) for number in numbers]
    is_all = numbers and sum(counts) == _count_digits(plain) and min(counts) >= _DIGITS_OF_A_WHOLE_NUMBER
    return numbers if is_all else [text]


def _count_digits(text: str) -> int:
    return len(re.findall(r"\d", text))


def _split_whole_numbers(text: str) -> list[str]:
    """Split a text with several whole numbers, such as ``79260000001 79260000002``. Leave any other whole."""
    words = re.split(r"[\s/]+", text)
    are_whole = all(_count_digits(word) >= _DIGITS_OF_A_WHOLE_NUMBER for word in words)
    return words if are_whole else [text]


def _entries(contact: Any) -> list[Any]:
    """Return the entries of the parameter ``contact`` as one flat list in calling order.

    The entries of a set are sorted. A template of a native DAG may give a dict, such as a row with the key
    ``phone``, or ``{"Anna": "79260000001"}``.
    """
    if isinstance(contact, Mapping):
        contact = _numbers_of(contact)
    if isinstance(contact, str) or not isinstance(contact, Collection):
        return [contact]
    # Each process orders a set in its own way. The alert's id and the positions of its people need one order.
    in_order = sorted(contact, key=str) if isinstance(contact, Set) else contact
    return [entry for part in in_order for entry in _entries(part)]


def _numbers_of(row: Mapping[Any, Any]) -> list[Any]:
    """Return the values of a dict that can be phone numbers, or its keys if all keys are whole numbers."""
    phones = [value for name, value in row.items() if fold_name(str(name)) == PHONE]
    if phones:
        return phones
    has_numbers_as_keys = all(_count_digits(str(key)) >= _DIGITS_OF_A_WHOLE_NUMBER for key in row)
    return [*row] if has_numbers_as_keys else [*row.values()]


def render_contacts(contact: Any, render: Callable[[Any], Any], log: Any) -> list[Any]:
    """Return the rendered entries of ``contact``. Log and leave out an entry that cannot be rendered."""
    entries = _entries(contact)
    rendered = []
    for position, entry in enumerate(entries, start=1):
        try:
            rendered.append(render(entry))
        except Exception as error:  # e.g. a missing Variable; the other people must be called nevertheless
            text = mask_phones(f"{type(error).__name__}: {error}")
            log.error(
                "contact: entry %d of %d cannot be rendered, so its people are not called: %s",
                position,
                len(entries),
                text,
            )
    return rendered


def read_number(text: str, region: str) -> str:
    """Read the phone number of a person to ring. Return the number as the service needs it: ``79260000001``.

    :param region: ISO 3166 code of a country. Empty: only a number with a country code can be read.
    :raises NotANumber: the text is no number that can be called.
    """
    number = read_destination(text, region or _ANY_REGION)
    if not region and re.sub(r"\D", "", number) != re.sub(r"\D", "", text):
        raise NotANumber("a number without a country code, and the region is not known")
    return number


def read_people(contact: Any, region: str) -> tuple[str, ...]:
    """Return the phone numbers of an alert's people in the service's form, e.g. ``("79260000001",)``.

    An unreadable number stays unchanged. A number that two entries contain is in the result once.
    """
    return tuple(dict.fromkeys(_number_or_text(text, region) for text in split_contacts(contact)))


def _number_or_text(text: str, region: str) -> str:
    try:
        return read_number(text, region)
    except ValueError:
        return text


def read_region(region: Any) -> str:
    """Return the region of an alert's numbers unchanged: the ISO 3166 code of a country, such as ``RU``.

    :raises InvalidParameter: the region is no such code.
    """
    if not isinstance(region, str) or not is_region(region):
        raise InvalidParameter(f"region: {region!r} is not a code of ISO 3166, such as 'RU'")
    return region


def check_contacts(contact: Any, region: str) -> None:
    """Check the alert's phone numbers while Airflow reads the DAG file, except those with a template.

    :param region: a known region, see `read_region`.
    :raises InvalidParameter: a number is not valid.
    """
    if callable(contact):
        return
    contacts: list[str] = []
    for entry in _entries(contact):
        with as_invalid_parameter("contact"):
            refuse_octal(entry, region)
        text = str(entry)
        contacts += [text] if is_template_text(text) else _split_text(text)
    if not contacts:
        raise InvalidParameter("contact: at least one phone number is needed")
    for position, number in enumerate(contacts, start=1):
        if is_template_text(number):
            continue
        with as_invalid_parameter(f"contact: number {position} of {len(contacts)}"):
            check_phone_or_sip(read_destination(number, region))  # its errors do not contain the number


def check_external_id(external_id: Any, contact: Any, region: str) -> None:
    """Check that an alert's ``external_id`` contains no phone number of a person to call.

    The notifier's constructor calls this function, too. Airflow has not rendered the templates in
    ``external_id`` yet.

    :raises InvalidParameter: ``external_id`` contains the phone number of a person.
    """
    if any(contains_number(str(external_id), number) for number in read_people(contact, region)):
        raise InvalidParameter(f"external_id: {SHOWN_NUMBER}")


def check_virtual_number(number: Any, region: str) -> None:
    """Check, while Airflow reads the DAG file, the number from which an alert calls.

    If the number contains a template, the function checks nothing.

    :raises InvalidParameter: the number is not valid.
    """
    if callable(number) or is_template_text(str(number)):
        return
    given = {"virtual_phone_number": number}
    try:
        values = read_numbers(given, region, method=StartInformerCall.method)
        StartInformerCall.check_values(
            values, unknown=[(name,) for name in StartInformerCall.model_fields.keys() - given]
        )
    except InvalidParameters as error:
        raise InvalidParameter(error.args[0]) from None
