"""Airflow's task state (3.3+) as a place for what must not be forgotten while a run can be cleared."""

from __future__ import annotations

from typing import Any

CONTEXT_KEY = "task_state_store"
"""Where the context has it; the key is absent in older versions of Airflow."""


class TaskState:
    """Values of plain JSON by key; one is stored when ``set`` returns."""

    def __init__(self, accessor: Any) -> None:
        self._accessor = accessor

    def get(self, key: str) -> Any:
        """The value, or None."""
        return self._accessor.get(key)

    def set(self, key: str, value: Any) -> None:
        """Store the value in place of the one before."""
        from airflow.sdk.execution_time.context import (  # noqa: PLC0415 - Airflow 3.3+, as task state is
            NEVER_EXPIRE,
        )

        self._accessor.set(key, value, retention=NEVER_EXPIRE)
