"""An Airflow sensor that waits until a call is answered or has ended.

The sensor does not start the call. Another task, another system or the contact has started the call.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowNotFoundException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_callapi.api.errors import CallApiError, NotSent
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.time_texts import local_time
from airflow_provider_callapi.calls.tolerance import LAST_POLL_SECONDS, TOLERANCE, PollTolerance
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import (
    WAIT_ENDS_IN,
    Observation,
    Phase,
    SessionWatch,
    Until,
)
from airflow_provider_callapi.exceptions import CallOutcomeUnknown, translate_errors
from airflow_provider_callapi.observability import update_watch
from airflow_provider_callapi.operators._call.request_operator import read_call
from airflow_provider_callapi.operators._mapped_data import MappedDataIsNoTemplate
from airflow_provider_callapi.parameters.kinds import FLAG, INTERVAL, SECONDS, TEXT, choice
from airflow_provider_callapi.parameters.rendering import TextStaysText
from airflow_provider_callapi.parameters.schema import Schema, is_template, read_parameter, read_parameters
from airflow_provider_callapi.task_context import STATE_KEY, TaskState

if TYPE_CHECKING:  # requests is heavy, and the DAG processor imports this module all day
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_callapi.hooks.callapi import CallApiHook

_KINDS: Schema = {
    "until": choice(sorted(WAIT_ENDS_IN)),
    "appear_timeout": SECONDS,
    "require_seen": FLAG,
    "require_answer": FLAG,
    "callapi_conn_id": TEXT,
    "deferrable": FLAG,
    "poke_interval": INTERVAL,
    "timeout": SECONDS,
}
"""The sensor's parameters except ``call_session_id``."""

_STORE_KEY = "callapi_watch"
"""The key in task state under which the sensor stores its observation of the call."""


