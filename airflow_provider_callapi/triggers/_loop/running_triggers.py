"""Stores which triggers run in this process, and for which calls each trigger waits.

With this module, a cancelled trigger finds out why Airflow has cancelled the trigger. If a user has cleared
the task, the task's next try defers with a new trigger for the same call, and this module knows the new
trigger. If Airflow has moved the cancelled trigger to another triggerer, this module knows no new trigger for
the call.
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
    """Record that a trigger runs in this process, and for which calls the trigger waits.

    :param session_ids: the session ids of the calls.
    """
    _running[trigger] = frozenset(session_ids)


async def is_replaced(trigger: BaseTrigger, *, within: float) -> bool:
    """Return whether another trigger in this process now waits for a call of a cancelled trigger.

    True means that a user has cleared the task of the cancelled trigger, and that the next try of the task is
    already deferred.

    :param trigger: the cancelled trigger.
    :param within: the longest time in seconds to wait for the other trigger.
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
