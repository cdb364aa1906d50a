"""Release (end) the calls of a killed deferred task, without blocking the triggerer's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from weakref import WeakKeyDictionary

from airflow.triggers.base import BaseTrigger

from airflow_provider_callapi.connection.call_release import release_calls
from airflow_provider_callapi.connection.settings import ConnectionSettings, read_settings
from airflow_provider_callapi.event_loop.threads import run_in_thread
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.triggers._kill.running_triggers import is_replaced
from airflow_provider_callapi.triggers._kill.task_waiting import is_still_waiting

_TIME_FOR_RELEASES = 8.0
"""The longest time in seconds for the releases of all calls of a killed task.

Airflow's triggerer allows 30 seconds for the whole reaction to a kill.
"""
_TIME_FOR_NEXT_TRY = 5.0
"""Seconds for which a cancelled trigger waits until the task's next try defers with a new trigger.

A new trigger proves that a user has cleared the task.
"""
_SETTINGS_KEPT = 10.0
"""Seconds for which the settings of a connection are kept for other tasks that are killed meanwhile."""
_lookups: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Task[ConnectionSettings]]] = (
    WeakKeyDictionary()
)
"""Event loop → connection id → the asyncio task that reads the settings of this connection."""
_releases: set[asyncio.Task[None]] = set()
"""The asyncio tasks that release calls now. Without this reference, Python might delete a running task."""


async def release_after_kill(
    trigger: BaseTrigger, callapi_conn_id: str, session_ids: Collection[int]
) -> None:
    """Release (end) a trigger's calls, if a user has ended the wait, e.g. by clearing the task.

    Log errors and raise none.
    """
    release = asyncio.create_task(_release(trigger, callapi_conn_id, session_ids))
    _releases.add(release)
    release.add_done_callback(_releases.discard)
    await asyncio.shield(release)


async def _release(trigger: BaseTrigger, callapi_conn_id: str, session_ids: Collection[int]) -> None:
    names, log = ", ".join(map(str, session_ids)), trigger.log
    waiting = await is_still_waiting(trigger.task_instance, log)
    # Airflow may also cancel a trigger to move it to another triggerer. The task then still waits.
    # After a clear, the next try may be deferred already, with a trigger of its own.
    if waiting and not await is_replaced(trigger, within=_TIME_FOR_NEXT_TRY):
        log.info("Another triggerer waits for call session %s, so it is not released", names)
        return
    if waiting is None:
        log.warning(
            "Call session %s may still be active: it was not released, because Airflow does not tell whether "
            "the task still waits",
            names,
        )
        return
    try:
        settings = await asyncio.shield(_settings_of(callapi_conn_id))
        await asyncio.wait_for(run_in_thread(release_calls, settings, session_ids, log), _TIME_FOR_RELEASES)
    except Exception as error:
        log.warning(
            "Call session %s may still be active: the release failed with %s: %s",
            names,
            type(error).__name__,
            error,
        )


def _settings_of(callapi_conn_id: str) -> asyncio.Task[ConnectionSettings]:
    """Return an asyncio task that reads the settings in a connection, once for several triggers."""
    loop = asyncio.get_running_loop()
    lookups = _lookups.setdefault(loop, {})
    if callapi_conn_id not in lookups:

        async def read() -> ConnectionSettings:
            return read_settings(await CallApiHook.aget_connection(callapi_conn_id))

        lookup = lookups[callapi_conn_id] = asyncio.create_task(read())
        lookup.add_done_callback(
            lambda done: loop.call_later(_SETTINGS_KEPT, lookups.pop, callapi_conn_id, None)
        )
    return lookups[callapi_conn_id]
