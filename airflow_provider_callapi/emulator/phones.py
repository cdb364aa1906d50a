"""Checks the phone numbers that a test passes to the emulator, and brings them into one form."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainValidator, TypeAdapter, ValidationError

from airflow_provider_callapi.api.parameter_types import AnyNumber

_NUMBER: TypeAdapter[str] = TypeAdapter(AnyNumber)


def read_phone(number: Any) -> str:
    """Return a number as requests contain it: ``+7 926 000-00-01`` becomes ``79260000001``.

    :param number: a phone number in E.164, a SIP number or an extension.
    :raises ValueError: no request can contain the number, for example ``8 926 000-00-01``. No phone with this
        number would ever ring.
    """
    try:
        return _NUMBER.validate_python(number)
    except ValidationError:
        raise ValueError(
            "phone: digits only are needed, the country code first, for example 79161234567; or a SIP number"
        ) from None


Phone = Annotated[str, PlainValidator(read_phone)]
"""The number of a phone, as `read_phone` returns it."""
