"""One poll a connection, for everybody in an event loop who waits for its calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowNotFoundException

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.polling import NextSnapshot, SharedPoll
from airflow_provider_callapi.calls.snapshot import Snapshot, take_snapshot
from airflow_provider_callapi.connection.clients import make_client
from airflow_provider_callapi.connection.settings import read_settings
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.observability import record_poll_age

_polls: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedPoll]] = WeakKeyDictionary()


@asynccontextmanager
async def listen(callapi_conn_id: str, interval: float) -> AsyncIterator[NextSnapshot]:
    """Listen to the one poll of this connection in this event loop; start it, and end it, as needed."""
    polls = _polls.setdefault(asyncio.get_running_loop(), {})
    if callapi_conn_id not in polls:
        looker = _Looker(callapi_conn_id)
        polls[callapi_conn_id] = looker.poll = SharedPoll(looker)
    poll = polls[callapi_conn_id]
    try:
        async with poll.listen(interval) as next_snapshot:
            yield next_snapshot
    finally:
        if poll.idle and polls.get(callapi_conn_id) is poll:
            del polls[callapi_conn_id]  # the next listener reads the connection anew
            record_poll_age(0.0, conn_id=callapi_conn_id)  # a gauge keeps its last value, and nobody waits


class _Looker:
    """Takes snapshots through the synchronous client, in a thread: the event loop is never blocked."""

    poll: SharedPoll
    """Whose looks these are."""

    def __init__(self, callapi_conn_id: str) -> None:
        self._callapi_conn_id = callapi_conn_id
        self._client: Any = None
        self._seen_at = time.time()

    async def __call__(self) -> Snapshot:
        if self._client is None:
            connection = await CallApiHook.aget_connection(self._callapi_conn_id)
            self._client = make_client(read_settings(connection))
        snapshot = await asyncio.to_thread(take_snapshot, self._client, time.time)
        if not self.poll.idle:  # somebody may have left meanwhile, as the last one
            record_poll_age(snapshot.at - self._seen_at, conn_id=self._callapi_conn_id)
        if snapshot.failure is None:
            self._seen_at = snapshot.at
        return snapshot


def is_permanent(error: Exception) -> bool:
    """Whether a retry would end the same way; a secrets backend may be down for a moment only."""
    if isinstance(error, CallApiError):
        return error.permanent
    return isinstance(error, AirflowFailException | AirflowNotFoundException | ValueError)
