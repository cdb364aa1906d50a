"""Whether a task still waits: what is asked of Airflow, and what its reply means."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from session_triggers import airflow_knows

from airflow_provider_callapi.triggers._kill.task_waiting import is_still_waiting

LOG = logging.getLogger(__name__)


def asked(map_index: int | None = -1) -> bool | None:
    ti = SimpleNamespace(dag_id="reminders", run_id="manual", task_id="wait", map_index=map_index)
    return asyncio.run(is_still_waiting(ti, LOG))


@pytest.mark.parametrize(("state", "waits"), [("deferred", True), ("failed", False), (None, False)])
@pytest.mark.parametrize(
    ("map_index", "name"), [(-1, "wait"), (None, "wait"), (0, "wait_0"), (12, "wait_12")]
)
def test_a_task_waits_if_airflow_states_that_it_is_deferred(monkeypatch, state, waits, map_index, name):
    airflow_knows(monkeypatch, {name: state})
    assert asked(map_index) is waits


def test_the_state_of_another_map_index_does_not_count(monkeypatch):
    airflow_knows(monkeypatch, {"wait_1": "deferred"})
    assert asked(2) is None


@pytest.mark.parametrize("error", [RuntimeError("no API server"), ImportError("no SUPERVISOR_COMMS")])
def test_the_state_of_a_task_is_unknown_without_a_reply(monkeypatch, caplog, error):
    def fail(**_: Any) -> Any:
        raise error

    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(fail))
    assert asked() is None
    assert "does not tell the state" in caplog.text
    assert asyncio.run(is_still_waiting(None, LOG)) is None


def test_triggers_of_a_mapped_task_that_are_cancelled_together_share_one_question(monkeypatch):
    questions = []

    def reply(**question: Any) -> Any:
        questions.append(question)
        return {"manual": {f"wait_{number}": "deferred" if number % 2 else "failed" for number in range(40)}}

    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(reply))

    async def cancel_all() -> list[bool | None]:
        tasks = [
            SimpleNamespace(dag_id="reminders", run_id="manual", task_id="wait", map_index=number)
            for number in range(40)
        ]
        return await asyncio.gather(*(is_still_waiting(task, LOG) for task in tasks))

    assert asyncio.run(cancel_all()) == [bool(number % 2) for number in range(40)]
    assert questions == [{"dag_id": "reminders", "task_ids": ["wait"], "run_ids": ["manual"]}]


def test_a_trigger_that_is_cancelled_later_asks_again(monkeypatch):
    replies = iter([{"manual": {"wait": "deferred"}}, {"manual": {"wait": "failed"}}])
    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(lambda **_: next(replies)))

    async def cancel_twice() -> list[bool | None]:
        ti = SimpleNamespace(dag_id="reminders", run_id="manual", task_id="wait", map_index=-1)
        return [await is_still_waiting(ti, LOG), await is_still_waiting(ti, LOG)]

    assert asyncio.run(cancel_twice()) == [True, False]
