"""Converts the lines of a CSV file or of a workbook to rows, by the column names in the first line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from airflow_provider_callapi.api.values.number_text import FEWEST_DIGITS, count_digits
from airflow_provider_callapi.calls.lists.column_names import refuse_duplicates
from airflow_provider_callapi.calls.texts.empty_values import has_no_value, without_codes
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

_LETTER = re.compile(r"[^\W\d_]")
_DATE = re.compile(r"(?<!\d)(?:\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d\d)|(?:19|20)\d\d)(?!\d)")
"""Matches the dates and the years in the names of columns."""

CheckNames = Callable[[Sequence[str]], object]
"""A function that checks the column names of a list without rows. It may raise `ListUnreadable`."""


def accept_names(names: Sequence[str]) -> None:
    """Accept a list without rows, whatever the names of its columns are."""


class Table:
    """Converts the lines of a CSV file or of a workbook to rows (column → value).

    :param heading: the column names, in the order of the columns. If a name is empty, the column must be
        empty in all lines.
    :raises ListUnreadable: the heading contains a phone number or a SIP number, contains one name twice, or
        contains no name.
    """

    def __init__(self, heading: Sequence[Any]) -> None:
        names = ["" if name is None else _name(str(name)) for name in heading]
        if entry := next((place for place, name in enumerate(names, start=1) if _is_an_entry(name)), None):
            raise ListUnreadable(
                "this line must name the columns (phone,name,…), but the name of column "
                f"{entry} contains a number or an address"
            )
        if not any(names):
            raise ListUnreadable("this line must name the columns (phone,name,…), but it is empty")
        refuse_duplicates(filter(None, names))
        self.names = names
        self._width = len(names)
        self._gaps = [position for position, name in enumerate(names) if not name]

    def row(self, values: Sequence[Any], clean: Callable[[Any], Any]) -> dict[str, Any]:
        """Convert the values of a line to a row, such as ``{"phone": "79260000011", "name": "Anna"}``.

        :param values: the values in the order of the columns.
        :param clean: a function that converts the value of one cell, for example an empty text to None.
        :return: column → converted value. If the line is too short, its last columns are missing.
        :raises ListUnreadable: a value is behind the last column, or in a column without a name.
        """
        if len(values) != self._width or self._gaps:
            surplus = [*values[self._width :], *(values[gap] for gap in self._gaps if gap < len(values))]
            if not all(map(has_no_value, surplus)):
                raise ListUnreadable(
                    "more values than columns. Put quotation marks around a value that holds a separator, "
                    "or name the column"
                )
            return {name: clean(value) for name, value in zip(self.names, values, strict=False) if name}
        return dict(zip(self.names, map(clean, values), strict=True))


def _is_an_entry(name: str) -> bool:
    """Return whether a text may be a phone number or a SIP number. Such a text names no column.

    The digits of a date beside a word do not count: ``Debt on 31.12.2026``.
    """
    if _LETTER.search(name):
        name = _DATE.sub("", name)
    return count_digits(name) >= FEWEST_DIGITS or re.search(r"\w@\w", name) is not None


def _name(text: str) -> str:
    """Return the name of a column without spaces and invisible characters around it."""
    return without_codes(text).strip().strip("\ufeff\u200b\u200e\u200f\u2060").strip()
