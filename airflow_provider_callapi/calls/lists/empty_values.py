"""Recognises the values that mean an empty cell, such as ``NaN``, ``None``, ``#N/A`` and a blank text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_callapi.api.number_text import fold

_EMPTY_TEXTS = frozenset(
    {"", "nan", "NaN", "NAN", "NaT", "<NA>", "None", "null", "NULL", "#N/A", "#Н/Д", "N/A"}
    | {"#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "inf", "-inf"}
)
"""The texts that data frames and spreadsheets write for a missing value or a failed formula."""
_EMPTY_TYPES = frozenset({"NAType", "NaTType"})
"""The names of the types that pandas uses for missing values. Their names suffice: pandas is not imported."""


def is_empty_text(text: str) -> bool:
    """Return whether a text means a missing value, such as ``NaN``, or has no visible character."""
    return text in _EMPTY_TEXTS or not (text.strip() if text.isascii() else fold(text))


def is_empty(value: Any) -> bool:
    """Return whether a value of any type means that its cell is empty. The number 0 is not empty."""
    if isinstance(value, str):
        return is_empty_text(value)
    if value is None or type(value).__name__ in _EMPTY_TYPES:
        return True
    try:  # a missing number or date is not equal to itself
        return bool(value != value) or value in (float("inf"), -float("inf"))  # noqa: PLR0124
    except (TypeError, ValueError):  # a value with its own idea of comparing, such as an array
        return False


def without_empty_values(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row in which None replaces each value that means an empty cell, such as ``NaN``.

    :param row: column → value. The mapping itself is not changed.
    """
    if not any(value is not None and is_empty(value) for value in row.values()):
        return row
    return {name: None if is_empty(value) else value for name, value in row.items()}


def is_blank(row: Mapping[str, Any]) -> bool:
    """Return whether every value of a row is None. Spreadsheets write such rows after the last person.

    :param row: column → value, as `without_empty_values` returns it.
    """
    return all(value is None for value in row.values())
