"""Say in plain English why pydantic refuses a value. The text does not contain the value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_callapi.api.values.value_kinds import A_TEXT, kind_of, problem_text, shown_word

_EXAMPLES = {
    "Message": 'such as {"type": "tts", "value": "Hello"}',
    "Employee": 'such as {"id": 25}',
}
"""Name of the class of a request's object → an example of the dict that an author writes."""
_NEEDED = {
    "bool_parsing": "true or false is needed",
    "bool_type": "true or false is needed",
    "extra_forbidden": "there is no such field",
    "float_parsing": "a number is needed",
    "float_type": "a number is needed",
    "int_parsing": "a whole number is needed",
    "int_type": "a whole number is needed",
    "list_type": "a list is needed",
    "missing": "the value is missing",
    "string_too_short": "a text that is not empty is needed",
    "string_type": "a text is needed",
    "too_short": "a text that is not empty is needed",
}
"""Pydantic's type of a problem → what is needed."""
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
"""Pydantic's type of a problem → the name of the bound in the problem's context, and the bound in words."""
_OBJECTS = frozenset({"dict_type", "model_attributes_type", "model_type"})
_WITHOUT_VALUE = frozenset({"extra_forbidden", "missing"})


def plain_problem(problem: Mapping[str, Any]) -> str:
    """Return the text of one problem of ``ValidationError.errors()``: what is needed, and what the value is.

    The text shows a short word where one word of a fixed set is needed. It contains no other value.

    :param problem: the problem, with its input.
    """
    kind, needed = problem["type"], _needed(problem)
    if kind in _WITHOUT_VALUE or not problem["loc"]:  # a problem without a path concerns several fields
        return needed
    shown = (shown_word(problem["input"]) if kind == "literal_error" else None) or kind_of(problem["input"])
    # The checks of this package say themselves what a text lacks.
    is_clear = shown == A_TEXT and kind in ("literal_error", "value_error")
    return needed if is_clear else f"{needed}; the value is {shown}"


def _needed(problem: Mapping[str, Any]) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind in _OBJECTS:
        return f"a dict {_EXAMPLES.get(context.get('class_name', ''), '')}".strip() + " is needed"
    if kind == "literal_error":
        return f"{context['expected']} is needed"
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"a number of {words} {context[name]} is needed"
    return _NEEDED.get(kind) or problem_text(problem)
