"""An Airflow sensor that waits until a call is answered or has ended.

The sensor does not start the call. Another task, another system or the contact has started the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.errors import CallApiError, TransportError
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.poll_interval import LAST_POLL_SECONDS, POLL_INTERVAL
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import (
    FINAL_PHASES,
    WAIT_ENDS_IN,
    Phase,
    SessionWatch,
    Until,
)
from airflow_provider_callapi.exceptions import CallOutcomeUnknown, translate_errors
from airflow_provider_callapi.hooks.report_wait import wait_for_report
from airflow_provider_callapi.observability.log_lines import (
    LogEvent,
    log_call_event,
    log_wait,
    update_watch,
)
from airflow_provider_callapi.operators._mapped_data import MappedDataIsNoTemplate
from airflow_provider_callapi.operators._requests import read_call
from airflow_provider_callapi.parameters.kind import choice
from airflow_provider_callapi.parameters.kinds import FLAG, INTERVAL, SECONDS, TEXT
from airflow_provider_callapi.parameters.rendering import TextStaysText
from airflow_provider_callapi.parameters.schema import Schema, read_parameter, read_parameters
from airflow_provider_callapi.parameters.templates import is_template
from airflow_provider_callapi.task_context.facts import execution_deadline
from airflow_provider_callapi.task_context.task_state import TaskState

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
    # Airflow itself takes any text for true, also "false".
    **dict.fromkeys(("soft_fail", "silent_fail", "never_fail", "exponential_backoff"), FLAG),
}
"""Name of a sensor's parameter → the kind (check and conversion) of its values.

