"""One protocol for every store of plain JSON by key: task state, an Airflow Variable, memory."""

from __future__ import annotations

from typing import Any, Protocol


class KeyValueStore(Protocol):
    """A store of plain JSON values by key."""

    def get(self, key: str) -> Any:
        """Return the value of a key, or None."""

    def set(self, key: str, value: Any) -> None:
        """Store the value of a key, replacing an older one. The value is stored when this method returns."""


class MemoryStore:
    """A key-value store that ends with the process, for callers whose values need not outlive one try."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self._values.get(key)

    def set(self, key: str, value: Any) -> None:
        self._values[key] = value
