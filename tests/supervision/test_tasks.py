"""Which tasks poll now, and which task has placed which call."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.supervision.tasks import find_callers, list_polling_tasks

pytest_plugins = ["campaigns_seen"]


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_journal_of_a_task_names_the_owner_of_a_call(task_states: Any) -> None:
    task_states("one", {"callapi_call": {"stage": "started", "call": {"call_session_id": 7}}})
    task_states("two", {"callapi_call": {"stage": "starting", "call": None}})

    assert find_callers() == {7: ("one", "manual__1", "call", "-1")}


@pytest.mark.needs_airflow("3.3", "task state")
def test_each_journal_of_a_task_with_several_calls_names_the_owner_of_its_call(task_states: Any) -> None:
    journals = {f"callapi_call_{number}": {"call": {"call_session_id": number}} for number in (1, 2)}
    task_states("one", {**journals, "callapi_calls": {"call": {"call_session_id": 8}}})

    assert find_callers() == dict.fromkeys((1, 2), ("one", "manual__1", "call", "-1"))


def test_no_task_polls_if_no_task_runs(airflow_db: None) -> None:
    assert list_polling_tasks() == []
