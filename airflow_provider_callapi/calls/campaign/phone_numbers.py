"""Converts phone numbers to one form, so that ``8 926…``, ``+7 926…`` and ``7926…`` count as one person."""

from __future__ import annotations

import re

import phonenumbers

from airflow_provider_callapi.api.methods import check_phone_or_sip

_HAS_LETTERS = re.compile(r"[A-Za-z]")
_BEGINS_AS_A_PHONE_NUMBER = re.compile(r"([0-9][._*#-]*){7}[^@]*")


class NotANumber(ValueError):
    """A text is not a phone number or SIP number that can be called."""


def is_region(region: str) -> bool:
    """Return whether a text is the ISO 3166 code of a country with known phone numbers, such as ``RU``."""
    return region in phonenumbers.SUPPORTED_REGIONS


def normalise(text: str, region: str) -> str:
    """Return a phone number as E.164 digits without ``+``, such as ``79260000011``, as the service expects.

    A text with letters is a SIP number and is returned unchanged. A phone number with letters after the
    digits, such as ``79260000011x5``, is refused. As a SIP number, this text would count as a second person,
    and one person could be called twice.

    :param region: ISO 3166 code of the country of numbers without a country code.
    :raises NotANumber: the text is not a phone number or SIP number that can be called. The error does not
        repeat the text.
    """
    text = text.strip()
    if _HAS_LETTERS.search(text):
        if _BEGINS_AS_A_PHONE_NUMBER.fullmatch(text):
            raise NotANumber("a phone number with letters behind it; a SIP number needs its @domain")
        try:
            return check_phone_or_sip(text)
        except ValueError:
            raise NotANumber("neither a phone number nor a SIP number") from None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise NotANumber("not a phone number") from None
    if not phonenumbers.is_valid_number(number):
        raise NotANumber("not an existing phone number")
    if number.extension:
        raise NotANumber("a number with an extension cannot be a contact")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
