"""Find texts into which a template has inserted None or a list, and describe invalid values in errors.

An invalid value may be a password or a phone number. An error text therefore does not contain the value, but
describes it, e.g. as ``a blank text``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from numbers import Number
from typing import Any

from airflow_provider_callapi.api.values.lone_surrogates import has_lone_surrogate

_WORD = re.compile(r"[^\W\d_](?:[^\W\d]|-){0,19}")
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z_]*(?:[/+-][A-Za-z_]+){0,3}(?:[+-]?[0-9]{1,2})?")
_LONGEST_ZONE_NAME = 40


_WORDS_FOR_NONE = frozenset({"None", "nan", "NaN", "NaT", "<NA>", "null", "undefined"})
A_TEXT = "a text"
"""The words for a text of which an error cannot say more."""


class TextWithGap:
    """Stands for a text that cannot be used, because its template inserts an unsuitable value, such as None.

    The object is no text, so each check of a text refuses the object, with an error that names the operator's
    field.

    :param problem: words that describe the inserted value, e.g. ``a list``, and say what the author can do.
    """

    def __init__(self, problem: str) -> None:
        self._problem = problem

    def __repr__(self) -> str:
        return f"a template that inserts {self._problem}"


def find_gap(value: Any) -> TextWithGap | None:
    """Return the first `TextWithGap`: a text into which a template would have inserted, e.g., ``None``.

    None: there is none.

    :param value: the function searches this value, and the items of its lists and dicts at any depth.
    """
    if isinstance(value, TextWithGap):
        return value
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple | set | frozenset):
        return None
    return next((gap for gap in map(find_gap, value) if gap is not None), None)


def is_template_text(text: str) -> bool:
    """Return whether a text contains an expression, a statement or a comment of Jinja, as ``{{ ds }}``."""
    return "{{" in text or "{%" in text or "{#" in text


def without_enum(value: Any) -> Any:
    """Return the value of a member of an Enum, and any other value unchanged.

    Jinja writes the name of a member, even if the Enum is also a str: a person would hear "Greeting.HELLO".
    """
    return value.value if isinstance(value, Enum) else value


def has_own_text(value: Any) -> bool:
    """Return whether Python writes a value in a form for people: a text, a number, a time and the like.

    False: the text is for developers, such as ``<generator object at 0x7f41>``.
    """
    own: Any = type(value).__str__
    return isinstance(value, Number) or own is not object.__str__


def problem_text(problem: Mapping[str, Any]) -> str:
    """Return the text of one problem of pydantic's ``ValidationError.errors()``, for an error text.

    Pydantic puts ``Value error,`` before the texts of this package's own checks. The function removes it.
    """
    return str(problem["msg"]).removeprefix("Value error, ")


def shown_word(value: Any) -> str | None:
    """Return a short word in quotation marks, for the error of a parameter that takes words of a fixed set.

    None: the value is no word of at most 20 letters, ``_`` and ``-``. Such a value may be a phone number or a
    secret.
    """
    return repr(value) if isinstance(value, str) and _WORD.fullmatch(value) else None


def shown_zone(value: Any) -> str | None:
    """Return a text in quotation marks that looks like the name of a time zone, such as ``MSK`` or ``UTC+3``.

    None: the value looks different. It may be a phone number or a secret.
    """
    is_name = isinstance(value, str) and len(value) <= _LONGEST_ZONE_NAME and _ZONE_NAME.fullmatch(value)
    return repr(value) if is_name else None


def kind_of(value: Any) -> str:
    """Return a few words that describe a value in an error text, e.g. ``a blank text`` or ``NaN``.

    The words repeat no text and no number except 0, because the value may be a password or a phone number.
    """
    if value is None:
        return "None"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return _kind_of_number(value)
    if isinstance(value, str):
        return _kind_of_text(value)
    if isinstance(value, timedelta):
        return "a negative timedelta" if value < timedelta(0) else "another timedelta"
    return _kind_of_object(value)


def _kind_of_object(value: Any) -> str:
    if isinstance(value, TextWithGap):
        return str(value)
    if isinstance(value, type):
        return "a class"
    name = type(value).__name__
    if isinstance(value, list | tuple | set | frozenset | Mapping) and not value:
        return f"an empty {name}"
    if name in ("list", "tuple", "set", "dict"):
        return f"a {name}"
    # This room does not know Airflow. Airflow's forms use a Param, and operators use its value.
    return (
        "a Param, instead of a template such as {{ params.name }}"
        if name == "Param"
        else f"a value of type {name}"
    )


def _kind_of_number(value: float) -> str:
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, float) and math.isinf(value):
        return "infinity"
    if value == 0:
        return "0"
    if value % 1:
        return "a negative number with a fraction" if value < 0 else "a number with a fraction"
    return "a negative number" if value < 0 else "another number"


def _kind_of_text(value: str) -> str:
    if not value:
        return "an empty text"
    if not value.strip():
        return "a blank text"
    if value.strip() in _WORDS_FOR_NONE:
        return (
            f"the text {value.strip()!r}, which a template makes of a missing value, such as that of "
            "xcom_pull with a wrong task id"
        )
    if has_lone_surrogate(value):
        return "a text with half of a character (a lone surrogate)"
    return "a template" if is_template_text(value) else A_TEXT
