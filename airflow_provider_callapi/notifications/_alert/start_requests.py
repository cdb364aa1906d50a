"""Build the start requests of an alert: one informer call (a call that speaks a message) per phone number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from airflow_provider_callapi.api.errors import InvalidParameters, mask_phones
from airflow_provider_callapi.api.methods import Message, StartInformerCall
from airflow_provider_callapi.notifications._alert.failure import Failure
from airflow_provider_callapi.notifications._alert.options import FALLBACKS, AlertOptions


def build_requests(options: AlertOptions, failure: Failure, log: Any) -> list[StartInformerCall]:
    """Return one start request for each valid phone number of an alert.

    Log and skip invalid phone numbers.

    A mistyped number must not prevent the calls to other people.
    """
    values = {
        "virtual_phone_number": options.virtual_phone_number,
        "contact_message": _message(options.message, failure.text, log),
        "dialing_timeout": options.dialing_timeout or None,
    }
    requests = []
    for contact in _split(options.contact):
        try:
            requests.append(_request({**values, "contact": contact}, log))
        except InvalidParameters as error:
            log.error("A person cannot be called for %s: %s", failure, error)
    return requests


def _split(contact: Any) -> list[str]:
    """Return the phone numbers in the notifier's parameter ``contact``: a text, a list or a number.

    If the DAG renders templates as native objects, a single phone number may be an int.
    """
    given = str(contact) if isinstance(contact, int) else contact
    contacts = re.split(r"[,;\n]", given) if isinstance(given, str) else given
    return [text for text in (str(contact).strip() for contact in contacts) if text]


def _request(values: Mapping[str, Any], log: Any) -> StartInformerCall:
    try:
        return StartInformerCall.from_values(values)
    except InvalidParameters as error:
        if error.field != "dialing_timeout":
            raise
        log.error("%s; %s", error, FALLBACKS["dialing_timeout"])
        return StartInformerCall.from_values({**values, "dialing_timeout": None})


def _message(message: Any, default_text: str, log: Any) -> dict[str, Any]:
    """Return the author's message for an alert.

    If the message is missing or invalid, return the default text.
    """
    default = {"type": "tts", "value": default_text}
    if message is None:
        return default
    given = {"type": "tts", "value": message.strip()} if isinstance(message, str) else message
    try:
        return Message.model_validate(given, strict=False).model_dump()
    except ValueError as error:
        log.error("message is not valid, so %s: %s", FALLBACKS["message"], mask_phones(str(error)))
        return default
