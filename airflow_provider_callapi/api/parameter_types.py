"""The types of the parameters of requests, with their checks.

The constructor of a request class takes only values of the right type. `Request.from_values` also converts
texts and whole numbers.

Source: the chapter about methods of the vendor's Call API v4.0 document.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from airflow_provider_callapi.api.values.control_characters import has_control_character
from airflow_provider_callapi.api.values.lone_surrogates import join_surrogate_pairs
from airflow_provider_callapi.api.values.number_text import fold
from airflow_provider_callapi.api.values.object_ids import LARGEST_ID, is_whole_number
from airflow_provider_callapi.api.values.value_kinds import shown_word

_LONGEST_NUMBER = 64
"""The largest number of characters of a text that is read as a phone number with ``+``."""
_PLUS_FORMAT = re.compile(r"\s*\+\s*(?:[17]|\(?\d{2,}\)?)[\s-]*(?:\(\d+\))?[\d\s-]*")
_E164 = re.compile(r"(?!8[39])[1-9][0-9]{9,14}")  # 83 and 89 are no country codes, but Russia's 8 and more
_SIP = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z@*#])(?!@|.*@(?:.*@|$))[A-Za-z0-9_.@*#-]{3,64}")
_SHORT = re.compile(r"[0-9]{3,9}")
_EXPONENT = re.compile(r"[0-9.]+[eE][+-]?[0-9]+")
"""Matches what a spreadsheet makes of a long number, such as ``7.9e10``."""
_NO_VALUE = frozenset({"none", "null", "nan", "nat", "<na>", "undefined"})
"""What programs write for a missing value, in lower case."""


def _strip_plus_format(value: Any) -> Any:
    """Convert a phone number such as ``+7 (926) 000-00-00`` to digits. Return any other value unchanged."""
    if not isinstance(value, str) or "+" not in value or len(value) > _LONGEST_NUMBER:
        return value
    return re.sub(r"[\s()+-]", "", value) if _PLUS_FORMAT.fullmatch(value) else value


def _check_phone_number(text: str) -> str:
    if not _E164.fullmatch(text):
        raise ValueError("a phone number in E.164 is needed: digits only, the country code first, no '+'")
    return text


def check_phone_or_sip(text: str) -> str:
    """Return a text unchanged if it is a phone number in E.164 or a SIP number.

    A SIP number has one of two forms:

    - three to nine digits;
    - 3 to 64 ASCII letters, digits and characters ``_.@*#-``, such as ``sip25``. At least one is a digit, and
      at least one is a letter, ``@``, ``*`` or ``#``. It has at most one ``@``, between a name and a domain.
      Exponents such as ``7e5`` are no SIP numbers.

    :raises ValueError: the text is anything else. The error does not contain the text.
    """
    is_digits = _E164.fullmatch(text) or _SHORT.fullmatch(text)
    if not is_digits and (not _SIP.fullmatch(text) or _EXPONENT.fullmatch(text)):
        raise ValueError(
            "a phone number in E.164 (digits only, the country code first, no '+') or a SIP number is needed"
        )
    return text


def _check_phone_sip_or_extension(text: str) -> str:
    return text if re.fullmatch(r"[0-9]{1,2}", text) else check_phone_or_sip(text)


def _check_any_number(text: str) -> str:
    return text if re.fullmatch(r"[0-9]{1,2}|.*[A-Za-z].*", text) else check_phone_or_sip(text)


def _check_whole_number(value: Any) -> Any:
    if not is_whole_number(value):
        raise ValueError("a whole number is needed")
    return value


def _check_speakable(text: str) -> str:
    if text.strip().lower() in _NO_VALUE:
        raise ValueError("a text is needed, and not the word that a program writes for a missing value")
    if not any(map(str.isalnum, fold(text))):  # without the letters that have no width, such as U+3164
        raise ValueError("a text with at least one letter or digit is needed: nothing else is spoken")
    return text


def _check_not_blank(text: str) -> str:
    if not fold(text):
        raise ValueError("a text with a visible character is needed")
    return text


def _check_text(value: Any) -> Any:
    if isinstance(value, str):
        if has_control_character(value):
            raise ValueError("a text without control characters is needed; export the text again")
        return join_surrogate_pairs(value)
    # A number with a fraction has several spellings, such as 1.1 and 1.10. Only the author knows the text.
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a text is needed")
    return value


def _check_quoted(value: Any) -> Any:
    # YAML reads 0123 as 83, 12:30 as 750 and 1_2 as 12. Only the author knows the keys.
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError('a text is needed, so write it in quotation marks, such as "0123"')
    return value


def _matches(pattern: str, needed: str) -> AfterValidator:
    """Return the check that a text matches a pattern. ``needed`` is the text of the error."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(needed)
        return text

    return AfterValidator(check)


