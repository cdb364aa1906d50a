"""Release calls when a deferred task is killed, without blocking the triggerer's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from airflow_provider_callapi.connection.release import release_calls
from airflow_provider_callapi.connection.settings import read_settings
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.triggers._loop.threads import in_a_thread

_PATIENCE = 8.0
"""Seconds for all releases. The triggerer allows a kill 30 s; a person waits less."""


async def release_aside(callapi_conn_id: str, session_ids: Collection[int], log: Any) -> None:
    """Release these calls in a thread; log a warning if not all are released in time."""
    settings = read_settings(await CallApiHook.aget_connection(callapi_conn_id))
    releasing = in_a_thread(release_calls, settings, session_ids, log)
    try:
        await asyncio.wait_for(releasing, _PATIENCE)
    except TimeoutError:
        log.warning("Calls may still be active: they were not all released within %g s", _PATIENCE)
