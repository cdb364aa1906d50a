"""The trigger that waits in Airflow's triggerer for a campaign, while the campaign has nothing to do.

The wait ends when the campaign can dial again, or when the campaign's active calls have ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.watch import FINAL_PHASES, Phase, SessionWatch
from airflow_provider_callapi.event_loop.polls_by_connection import subscribe
from airflow_provider_callapi.parameters.kinds import CALLS, FLAG, INTERVAL, MOMENT, TEXT
from airflow_provider_callapi.parameters.schema import read_parameter
from airflow_provider_callapi.triggers._kill.call_release_thread import release_after_kill
from airflow_provider_callapi.triggers._kill.running_triggers import remember_running
from airflow_provider_callapi.triggers.shortest_deferral import lasts_long_enough

_PAUSE_AFTER_ERROR = 60.0
"""The longest time in seconds from an error that ends the polling until the trigger fires."""


class CallApiCampaignTrigger(BaseTrigger):
    """Fires once: at the time ``wake_at``, or earlier if all active calls of a campaign have ended.

    The trigger's event contains what the polls have shown of the calls. Errors do not fail the task while the
    trigger waits:

    - If a poll fails, the trigger continues to poll.
    - If a poll fails with a permanent error, such as a refused key, or if the trigger cannot poll at all:
      the trigger fires a minute later, or at ``wake_at`` if that is earlier. The task then continues in a
      worker, which polls too.

    :param callapi_conn_id: id of the Airflow connection.
    :param calls: the active calls, as the method `serialize_watches` returns them. Empty: the trigger does
        not poll, and fires at ``wake_at``.
    :param wake_at: epoch seconds at which the trigger fires at the latest.
    :param poll_interval: seconds between two polls. The triggers of a connection share the polls, and the
        shortest interval counts.
    :param cancel_on_kill: True: release (end) the calls when a user clears the waiting task, or marks it as
        success or failed.
    :param until_answered: True: also fire when a contact picks up. A contact who picked up before the wait
        does not count.
    :raises InvalidParameter: the value of a parameter cannot be used. The error message names the parameter.
    """

    def __init__(
        self,
        *,
        callapi_conn_id: str,
        calls: list[dict[str, Any]],
        wake_at: float,
        poll_interval: float,
        cancel_on_kill: bool = False,
        until_answered: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.callapi_conn_id = read_parameter("callapi_conn_id", callapi_conn_id, TEXT)
        self.calls = read_parameter("calls", calls, CALLS)
        self.wake_at = read_parameter("wake_at", wake_at, MOMENT)
        self.poll_interval = read_parameter("poll_interval", poll_interval, INTERVAL)
        self.cancel_on_kill = read_parameter("cancel_on_kill", cancel_on_kill, FLAG)
        self.until_answered = read_parameter("until_answered", until_answered, FLAG)

    @staticmethod
    def serialize_watches(watches: Mapping[int, SessionWatch]) -> list[dict[str, Any]]:
        """Return a campaign's active calls as plain JSON, in the form of the parameter ``calls``.

        :param watches: session id → the watch of the call.
        :return: one dict per call: session id, time limits, and what the polls have shown so far.
        """
        return [
            {
                "call_session_id": session_id,
                "appear_by": watch.appear_by,
                "deadline": watch.deadline,
                "observation": watch.observation.to_json(),
            }
            for session_id, watch in watches.items()
        ]

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the trigger's class path and its arguments: plain JSON without secrets or phone numbers."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "callapi_conn_id": self.callapi_conn_id,
                "calls": self.calls,
                "wake_at": self.wake_at,
                "poll_interval": self.poll_interval,
                "cancel_on_kill": self.cancel_on_kill,
                "until_answered": self.until_answered,
            },
        )

    @property
    def _session_ids(self) -> list[int]:
        return [call["call_session_id"] for call in self.calls]

    @lasts_long_enough
    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait until the time ``wake_at``, or until all calls have ended. Then yield one event.

        If ``until_answered`` is True, the first new answer of a contact ends the wait, too. The event
        contains what the polls have shown of each call: ``{"observations": {"<session id>": {…}}}``. In the
        worker, the function `read_observations` reads the event.
        """
        remember_running(self, self._session_ids)
        watches = [
            SessionWatch(
                call["call_session_id"],
                call["appear_by"],
                call["deadline"],
                observation=Observation.from_json(call["observation"]),
            )
            for call in self.calls
        ]
        began, longest = system_clock.monotonic(), max(0.0, self.wake_at - system_clock.now())
        try:
            await asyncio.wait_for(self._watch(watches), longest)
        except Exception as error:  # the worker polls too, and raises the error if it persists
            time_left = longest - (system_clock.monotonic() - began)
            if not isinstance(error, TimeoutError) or time_left > 0:  # a poll can raise a TimeoutError, too
                self.log.warning(
                    "The trigger cannot poll connection %s any more, so the task returns to its worker: %s",
                    self.callapi_conn_id,
                    error,
                )
                # If only the triggerer cannot poll, the task would defer and resume without a break.
                await asyncio.sleep(min(_PAUSE_AFTER_ERROR, max(0.0, time_left)))
        yield TriggerEvent(
            {"observations": {str(watch.call_session_id): watch.observation.to_json() for watch in watches}}
        )

    async def _watch(self, watches: list[SessionWatch]) -> None:
        if not watches:
            await asyncio.Event().wait()
        unanswered = [watch for watch in watches if watch.observation.answered_at is None]
        async with subscribe(self.callapi_conn_id, self.poll_interval) as next_snapshot:
            while any(watch.phase not in FINAL_PHASES for watch in watches):
                if self.until_answered and any(watch.phase is Phase.ANSWERED for watch in unanswered):
                    return
                snapshot = await next_snapshot()
                if snapshot.failure is not None:
                    if snapshot.failure.permanent:
                        raise snapshot.failure.with_traceback(None)
                    continue
                for watch in watches:
                    watch.update(snapshot)

    async def on_kill(self) -> None:
        """Release (end) the calls if ``cancel_on_kill`` is True and a user has ended the wait of the task.

        A user ends the wait by clearing the task, or by marking the task as success or failed. If Airflow
        calls this method because the trigger moves to another triggerer, the task still waits, and the method
        does not release the calls.
        """
        if self.cancel_on_kill and self.calls:
            await release_after_kill(self, self.callapi_conn_id, self._session_ids)


def read_observations(event: Mapping[str, Any]) -> dict[int, Observation]:
    """Return what the polls of a `CallApiCampaignTrigger` have shown of the campaign's calls.

    :param event: the event of the trigger.
    :return: session id → the observation of the call. The observation's count of failed polls is 0, because
        the worker counts failed polls itself.
    """
    return {
        int(session_id): Observation.from_json(observation).without_failures()
        for session_id, observation in event.get("observations", {}).items()
    }
