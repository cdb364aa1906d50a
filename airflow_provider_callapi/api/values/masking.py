"""Hide phone numbers and secrets in texts that a log or a page shows.

- `mask_number`: for a value that is a phone number, such as the field ``contact`` of a call.
- `mask_phones`: for a text that may contain phone numbers, such as an error message.
- `redact`: for a text of the service that may repeat a secret of the request.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

from airflow_provider_callapi.api.values.number_text import FEWEST_DIGITS, PLUSES, SEPARATOR

_GAP = rf"{SEPARATOR}{{0,8}}"
_DATE = r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_IP_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_NO_PHONE = re.compile(
    rf"(?<!\d)(?<!\d\.){_IP_OCTET}(?:\.{_IP_OCTET}){{3}}(?!{_GAP}\d)"
    rf"|(?<!\d){_DATE}(?:[ T]+\d\d(?=:)|(?!{_GAP}\d)|(?=[ –-]{{1,3}}{_DATE}))"
    r"|(?<!\d)(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])\.(?:19|20)\d\d \d\d(?=:\d\d)",
)
"""Matches internet addresses and dates. These have as many digits as a phone number, but stay readable."""
_PHONE = re.compile(
    rf"(?:[+{PLUSES}]{_GAP})?(?<!\d)\d{{10,}}"
    rf"|[+{PLUSES}]{_GAP}\d(?:{_GAP}\d){{7,}}"
    rf"|(?<!\d)\d(?:{_GAP}\d){{9,}}"
)
_SHORT_NUMBER = re.compile(rf"\s*[+{PLUSES}]?{_GAP}\d(?:{_GAP}\d){{{FEWEST_DIGITS - 1},}}\s*")
_PHONE_OR_NOT = re.compile(f"({_NO_PHONE.pattern})|{_PHONE.pattern}")


def mask_phones(text: str) -> str:
    """Shorten every phone number in a text: ``79260000001`` becomes ``7926…0001``.

    A phone number has ten digits or more, or a ``+`` and eight digits or more. A number of less than ten
    digits keeps five of them: ``+37631234`` becomes ``376…34``. Up to eight separators may stand between two
    digits. IP addresses (``192.0.2.10``) and dates (``2026-12-31``) stay unchanged.
    """

    def masked(match: re.Match[str]) -> str:
        return match[0] if match[1] is not None else _shorten(match[0])

    return _PHONE_OR_NOT.sub(masked, text)


def mask_number(number: str) -> str:
    """Shorten a text that is known to be a phone number, also a number of seven to nine digits.

    ``376312345`` becomes ``376…45``. A SIP number stays unchanged.
    """
    if _SHORT_NUMBER.fullmatch(number) and mask_phones(number) == number:
        return _shorten(number)
    return mask_phones(number)


def _shorten(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    return f"{digits[:4]}…{digits[-4:]}" if len(digits) >= 10 else f"{digits[:3]}…{digits[-2:]}"


def redact(message: str, value: Any) -> str:
    """Return an error message in which ``***`` replaces ``value``, a secret in a request.

    If ``value`` is a dict or a list, replace each value in it.
    """
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            message = redact(message, inner)
    # Booleans and single characters are no secrets: they occur in any text.
    elif value is not None and not isinstance(value, bool) and len(str(value)) > 1:
        for form in _forms_of(str(value)):
            message = message.replace(form, "***")
    return message


def _forms_of(secret: str) -> set[str]:
    """Return the texts in which an error page can repeat a secret, e.g. also with ``%21`` for ``!``."""
    quoted = {quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}
    return {secret, escape(secret), json.dumps(secret)[1:-1], *quoted}


_PHONE_FIELD = re.compile(r"(?:^|[._])(?:phone_number|contact)$")
_ID_FIELD = re.compile(r"(?:^|[._])id$")
_ID = re.compile(r"\d{1,9}")


def may_be_shown(field: Any, value: Any) -> bool:
    """Return whether it is safe to repeat a field's invalid value in an error text.

    True: the value is a phone number (shown shortened) or a short id. Other values may be secret.
    """
    if not isinstance(field, str) or isinstance(value, bool) or not isinstance(value, int | str):
        return False
    # A value of another form may be a password. `CallApiError` shortens the phone numbers.
    if _PHONE_FIELD.search(field):
        return _PHONE.fullmatch(str(value)) is not None
    return _ID_FIELD.search(field) is not None and _ID.fullmatch(str(value)) is not None
