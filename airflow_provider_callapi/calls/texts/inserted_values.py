"""Judge the values that a template inserts into a text.

Python has a text for each value, such as ``None``, ``[1, 2]`` or ``1234.0``. A person must not hear it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow_provider_callapi.api.values.control_characters import has_control_character
from airflow_provider_callapi.api.values.value_kinds import has_own_text
from airflow_provider_callapi.calls.texts.damaged_text import (
    has_codes,
    has_failed_formula,
    has_gap,
    has_machine_time,
    has_rounded_number,
    has_unfilled_field,
    is_damaged,
)
from airflow_provider_callapi.calls.texts.empty_values import is_empty, is_empty_text, is_failed_formula
from airflow_provider_callapi.calls.texts.number_texts import (
    ROUNDED_NUMBER,
    may_be_rounded,
    may_have_fraction,
    number_text,
    whole_number_text,
)
from airflow_provider_callapi.calls.texts.shown_values import LongNumber
from airflow_provider_callapi.calls.texts.spoken_dates import is_date, spoken_date

DEFAULT = "give a default with {{ … or 'a default' }}"
"""What an author can do about an empty value, for error messages."""
EMPTY_VALUE = f"an empty value (None or NaN); {DEFAULT}"
EMPTY_TEXT = (
    "the text of a missing value, such as None or nan, as a template in another DAG or a program writes it; "
    "let it pass on an empty text"
)
_RENDERED_GAPS = frozenset({"None", "nan", "inf", "-inf", "undefined", "[object Object]"})
"""Whole texts that programs make of missing values, beside those that `has_gap` finds in any text."""
_WORDS_OF_AUTHORS = frozenset({"none", "null"})
"""The words for a missing value that an author may mean, as in ``{{ params.count or 'none' }}``."""
NESTED_VALUE = "a whole list or dict; insert its items, e.g. with {{ … | join(', ') }}"
_BYTES = "bytes that are no UTF-8 text; insert a text"
_DAMAGED = "a text whose letters are lost, because a program has read it in a wrong encoding"
MACHINE_TIME = (
    "a time in a form for programs, such as 2026-12-01T10:05 or 2026-12-01 10:05:00+00; write it in the "
    "person's zone, such as 01.12.2026 10:05"
)
"""What is wrong with the text of a time, and what to do, for error messages."""
CONTROL_CHARACTER = "a control character, as of a terminal or a binary file; remove it"
"""What is wrong with a text that contains such a character."""
_CODES = "a text with codes instead of letters, such as &quot;, <b> or \\u0410; let it pass on plain text"
FAILED_FORMULA = "the error of a spreadsheet's formula, such as #N/A; correct the formula"
UNFILLED_FIELD = "a field that another program has not filled in, such as {{name}} or %NAME%"
ROUNDED = "a number that a spreadsheet has rounded, such as 4.08178E+19; export the column as text"
"""What is wrong with a text that a person hears, for error messages."""


def _is_missing(text: str) -> bool:
    """Return whether a whole text is a program's word for a missing value, and not only blanks and signs."""
    return any(map(str.isalnum, text)) and text.strip() not in _WORDS_OF_AUTHORS and is_empty_text(text)


_NOT_SPOKEN = (
    (is_failed_formula, f"a text with {FAILED_FORMULA}"),
    (_is_missing, EMPTY_TEXT),
    (has_failed_formula, f"a text with {FAILED_FORMULA}"),
    (has_codes, _CODES),
    (has_unfilled_field, f"a text with {UNFILLED_FIELD}"),
    (has_rounded_number, f"a text with {ROUNDED}"),
    (is_damaged, _DAMAGED),
    (has_machine_time, MACHINE_TIME),
    (has_control_character, f"a text with {CONTROL_CHARACTER}"),
)
"""Checks of a text that a person hears, and what is wrong if a check says so."""
_FUNCTION = "a function or a method; insert its result"
_NO_TEXT = "an object that has no text of its own; insert a text or a number"


class UnsuitableValue(ValueError):
    """A template must not insert a value into a text.

    The error message describes the value, e.g. as ``a whole list or dict``, and says what the author can do.
    """


def check_inserted(value: Any) -> Any:
    """Return a value unchanged if a template may insert it into a text. An empty text is possible.

    :raises UnsuitableValue: the value is empty, such as None, or Python has no text for people for it.
    """
    if isinstance(value, str):
        if value.strip() in _RENDERED_GAPS or has_gap(value):
            raise UnsuitableValue(EMPTY_TEXT)
        return value  # an author may insert an empty text on purpose
    if is_empty(value):
        raise UnsuitableValue(EMPTY_VALUE)
    if callable(value):
        raise UnsuitableValue(_FUNCTION)
    if isinstance(value, bytes | bytearray | memoryview):
        raise UnsuitableValue(_BYTES)
    if isinstance(value, Iterable):
        raise UnsuitableValue(NESTED_VALUE)
    if not has_own_text(value):
        raise UnsuitableValue(_NO_TEXT)
    return value


def written_value(value: Any) -> Any:
    """Return a value for a text that no person hears, such as a phone number. 1234.0 becomes ``1234``.

    :raises UnsuitableValue: see `check_inserted`. Or the value is a float that may be a rounded phone number.
    """
    value = check_inserted(value)
    text = whole_number_text(value)
    if text is not None and may_be_rounded(text):
        raise UnsuitableValue(ROUNDED_NUMBER)
    return value if text is None else text


def spoken_value(value: Any) -> Any:
    """Return a value for a text that a person hears. A number and a date become texts for people.

    Examples are ``1234`` for 1234.0 and ``01.12.2026`` for a date, see `spoken_date`.

    :raises UnsuitableValue: see `exact_value`. Or a text has lost its letters, or only programs read it. Or
        the value is a duration, or a time with a time zone.
    """
    value = exact_value(value)
    if isinstance(value, str):
        for is_wrong, problem in _NOT_SPOKEN:
            if is_wrong(value):
                raise UnsuitableValue(problem)
        return value
    try:
        return spoken_date(value) if is_date(value) else value
    except ValueError as error:
        raise UnsuitableValue(str(error)) from None


def exact_value(value: Any) -> Any:
    """Return a value for a text that is no number to call, such as an ``external_id``.

    A number becomes a text such as ``1234`` for 1234.0. A date stays as Python writes it.

    :raises UnsuitableValue: see `check_inserted`. Or a number has lost digits.
    """
    value = check_inserted(value)
    try:
        return number_text(value) if may_have_fraction(value) or isinstance(value, LongNumber) else value
    except ValueError as problem:
        raise UnsuitableValue(f"a number that is not certain: {problem}") from None
