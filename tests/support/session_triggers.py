"""A trigger that waits for one call, for the tests of this trigger and of the parts that triggers share."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.triggers.base import BaseTrigger

from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger


def trigger(session: int, now: float, **changes: Any) -> CallApiSessionTrigger:
    return CallApiSessionTrigger(
        **{
            "callapi_conn_id": "callapi_default",
            "call": Outcome(session, started_at=now).to_xcom(),
            "until": "ended",
            "poll_interval": 5.0,
            "appear_by": now + 60,
            "deadline": now + 600,
            **changes,
        }
    )


def kill(monkeypatch: pytest.MonkeyPatch, *triggers: BaseTrigger, state: str | None = "failed") -> None:
    """Cancel triggers as Airflow does after a user has changed the state of their task."""
    asyncio.run(killed(monkeypatch, *triggers, state=state))


def of_task(waiting: BaseTrigger, task_id: str = "wait") -> BaseTrigger:
    """Let a trigger belong to a task, as Airflow's triggerer does."""
    waiting.task_instance = SimpleNamespace(
        dag_id="reminders", run_id="manual", task_id=task_id, map_index=-1, task=None
    )
    return waiting


async def killed(monkeypatch: pytest.MonkeyPatch, *triggers: Any, state: str | None = "failed") -> None:
    airflow_knows(monkeypatch, {"wait": state})
    await asyncio.gather(*(of_task(waiting).on_kill() for waiting in triggers))


def airflow_knows(monkeypatch: pytest.MonkeyPatch, states: dict[str, str | None]) -> None:
    """Make Airflow's API server report the given states of the run's tasks: task id → state."""
    monkeypatch.setattr(
        RuntimeTaskInstance, "get_task_states", staticmethod(lambda **asked: {asked["run_ids"][0]: states})
    )
