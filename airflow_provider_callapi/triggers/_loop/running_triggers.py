"""The running triggers of this process, and the calls for which each trigger waits.

After a user has cleared a task, the task's next try defers with a new trigger. Airflow then cancels the old
trigger. If Airflow instead gives a trigger to another triggerer, no new trigger exists.
"""

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
    """Remember that a trigger runs in this process and waits for some calls."""
    _running[trigger] = frozenset(session_ids)


async def is_replaced(trigger: BaseTrigger, *, within: float) -> bool:
    """Return whether a new trigger waits in this process for a call of an old trigger.

    :param trigger: the old trigger.
    :param within: the longest time in seconds to wait for the new trigger.
    """
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
