"""Release (end) the calls of a killed task.

The requests run in parallel and with a short timeout, because the task's process ends soon.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from airflow_provider_callapi.api.methods import ReleaseCall
from airflow_provider_callapi.connection.clients import make_client
from airflow_provider_callapi.connection.settings import ConnectionSettings

_TIMEOUT = 4.0
"""The longest time in seconds that one release request waits for the reply."""
_MAX_PARALLEL = 32


def release_calls(settings: ConnectionSettings, session_ids: Collection[int], log: Any) -> None:
    """Release (end) active calls. If a release fails, log the failure and continue with the other calls.

    The function uses a new client, because another thread may still use the task's client.

    :param session_ids: the call session ids of the calls.
    :param log: the task's logger.
    """
    if not session_ids:
        return
    workers = min(len(session_ids), _MAX_PARALLEL)
    short_settings = settings.model_copy(update={"timeout": min(settings.timeout, _TIMEOUT)})
    with closing(make_client(short_settings)) as client, ThreadPoolExecutor(workers) as pool:

        def release(session_id: int) -> Exception | None:
            try:
                client.call(ReleaseCall(call_session_id=session_id))
            except Exception as error:
                return error
            return None

        names = ", ".join(map(str, session_ids))
        log.info("Releasing call session %s, because cancel_on_kill is True", names)
        for session_id, error in zip(session_ids, pool.map(release, session_ids), strict=True):
            if error is None:
                log.info("Released call session %s", session_id)
            else:
                log.warning("Call session %s may still be active: its release failed: %s", session_id, error)
