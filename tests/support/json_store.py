"""A store of plain JSON by key, such as Airflow's task state, which outlives the process that uses it."""

from __future__ import annotations

import json
from typing import Any


class JsonStore:
    """A `KeyValueStore` that keeps only what JSON can hold.

    :ivar values: key → JSON text.
    :ivar writes: how often a value was stored.
    :ivar refuses: the stages of a journal that cannot be stored, as if the API server was down.
    """

    refuses: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.writes = 0

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self.values[key]) if key in self.values else default

    def set(self, key: str, value: Any) -> None:
        if isinstance(value, dict) and value.get("stage") in self.refuses:
            raise RuntimeError("API_SERVER_ERROR: connection refused")
        text = json.dumps(value, allow_nan=False)
        assert json.loads(text) == value, f"{key}: Airflow stores lists and no tuples"
        self.values[key] = text
        self.writes += 1
