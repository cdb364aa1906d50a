"""Opens the dicts and lists that a cell of a list contains, also as a text in JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

_CONTAINERS = (Mapping, list, tuple, set, frozenset)
_BEGIN_JSON = frozenset("{[")
"""The first characters of a JSON object and a JSON list. A cell of a CSV file may contain one."""
MAY_BEGIN_JSON = _BEGIN_JSON | frozenset(" \t\r\n")
"""The first characters of a text that may be JSON: blanks may stand before it."""
_KINDS = ("channel", "type", "kind", "канал", "тип")
"""The fields that tell what the other fields of an object are about: ``{"channel": "sms", "consent": 0}``."""


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


def plain_values(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each plain value inside a cell with its whole name: the column and all fields around the value.

    For example, the value of ``calls`` in ``{"consent": {"calls": False}}`` has the name ``consent calls``.
    The name also contains the channel of an object, such as ``sms``.

    :param name: the name of the column.
    """
    waiting = [(name, value)]  # no recursion: a list may be deeper than the stack
    while waiting:
        name, value = waiting.pop()
        inside = open_value(value)
        if inside is None:
            yield name, value
        elif isinstance(inside, Mapping):
            kinds = [text for kind in _KINDS if isinstance(text := inside.get(kind), str)]
            waiting += [(" ".join([name, *kinds, str(field)]), each) for field, each in inside.items()]
        else:
            waiting += [(name, each) for each in inside]
