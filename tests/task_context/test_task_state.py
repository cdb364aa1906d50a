"""How task state keeps what a task stores."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import TaskState as FakeAccessor

from airflow_provider_callapi.task_context.task_state import STATE_KEY, TaskState


def test_task_state_is_available_only_if_airflow_has_it() -> None:
    assert TaskState.of({}) is None
    accessor = FakeAccessor()
    accessor.set("key", {"a": 1})
    state = TaskState.of({STATE_KEY: accessor})
    assert state is not None
    assert (state.get("key"), state.get("other")) == ({"a": 1}, None)


class Accessor:
    """Airflow's accessor of the task state, kept in memory with the retention of each value."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[Any, Any]] = {}

    def get(self, key: str) -> Any:
        return self.values.get(key, (None, None))[0]

    def set(self, key: str, value: Any, *, retention: Any) -> None:
        self.values[key] = value, retention


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_stored_value_never_expires_and_replaces_the_previous_one():
    from airflow.sdk.execution_time.context import NEVER_EXPIRE

    accessor = Accessor()
    state = TaskState(accessor)

    assert state.get("journal") is None
    state.set("journal", {"stage": "starting"})
    state.set("journal", {"stage": "started"})

    assert state.get("journal") == {"stage": "started"}
    assert accessor.values["journal"][1] == NEVER_EXPIRE
