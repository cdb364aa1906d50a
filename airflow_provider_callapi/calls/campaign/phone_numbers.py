"""Phone numbers in one form: ``8 926…``, ``+7 926…`` and ``7926…`` are the same person."""

from __future__ import annotations

import re

import phonenumbers

from airflow_provider_callapi.api.methods import check_phone_or_sip

_HAS_LETTERS = re.compile(r"[A-Za-z]")
_BEGINS_AS_A_PHONE_NUMBER = re.compile(r"([0-9][._*#-]*){7}[^@]*")


class NotANumber(ValueError):
    """The text is no number that can be called."""


def is_region(region: str) -> bool:
    """Return whether this is the ISO 3166 code of a country with known phone numbers, such as ``RU``."""
    return region in phonenumbers.SUPPORTED_REGIONS


def normalise(text: str, region: str) -> str:
    """Return a phone number as E.164 digits without "+", as the service expects it.

    A SIP number, which has letters, is returned unchanged. A phone number with letters behind it, such as
    ``79260000011x5``, is refused: as a SIP number it would be another person than without the letters.

    :param region: ISO 3166 country of numbers without a country code.
    :raises NotANumber: the text is neither. The error does not repeat the text.
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
