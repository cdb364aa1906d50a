"""Waiting for a call without a worker: every trigger of a connection listens to one poll.

A trigger only looks. Whatever changes the world happens in a worker, after the event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.polling import NextSnapshot, SharedPoll
from airflow_provider_callapi.calls.snapshot import Snapshot, look
from airflow_provider_callapi.calls.watch import DONE, Phase, SessionWatch, Sighting, Until
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.hooks.callapi import CallApiHook, make_client, read_settings
from airflow_provider_callapi.observability import observe, poll_age
from airflow_provider_callapi.triggers.releasing import release_calls

_polls: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedPoll]] = WeakKeyDictionary()


@asynccontextmanager
async def listen(callapi_conn_id: str, interval: float) -> AsyncIterator[NextSnapshot]:
    """Listen to the one poll of this connection in this event loop; start it, and end it, as needed."""
    polls = _polls.setdefault(asyncio.get_running_loop(), {})
    if callapi_conn_id not in polls:
        polls[callapi_conn_id] = SharedPoll(_Looker(callapi_conn_id))
    poll = polls[callapi_conn_id]
    try:
        async with poll.listen(interval) as next_snapshot:
            yield next_snapshot
    finally:
        if poll.idle and polls.get(callapi_conn_id) is poll:
            del polls[callapi_conn_id]  # the next listener reads the connection anew
            poll_age(0.0, conn_id=callapi_conn_id)  # a gauge keeps its last value, and nobody waits


class _Looker:
    """Takes snapshots through the synchronous client, in a thread: the event loop is never blocked."""

    def __init__(self, callapi_conn_id: str) -> None:
        self._callapi_conn_id = callapi_conn_id
        self._client: Any = None
        self._seen_at = time.time()

    async def __call__(self) -> Snapshot:
        if self._client is None:
            connection = await CallApiHook.aget_connection(self._callapi_conn_id)
            self._client = make_client(read_settings(connection))
        snapshot = await asyncio.to_thread(look, self._client, time.time)
        poll_age(snapshot.at - self._seen_at, conn_id=self._callapi_conn_id)
        if snapshot.failure is None:
            self._seen_at = snapshot.at
        return snapshot


class CallApiSessionTrigger(BaseTrigger):
    """Fires once: when a call is answered or has ended, or when the time to wait is up.

    All times are wall-clock epoch seconds: the trigger may wake up in another process. What it has
    seen does not survive that (only ``call`` does); it then says less, never something invented.

    :param callapi_conn_id: the connection.
    :param call: the call as a start operator or a sensor returned it.
    :param until: ``answered`` or ``ended``.
    :param poll_interval: seconds between two looks; the connection's most impatient trigger decides.
    :param appear_by: a call that is not listed by then has ended unobserved.
    :param deadline: when the time to wait is up.
    :param poll_failures_tolerated: failed looks in a row that are survived.
    :param cancel_on_kill: release the call when somebody kills the waiting task.
    """

    def __init__(
        self,
        *,
        callapi_conn_id: str,
        call: dict[str, Any],
        until: Until,
        poll_interval: float,
        appear_by: float,
        deadline: float,
        poll_failures_tolerated: int = 10,
        cancel_on_kill: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.callapi_conn_id = callapi_conn_id
        self.call = call
        self.until = until
        self.poll_interval = poll_interval
        self.appear_by = appear_by
        self.deadline = deadline
        self.poll_failures_tolerated = poll_failures_tolerated
        self.cancel_on_kill = cancel_on_kill

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path and the arguments, plain JSON without secrets or phone numbers."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "callapi_conn_id": self.callapi_conn_id,
                "call": self.call,
                "until": self.until,
                "poll_interval": self.poll_interval,
                "appear_by": self.appear_by,
                "deadline": self.deadline,
                "poll_failures_tolerated": self.poll_failures_tolerated,
                "cancel_on_kill": self.cancel_on_kill,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event, to be read by `read_event`."""
        call = Outcome.from_xcom(self.call)
        watch = SessionWatch(
            call.call_session_id,
            self.appear_by,
            self.deadline,
            failures_tolerated=self.poll_failures_tolerated,
            sighting=Sighting.of(call),
        )
        try:
            async with listen(self.callapi_conn_id, self.poll_interval) as next_snapshot:
                while observe(watch, await next_snapshot()) not in DONE[self.until]:
                    pass
        except Exception as error:  # the task must be told, whatever it is
            yield TriggerEvent({"error": f"{type(error).__name__}: {error}", "permanent": _permanent(error)})
            return
        yield TriggerEvent({"phase": watch.phase.name, "call": watch.outcome(call).to_xcom()})

    async def on_kill(self) -> None:
        """With ``cancel_on_kill``: release the call, when a person marks or clears the waiting task."""
        if self.cancel_on_kill:
            await release_calls(self.callapi_conn_id, [self.call["call_session_id"]], self.log)


def _permanent(error: Exception) -> bool:
    """Whether a retry would end the same way; a secrets backend may be down for a moment only."""
    if isinstance(error, CallApiError):
        return error.permanent
    return isinstance(error, AirflowFailException | AirflowNotFoundException | ValueError)


def read_event(event: dict[str, Any] | None) -> tuple[Phase, Outcome]:
    """What the trigger says, in the worker.

    :raises CallApiFailure: looking is useless (credentials, rights, the connection's fields).
    :raises CallApiTrouble: too many looks in a row failed.
    """
    if not event or ("phase" not in event and "error" not in event):
        raise CallApiTrouble(f"the trigger's event cannot be read: {sorted(event or {})}")
    if "error" in event:
        kind = CallApiFailure if event["permanent"] else CallApiTrouble
        raise kind(event["error"])
    return Phase[event["phase"]], Outcome.from_xcom(event["call"])
