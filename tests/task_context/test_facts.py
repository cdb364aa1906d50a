"""What is read from Airflow's task context."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_fakes import TaskInstance

from airflow_provider_callapi.task_context.facts import TaskFacts

BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PARSED = BEGAN.timestamp() + 60


def facts(execution_timeout: timedelta | None = None, **context: Any) -> TaskFacts:
    ti = TaskInstance(start_date=BEGAN, try_number=2, max_tries=5)
    return TaskFacts.of({"ti": ti, **context}, execution_timeout=execution_timeout)


def test_the_owner_is_the_same_for_every_try_of_a_mapped_task() -> None:
    ti = TaskInstance(map_index=3)
    first = TaskFacts.of({"ti": ti}, execution_timeout=None)
    ti.try_number = 7
    assert (
        TaskFacts.of({"ti": ti}, execution_timeout=None).owner == first.owner == ("dag", "run", "call", "3")
    )


def test_a_task_without_a_map_index_counts_as_unmapped() -> None:
    ti: Any = TaskInstance()
    ti.map_index = None
    assert TaskFacts.of({"ti": ti}, execution_timeout=None).owner[-1] == "-1"


@pytest.fixture(autouse=True)
def parsed_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker parses the DAG file for a minute before it executes the task."""
    monkeypatch.setattr("airflow_provider_callapi.system_clock.now", lambda: PARSED)


def test_the_execution_deadline_does_not_count_the_parsing_of_the_dag_file() -> None:
    assert facts().execution_deadline is None
    assert facts(timedelta(seconds=20)).execution_deadline == PARSED + 20


def test_a_deferral_does_not_move_the_execution_deadline() -> None:
    ti = TaskInstance(start_date=BEGAN)
    ti._ti_context_from_server = SimpleNamespace(next_method="execute_complete")
    resumed = TaskFacts.of({"ti": ti}, execution_timeout=timedelta(minutes=5))
    assert resumed.execution_deadline == BEGAN.timestamp() + 300


def test_a_first_try_was_not_cleared_even_if_a_policy_has_changed_max_tries() -> None:
    def was_cleared(try_number: int, max_tries: int) -> bool:
        ti = TaskInstance(try_number=try_number, max_tries=max_tries)
        task = SimpleNamespace(retries=2)
        return TaskFacts.of({"ti": ti, "task": task}, execution_timeout=None).was_cleared

    assert not was_cleared(1, 6)
    assert not was_cleared(2, 2)
    assert was_cleared(2, 3)


def test_a_run_without_a_due_time_has_no_run_after() -> None:
    assert facts().run_after is None
    assert facts(dag_run=SimpleNamespace(run_after=BEGAN)).run_after == BEGAN.timestamp()


def test_a_try_has_no_task_state_if_airflow_has_none() -> None:
    assert facts().state is None
