"""One protocol for every place that keeps plain JSON by key: task state, an Airflow Variable, memory."""

from __future__ import annotations

from typing import Any, Protocol


class KeyValueStore(Protocol):
    """Plain JSON values by key."""

    def get(self, key: str) -> Any:
        """Return the value, or None."""

    def set(self, key: str, value: Any) -> None:
        """Replace the value. It is stored when this method returns."""


class MemoryStore:
    """A store that ends with the process, for callers without a store that outlives a try."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self._values.get(key)

    def set(self, key: str, value: Any) -> None:
        self._values[key] = value
