"""Opens the dicts and lists that a cell of a list contains, also as a text in JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

_CONTAINERS = (Mapping, list, tuple, set, frozenset)
_BEGIN_JSON = frozenset("{[")
"""The first characters of a JSON object and a JSON list. A cell of a CSV file may contain one."""


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
