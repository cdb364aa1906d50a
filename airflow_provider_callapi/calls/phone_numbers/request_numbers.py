"""The phone numbers in the fields of a request: in the service's form, and not in the ``external_id``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.phone_numbers.comparison import contains_number
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.phone_numbers.strict import (
    read_destination,
    read_destination_or_extension,
)

_FIELDS = ("contact", "virtual_phone_number", "operator", "to", "phone_number")
_MAY_BE_EXTENSION = ("to", "phone_number", "employee.phone_number")
"""The fields whose number may be an extension."""
_OBJECTS = ("operator", "employee")
"""The fields whose value may be an object that contains the number in a field ``phone_number``."""


def read_numbers(values: Mapping[str, Any], region: str, *, method: str) -> dict[str, Any]:
    """Return the values of a request with each phone number in the service's form.

    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country.
    :param method: the method of the request, for error messages.
    :raises InvalidParameters: a number cannot be read, or the region is unknown. The error message names the
        field, and does not contain the number.
    """
    read = dict(values)
    for field, value in number_values(values).items():
        number = _read(value, region, field, method)
        name, _, is_nested = field.partition(".")
        read[name] = {**values[name], "phone_number": number} if is_nested else number
    return read


def number_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the phone numbers of a request: field (``contact``, ``employee.phone_number``) → value."""
    found = {}
    for name, value in values.items():
        if name in _OBJECTS and isinstance(value, Mapping):
            if "phone_number" in value:
                found[f"{name}.phone_number"] = value["phone_number"]
        elif name in _FIELDS:
            found[name] = value
    return found


def shows_number(request: StartCall) -> bool:
    """Return whether the ``external_id`` of a start request contains the number of a person in the call.

    Logs and XComs show an ``external_id``. The account's own virtual number does not count.
    """
    if not request.external_id:
        return False
    people = request.model_dump(include={"contact", "operator", "employee"})
    numbers = filter(None, number_values(people).values())
    return any(contains_number(request.external_id, number) for number in numbers)


def _read(value: Any, region: str, field: str, method: str) -> Any:
    """Return a phone number in the service's form, e.g. ``79260000001``.

    A value that is neither a text nor a number, such as None, stays unchanged.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value  # the request's class refuses it later
    try:
        return _read_number(value, region, may_be_extension=field in _MAY_BE_EXTENSION)
    except NotANumber as error:
        raise InvalidParameters(f"{field}: {error}", method=method, field=field) from None
    except ValueError as error:
        raise InvalidParameters(str(error), method=method, field="region") from None


# The cache saves time: the operators of a DAG file, and the calls of a campaign, often share a number.
@lru_cache(maxsize=256, typed=True)
def _read_number(value: str | float, region: str, *, may_be_extension: bool) -> str:
    """Return the number to call in the service's form, e.g. ``79260000001``. Cache the result."""
    read = read_destination_or_extension if may_be_extension else read_destination
    return read(value, region)
