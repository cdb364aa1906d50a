"""Describe what a value is, for errors: the words contain neither a number nor a text of the value."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any


def kind_of(value: Any) -> str:
    """Return what a value is, in a few words that contain neither a number nor a text of the value."""
    if value is None:
        return "None"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return _kind_of_number(value)
    if isinstance(value, str):
        return _kind_of_text(value)
    if isinstance(value, timedelta):
        return "a negative timedelta" if value < timedelta(0) else "a timedelta of this length"
    return f"a value of type {type(value).__name__}"


def _kind_of_number(value: float) -> str:
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, float) and math.isinf(value):
        return "infinity"
    if value == 0:
        return "0"
    sign = "a negative" if value < 0 else "a"
    return f"{sign} number with a fraction" if value % 1 else f"{sign} number of this size"


def _kind_of_text(value: str) -> str:
    if not value:
        return "an empty text"
    if not value.strip():
        return "a blank text"
    return "a template" if "{{" in value or "{%" in value else "a text"
