"""A campaign's wait without a worker: until somebody may be dialled, or all its calls are over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_callapi.calls.watch import OVER, Observation, Phase, SessionWatch
from airflow_provider_callapi.triggers._loop.release import release_aside
from airflow_provider_callapi.triggers._loop.shared_poll import listen

_PAUSE = 60.0
"""Seconds until the worker is asked to go on where nobody can look."""


class CallApiCampaignTrigger(BaseTrigger):
    """Fires once, at ``wake_at``, or when all the calls are over (or one is answered, where that is wanted);
    tells what was seen of them.

    Failed looks are survived until ``wake_at``: it is the worker that gives up.

    :param callapi_conn_id: the connection.
    :param calls: the active calls, as `calls_of` makes them.
    :param wake_at: epoch seconds.
    :param poll_interval: seconds between two looks; nobody looks where there are no calls.
    :param cancel_on_kill: release the calls when a person marks or clears the waiting task.
    :param until_answered: an answer is to be told at once: the call is tagged while it is active.
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
        self.callapi_conn_id = callapi_conn_id
        self.calls = calls
        self.wake_at = wake_at
        self.poll_interval = poll_interval
        self.cancel_on_kill = cancel_on_kill
        self.until_answered = until_answered

    @staticmethod
    def calls_of(watches: Mapping[int, SessionWatch]) -> list[dict[str, Any]]:
        """Watched calls as plain JSON."""
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
        """The class path and the arguments, plain JSON without secrets or phone numbers."""
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

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event, to be read by `read_observations`."""
        watches = [
            SessionWatch(
                call["call_session_id"],
                call["appear_by"],
                call["deadline"],
                observation=Observation.from_json(call["observation"]),
            )
            for call in self.calls
        ]
        try:
            await asyncio.wait_for(self._watch(watches), max(0.0, self.wake_at - time.time()))
        except TimeoutError:
            pass
        except Exception as error:  # the worker asks again, and says what is wrong
            self.log.warning("The active calls are not looked at any more: %s", error)
            # where only the triggerer cannot look, the task would come and go all the time
            await asyncio.sleep(min(_PAUSE, max(0.0, self.wake_at - time.time())))
        yield TriggerEvent(
            {"observations": {str(watch.call_session_id): watch.observation.to_json() for watch in watches}}
        )

    async def _watch(self, watches: list[SessionWatch]) -> None:
        if not watches:
            await asyncio.Event().wait()
        unanswered = [watch for watch in watches if watch.observation.answered_at is None]
        async with listen(self.callapi_conn_id, self.poll_interval) as next_snapshot:
            while any(watch.phase not in OVER for watch in watches):
                if self.until_answered and any(watch.phase is Phase.ANSWERED for watch in unanswered):
                    return
                snapshot = await next_snapshot()
                if snapshot.failure is not None:
                    continue
                for watch in watches:
                    watch.update(snapshot)

    async def on_kill(self) -> None:
        """With ``cancel_on_kill``: release the calls, when a person marks or clears the waiting task."""
        if self.cancel_on_kill:
            session_ids = [call["call_session_id"] for call in self.calls]
            await release_aside(self.callapi_conn_id, session_ids, self.log)


def read_observations(event: Mapping[str, Any]) -> dict[int, Observation]:
    """What the trigger has seen of the calls, in the worker; failed looks of its are forgotten."""
    return {
        int(session_id): replace(Observation.from_json(observation), failures=0)
        for session_id, observation in event.get("observations", {}).items()
    }
