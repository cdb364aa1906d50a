"""Which tasks poll now, and which task has placed which call."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.supervision.tasks import find_callers, list_polling_tasks

pytest_plugins = ["campaigns_seen"]


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_journal_of_a_task_tells_whose_call_it_is(task_states: Any) -> None:
    task_states("one", {"callapi_call": {"stage": "started", "call": {"call_session_id": 7}}})
    task_states("two", {"callapi_call": {"stage": "intended", "call": None}})

    assert find_callers() == {7: ("one", "manual__1", "call", "-1")}


def test_without_running_tasks_no_one_polls(airflow_db: None) -> None:
    assert list_polling_tasks() == []
