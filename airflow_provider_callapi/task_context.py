"""Airflow's task state (3.3+) as a store for values that the later tries of a task need."""

from __future__ import annotations

from typing import Any

CONTEXT_KEY = "task_state_store"
"""The key of the task state in Airflow's context. Older versions of Airflow have no such key."""


class TaskState:
    """The task state as a key-value store of plain JSON. A value is stored when ``set`` returns."""

    def __init__(self, accessor: Any) -> None:
        self._accessor = accessor

    def get(self, key: str) -> Any:
        """Return the task state's value for a key, or None."""
        return self._accessor.get(key)

    def set(self, key: str, value: Any) -> None:
        """Store a value in the task state. The value does not expire."""
        from airflow.sdk.execution_time.context import (  # noqa: PLC0415 - exists in Airflow 3.3+ only
            NEVER_EXPIRE,
        )

        self._accessor.set(key, value, retention=NEVER_EXPIRE)
