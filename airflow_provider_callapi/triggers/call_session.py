"""Waiting for a call without a worker.

A trigger only looks. Whatever changes the world happens in a worker, after the event.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.tolerance import PollTolerance
from airflow_provider_callapi.calls.watch import DONE, Observation, Phase, SessionWatch, Until
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, with_advice
from airflow_provider_callapi.observability import update_watch
from airflow_provider_callapi.triggers._loop.release import release_aside
from airflow_provider_callapi.triggers._loop.shared_poll import is_permanent, listen


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
            tolerance=PollTolerance(failures=self.poll_failures_tolerated),
            observation=Observation.of(call),
        )
        try:
            async with listen(self.callapi_conn_id, self.poll_interval) as next_snapshot:
                while update_watch(watch, await next_snapshot()) not in DONE[self.until]:
                    pass
        except Exception as error:  # the task must be told, whatever it is
            permanent = is_permanent(error)
            text = f"{type(error).__name__}: {error}"
            if permanent and isinstance(error, CallApiError):
                text = with_advice(error)
            yield TriggerEvent({"error": text, "permanent": permanent})
            return
        yield TriggerEvent({"phase": watch.phase.name, "call": watch.outcome(call).to_xcom()})

    async def on_kill(self) -> None:
        """With ``cancel_on_kill``: release the call, when a person marks or clears the waiting task."""
        if self.cancel_on_kill:
            await release_aside(self.callapi_conn_id, [self.call["call_session_id"]], self.log)


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
