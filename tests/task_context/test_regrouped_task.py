"""A task that was moved into a task group during its DAG run does not call the people of the removed task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from airflow_fakes import CONTACT, Desk, Task, TaskInstance, informer_task
from campaign_desk import campaign

from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.task_context.regrouped_task import find_removed_task

pytest_plugins = ["airflow_desk", "campaign_desk"]


@dataclass
class GroupedTask(TaskInstance):
    """A task instance in a task group, beside the other task instances of the DAG run."""

    task_id: str = "evening.call"
    states: dict[str, str | None] = field(default_factory=lambda: {"call": "removed"})
    asked: list[list[str]] = field(default_factory=list)

    def get_task_states(self, *, dag_id: str, task_ids: list[str], run_ids: list[str]) -> Any:
        self.asked.append(task_ids)
        found = {
            name: state
            for name, state in self.states.items()
            if name in task_ids or name.rpartition("_")[0] in task_ids
        }
        return {run_ids[0]: found} if found else {}


@pytest.mark.parametrize(
    ("task_id", "states", "removed"),
    [
        ("call", {"a.call": "removed"}, None),
        ("a.call", {"call": "removed", "a.call": "running"}, "call"),
        ("a.call", {"call_0": "removed", "call_1": "removed"}, "call_0"),
        ("a.call", {"call_0": "success", "call_1": "removed"}, None),
        ("a.b.call", {"b.call": "removed"}, "b.call"),
        ("a.b.call", {"call": "removed"}, "call"),
        ("a.call", {"call": "success", "a.call": "removed", "b.call": "removed"}, None),
        ("a.call", {}, None),
    ],
)
def test_a_removed_task_with_fewer_groups_in_its_id_is_the_same_task(
    task_id: str, states: dict[str, str | None], removed: str | None
) -> None:
    assert find_removed_task(GroupedTask(task_id=task_id, states=states)) == removed


def test_airflow_is_not_asked_about_a_task_outside_of_groups() -> None:
    ti = GroupedTask(task_id="call")
    assert (find_removed_task(ti), ti.asked) == (None, [])


def grouped_task(desk: Desk, **states: str | None) -> Task:
    task = informer_task(desk, task_id="evening.call")
    task.ti = GroupedTask(states=states)
    return task


def test_a_start_operator_that_was_moved_calls_no_one(desk: Desk) -> None:
    with pytest.raises(CallApiFailure, match=r"Task call was moved into a task group .* places no call"):
        grouped_task(desk, call="removed").run()
    assert not desk.exchange.calls


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_start_operator_asks_once_before_its_first_call(desk: Desk) -> None:
    task = grouped_task(desk, call="success")
    first = task.run()
    task.ti.states = {"call": "removed"}  # type: ignore[attr-defined]
    assert task.retry() == first
    assert task.clear()["attempt"] == 2
    assert task.ti.asked == [["call"]]  # type: ignore[attr-defined]


@pytest.mark.needs_airflow("3.3", "task state")
def test_place_call_in_a_task_that_was_moved_calls_no_one(desk: Desk) -> None:
    task = grouped_task(desk, call="removed")
    request = StartInformerCall(
        virtual_phone_number="74993720692",
        contact=CONTACT,
        contact_message={"type": "tts", "value": "Hello"},
    )
    task.make()
    with pytest.raises(CallApiFailure, match="Task call was moved"):
        CallApiHook("callapi_default").place_call(request, task.context)
    assert not desk.exchange.calls


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("ledger", [None, "ledger"])
def test_a_campaign_that_was_moved_calls_no_one(campaign_desk: Any, ledger: str | None) -> None:
    """The default name of the campaign contains the task id, so an SQL ledger does not know the people."""
    ti = GroupedTask(task_id="evening.call")
    with pytest.raises(CallApiFailure, match="Task call was moved"):
        campaign(campaign_desk, ti=ti, task_id=ti.task_id, ledger_conn_id=ledger).run()
    assert not campaign_desk.exchange.calls
