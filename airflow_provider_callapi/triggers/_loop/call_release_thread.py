"""Release (end) the calls of a killed deferred task, without blocking the triggerer's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from airflow_provider_callapi.connection.call_release import release_calls
from airflow_provider_callapi.connection.settings import read_settings
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.triggers._loop.threads import run_in_thread

_TIME_FOR_RELEASES = 8.0
"""Seconds for all releases of a killed task. The triggerer allows 30 s, but the user who killed the task may
not wait so long.
"""


async def release_in_thread(callapi_conn_id: str, session_ids: Collection[int], log: Any) -> None:
    """Release (end) calls through the API, in a thread.

    Return after eight seconds at the latest. Log a warning if some calls are not released by then.

    :param log: the trigger's logger.
    """
    settings = read_settings(await CallApiHook.aget_connection(callapi_conn_id))
    releases = run_in_thread(release_calls, settings, session_ids, log)
    try:
        await asyncio.wait_for(releases, _TIME_FOR_RELEASES)
    except TimeoutError:
        log.warning("Calls may still be active: they were not all released within %g s", _TIME_FOR_RELEASES)
