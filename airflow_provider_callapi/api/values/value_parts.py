"""Name the part of a parameter's value that cannot be used, such as ``except`` of ``calling_days``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from airflow_provider_callapi.api.values.value_kinds import find_gap, kind_of


class InvalidPart(ValueError):
    """A part of a parameter's value, such as one entry of a dict, cannot be used.

    The text begins with the path of the part, such as ``list.sql: ``, and does not contain the part's value.
    """


class WrongValue(ValueError):
    """A value cannot be used. The text says why, as a sentence: ``'tues' is not a weekday``.

    The text contains no phone number, secret or personal text.
    """


def invalid_part(path: str, needed: str, value: Any, reason: str | None = None) -> InvalidPart:
    """Return the error for a part of a value: ``except: a date is needed; the value is a blank text``.

    :param path: the path of the part inside the value, such as ``list.sql``.
    :param needed: what is needed instead, such as ``a date``.
    :param value: the part. The error describes it and does not contain it.
    :param reason: why the value cannot be used. None, or a template in the value: what the value is.
    """
    gap = find_gap(value)
    if gap or not reason:
        reason = f"the value is {kind_of(gap or value)}"
    return InvalidPart(f"{path}: {needed} is needed; {reason}")


def check_keys(value: Mapping[Any, Any], *, known: Collection[str], required: Collection[str] = ()) -> None:
    """Check the keys of a dict.

    :param known: the allowed keys.
    :param required: those of the allowed keys that the dict must have.
    :raises InvalidPart: a key is not allowed, or a required key is missing.
    """
    for number, key in enumerate(value, start=1):
        if key not in known:
            raise InvalidPart(
                f"{shown_key(key, number)}: no such key; the keys are {', '.join(sorted(known))}"
            )
    for key in sorted(required):
        if key not in value:
            raise InvalidPart(f"{key}: the key is missing")


def shown_key(key: Any, number: int) -> str:
    """Return the key of a dict's entry for an error text.

    A key that is not a plain name, such as ``busy``, may be a phone number. Such a key becomes ``(entry 2)``.

    :param number: the position of the entry in the dict, from 1.
    """
    return key if isinstance(key, str) and key.isidentifier() else f"(entry {number})"
