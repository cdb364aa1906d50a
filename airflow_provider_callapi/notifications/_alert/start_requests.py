"""Build the start requests of an alert: for each phone number, one call with a message or a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import Message, StartCall, StartInformerCall, StartScenarioCall
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.api.values.plain_problems import plain_problem
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.notifications._alert.alert_reason import AlertReason
from airflow_provider_callapi.notifications._alert.contacts import read_number, split_contacts
from airflow_provider_callapi.notifications._alert.options import FALLBACKS, AlertOptions


def build_requests(options: AlertOptions, reason: AlertReason, log: Any) -> list[StartCall]:
    """Return one start request for each person of an alert, in the calling order.

    Log an invalid phone number, and leave out the person. If a number occurs twice, call it once.
    """
    values: dict[str, Any] = {
        "virtual_phone_number": _virtual_number(options),
        "contact_message": _message(options.message, reason.text, log),
    }
    if options.scenario_id is None:
        values["dialing_timeout"] = options.dialing_timeout or None
    else:
        values |= {"scenario_id": options.scenario_id, "first_call": "contact"}
    requests: dict[str, StartCall] = {}
    contacts = split_contacts(options.contact)
    for position, contact in enumerate(contacts, start=1):
        unable = f"Person {position} of {len(contacts)} cannot be called for {reason}"
        try:
            number = read_number(contact, options.region)
            requests.setdefault(number, _request({**values, "contact": number}, log))
        except NotANumber as error:  # the other people must be called nevertheless
            log.error("%s: contact: %s", unable, error)
        except InvalidParameters as error:
            log.error("%s: %s", unable, error)
    return list(requests.values())


def _virtual_number(options: AlertOptions) -> str:
    """Return the virtual number in the service's form. If the number cannot be read, return it unchanged."""
    try:
        return read_number(str(options.virtual_phone_number), options.region)
    except NotANumber:
        return options.virtual_phone_number


def _request(values: Mapping[str, Any], log: Any) -> StartCall:
    if "scenario_id" in values:
        return StartScenarioCall.from_values(values)
    try:
        return StartInformerCall.from_values(values)
    except InvalidParameters as error:
        if error.field != "dialing_timeout":
            raise
        log.error("%s; %s", error, FALLBACKS["dialing_timeout"])
        return StartInformerCall.from_values({**values, "dialing_timeout": None})


def _message(message: Any, default_text: str, log: Any) -> dict[str, Any]:
    """Return the author's message for the start request. If it is missing or invalid: the default text."""
    default = {"type": "tts", "value": default_text}
    if message is None:
        return default
    given = {"type": "tts", "value": message.strip()} if isinstance(message, str) else message
    try:
        return Message.model_validate(given, strict=False).model_dump()
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, ('message', *each['loc'])))}: {plain_problem(each)}"
            for each in error.errors()
        )
        log.error("%s; so %s", mask_phones("; ".join(problems)), FALLBACKS["message"])
        return default
