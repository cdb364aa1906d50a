"""Stores which triggers run in this process, and for which calls each trigger waits."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any
from weakref import WeakKeyDictionary

from airflow.triggers.base import BaseTrigger

_PAUSE = 0.25
"""Seconds between two searches for a new trigger."""
_running: WeakKeyDictionary[BaseTrigger, frozenset[int]] = WeakKeyDictionary()
"""Running trigger → the session ids of its calls."""


def remember_running(trigger: BaseTrigger, session_ids: Collection[int]) -> None:
    """Record for which calls a trigger of this process waits.

    The record disappears when Python deletes the trigger.
    """
    _running[trigger] = frozenset(session_ids)


async def is_replaced(trigger: BaseTrigger, *, within: float) -> bool:
    """Return whether a new trigger has replaced a cancelled trigger.

    The new trigger belongs to the same task, waits for the same call, and runs in this process. If there is
    no such trigger yet, check again for up to ``within`` seconds.
    """
    # If a user clears the task, its next try waits for the same call with a new trigger. Without a new
    # trigger, the caller assumes that Airflow has moved the cancelled trigger to another triggerer.
    for _ in range(round(within / _PAUSE)):
        if _has_successor(trigger):
            return True
        await asyncio.sleep(_PAUSE)
    return _has_successor(trigger)


def _has_successor(trigger: BaseTrigger) -> bool:
    calls, task = _running.get(trigger, frozenset()), _task_of(trigger)
    return any(
        other is not trigger
        and other.trigger_id != trigger.trigger_id
        and _task_of(other) == task  # a sensor may wait for the same call
        and not calls.isdisjoint(other_calls)
        for other, other_calls in list(_running.items())
    )


def _task_of(trigger: BaseTrigger) -> tuple[Any, ...] | None:
    """Return (dag id, run id, task id, map index) of a trigger's task. None: the trigger has no task."""
    task = trigger.task_instance
    return task and (task.dag_id, task.run_id, task.task_id, task.map_index)