def _check_flag(value: Any) -> Any:
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip()
    if not isinstance(value, bool):
        word = shown_word(value)
        raise ValueError("true or false is needed" + (f"; the value is {word}" if word else ""))
    return value


Text = Annotated[str, BeforeValidator(_check_text)]
"""A text of whole characters, without control characters.

`Request.from_values` also accepts a whole number, and converts it to text.
"""
Flag = Annotated[bool, BeforeValidator(_check_flag)]
"""A boolean. `Request.from_values` also accepts the texts ``true`` and ``false``."""
SpeakableText = Annotated[Text, AfterValidator(_check_speakable)]
"""A text with at least one letter or digit.

A word that a program writes for a missing value, such as ``None``, is refused.
"""
VisibleText = Annotated[Text, Field(min_length=1), AfterValidator(_check_not_blank)]
"""A text with at least one visible character."""
PhoneNumber = Annotated[Text, BeforeValidator(_strip_plus_format), AfterValidator(_check_phone_number)]
"""A phone number in E.164: the country code and the number as digits only, without ``+``."""
PhoneOrSip = Annotated[Text, BeforeValidator(_strip_plus_format), AfterValidator(check_phone_or_sip)]
"""A phone number in E.164 or a SIP number. An extension of three to nine digits is valid, too."""
PhoneSipOrExtension = Annotated[
    Text, BeforeValidator(_strip_plus_format), AfterValidator(_check_phone_sip_or_extension)
]
"""A phone number in E.164, a SIP number or an extension of one to nine digits."""
AnyNumber = Annotated[Text, BeforeValidator(_strip_plus_format), AfterValidator(_check_any_number)]
"""A phone number in E.164, a SIP number or an extension."""
WholeNumber = Annotated[int, BeforeValidator(_check_whole_number)]
"""A whole number. `Request.from_values` also accepts its digits as a text."""
ObjectId = Annotated[WholeNumber, Field(gt=0, le=LARGEST_ID)]
"""The id of an object in the account or of a call session."""
Direction = Literal["in", "out"]
"""The direction of a call: ``in`` for an inbound call, ``out`` for an outbound call."""
VirtualNumberRule = Literal["fixed", "fixed_for_numa", "random", "regional_random", "regional_fixed_for_numa"]
"""The rule by which the service chooses the virtual number of a call.

``fixed`` uses the number in the start request. ``fixed_for_numa`` always shows a contact the same number.
``random`` takes any number of the account. The two ``regional_…`` rules prefer numbers of the contact's
region. All rules except ``fixed`` need the account component ``Автоматическое управление номерами``.
"""
Tone = Annotated[Text, _matches(r"[0-9*#]", "one tone is needed: a digit, * or #")]
"""One DTMF (phone key) tone: a digit, ``*`` or ``#``."""
KeyOrAny = Annotated[
    Text, _matches(r"[0-9*#]|any", "one phone key is needed: a digit, * or #, or the word any")
]
"""A phone key: a digit, ``*`` or ``#``. ``any``: any key."""
DtmfWithPauses = Annotated[
    Text,
    BeforeValidator(_check_quoted),
    _matches(r"[0-9*#.]+", "tones are needed: digits, * and #, and a dot for a pause of one second"),
]
"""DTMF (phone key) tones: digits, ``*`` and ``#``. A dot is a pause of one second, as in ``.12.1..4``.

A number is refused, because it may differ from what its author wrote.
"""
