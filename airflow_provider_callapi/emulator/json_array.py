"""JSON arrays whose items are already JSON texts, so that an answer with many items takes little CPU time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class JsonArray:
    """A JSON array that consists of the JSON texts of its items.

    :ivar items: the JSON text of each item, in UTF-8.
    """

    items: list[bytes]

    def values(self) -> list[Any]:
        """Return the items of the array as Python objects."""
        values: list[Any] = json.loads(to_json(self))
        return values


def to_json(value: Any) -> bytes:
    """Return the JSON text of a value, in UTF-8.

    :param value: a value that `json.dumps` accepts, a `JsonArray`, or a dict that contains a `JsonArray`.
    """
    return b"".join(_parts(value))


def _parts(value: Any) -> Iterator[bytes]:
    if isinstance(value, JsonArray):
        yield b"["
        yield b", ".join(value.items)
        yield b"]"
    elif isinstance(value, dict):
        separator = b"{"
        for key, item in value.items():
            yield separator + json.dumps(key, ensure_ascii=False).encode() + b": "
            yield from _parts(item)
            separator = b", "
        yield b"}" if value else b"{}"
    else:
        yield json.dumps(value, ensure_ascii=False).encode()
