"""Finds out whether a program has replaced the last digits of a list's phone numbers.

- Excel shows a long number in a short form, such as ``7,92612E+10``, and writes this form into a CSV file. A
  program that reads the form back gets 79261200000.
- A column of 32-bit floats, such as ``REAL`` in a database, stores 79261234567 as 79261237248. A program may
  also write this float with its first digits only, as 79261240000.0.

The results are valid numbers, but the numbers of strangers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from airflow_provider_callapi.calls.lists.column_names import shown_name
from airflow_provider_callapi.calls.lists.nested_values import plain_values
from airflow_provider_callapi.calls.texts.number_texts import ROUNDED_DIGITS
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

_ROUNDED = re.compile(rf"{ROUNDED_DIGITS}(?:[.,]0+)?")
"""Matches the digits of a phone number without any sign, such as ``79261200000`` and ``79261200000.0``."""
_PLAIN = re.compile(r"([1-9]\d{7,14})([.,]0+)?")
_DIGITS_OF_FLOAT = 8
"""How many significant digits a program writes of a 32-bit float at most, if not all."""
_FEWEST_LOST = 3
"""If a program has written so many zeros for lost digits, this is evidence. Many end in one or two."""
_FEWEST_BITS = 2.0
"""Smaller numbers are no evidence of 32-bit floats: these can store every second whole number, or more."""
_BITS_AGAINST = 3.0
"""How much evidence each row takes away that is no 32-bit float. A damaged list may have some other rows."""
_ENOUGH_BITS = 12.0
"""So much evidence of 32-bit floats is chance once in 4096 lists, and in fewer lists if they are long."""
_FEWEST = 2
"""If fewer different phone numbers than this are rounded, it may be chance."""
_SHARE = 10
"""If more than one of ten rows has such a number, the list is damaged. By chance, it is one of 100,000."""
_SHARE_OF_FLOATS = 2
"""If more than one of two rows has a 32-bit float, the list is damaged. Then every row should have one."""
_EXACT_BITS = 24
"""A 32-bit float stores each whole number of so many bits exactly."""


SINGLE_PRECISION = (
    "32-bit floats, such as REAL in a database, which change the last digits of phone numbers. Store the "
    "numbers as text or bigint, and load them again. If only the query makes floats of them, cast the stored "
    "column to text or bigint"
)
"""What is wrong with a column of `SinglePrecision` numbers, and what to do."""


class SinglePrecision(float):
    """A number in a column of 32-bit floats, such as ``REAL`` in a database. It is no phone number."""


def parts_of_cell(value: Any) -> Iterator[Any]:
    """Return each value inside a cell with an object or an array, or else the value of the cell itself."""
    return (part for _, part in plain_values("", value))


def has_lost_digits(value: Any) -> bool:
    """Return whether a cell contains a `SinglePrecision` with more digits than a 32-bit float holds."""
    return any(
        isinstance(part, SinglePrecision) and abs(part) >= 2**_EXACT_BITS for part in parts_of_cell(value)
    )


def refuse_single_precision(column: object, value: Any) -> None:
    """Refuse a value of a column from which a phone number is read, if the column has 32-bit floats.

    The column has changed the last digits of its phone numbers. One such number is enough to know this.

    :param column: the name of the column, for the error message.
    :raises ListUnreadable: see `has_lost_digits`.
    """
    if has_lost_digits(value):
        raise ListUnreadable(f"the column {shown_name(column)} has {SINGLE_PRECISION}")


class RoundedNumbers:
    """Finds the phone numbers of a list that a program has probably rounded."""

    def __init__(self) -> None:
        self._rows = 0
        self._ends_in_zeros: dict[int, str] = {}
        self._floats: dict[int, str] = {}
        self._evidence: dict[str, float] = {}

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
        if bits := _evidence_of_float32(plain):
            self._floats[line] = plain
            self._evidence[plain] = bits

    def lines(self) -> list[int]:
        """Return the row numbers of the rounded phone numbers.

        The rounding may be chance if fewer than two different phone numbers, or only a small part of the
        rows, are rounded. The result is then empty.
        """
        damaged: set[int] = set()
        zeros, floats = self._ends_in_zeros, self._floats
        if len(set(zeros.values())) >= _FEWEST and len(zeros) * _SHARE > self._rows:
            damaged.update(zeros)
        bits = sum(self._evidence.values()) - _BITS_AGAINST * (self._rows - len(floats))
        if (
            len(self._evidence) >= _FEWEST
            and bits >= _ENOUGH_BITS
            and len(floats) * _SHARE_OF_FLOATS > self._rows
        ):
            damaged.update(floats)
        return sorted(damaged)


def _evidence_of_float32(text: str) -> float:
    """Return how much a phone number looks like a 32-bit float, or like its first digits: 79261240000.0.

    :return: the evidence in bits. A number of a list without floats has ``n`` bits by chance once in 2^n
        numbers. 0: the number is no such float, or is so small that many numbers are.
    """
    match = _PLAIN.fullmatch(text)
    if match is None:
        return 0.0
    digits, number = match[1], int(match[1])
    bits = float(number.bit_length() - _EXACT_BITS)
    if number % 2 ** max(int(bits), 0):
        lost = len(digits) - _DIGITS_OF_FLOAT
        has_few_digits = match[2] is not None and lost >= _FEWEST_LOST and number % 10**lost == 0
        bits = lost * math.log2(10) if has_few_digits else 0.0
    return bits if bits >= _FEWEST_BITS else 0.0
