"""How task state keeps what a task stores."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import Desk, informer_task
from airflow_fakes import TaskState as FakeAccessor

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.emulator import Fault
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.task_context.task_state import STATE_KEY, TaskState

pytest_plugins = ["airflow_desk"]


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

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, (default, None))[0]

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


@pytest.mark.parametrize(
    "value", [None, {"__airflow_state_ref__": "file:///state/1"}], ids=["None", "reference"]
)
def test_a_lost_value_is_no_value_that_was_never_stored(value: Any) -> None:
    """With [workers] state_store_backend, Airflow returns None for a value that the storage has lost."""
    accessor = Accessor()
    accessor.set("callapi_call", value, retention=None)

    with pytest.raises(CallApiFailure, match=r"callapi_call .* is lost: .*\[workers\] state_store_backend"):
        TaskState(accessor).get("callapi_call")


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_retry_that_has_lost_its_journal_calls_no_one(desk: Desk) -> None:
    task = informer_task(desk)
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")
    desk.exchange.fault(Fault.DROP_BEFORE, method="list.calls", times=50)
    with pytest.raises(CallApiError):
        task.run()
    assert task.state is not None
    task.state.values = dict.fromkeys(task.state.values, "null")

    with pytest.raises(CallApiFailure, match="is lost"):
        task.retry()

    assert len(desk.exchange.calls) == 1
