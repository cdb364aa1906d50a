"""Airflow's task state: the key-value store of one task, from Airflow 3.3 on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

STATE_KEY = "task_state_store"
"""The key of the task state in Airflow's task context. Airflow before 3.3 has no such key."""


class TaskState:
    """Airflow's task state: a key-value store of one task, with JSON values.

    The values survive retries, deferrals and clears. If Airflow's option ``[state_store] clear_on_success``
    is set, Airflow deletes the values when the task succeeds.
    """

    def __init__(self, accessor: Any) -> None:
        self._accessor = accessor

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> Self | None:
        """Return the task state in a task context. None: Airflow is older than 3.3 and has no task state.

        :param context: Airflow's context of the running task.
        """
        return cls(context[STATE_KEY]) if STATE_KEY in context else None

    def get(self, key: str) -> Any:
        """Return the stored value of a key, as plain JSON. None: the key has no value."""
        return self._accessor.get(key)

    def set(self, key: str, value: Any) -> None:
        """Store the value of a key, without an expiry time. The method returns after the value is stored.

        :param value: plain JSON.
        """
        from airflow.sdk.execution_time.context import (  # noqa: PLC0415 - Airflow 3.3+, as task state is
            NEVER_EXPIRE,
        )

        self._accessor.set(key, value, retention=NEVER_EXPIRE)
