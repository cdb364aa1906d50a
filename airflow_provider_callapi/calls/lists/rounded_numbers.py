"""Finds out whether a program has replaced the last digits of a list's phone numbers.

- Excel shows a long number in a short form, such as ``7,92612E+10``, and writes this form into a CSV file. A
  program that reads the form back gets 79261200000.
- A column of 32-bit floats, such as ``REAL`` in a database, stores 79261234567 as 79261237248. A program may
  also write this float with its first digits only, as 79261240000.0.

The results are valid numbers, but the numbers of strangers.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from airflow_provider_callapi.calls.lists.columns import shown_name
from airflow_provider_callapi.calls.texts.number_texts import ROUNDED_DIGITS
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

_ROUNDED = re.compile(rf"{ROUNDED_DIGITS}(?:[.,]0+)?")
"""Matches the digits of a phone number without any sign, such as ``79261200000`` and ``79261200000.0``."""
_PLAIN = re.compile(r"(\d{10,15})([.,]0+)?")
_SMALLEST_FLOAT = 2**32
"""Of the larger whole numbers, a 32-bit float can store at most one of 512."""
_FEWEST = 2
"""If fewer different phone numbers than this are rounded, it may be chance."""
_SHARE = 10
"""If more than one of ten rows has such a number, the list is damaged. By chance, it is one of 100,000."""
_SHARE_OF_FLOATS = 2
"""If more than one of two rows has a 32-bit float, the list is damaged. Then every row should have one."""
_EXACT = 2**24
"""A 32-bit float stores each smaller whole number exactly."""


class SinglePrecision(float):
    """A number in a column of 32-bit floats, such as ``REAL`` in a database. It is no phone number."""


def refuse_single_precision(column: object, value: Any) -> None:
    """Refuse a value of a column from which a phone number is read, if the column has 32-bit floats.

    The column has changed the last digits of its phone numbers. One such number is enough to know this.

    :param column: the name of the column, for the error message.
    :raises ListUnreadable: the value is a `SinglePrecision` with more digits than a 32-bit float holds.
    """
    if isinstance(value, SinglePrecision) and abs(value) >= _EXACT:
        raise ListUnreadable(
            f"the column {shown_name(column)} has 32-bit floats, such as REAL in a database, which change "
            "the last digits of phone numbers. Store the numbers as text or bigint, and load them again. If "
            "only the query makes floats of them, cast the stored column to text or bigint"
        )


class RoundedNumbers:
    """Finds the phone numbers of a list that a program has probably rounded."""

    def __init__(self) -> None:
        self._rows = 0
        self._ends_in_zeros: dict[int, str] = {}
        self._floats: dict[int, str] = {}

    def add(self, text: str, line: int) -> None:
        """Count a row, and record whether a program may have rounded its phone number, e.g. to 79260000000.

        :param text: the number, as the row contains it. A number with a ``+`` or with spaces is not rounded.
            A float has its ``.0``.
        :param line: the number of the row in the list.
        """
        self._rows += 1
        plain = text.strip()
        if "00000" in plain and _ROUNDED.fullmatch(plain):
            self._ends_in_zeros[line] = plain
        if _may_be_float32(plain):
            self._floats[line] = plain

    def lines(self) -> list[int]:
        """Return the row numbers of the rounded phone numbers.

        The rounding may be chance if fewer than two different phone numbers, or only a small part of the
        rows, are rounded. The result is then empty.
        """
        damaged: set[int] = set()
        for rounded, share in ((self._ends_in_zeros, _SHARE), (self._floats, _SHARE_OF_FLOATS)):
            if len(set(rounded.values())) >= _FEWEST and len(rounded) * share > self._rows:
                damaged.update(rounded)
        return sorted(damaged)


def _may_be_float32(text: str) -> bool:
    """Return whether a number is a 32-bit float, or the first digits of one, such as ``79261240000.0``."""
    match = _PLAIN.fullmatch(text)
    if match is None or (number := int(match[1])) < _SMALLEST_FLOAT:
        return False
    has_few_digits = match[2] is not None and number % 1000 == 0
    return has_few_digits or struct.unpack("f", struct.pack("f", number))[0] == number
