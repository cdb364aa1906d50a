"""Convert and check values that are ids of objects in an account, such as tags, call sessions and legs."""

from __future__ import annotations

import re
from typing import Any

LARGEST_ID = 2**63 - 1
"""The largest id. The services and the databases store ids as signed numbers of 64 bits."""
INEXACT_FROM = 2**53
"""From here on, a float does not hold every whole number: another id may have become the float."""
ID_RANGE = "a whole number from 1, below 2**63"
"""The ids that exist, for error messages."""
_DIGITS = re.compile(r"\s*[0-9]{1,20}\s*")
"""More digits are no id, and Python refuses to convert thousands of digits."""


def read_object_id(value: Any) -> int:
    """Return an id as a number: ``36``, ``36.0`` and ``" 36 "`` become 36.

    :raises ValueError: the value is no id, e.g. 0, True, 2**63, or a text with a character that is neither a
        digit nor white space. Or it is a float that may have lost digits of the id, such as 1e18.
    """
    if not is_whole_number(value):
        raise ValueError
    number = int(value)
    if not 1 <= number <= LARGEST_ID:
        raise ValueError
    return number


def is_whole_number(value: Any) -> bool:
    """Return whether a value is a whole number, also as a text of digits, e.g. ``" 36 "`` or 36.0.

    False: any other value, such as True, or a float that may have lost digits, such as 1e18.
    """
    if isinstance(value, str):
        return _DIGITS.fullmatch(value) is not None
    if isinstance(value, float):
        return is_exact(value)
    return isinstance(value, int) and not isinstance(value, bool)


def is_exact(value: float) -> bool:
    """Return whether a float is a whole number, and certainly the number that was converted to the float."""
    return value.is_integer() and abs(value) < INEXACT_FROM
