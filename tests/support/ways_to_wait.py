"""The five ways in which a task waits for a call, and the two places, for tests that try all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow_fakes import Task, informer_task

from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor


def operator_task(desk: Any, poll_interval: float, timeout: float, **how: Any) -> Task:
    """Return a task that places an informer call and waits for its end."""
    return informer_task(desk, external_id=None, poll_interval=poll_interval, timeout=timeout, **how)


def sensor_task(desk: Any, poll_interval: float, timeout: float, **how: Any) -> Task:
    """Return a task that waits for a call that was placed outside the task."""
    session = desk.start()
    return Task(
        desk,
        lambda: CallApiSessionSensor(
            task_id="wait", call_session_id=session, poke_interval=poll_interval, timeout=timeout, **how
        ),
    )


WAITS: dict[str, tuple[Callable[..., Task], dict[str, Any]]] = {
    "operator in the worker": (operator_task, {}),
    "operator in the triggerer": (operator_task, {"deferrable": True}),
    "sensor that pokes": (sensor_task, {}),
    "sensor that reschedules": (sensor_task, {"mode": "reschedule"}),
    "sensor in the triggerer": (sensor_task, {"deferrable": True}),
}

WORKER_AND_DEFERRAL = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferral"])
"""Runs a test twice: the task waits in the worker, and in the triggerer."""

TAGS = {"answered": 36, "not_answered": 37, "ended": 38}

ways = pytest.mark.parametrize("way", ["worker", "deferral"])
"""Runs a test twice: a `waiting_task` waits in the worker, and in the triggerer."""


def waiting_task(desk: Any, way: str = "worker", **changes: Any) -> Task:
    """Return a task that places an informer call without an id of the author, and waits for its end."""
    return informer_task(desk, **{"external_id": None, "deferrable": way == "deferral", **changes})


def tags_set(desk: Any) -> list[str]:
    return [entry.detail for entry in desk.exchange.journal if entry.kind == "tag"]


def lose_the_first_try(calling: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a try whose start request gets no answer, and which dies before its search for the call."""

    def die(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the worker ends here")

    with monkeypatch.context() as patched:
        patched.setattr(CallApiHook, "poll_snapshots", die)
        with pytest.raises(RuntimeError):
            calling.run()
