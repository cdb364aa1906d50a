"""The protocol of a store of plain JSON by key, such as task state, Airflow Variables or memory."""

from __future__ import annotations

from typing import Any, Protocol


class KeyValueStore(Protocol):
    """A store of plain JSON values by key, e.g. for the journal of a task's call."""

    def get(self, key: str) -> Any:
        """Return the value of a key; None: the store has no such key."""

    def set(self, key: str, value: Any) -> None:
        """Store the value of a key and replace an older value. Return only after the value is stored."""


class MemoryStore:
    """A key-value store in memory. The values are lost when the process ends."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self._values.get(key)

    def set(self, key: str, value: Any) -> None:
        self._values[key] = value
