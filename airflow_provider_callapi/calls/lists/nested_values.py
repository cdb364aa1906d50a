"""Opens the dicts and lists that a cell of a list contains, also as a text in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

from airflow_provider_callapi.calls.lists.column_names import words_of
from airflow_provider_callapi.calls.lists.objection_words import is_other_channel

_CONTAINERS = (Mapping, list, tuple, set, frozenset)
_BEGIN_JSON = frozenset("{[")
"""The first characters of a JSON object and a JSON list. A cell of a CSV file may contain one."""
MAY_BEGIN_JSON = _BEGIN_JSON | frozenset(" \t\r\n")
"""The first characters of a text that may be JSON: blanks may stand before it."""
_KINDS = ("channel", "type", "kind", "канал", "тип")
"""The fields that tell what the other fields of an object are about: ``{"channel": "sms", "consent": 0}``."""
_LABELS = (
    "name",
    "field_name",
    "key",
    "code",
    "field",
    "title",
    "label",
    "property",
    "attribute",
    "название",
)
_VALUES = ("value", "values", "val", "значение", "значения")
"""The fields of an object that is itself a field: ``{"name": "consent", "value": "no"}``."""
_ABOUT_A_VALUE = re.compile(r"(?:^|_)(?:id|type|code|sort|order|date|at)$", re.IGNORECASE)
"""Matches fields such as ``enum_id`` that tell something of a value, and nothing of the person."""
_PAIR = 2
"""The length of a list that may be a name and its value, as in ``["consent", False]``."""
_ANSWERS = frozenset({"no", "yes", "n", "y", "false", "true", "0", "1", "нет", "да"})


def open_value(value: Any) -> Mapping[str, Any] | Collection[Any] | None:
    """Return the dict or the list that a value is, or that it contains as JSON. None: it is a plain value."""
    if isinstance(value, _CONTAINERS):
        return value
    text = str(value)
    if text.lstrip()[:1] in _BEGIN_JSON:
        with suppress(ValueError, RecursionError):
            if isinstance(inner := json.loads(text), dict | list):
                return inner
    return None


def label_of(inside: Mapping[str, Any]) -> str | None:
    """Return the name of a field that is written as an object: ``{"name": "consent", "value": "no"}``.

    None: the object has no field for a value, or none for a name.
    """
    if not any(field in inside for field in _VALUES):
        return None
    return " ".join(text for label in _LABELS if isinstance(text := inside.get(label), str)) or None


def plain_values(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each plain value inside a cell with its whole name: the column and all fields around the value.

    For example, the value of ``calls`` in ``{"consent": {"calls": False}}`` has the name ``consent calls``.
    The name also contains the channel of an object, such as ``sms``. The value of a field that is written as
    an object has the name of this field: ``consent`` for ``{"name": "consent", "value": "no"}``.

    :param name: the name of the column.
    """
    waiting = [(name, value)]  # no recursion: a list may be deeper than the stack
    while waiting:
        name, value = waiting.pop()
        inside = open_value(value)
        if inside is None:
            yield name, value
        elif isinstance(inside, Mapping):
            waiting += _fields_of(name, inside)
        elif (pair := _pair_of(inside)) is not None:
            waiting.append((_name_inside(name, pair[0]), pair[1]))
        else:
            waiting += [(name, each) for each in inside]


def _fields_of(name: str, inside: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    kinds = [text for kind in _KINDS if isinstance(text := inside.get(kind), str)]
    label = label_of(inside)
    has_value = any(field in inside for field in _VALUES)
    for field, value in inside.items():
        if field in _VALUES:
            yield " ".join([name if label is None else _name_inside(name, label), *kinds]), value
        elif has_value and _ABOUT_A_VALUE.search(str(field)):
            yield str(field), value
        elif label is None or field not in _LABELS:
            yield " ".join([name, *kinds, str(field)]), value


def _name_inside(name: str, label: str) -> str:
    return f"{name} {label}" if is_other_channel(words_of(name)) else label


def _pair_of(inside: Collection[Any]) -> tuple[str, Any] | None:
    """Return the name and the value that a list of two seems to be: ``["consent", False]``."""
    if len(inside) != _PAIR or not isinstance(inside, list | tuple):
        return None
    label, value = inside
    is_value = value.casefold() in _ANSWERS if isinstance(value, str) else not isinstance(value, _CONTAINERS)
    return (label, value) if isinstance(label, str) and is_value else None
