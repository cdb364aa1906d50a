"""One person, however the number is written: ``8 926…``, ``+7 926…`` and ``7926…`` are the same."""

from __future__ import annotations

import re

import phonenumbers

from airflow_provider_callapi.api.methods import check_phone_or_sip

_HAS_LETTERS = re.compile(r"[A-Za-z]")
_BEGINS_AS_A_PHONE_NUMBER = re.compile(r"([0-9][._*#-]*){7}[^@]*")


class NotANumber(ValueError):
    """Nobody can be called at this."""


def is_region(region: str) -> bool:
    """Whether this is a country whose numbers are known, ISO 3166: ``RU``."""
    return region in phonenumbers.SUPPORTED_REGIONS


def normalise(text: str, region: str) -> str:
    """A phone number as E.164 digits without "+", the way the service wants it.

    A SIP number (it has letters) passes as it is. The letters of ``79260000011x5`` make none: it would
    be another person than the number itself.

    :param region: ISO 3166 country of the numbers that are written without a country code.
    :raises NotANumber: it is neither; the text is not repeated.
    """
    text = text.strip()
    if _HAS_LETTERS.search(text):
        if _BEGINS_AS_A_PHONE_NUMBER.fullmatch(text):
            raise NotANumber("a phone number with letters behind it; a SIP number with a domain has an @")
        try:
            return check_phone_or_sip(text)
        except ValueError:
            raise NotANumber("neither a phone number nor a SIP number") from None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise NotANumber("not a phone number") from None
    if not phonenumbers.is_valid_number(number):
        raise NotANumber("not a phone number that exists")
    if number.extension:
        raise NotANumber("an extension cannot be called as a contact")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
