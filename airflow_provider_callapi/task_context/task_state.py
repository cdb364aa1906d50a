"""Airflow's task state: the key-value store of one task, from Airflow 3.3 on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from airflow_provider_callapi.exceptions import CallApiFailure

STATE_KEY = "task_state_store"
"""The key of the task state in Airflow's task context. Airflow before 3.3 has no such key."""
_NEVER_STORED: Any = object()
_REFERENCE = "__airflow_state_ref__"
"""The key of Airflow's reference to a value in the storage of the workers."""


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
        """Return the stored value of a key, as plain JSON. None: no value was ever stored for the key.

        :raises CallApiFailure: a value was stored, and is lost. So it is not known which calls the task has
            placed.
        """
        value = self._accessor.get(key, _NEVER_STORED)
        # This package stores no None. A worker without the storage gets the reference to the value.
        if value is None or (isinstance(value, dict) and _REFERENCE in value):
            raise CallApiFailure(
                f"The value of {key} in Airflow's task state is lost: the storage in the option [workers] "
                "state_store_backend no longer has it, or this worker does not use the storage. So it is not "
                "known what this task has done, and it does nothing. All workers need the same storage, and "
                "it must keep the values as long as Airflow keeps the DAG run. To call the people again, "
                "start a new DAG run"
            )
        return None if value is _NEVER_STORED else value

    def set(self, key: str, value: Any) -> None:
        """Store the value of a key, without an expiry time. The method returns after the value is stored.

        :param value: plain JSON.
        """
        from airflow.sdk.execution_time.context import (  # noqa: PLC0415 - Airflow 3.3+, as task state is
            NEVER_EXPIRE,
        )

        self._accessor.set(key, value, retention=NEVER_EXPIRE)
