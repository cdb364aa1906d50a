"""Waiting for a call that was started elsewhere, or that came in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.snapshot import take_snapshot
from airflow_provider_callapi.calls.tolerance import TOLERANCE, PollTolerance
from airflow_provider_callapi.calls.watch import DONE, Observation, Phase, SessionWatch, Until
from airflow_provider_callapi.exceptions import CallOutcomeUnknown, translate_errors
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.observability import update_watch
from airflow_provider_callapi.operators._call.request_operator import read_call
from airflow_provider_callapi.operators._mapped_data import MappedDataIsNoTemplate
from airflow_provider_callapi.task_context import STATE_KEY, TaskState
from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger, read_event

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_MEMORY = "callapi_watch"


class CallApiSessionSensor(MappedDataIsNoTemplate, BaseSensorOperator):
    """Wait until a call is answered, or has ended; returns what is known of it, as a start operator does.

    A call that ends without having been seen answered is over for ``until="answered"`` too: it comes
    back with ``status="ended"`` and ``answered=None``, since it may have been answered between two
    looks. ``require_answer`` makes that an error (with ``soft_fail``: a skip).

    Waits in three ways with one meaning: ``mode="poke"``, ``mode="reschedule"`` (what was seen is kept
    in task state, Airflow 3.3+; without it an answer is only seen by the poke that ends the wait),
    and ``deferrable=True``.

    :param call_session_id: a session id, as a number or text, or the dict of a start operator.
    :param until: ``answered`` or ``ended``.
    :param appear_timeout: seconds within which the call must be listed; it is taken to have ended
        unobserved otherwise. Counted from the call's start where it is known, else from the first look.
    :param require_seen: fail, without retries, if the call was never listed.
    :param require_answer: fail, without retries, if the call ended and was not seen answered.
    :param callapi_conn_id: the connection.
    :param deferrable: wait in the triggerer, where all waits of a connection share one poll.
    :param poke_interval: seconds between two looks.
    :param timeout: seconds to wait at most.
    """

    template_fields: Sequence[str] = ("call_session_id", "callapi_conn_id")
    ui_color = "#d7ecd9"

    def __init__(
        self,
        *,
        call_session_id: int | str | dict[str, Any],
        until: Until = "ended",
        appear_timeout: float = 60.0,
        require_seen: bool = False,
        require_answer: bool = False,
        callapi_conn_id: str = CallApiHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = 5.0,
        timeout: timedelta | float = 3600.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        if until not in DONE:
            raise ValueError(f"until: {until!r} is not one of {sorted(DONE)}")
        self.call_session_id = call_session_id
        self.until = until
        self.appear_timeout = appear_timeout
        self.require_seen = require_seen
        self.require_answer = require_answer
        self.callapi_conn_id = callapi_conn_id
        self.deferrable = deferrable
        self._kept: Any = None

    def execute(self, context: Context) -> Any:
        """Wait; see the class."""
        call = read_call(self.call_session_id)
        if call.status == "ended":
            # as after a wait, so that soft_fail means the same
            event = {"phase": Phase.ENDED.name, "call": call.to_xcom()}
            return self.resume_execution("execute_complete", {"event": event}, context)
        if not self.deferrable:
            return super().execute(context)
        now = time.time()
        self.defer(
            trigger=CallApiSessionTrigger(
                callapi_conn_id=self.callapi_conn_id,
                call=call.to_xcom(),
                until=self.until,
                poll_interval=self.poke_interval,
                appear_by=(call.started_at or now) + self.appear_timeout,
                deadline=now + self.timeout,
            ),
            method_name="execute_complete",
            # a little later than the trigger's own deadline, whose event says more
            timeout=timedelta(seconds=self.timeout + 60),
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Go on after the trigger's event."""
        return self._judged(*read_event(event))

    @cached_property
    def hook(self) -> CallApiHook:
        """One hook for all pokes of this process: one login, one HTTP connection."""
        return CallApiHook(self.callapi_conn_id)

    def poke(self, context: Context) -> PokeReturnValue:
        """Take one look."""
        call = read_call(self.call_session_id)
        since, observation = self._recall(call, context)
        watch = SessionWatch(
            call.call_session_id,
            appear_by=(call.started_at or since) + self.appear_timeout,
            deadline=float("inf"),  # BaseSensorOperator keeps the time
            tolerance=PollTolerance(misses=1) if self._forgetful(context) else TOLERANCE,
            observation=observation,
        )
        with translate_errors():
            snapshot = take_snapshot(self.hook.get_conn(), time.time)
            if snapshot.failure:
                self.log.warning("A look at the active calls failed: %s", snapshot.failure)
            try:
                update_watch(watch, snapshot)
            except CallApiError:
                watch.observation = replace(watch.observation, failures=0)  # the next try counts anew
                raise
            finally:
                self._keep(call, since, watch.observation, context)
        if watch.phase not in DONE[self.until]:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._judged(watch.phase, watch.outcome(call)))

    def _forgetful(self, context: Context) -> bool:
        """Each poke is a new process, and there is no task state to keep what was seen (before 3.3)."""
        return self.reschedule and STATE_KEY not in context

    def _recall(self, call: Outcome, context: Context) -> tuple[float, Observation]:
        """Since when this call is waited for, and what has been seen of it."""
        if self._kept is None and self.reschedule and not self._forgetful(context):
            self._kept = TaskState(context[STATE_KEY]).get(_MEMORY)  # type: ignore[literal-required]
        if self._kept and self._kept["call_session_id"] == call.call_session_id:
            return self._kept["since"], Observation.from_json(self._kept["observation"])
        first = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        return first.timestamp() if first else time.time(), Observation.of(call)

    def _keep(self, call: Outcome, since: float, observation: Observation, context: Context) -> None:
        self._kept = {
            "call_session_id": call.call_session_id,
            "since": since,
            "observation": observation.to_json(),
        }
        if self.reschedule and not self._forgetful(context):
            TaskState(context[STATE_KEY]).set(_MEMORY, self._kept)  # type: ignore[literal-required]

    def _judged(self, phase: Phase, call: Outcome) -> dict[str, Any]:
        """The call as an XCom, or the error that the sensor was asked to make of it."""
        name = f"call session {call.call_session_id}"
        if phase is Phase.TIMED_OUT:
            raise AirflowSensorTimeout(f"{name} was still active after {self.timeout:g} s")
        if self.require_seen and not call.observed:
            raise CallOutcomeUnknown(
                f"{name} was never listed within {self.appear_timeout:g} s: it ended before a look could "
                "see it, or never took place"
            )
        if self.require_answer and not call.answered:
            raise CallOutcomeUnknown(f"{name} is over and was not seen answered")
        return call.to_xcom()
