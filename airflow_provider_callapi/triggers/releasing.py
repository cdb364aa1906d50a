"""Ending calls when a waiting task is killed: briefly, since a triggerer's time for that is short."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.methods import ReleaseCall
from airflow_provider_callapi.hooks.callapi import CallApiHook, make_client, read_settings

_KILL_TIMEOUT = 8.0
"""Seconds for all releases; the triggerer gives a kill 30 s, a person less."""


async def release_calls(callapi_conn_id: str, session_ids: Iterable[int], log: Any) -> None:
    """Release these calls at the same time; one that cannot be released is told in the log."""
    settings = read_settings(await CallApiHook.aget_connection(callapi_conn_id))
    client = make_client(settings.model_copy(update={"timeout": min(settings.timeout, _KILL_TIMEOUT / 2)}))

    async def release(session_id: int) -> None:
        try:
            request = ReleaseCall(call_session_id=session_id)
            await asyncio.wait_for(asyncio.to_thread(client.call, request), _KILL_TIMEOUT)
            log.info("Killed: released call session %s", session_id)
        except (CallApiError, TimeoutError) as error:
            log.warning("Call session %s may still be active: %s", session_id, error)

    await asyncio.gather(*(release(session_id) for session_id in session_ids))
