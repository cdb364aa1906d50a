"""Read the notifier's parameter ``contact``: the phone numbers of the people whom an alert calls."""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_callapi.api.methods import check_phone_or_sip
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NumberingPlan
from airflow_provider_callapi.calls.phone_numbers.strict import read_destination


def split_contacts(contact: Any) -> list[str]:
    """Return the phone numbers in the parameter ``contact`` as a list of texts, as the author wrote them.

    Example: ``"+7 926 000-00-01, 89260000002"`` becomes ``["+7 926 000-00-01", "89260000002"]``.

    :param contact: a phone number, a list of phone numbers, or a text with several phone numbers. Commas,
        semicolons or line breaks separate them. A phone number may be an int or a float.
    """
    given = str(contact) if isinstance(contact, int | float) else contact
    contacts = re.split(r"[,;\n]", given) if isinstance(given, str) else given
    return [text for text in (str(contact).strip() for contact in contacts) if text]


def read_people(contact: Any, region: str) -> tuple[str, ...]:
    """Return the phone numbers of an alert's people in the service's form, e.g. ``("79260000001",)``.

    If a text cannot be read as a phone number, the result contains the text as the author wrote it.

    :param contact: the notifier's parameter ``contact``, see `split_contacts`.
    :param region: ISO 3166 code of a country, e.g. ``RU``. Numbers without a country code belong to it.
    """
    return tuple(_number_or_text(text, region) for text in split_contacts(contact))


def _number_or_text(text: str, region: str) -> str:
    try:
        return read_destination(text, region)
    except ValueError:
        return text


def check_contacts(contact: Any, region: str) -> None:
    """Raise an error while Airflow reads the DAG file, if a phone number in ``contact`` is not valid.

    Phone numbers that contain a template are not checked.

    :param contact: the notifier's parameter, see `split_contacts`.
    :param region: ISO 3166 code of the country of numbers without a country code.
    :raises ValueError: a number cannot be read, no number is given, or the region is unknown. The message
        states the number's position, but not the number.
    """
    if _is_template(region):
        return
    NumberingPlan.of(region)
    if isinstance(contact, str) and _is_template(contact):
        return
    contacts = split_contacts(contact)
    if not contacts:
        raise ValueError("contact: at least one phone number is needed")
    for position, text in enumerate(contacts, start=1):
        if _is_template(text):
            continue
        try:
            check_phone_or_sip(read_destination(text, region))
        except ValueError as error:
            raise ValueError(f"contact: number {position} of {len(contacts)}: {error}") from None


def _is_template(text: str) -> bool:
    return "{{" in text or "{%" in text
