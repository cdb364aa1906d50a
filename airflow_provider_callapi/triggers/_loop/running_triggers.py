"""Stores which triggers run in this process, and for which calls each trigger waits.

If Airflow has cancelled a trigger and the task is still deferred, the trigger looks here for the reason:

- If a new trigger in this process waits for the same call: a user has cleared the task, and the task's next
  try waits for the call.
- If not: the trigger assumes that Airflow has moved it to another triggerer.
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

    :param trigger: the trigger. The record disappears when Python deletes the trigger.
    :param session_ids: the session ids of the calls.
    """
    _running[trigger] = frozenset(session_ids)


async def is_replaced(trigger: BaseTrigger, *, within: float) -> bool:
    """Return whether another trigger in this process now waits for a call of a cancelled trigger.

    If there is no other trigger yet, the function waits for one.

    :param trigger: the cancelled trigger.
    :param within: the longest wait in seconds.
    :return: True: a user has cleared the task of the cancelled trigger, and the task's next try is already
        deferred. False: no other trigger in this process waits for the calls.
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