class CallApiSessionSensor(MappedDataIsNoTemplate, TextStaysText, BaseSensorOperator):
    """Wait until a call is answered or has ended. Return the call as a dict, as the start operators do.

    With ``until="answered"``, the wait also ends if the call ends and no poll has observed an answer. The
    returned dict then has ``status="ended"``. If the Data API's report ended the wait, ``answered`` in the
    dict is what the report states. Otherwise, ``answered`` is None, because the contact may have answered
    between two polls. With ``require_answer``, the task fails if no answer is known. With ``require_answer``
    and ``soft_fail``, Airflow skips the task if no answer is known.

    The sensor waits in one of three modes: ``mode="poke"``, ``mode="reschedule"`` or ``deferrable=True``. All
    three modes give the same result, with one exception: before Airflow 3.3, reschedule mode forgets what
    earlier pokes observed. The returned dict then contains an answer only if the last poke observed the
    answer.

    :param call_session_id: a session id, as a number or text, or the dict that a start operator returned.
    :param until: what to wait for: ``answered`` or ``ended``.
    :param appear_timeout: seconds within which ``list.calls`` must show the call. If ``list.calls`` has not
        shown the call by then, the sensor treats the call as ended and never observed. The time begins at the
        call's start, or at the first poke if the start is not known.
    :param require_seen: True: if no poll has shown the call, the task fails without retries.
    :param require_answer: True: if the call has ended and no answer is known, the task fails without retries.
    :param callapi_conn_id: id of the Airflow connection.
    :param deferrable: True: wait in the triggerer. In the triggerer, all waits for calls of a connection
        share one poll.
    :param soft_fail: True: Airflow skips the task if the wait exceeds ``timeout``, or if the call does not
        meet ``require_seen`` or ``require_answer``. After any other error, the task fails.
    :param poke_interval: seconds between two polls.
    :param timeout: the longest wait, in seconds.
    """

    template_fields: Sequence[str] = ("call_session_id", "callapi_conn_id")
    object_fields = frozenset({"call_session_id"})
    ui_color = "#d7ecd9"

    def __init__(
        self,
        *,
        call_session_id: int | str | dict[str, Any],
        until: Until = "ended",
        appear_timeout: float = 60.0,
        require_seen: bool = False,
        require_answer: bool = False,
        callapi_conn_id: str = "callapi_default",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = 5.0,
        timeout: timedelta | float = 3600.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            poke_interval=read_parameter("poke_interval", poke_interval, INTERVAL),
            timeout=read_parameter("timeout", timeout, SECONDS),
            **kwargs,
        )
        self.call_session_id = call_session_id
        self.until = until
        self.appear_timeout = appear_timeout
        self.require_seen = require_seen
        self.require_answer = require_answer
        self.callapi_conn_id = callapi_conn_id
        self.deferrable = deferrable
        self._stored: Any = None
        self._read_parameters(templates=True)  # a wrong parameter is an error of the DAG file

    def _read_parameters(self, *, templates: bool = False) -> None:
        """Check the parameters, and replace each parameter by its converted value.

        :param templates: True: Airflow has not rendered the templates yet. False: Airflow has rendered them.
        :raises InvalidParameter: the value of a parameter cannot be used. The error message names the
            parameter.
        """
        not_rendered = self.template_fields if templates else ()
        for name, value in read_parameters(_KINDS, vars(self), not_rendered=not_rendered).items():
            setattr(self, name, value)
        if not (templates and is_template(self.call_session_id)):
            read_call(self.call_session_id)

    def execute(self, context: Context) -> Any:
        """Wait for the call, and return the dict of the call for XCom.

        :raises AirflowSensorTimeout: the call is still active after ``timeout``.
        :raises CallOutcomeUnknown: the call does not meet ``require_seen`` or ``require_answer``.
        """
        self._read_parameters()
        call = read_call(self.call_session_id)
        if call.status == "ended":
            # This method of BaseSensorOperator applies soft_fail, as it does after a wait.
            event = {"phase": Phase.ENDED.name, "call": call.to_xcom()}
            return self.resume_execution("execute_complete", {"event": event}, context)
        if not self.deferrable:
            with self._skip_only_what_is_late():
                return super().execute(context)
        from airflow_provider_callapi.triggers.call_session import (  # noqa: PLC0415 - parse time
            CallApiSessionTrigger,
        )

        now = time.time()
        self.log.info(
            "Waiting until call session %s %s, at the latest until %s",
            call.call_session_id,
            "is answered or ends" if self.until == "answered" else "ends",
            local_time(now + self.timeout, "UTC"),
        )
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
            # later than the trigger's deadline, because the trigger's event gives a clearer error
            timeout=timedelta(seconds=self.timeout + 60),
        )

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Continue the task when a wait in the triggerer has ended. Airflow calls this method in the worker.

        The method adds one rule to Airflow's own method: with ``soft_fail``, Airflow skips the task only if
        the wait exceeded the timeout, or the call does not meet ``require_seen`` or ``require_answer``.
        """
        with self._skip_only_what_is_late():
            return super().resume_execution(next_method, next_kwargs, context)

    @contextmanager
    def _skip_only_what_is_late(self) -> Iterator[None]:
        """Limit Airflow's ``soft_fail`` in the ``with`` block: after errors such as a wrong password, fail.

        With ``soft_fail``, Airflow itself skips the task after any error. This function lets the task fail,
        unless the wait exceeded the timeout, or the call does not meet ``require_seen`` or
        ``require_answer``.
        """
        try:
            yield
        except AirflowSkipException as skip:
            cause = skip.__cause__
            is_late = isinstance(cause, AirflowSensorTimeout | AirflowTaskTimeout | CallOutcomeUnknown)
            if not self.soft_fail or cause is None or is_late:
                raise
            raise cause from None

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the dict of the call for XCom, after a wait in the triggerer.

        :param event: the event of the trigger: the phase and the dict of the call, or an error.
        :raises AirflowSensorTimeout: the call is still active after ``timeout``.
        :raises CallOutcomeUnknown: the call does not meet ``require_seen`` or ``require_answer``.
        """
        from airflow_provider_callapi.triggers.call_session import read_event  # noqa: PLC0415 - parse time

        return self._judge(*read_event(event))

    @cached_property
    def hook(self) -> CallApiHook:
        """The hook of the sensor. All pokes in this process share one login and one HTTP connection."""
        from airflow_provider_callapi.hooks.callapi import CallApiHook  # noqa: PLC0415 - parse time

        return CallApiHook(self.callapi_conn_id)

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll the active calls once. Return whether the wait is over.

        If the wait is over, also return the call as a dict.

        :raises CallApiFailure: the poll failed, and a retry of the task would not help, e.g. a wrong
            password.
        :raises CallApiError: too many consecutive polls failed. A retry of the task may help.
        :raises CallOutcomeUnknown: the call does not meet ``require_seen`` or ``require_answer``.
        """
        call = read_call(self.call_session_id)
        waiting_since, observation = self._load(call, context)
        watch = SessionWatch(
            call.call_session_id,
            appear_by=(call.started_at or waiting_since) + self.appear_timeout,
            deadline=float("inf"),  # BaseSensorOperator raises at the timeout
            tolerance=PollTolerance(misses=1) if self._loses_observations(context) else TOLERANCE,
            observation=observation,
        )
        with translate_errors():
            time_limit = max(waiting_since + self.timeout - time.time(), LAST_POLL_SECONDS)
            snapshot = self._poll(watch, time_limit)
            try:
                self._observe(watch, snapshot)
            except CallApiError:
                watch.observation = watch.observation.without_failures()
                raise
            finally:
                self._store(call, waiting_since, watch.observation, context)
        if watch.phase not in WAIT_ENDS_IN[self.until]:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._judge(watch.phase, watch.extend_outcome(call)))

    def _poll(self, watch: SessionWatch, time_limit: float) -> Snapshot:
        """Poll the active calls once, and return the snapshot.

        If Airflow does not find the connection, return a snapshot with the failure and raise no error: a
        secrets backend may be down for a moment.

        :param time_limit: the longest time for the poll, in seconds.
        """
        try:
            return self.hook.take_snapshot(watch.awaited_answers(self.until), time_limit=time_limit)
        except AirflowNotFoundException as error:  # also raised if a secrets backend is down
            self.log.warning("The connection cannot be read: %s", error)
            return Snapshot(time.time(), failure=NotSent(str(error)))

    def _observe(self, watch: SessionWatch, snapshot: Snapshot) -> None:
        """Update the watch of the call with a snapshot.

        :raises CallApiError: the poll failed with a permanent error, or too many consecutive polls failed.
        """
        if snapshot.failure is None:
            self.hook.observe(watch, snapshot)
        else:  # without the connection, there is no hook that can observe
            update_watch(watch, snapshot)

    def _loses_observations(self, context: Context) -> bool:
        """Return whether the sensor loses what a poke has observed, before the next poke.

        The result is True in reschedule mode before Airflow 3.3: each poke runs in a new process, and Airflow
        has no task state.
        """
        return self.reschedule and STATE_KEY not in context

    def _load(self, call: Outcome, context: Context) -> tuple[float, Observation]:
        """Return when the wait began, in epoch seconds, and what earlier pokes observed of the call.

        In reschedule mode, each poke runs in another process, so the method reads both values from task
        state. If no values are stored, the method uses what the parameter ``call_session_id`` contains.
        """
        if self._stored is None and self.reschedule and not self._loses_observations(context):
            self._stored = TaskState(context[STATE_KEY]).get(_STORE_KEY)  # type: ignore[literal-required]
        if self._stored and self._stored["call_session_id"] == call.call_session_id:
            return self._stored["since"], Observation.from_json(self._stored["observation"])
        first_poke = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        return first_poke.timestamp() if first_poke else time.time(), Observation.from_outcome(call)

    def _store(self, call: Outcome, waiting_since: float, observation: Observation, context: Context) -> None:
        """Store what a poke observed of the call, for the next poke.

        In reschedule mode, the next poke runs in another process. The observation therefore also goes to
        Airflow's task state, if this Airflow has task state.

        :param waiting_since: when the wait began, epoch seconds.
        """
        self._stored = {
            "call_session_id": call.call_session_id,
            "since": waiting_since,
            "observation": observation.to_json(),
        }
        if self.reschedule and not self._loses_observations(context):
            TaskState(context[STATE_KEY]).set(_STORE_KEY, self._stored)  # type: ignore[literal-required]

    def _judge(self, phase: Phase, call: Outcome) -> dict[str, Any]:
        """Return the call as a dict for XCom after the wait, or raise the error with which the task fails.

        :raises AirflowSensorTimeout: the call is still active after the timeout.
        :raises CallOutcomeUnknown: the call does not meet ``require_seen`` or ``require_answer``.
        """
        name = f"call session {call.call_session_id}"
        if phase is Phase.TIMED_OUT:
            raise AirflowSensorTimeout(f"{name} was still active after {self.timeout:g} s")
        if self.require_seen and not call.observed:
            raise CallOutcomeUnknown(
                f"{name} was never listed within {self.appear_timeout:g} s: it ended between two polls, "
                "or it never took place"
            )
        if self.require_answer and not call.answered:
            raise CallOutcomeUnknown(f"{name} has ended, and no answer is known")
        return call.to_xcom()
