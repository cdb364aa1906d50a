"""The types of the values in answers: which values are readable, and how they are converted.

A value that its type refuses is unreadable. In a list, the module `airflow_provider_callapi.api.entries` then
leaves out the field or the entry.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from airflow_provider_callapi.api.values.object_ids import LARGEST_ID, is_exact

LARGEST_COUNT = 10**9
"""A number of seconds or points in an answer is smaller. Each other number is unreadable."""
_LARGEST_NUMBER = 10**30
"""A larger number in an answer is neither an id nor a phone number."""


def _reject_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is needed")
    return value


def _reject_inexact(value: Any) -> Any:
    if isinstance(value, float) and not is_exact(value):
        raise ValueError("a whole number that has lost no digits is needed")
    return _reject_bool(value)


def _reject_null(value: Any) -> Any:
    if value is None:
        raise ValueError("a value is needed")
    return value


def _empty_to_null(value: Any) -> Any:
    return None if value == "" else value


def _negative_to_null(value: int | None) -> int | None:
    return None if value is not None and value < 0 else value


def _number_to_text(value: Any) -> Any:
    """Return an id or a phone number as text if the service sent it as a number.

    Return any other value unchanged.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_id = isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST_NUMBER
    return str(value) if is_id else value


def unreadable_to_none(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Return the value that pydantic reads, or None if pydantic cannot read it, for a `WrapValidator`."""
    try:
        return read(value)
    except ValidationError:
        return None


_SMALLEST = -LARGEST_ID - 1

Number = Annotated[
    int,
    BeforeValidator(_reject_inexact),
    Field(ge=_SMALLEST, le=LARGEST_ID),
    Meta(ge=_SMALLEST, le=LARGEST_ID),
]
"""A whole number of 64 bits in an answer. Text that contains a whole number is converted."""
NumberNotNull = Annotated[
    int | None,
    Field(ge=_SMALLEST, le=LARGEST_ID),
    BeforeValidator(_reject_inexact),
    BeforeValidator(_reject_null),
]
"""A whole number of 64 bits in an answer that may be missing, but not ``null``."""
Id = Annotated[int, BeforeValidator(_reject_inexact), Field(gt=0, le=LARGEST_ID), Meta(gt=0, le=LARGEST_ID)]
"""An id in an answer that a later request contains. Each other number is unreadable."""
Seconds = Annotated[
    int | None,
    Field(gt=-LARGEST_COUNT, lt=LARGEST_COUNT),
    AfterValidator(_negative_to_null),
    BeforeValidator(_reject_bool),
]
"""A duration in an answer, or None: a negative number counts as ``null``.

A number that fits into no column of a database is unreadable.
"""
AnswerText = Annotated[str, BeforeValidator(_number_to_text)]
"""A text in an answer. A positive whole number is converted to text."""
TextOrNone = Annotated[str | None, BeforeValidator(_empty_to_null)]
"""A text in an answer that proves a fact. An empty text counts as ``null``, and a number is not accepted."""
Count = Annotated[int | None, Field(gt=-LARGEST_COUNT, lt=LARGEST_COUNT), WrapValidator(unreadable_to_none)]
"""A number of points or seconds. An unreadable number counts as missing."""
