"""Stores which triggers run in this process, and for which calls each trigger waits."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from weakref import WeakKeyDictionary

from airflow.triggers.base import BaseTrigger

_PAUSE = 0.25
"""Seconds between two searches for a new trigger."""
_running: WeakKeyDictionary[BaseTrigger, frozenset[int]] = WeakKeyDictionary()
"""Running trigger → the session ids of its calls."""


def remember_running(trigger: BaseTrigger, session_ids: Collection[int]) -> None:
    """Record for which calls a trigger of this process waits, until Python deletes the trigger."""
    _running[trigger] = frozenset(session_ids)


async def is_replaced(trigger: BaseTrigger, *, within: float) -> bool:
    """Return whether another trigger in this process now waits for the call of a cancelled trigger.

    If not, check again for up to ``within`` seconds.
    """
    # If a user clears the task, its next try waits for the same call with a new trigger. Without a new
    # trigger, the caller assumes that Airflow has moved the cancelled trigger to another triggerer.
    for _ in range(round(within / _PAUSE)):
        if _has_successor(trigger):
            return True
        await asyncio.sleep(_PAUSE)
    return _has_successor(trigger)


def _has_successor(trigger: BaseTrigger) -> bool:
    calls = _running.get(trigger, frozenset())
    return any(
        other is not trigger and other.trigger_id != trigger.trigger_id and not calls.isdisjoint(other_calls)
        for other, other_calls in list(_running.items())
    )