The dict lacks ``call_session_id``, which `read_call` reads, and the other parameters that Airflow reads.
"""

_MAX_WAIT = INTERVAL.or_none("no limit")
"""The kind of the longest pause between two polls, with ``exponential_backoff=True``."""
_REPORT_TIMEOUT = 8.0
"""Seconds for which the sensor waits for the report of a call that has ended without a known answer."""
_STORE_KEY = "callapi_watch"
"""The key in task state under which the sensor stores its observation of the call."""


class CallApiSessionSensor(MappedDataIsNoTemplate, TextStaysText, BaseSensorOperator):
    """Wait until a call is answered or has ended. Return the call as a dict, as the start operators do.

    With ``until="answered"``, the wait also ends when the call ends without an observed answer. The dict then
    has ``status="ended"``. If the polls have shown no answer, the sensor asks the Data API for the report of
    the ended call. ``answered`` is None (not known) if the Data API has no report within eight seconds.

    The sensor works with ``mode="poke"``, ``mode="reschedule"`` and ``deferrable=True``. Before Airflow 3.3,
    ``mode="reschedule"`` forgets after each poll what the poll observed. The result then depends only on the
    last poll and on ``call_session_id``. A poll that does not show the call is repeated within seconds.

    :param call_session_id: a session id, as a number or text, or the dict that a start operator returned.
    :param until: what to wait for: ``answered`` or ``ended`` (default).
    :param appear_timeout: seconds from the call's start within which ``list.calls`` must show the call, 60 by
        default. Otherwise, the sensor treats the call as ended and never observed. If the start is not known,
        the time begins at the first poll.
    :param require_seen: True: if no poll has shown the call, the task fails without retries.
    :param require_answer: True: if the call has ended and no answer is known, the task fails without retries.
    :param callapi_conn_id: id of the Airflow connection.
    :param deferrable: True: wait in the triggerer. One poll then serves all tasks of a connection.
    :param soft_fail: True: Airflow skips the task if ``timeout``, ``execution_timeout``, ``require_seen`` or
        ``require_answer`` would let it fail. Any other error fails the task.
    :param poke_interval: seconds between two polls, as a number or a timedelta, 5 by default.
    :param timeout: the longest wait, in seconds or as a timedelta, one hour by default.
    :raises InvalidParameter: the value of a parameter cannot be used. The error message names the parameter.
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
        poke_interval: timedelta | float = POLL_INTERVAL,
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
        self._witness: Any = None

    def check_constants(self) -> None:
        super().check_constants()
        self._read_parameters(templates=True)

    def _read_parameters(self, *, templates: bool = False) -> None:
        """Check and convert the sensor's parameters.

        :param templates: True: skip values with a template, which Airflow has not rendered yet.
        """
        self._read_options(self.template_fields if templates else ())
        if not (templates and is_template(self.call_session_id)):
            read_call(self.call_session_id)

    def _read_options(self, not_rendered: Sequence[str] = ()) -> None:
        """Check and convert the sensor's parameters except ``call_session_id``.

        :param not_rendered: names of parameters to skip if their values contain a template.
        """
        for name, value in read_parameters(_KINDS, vars(self), not_rendered=not_rendered).items():
            setattr(self, name, value)
        read_parameter("max_wait", self.max_wait, _MAX_WAIT)  # Airflow needs the timedelta itself

    def execute(self, context: Context) -> Any:
        """Wait for the call, and return what is known of the call as a dict for XCom.

        With ``deferrable=True``, the task is deferred while it waits.

        :raises AirflowSensorTimeout: the call is still active after ``timeout``.
        :raises AirflowTaskTimeout: the call is still active after the task's ``execution_timeout``.
        :raises CallOutcomeUnknown: the condition of ``require_seen`` or ``require_answer`` is not met.
        :raises CallApiFailure: a parameter is invalid, or a poll failed with a permanent error, e.g. a wrong
            password.
        :raises CallApiError: too many consecutive polls failed. A retry of the task may help.
        """
        self._read_parameters()
        call = read_call(self.call_session_id)
        if call.status == "ended":
            # This method of BaseSensorOperator applies soft_fail, as it does after a wait.
            event = {"phase": Phase.ENDED.name, "call": call.to_xcom()}
            return self.resume_execution("execute_complete", {"event": event}, context)
        now = system_clock.now()
        # Airflow does not apply execution_timeout to a deferral.
        deadline = min(now + self.timeout, execution_deadline(context["ti"], self.execution_timeout) or inf)
        if not self.deferrable:
            # With mode="reschedule", each poll runs this method in a new process.
            if not (self.reschedule and context["ti"].get_first_reschedule_date(context)):
                log_wait(self.log, call, self.until, deadline)
            with self._skip_only_what_is_late():
                return super().execute(context)
        from airflow_provider_callapi.triggers.call_session import (  # noqa: PLC0415 - parse time
            CallApiSessionTrigger,
        )

        log_wait(self.log, call, self.until, deadline)
        self.defer(
            trigger=CallApiSessionTrigger(
                callapi_conn_id=self.callapi_conn_id,
                call=call.to_xcom(),
                until=self.until,
                poll_interval=self.poke_interval,
                appear_by=(call.started_at or now) + self.appear_timeout,
                deadline=deadline,
            ),
            method_name="execute_complete",
            # later than the trigger's deadline, because the trigger's event gives a clearer error
            timeout=timedelta(seconds=deadline - now + 60),
        )

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Continue the task when a wait in the triggerer has ended. Airflow calls this method in the worker.

        With ``soft_fail`` (skip the task instead of failing it), Airflow's own method would skip the task
        after any error. With this method, errors such as a wrong password fail the task.
        """
        self._read_options()  # a subclass or a cluster policy may have changed attributes
        with self._skip_only_what_is_late():
            return super().resume_execution(next_method, next_kwargs, context)

    @contextmanager
    def _skip_only_what_is_late(self) -> Iterator[None]:
        """Context manager: with ``soft_fail``, skip the task only after a timeout or a `CallOutcomeUnknown`.

        Any other error fails the task.
        """
        try:
            yield
        except AirflowSkipException as skip:
            cause = skip.__cause__
            # CallOutcomeUnknown: the condition of require_seen or require_answer is not met.
            is_late = isinstance(cause, AirflowSensorTimeout | AirflowTaskTimeout | CallOutcomeUnknown)
            if not self.soft_fail or cause is None or is_late:
                raise
            raise cause from None  # e.g. a wrong password fails the task, in spite of soft_fail
        except AirflowTaskTimeout as late:  # Airflow itself skips the task only if it is late in a poll
            if not self.soft_fail:
                raise
            raise AirflowSkipException("Skipping due to soft_fail is set to True.") from late

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what is known of the call as a dict for XCom, after a wait in the triggerer.

        :param event: the trigger's event: the phase and the dict of the call, or an error.
        :raises AirflowSensorTimeout: the call is still active after ``timeout``.
        :raises CallOutcomeUnknown: the condition of ``require_seen`` or ``require_answer`` is not met.
        :raises CallApiFailure: a poll failed with a permanent error, e.g. a wrong password.
        :raises CallApiTrouble: too many consecutive polls failed, or the event cannot be read.
        """
        from airflow_provider_callapi.triggers.call_session import read_event  # noqa: PLC0415 - parse time

        phase, call = read_event(event)
        deadline = execution_deadline(context["ti"], self.execution_timeout)
        if phase is Phase.TIMED_OUT and deadline is not None and system_clock.now() >= deadline:
            raise AirflowTaskTimeout(
                f"execution_timeout is up before the end of call session {call.call_session_id}"
            )
        return self._judge(phase, call)

    @cached_property
    def hook(self) -> CallApiHook:
        """The Airflow hook through which the sensor polls.

        The sensor keeps one hook, so all pokes of the sensor in one process share a login and an HTTP
        connection.
        """
        from airflow_provider_callapi.hooks.callapi import CallApiHook  # noqa: PLC0415 - parse time

        return CallApiHook(self.callapi_conn_id)

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll the active calls once, and return whether the wait for the call is over.

        :return: an object of Airflow. ``is_done`` is True if the wait is over. ``xcom_value`` is then what is
            known of the call, as a dict.
        :raises CallApiFailure: the poll failed with a permanent error, e.g. a wrong password.
        :raises CallApiError: too many consecutive polls failed. A retry of the task may help.
        :raises CallOutcomeUnknown: the condition of ``require_seen`` or ``require_answer`` is not met.
        """
        call = read_call(self.call_session_id)
        waiting_since, observation = self._load(call, context)
        watch = SessionWatch(
            call.call_session_id,
            appear_by=(call.started_at or waiting_since) + self.appear_timeout,
            deadline=inf,  # BaseSensorOperator raises at the timeout
            observation=observation,
        )
        ends_at = waiting_since + self.timeout
        is_forgotten = self._loses_observations(context)
        with translate_errors():
            try:
                self._look(watch, ends_at)
                # One absence proves nothing, and the next poke does not know of this one.
                while is_forgotten and _is_missing(watch) and system_clock.now() < ends_at:
                    system_clock.sleep(min(self.poke_interval, POLL_INTERVAL))
                    self._look(watch, ends_at)
            except CallApiError:
                watch.observation = watch.observation.without_failures()
                raise
            finally:
                self._store(call, waiting_since, watch.observation, context)
        if watch.phase not in WAIT_ENDS_IN[self.until]:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._judge(watch.phase, watch.extend_outcome(call)))

    def _look(self, watch: SessionWatch, ends_at: float) -> None:
        """Poll the active calls once, and add the result to what is known of the call.

        Raise the poll's error if it is permanent, or if too many polls in a row failed.

        :param ends_at: when the wait ends, epoch seconds.
        """
        snapshot = self._poll(watch, max(ends_at - system_clock.now(), LAST_POLL_SECONDS))
        if snapshot.failure is None:
            self.hook.observe(watch, snapshot)
        else:  # without the connection, there is no hook that can observe
            update_watch(watch, snapshot)

    def _poll(self, watch: SessionWatch, time_limit: float) -> Snapshot:
        """Poll the active calls once, and return the snapshot: the active calls or the failure.

        ``time_limit`` is in seconds.
        """
        try:
            witness = self.hook.answer_witness
            if witness is not None and self._witness:
                witness.restore(self._witness)
            # Also asks the Data API about an awaited answer, if the limit is longer than ten seconds.
            snapshot = self.hook.take_snapshot(watch.awaited_answers(self.until), time_limit=time_limit)
            self._witness = witness.to_json() if witness is not None else None
            return snapshot
        except AirflowNotFoundException as error:  # also raised if a secrets backend is down
            unreadable = TransportError(f"connection {self.callapi_conn_id} cannot be read: {error}")
            self.log.warning("This poll counts as failed: %s", unreadable)
            return Snapshot(system_clock.now(), failure=unreadable)

    def _loses_observations(self, context: Context) -> bool:
        # The next poke does not know what this one has seen:
        # In reschedule mode, each poke runs in a new process. Before Airflow 3.3, there is no task state.
        return self.reschedule and self._state_for_next_poke(context) is None

    def _state_for_next_poke(self, context: Context) -> TaskState | None:
        """Return the task state if the sensor must keep its observation for the next poke.

        None: the sensor need not keep it, or Airflow is older than 3.3.
        """
        return TaskState.of(context) if self.reschedule else None

    def _load(self, call: Outcome, context: Context) -> tuple[float, Observation]:
        """Load what earlier polls have stored.

        :return: a pair: when the wait of this try began (epoch seconds), and what all tries have observed of
            the call.
        """
        if self._stored is None and (state := self._state_for_next_poke(context)):
            self._stored = state.get(_STORE_KEY)
        if self._stored and self._stored["call_session_id"] == call.call_session_id:
            # Without the stored pauses, each poll in a new process would ask the Data API.
            self._witness = self._stored.get("witness")
            # With each try, Airflow begins a new wait of `timeout` seconds.
            is_of_this_try = self._stored.get("try_number") == context["ti"].try_number
            since = self._stored["since"] if is_of_this_try else system_clock.now()
            return since, Observation.from_json(self._stored["observation"])
        # Nothing is stored: in reschedule mode, Airflow may know when the first poke took place.
        first_poke = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        return first_poke.timestamp() if first_poke else system_clock.now(), Observation.from_outcome(call)

    def _store(self, call: Outcome, waiting_since: float, observation: Observation, context: Context) -> None:
        """Store when the wait began, in epoch seconds, and what the polls have shown of the call so far."""
        self._stored = {
            "call_session_id": call.call_session_id,
            "since": waiting_since,
            "try_number": context["ti"].try_number,
            "observation": observation.to_json(),
            "witness": self._witness,
        }
        if state := self._state_for_next_poke(context):
            state.set(_STORE_KEY, self._stored)

    def _complete(self, call: Outcome) -> Outcome:
        """Return the outcome of a call. If it has ended without a known answer, complete it from its report.

        Without a report, e.g. because the connection does not use the Data API, return the outcome unchanged.
        """
        if call.status != "ended" or call.answered is not None:
            return call
        try:
            has_data_api = self.hook.has_data_api
        except (CallApiError, AirflowException) as error:  # what the polls have shown is a result, too
            self.log.warning("The report of call session %s cannot be read: %s", call.call_session_id, error)
            return call
        if not has_data_api:
            return call
        return wait_for_report(self.hook, call, system_clock.now() + _REPORT_TIMEOUT, self.log) or call

    def _judge(self, phase: Phase, call: Outcome) -> dict[str, Any]:
        """Return the call as a dict after the wait.

        :raises AirflowSensorTimeout: the call is still active after ``timeout``.
        :raises CallOutcomeUnknown: no poll has shown the call, and ``require_seen`` is True; or no answer of
            the contact is known, and ``require_answer`` is True.
        """
        name = f"call session {call.call_session_id}"
        if phase is Phase.TIMED_OUT:
            raise AirflowSensorTimeout(f"{name} is still active after timeout ({self.timeout:g} s)")
        call = self._complete(call)
        log_call_event(LogEvent.DONE, call)
        forgotten = (
            '; before Airflow 3.3, a sensor with mode="reschedule" forgets what its earlier polls have shown'
            if self.reschedule
            else ""
        )
        if self.require_seen and not call.observed:
            raise CallOutcomeUnknown(
                f"require_seen: no poll showed {name} within appear_timeout ({self.appear_timeout:g} s): the "
                f"call ended between two polls, or it never took place{forgotten}"
            )
        if self.require_answer and not call.answered:
            raise CallOutcomeUnknown(
                f"require_answer: {name} has ended, and no answer of the contact is known{forgotten}"
            )
        return call.to_xcom()


def _is_missing(watch: SessionWatch) -> bool:
    """Return whether the newest poll did not show the call. A further one may prove the call's end."""
    is_expected = watch.observation.listed or system_clock.now() >= watch.appear_by
    return is_expected and watch.observation.misses > 0 and watch.phase not in FINAL_PHASES
