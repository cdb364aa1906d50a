"""The trigger that waits for one call in Airflow's triggerer, so that the task needs no worker meanwhile.

The trigger polls until the wait ends. Then the task continues in a worker: for example, an operator tags the
call and fetches the report.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.end_rule import PollTolerance
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.watch import WAIT_ENDS_IN, Phase, SessionWatch, Until
from airflow_provider_callapi.event_loop.polls_by_connection import is_permanent
from airflow_provider_callapi.event_loop.watch_call import watch_call
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, with_advice
from airflow_provider_callapi.parameters.kind import choice, count
from airflow_provider_callapi.parameters.kinds import CALL, FLAG, INTERVAL, MOMENT, TEXT
from airflow_provider_callapi.parameters.schema import read_parameter
from airflow_provider_callapi.triggers._kill.call_release_thread import release_after_kill
from airflow_provider_callapi.triggers._kill.running_triggers import remember_running
from airflow_provider_callapi.triggers.shortest_deferral import lasts_long_enough


class CallApiSessionTrigger(BaseTrigger):
    """Fires once: when a call is answered or has ended, at the deadline, or after an error.

    If Airflow moves the trigger to another triggerer, the wait begins again. The event may then lack what
    earlier polls have shown, such as the time of the answer.

    :param callapi_conn_id: id of the Airflow connection.
    :param call: the dict of the call, as a start operator or a sensor returned it.
    :param until: ``answered`` or ``ended``. With ``answered``, the trigger also fires if the call ends
        without an answer.
    :param poll_interval: seconds between two polls. The triggers of a connection share the polls, and the
        shortest interval counts.
    :param appear_by: epoch seconds. If ``list.calls`` has not shown the call by this time, the trigger
        assumes that the call has ended.
    :param deadline: epoch seconds at which the wait ends, even if the call is still active.
    :param poll_failures_tolerated: how many failed polls in a row are tolerated; one more ends the wait with
        an error. Default: 10. A permanent error ends the wait at once.
    :param cancel_on_kill: True: release (end) the call when a user clears the waiting task, or marks it as
        success or failed. Default: False.
    :raises InvalidParameter: the value of a parameter cannot be used. The error message names the parameter.
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
        self.callapi_conn_id = read_parameter("callapi_conn_id", callapi_conn_id, TEXT)
        self.call = read_parameter("call", call, CALL)
        self.until = read_parameter("until", until, choice(sorted(WAIT_ENDS_IN)))
        self.poll_interval: float = read_parameter("poll_interval", poll_interval, INTERVAL)
        self.appear_by: float = read_parameter("appear_by", appear_by, MOMENT)
        self.deadline: float = read_parameter("deadline", deadline, MOMENT)
        self.poll_failures_tolerated = read_parameter(
            "poll_failures_tolerated", poll_failures_tolerated, count(at_least=0)
        )
        self.cancel_on_kill = read_parameter("cancel_on_kill", cancel_on_kill, FLAG)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the trigger's class path and its arguments: plain JSON without secrets or phone numbers."""
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

    @lasts_long_enough
    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the wait is over or the deadline comes. Then yield one event.

        The parameter ``until`` decides what ends the wait: the end of the call, or also an answer.

        The event contains the phase (what the polls have shown) and the dict of the call, e.g.
        ``{"phase": "ENDED", "call": {…}}``. If an error ended the wait, the event contains only the error and
        whether it is permanent: ``{"error": "…", "permanent": True}``. In the worker, the function
        `read_event` reads the event.
        """
        call = Outcome.from_xcom(self.call)
        remember_running(self, [call.call_session_id])
        watch = SessionWatch(
            call.call_session_id,
            self.appear_by,
            self.deadline,
            tolerance=PollTolerance(failures=self.poll_failures_tolerated),
            observation=Observation.from_outcome(call),
        )
        try:
            await watch_call(self.callapi_conn_id, watch, self.until, self.poll_interval)
        except Exception as error:  # without an event, the task would wait until its timeout
            permanent = is_permanent(error)
            text = f"{type(error).__name__}: {error}"
            if permanent and isinstance(error, CallApiError):
                text = with_advice(error)
            session_id = call.call_session_id
            text = f"the polls for call session {session_id} failed, and the call may still be active: {text}"
            yield TriggerEvent({"error": text, "permanent": permanent})
            return
        yield TriggerEvent({"phase": watch.phase.name, "call": watch.extend_outcome(call).to_xcom()})

    async def on_kill(self) -> None:
        """Release (end) the call if ``cancel_on_kill`` is True and a user has ended the wait of the task.

        A user ends the wait by clearing the task, or by marking the task as success or failed. If Airflow
        calls this method because the trigger moves to another triggerer, the task still waits, and the method
        does not release the call.
        """
        if self.cancel_on_kill:
            await release_after_kill(self, self.callapi_conn_id, [self.call["call_session_id"]])


def read_event(event: dict[str, Any] | None) -> tuple[Phase, Outcome]:
    """Return the call's phase and outcome from the event of a `CallApiSessionTrigger`.

    :param event: the event of the trigger.
    :return: the phase in which the wait ended, such as ``ENDED``, and what is known of the call.
    :raises CallApiFailure: a permanent error ended the wait, such as wrong credentials.
    :raises CallApiTrouble: another error ended the wait, e.g. too many failed polls in a row. Or the event
        cannot be read.
    """
    if not event or ("phase" not in event and "error" not in event):
        raise CallApiTrouble(f"the trigger's event cannot be read: {sorted(event or {})}")
    if "error" in event:
        error_class = CallApiFailure if event["permanent"] else CallApiTrouble
        raise error_class(event["error"])
    return Phase[event["phase"]], Outcome.from_xcom(event["call"])
