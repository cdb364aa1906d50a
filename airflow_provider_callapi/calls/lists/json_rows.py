"""Reads the rows of a list of people from JSON Lines, or from a list in memory.

Each row is one person: a mapping such as ``{"phone": "79260000011"}``, or only a phone number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from numbers import Number
from typing import Any

from airflow_provider_callapi.calls.lists.column_names import refuse_duplicates
from airflow_provider_callapi.calls.texts.empty_values import clean, is_empty
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

Row = Mapping[str, Any] | str
"""One person on a list: the values by column name, or only a phone number."""


def read_json_lines(lines: Iterable[str]) -> Iterator[Row]:
    """Yield one row for each line of a JSON Lines file: an object, or a phone number alone (see `read_row`).

    A blank line becomes an empty row, ``{}``. A number with an exponent, such as ``7.926E+10``, becomes a
    text with the same characters, because it may be a rounded phone number. The reader of phone numbers
    refuses this text.

    :raises ListUnreadable: all lines are blank. Or a line is neither a JSON object nor a phone number, or
        contains a column twice; the error message then contains the number of the line.
    """
    is_empty_file = True
    for number, line in enumerate(lines, start=1):
        if not line.strip("\ufeff \t\r\n"):
            yield {}
            continue
        is_empty_file = False
        try:
            row = json.loads(line, object_pairs_hook=_object, parse_float=_float)
            if isinstance(row, list):
                raise ListUnreadable("a JSON array; write each row as an object on a line of its own")
            yield read_row(row)
        except ListUnreadable as error:
            raise ListUnreadable(f"line {number}: {error}") from None
        except (ValueError, RecursionError):
            raise ListUnreadable(f"line {number}: not JSON; write one JSON value per line") from None
    if is_empty_file:
        raise ListUnreadable("the file has no rows")


def read_row(row: Any) -> Row:
    """Return one item of a list of people as a row.

    - A mapping from column to value stays a mapping. None replaces its empty values, such as ``NaN``.
    - A text or a number becomes a text. It should be a phone number, but the function does not check this.
    - An empty item, such as None or ``NaN``, becomes an empty mapping.

    :raises ListUnreadable: the item is of another type, for example a list of values without column names.
    """
    if isinstance(row, Mapping):
        try:
            return clean(row)  # type: ignore[no-any-return]
        except RecursionError:
            raise ListUnreadable("values are nested too deeply; simplify the row") from None
    if row is None:
        return {}
    if isinstance(row, list | tuple):
        raise ListUnreadable(
            "a row without column names; make a mapping of each row, such as dict(zip(columns, row))"
        )
    if isinstance(row, bool) or not isinstance(row, str | Number):
        raise ListUnreadable("a mapping (an object) or a number is needed")
    return {} if is_empty(row) else str(clean(row))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        refuse_duplicates(name for name, _ in pairs)
    return row


def _float(literal: str) -> float | str:
    """Convert a JSON number to a float. Return a number with an exponent, e.g. ``7.926E+10``, as text."""
    return literal if "e" in literal.lower() else float(literal)
