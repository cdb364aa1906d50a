"""One poll per connection and event loop. All waits for the connection's calls share this poll."""

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
"""Event loop → connection id → the shared poll of this connection."""


@asynccontextmanager
async def subscribe(callapi_conn_id: str, interval: float) -> AsyncIterator[NextSnapshot]:
    """Subscribe to the snapshots of a connection until the context ends. All subscribers share one poll.

    The context's value is a function that waits for the next snapshot and returns it. The first subscriber of
    an event loop starts the connection's poll. The poll stops when the last subscriber leaves.

    :param interval: the longest time between two snapshots, in seconds.
    """
    polls = _polls.setdefault(asyncio.get_running_loop(), {})
    if callapi_conn_id not in polls:
        poller = _Poller(callapi_conn_id)
        polls[callapi_conn_id] = poller.poll = SharedPoll(poller)
    poll = polls[callapi_conn_id]
    try:
        async with poll.subscribe(interval) as next_snapshot:
            yield next_snapshot
    finally:
        if poll.idle and polls.get(callapi_conn_id) is poll:
            del polls[callapi_conn_id]  # the next subscriber reads the connection again
            record_poll_age(0.0, conn_id=callapi_conn_id)  # a gauge keeps its last value


class _Poller:
    """Take snapshots of one connection's active calls in a thread, because the client is synchronous."""

    poll: SharedPoll
    """The shared poll that uses this object to take its snapshots."""

    def __init__(self, callapi_conn_id: str) -> None:
        self._callapi_conn_id = callapi_conn_id
        self._client: Any = None
        self._succeeded_at = time.time()

    async def __call__(self) -> Snapshot:
        if self._client is None:
            connection = await CallApiHook.aget_connection(self._callapi_conn_id)
            self._client = make_client(read_settings(connection))
        snapshot = await asyncio.to_thread(take_snapshot, self._client, time.time)
        if not self.poll.idle:  # the last subscriber may have left during the poll
            record_poll_age(snapshot.at - self._succeeded_at, conn_id=self._callapi_conn_id)
        if snapshot.failure is None:
            self._succeeded_at = snapshot.at
        return snapshot


def is_permanent(error: Exception) -> bool:
    """Return whether a retry of the task would fail with the same error.

    Return False for an error of an unknown kind, for example if the secrets backend is down for a moment.
    """
    if isinstance(error, CallApiError):
        return error.permanent
    return isinstance(error, AirflowFailException | AirflowNotFoundException | ValueError)
