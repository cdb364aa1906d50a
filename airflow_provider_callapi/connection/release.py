"""Ending calls when their task is killed: all at once and briefly, since who kills does not wait for long."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from airflow_provider_callapi.api.methods import ReleaseCall
from airflow_provider_callapi.connection.clients import make_client
from airflow_provider_callapi.connection.settings import ConnectionSettings

_TIMEOUT = 4.0
"""Seconds for a request."""
_AT_ONCE = 32


def release_calls(settings: ConnectionSettings, session_ids: Collection[int], log: Any) -> None:
    """Release these calls, through a connection of their own: the task's may be in use.

    Raises nothing: what cannot be released is told in the log.
    """
    if not session_ids:
        return
    brief = settings.model_copy(update={"timeout": min(settings.timeout, _TIMEOUT)})
    with closing(make_client(brief)) as client, ThreadPoolExecutor(min(len(session_ids), _AT_ONCE)) as pool:

        def release(session_id: int) -> Exception | None:
            try:
                client.call(ReleaseCall(call_session_id=session_id))
            except Exception as error:
                return error
            return None

        log.info("Killed: releasing call session %s", ", ".join(map(str, session_ids)))
        for session_id, error in zip(session_ids, pool.map(release, session_ids), strict=True):
            if error is None:
                log.info("Killed: released call session %s", session_id)
            else:
                log.warning("Call session %s may still be active: %s", session_id, error)
