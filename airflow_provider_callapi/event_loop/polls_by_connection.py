"""Polls the active calls of each connection, once for all triggers of an event loop.

Many waiting tasks together send no more requests than one waiting task.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.errors import AuthenticationFailed, CallApiError
from airflow_provider_callapi.calls.watching.absence_history import AbsenceHistory
from airflow_provider_callapi.calls.watching.shared_poll import SharedPoll, Subscription
from airflow_provider_callapi.calls.watching.snapshot import Snapshot, take_snapshot
from airflow_provider_callapi.connection.clients import make_client
from airflow_provider_callapi.connection.settings import ConnectionSettings, read_settings
from airflow_provider_callapi.event_loop.witnesses import Witnesses
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.observability.metrics import record_poll_age

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

_READ_CONNECTION_FOR = 180.0
"""Seconds for which the shared poll tries again to read a connection that cannot be read."""
_READ_CONNECTION_AGAIN_AFTER = 3.0
"""Seconds between two attempts to read the connection."""
_UNREADABLE = (
    "Connection %s cannot be read (%s); trying again for some minutes. Under `airflow dags test`, a trigger "
    "can read only connections in environment variables"
)
log = logging.getLogger(__name__)

_polls: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedPoll]] = WeakKeyDictionary()
"""Event loop → connection id → the shared poll of this connection."""
_histories: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, AbsenceHistory]] = WeakKeyDictionary()
"""Event loop → connection id → what all earlier polls of this connection have shown about missing calls."""


def subscribe(
    callapi_conn_id: str,
    interval: float,  # seconds between two polls; the shortest interval of all subscribers counts
    awaited: Callable[[], Iterable[int]] = tuple,  # the calls for whose answer the subscriber waits
    *,
    only_call: int | None = None,  # leaves out snapshots that change nothing for this call, except the first
    wake_at: float = math.inf,  # epoch seconds; from then on, ``only_call`` leaves out no snapshot
) -> Subscription:
    """Return a subscription to the polls of a connection's active calls, for an ``async with`` block.

    In ``async with subscribe(…) as next_snapshot``, ``await next_snapshot()`` returns the next snapshot. All
    triggers of an event loop share the polls. `SharedPoll.subscribe` explains all parameters except the
    connection id.
    """
    polls = _polls.setdefault(asyncio.get_running_loop(), {})

    def forget() -> None:
        if polls.get(callapi_conn_id) is poll:
            del polls[callapi_conn_id]  # the next subscriber reads the connection again
            record_poll_age(0.0, conn_id=callapi_conn_id)  # otherwise, the metric would keep its last value

    poll = polls.get(callapi_conn_id)
    if poll is None:
        poller = _Poller(callapi_conn_id)
        histories = _histories.setdefault(asyncio.get_running_loop(), {})
        history = histories.setdefault(callapi_conn_id, AbsenceHistory())
        poll = polls[callapi_conn_id] = poller.poll = SharedPoll(poller, history=history, when_idle=forget)
    return poll.subscribe(interval, awaited, only_call=only_call, wake_at=wake_at)


class _Poller:
    """Polls the active calls of one connection: ``await poller()`` polls once and returns the snapshot."""

    poll: SharedPoll
    """The shared poll that uses this object to take its snapshots."""

    def __init__(self, callapi_conn_id: str) -> None:
        self._callapi_conn_id = callapi_conn_id
        self._settings: ConnectionSettings | None = None
        self._client: Client | None = None
        self._witnesses: Witnesses | None = None
        self._succeeded_at = system_clock.now()

    async def __call__(self) -> Snapshot:
        if self._client is None:
            self._client = self._connect(read_settings(await self._read_connection()))
        snapshot = await asyncio.to_thread(take_snapshot, self._client, system_clock.now)
        if isinstance(snapshot.failure, AuthenticationFailed) and (renewed := await self._renewed_settings()):
            self._client.close()
            self._client = self._connect(renewed)
            snapshot = await asyncio.to_thread(take_snapshot, self._client, system_clock.now)
        if not self.poll.idle:  # the last subscriber may have left during the poll
            record_poll_age(snapshot.at - self._succeeded_at, conn_id=self._callapi_conn_id)
        if snapshot.failure is None:
            self._succeeded_at = snapshot.at
        elif snapshot.failure.permanent:
            # A user may have corrected the connection. A new subscriber must not fail with the old key.
            self._client, self._witnesses = None, None
        if self._witnesses is None:
            return snapshot
        return await self._witnesses.extend(
            snapshot, self.poll.awaited_answers, self.poll.awaited_ends(snapshot)
        )

    def _connect(self, settings: ConnectionSettings) -> Client:
        self._settings = settings
        self._witnesses = None if settings.data_api_url is None else Witnesses(settings)
        return make_client(settings)

    async def _renewed_settings(self) -> ConnectionSettings | None:
        """Return the settings of the connection if a user has renewed its key or password. None: not so."""
        try:
            settings = read_settings(await CallApiHook.aget_connection(self._callapi_conn_id))
        except Exception:  # the service's error says more about this poll
            return None
        return settings if self._settings and settings.renews(self._settings) else None

    async def _read_connection(self) -> Connection:
        """Return the Airflow connection. After a transient error, try again for up to three minutes."""
        give_up_at, is_logged = system_clock.now() + _READ_CONNECTION_FOR, False
        while True:
            try:
                return await CallApiHook.aget_connection(self._callapi_conn_id)
            except Exception as error:
                # A short outage of a secrets backend must not end the waits of all deferred tasks.
                if is_permanent(error) or self.poll.idle or system_clock.now() >= give_up_at:
                    raise
                if not is_logged:
                    log.warning(_UNREADABLE, self._callapi_conn_id, type(error).__name__)
                is_logged = True
            await asyncio.sleep(_READ_CONNECTION_AGAIN_AFTER)


def is_permanent(error: Exception) -> bool:
    """Return whether an error of a poll is permanent: a retry of the task would fail in the same way."""
    if isinstance(error, CallApiError):
        return error.permanent
    # Not a missing connection: Airflow raises the same error while a secrets backend is down.
    return isinstance(error, AirflowFailException | ValueError)
