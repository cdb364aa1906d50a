"""Waits for a placed call, in the worker or in the triggerer, and tags and judges the call after its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from airflow.providers.common.compat.sdk import AirflowTaskTimeout

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.data_api import REPORT_INTERVAL, SetTagCommunications
from airflow_provider_callapi.api.methods import TagCall
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.single_call.lifecycle import (
    CallLifecycle,
    Finished,
    LifecycleGateway,
    LifecycleRules,
    LifecycleStep,
    TimeIsUp,
    Verdict,
    WaitForCall,
    WaitForReport,
)
from airflow_provider_callapi.calls.single_call.placing import Killed
from airflow_provider_callapi.calls.watching.end_rule import PollTolerance
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.watch import FINAL_PHASES, Phase, SessionWatch
from airflow_provider_callapi.connection.call_release import release_calls
from airflow_provider_callapi.exceptions import CallNotAnswered, CallOutcomeUnknown, CallStillActive
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.observability.log_lines import LogEvent, log_call_event, log_wait
from airflow_provider_callapi.operators._call.options import CallOptions
from airflow_provider_callapi.operators._naps import naps
from airflow_provider_callapi.task_context.deferral import Deferral
from airflow_provider_callapi.task_context.facts import TaskFacts
from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger
from airflow_provider_callapi.triggers.shortest_deferral import pause_trigger

TryResult = dict[str, Any] | Deferral
"""The result of a try: the call for XCom, or a deferral."""

_GRACE = 60.0
"""Seconds from the trigger's deadline to Airflow's timeout. The trigger's event gives the clearer error."""


class CallWait:
    """Waits for the placed call of one try, tags the call, and judges whether the task succeeds."""

    def __init__(
        self,
        options: CallOptions,
        facts: TaskFacts,
        hook: CallApiHook,
        log: Any,
        *,
        journal: Journal,
        keeps_journal: bool,
        is_killed: Callable[[], bool],
        wait_until: float | None,
    ) -> None:
        self.active_session_id: int | None = None  # the call that `release` ends
        self._is_killed = is_killed
        self._options = options
        self._facts = facts
        self._hook = hook
        self._journal = journal
        self._keeps_journal = keeps_journal  # whether the next try can read the journal
        self._log = log
        self._lifecycle = CallLifecycle(
            journal, self._lifecycle_gateway(), self._lifecycle_rules(), wait_until=wait_until
        )

    @property
    def recording_url(self) -> str | None:
        """The URL of the call's recording, for the link in Airflow's UI.

        None: no link is wanted, or no recording is reported.
        """
        report = self._lifecycle.report
        return report.full_record_file_link if report and self._options.recording_link else None

    def begin(self, call: Outcome) -> TryResult:
        """Wait for a call that this or an earlier try has placed, if ``wait_for_completion`` is True.

        :return: the call for XCom, or a deferral for the wait. If ``wait_for_completion`` is False, the
            method returns the call at once.
        """
        if self._journal.current.stage is Stage.STARTED:
            self.active_session_id = call.call_session_id
        return self._run(self._lifecycle.resume(call))

    def observed(self, phase: Phase, call: Outcome) -> TryResult:
        """Continue the try after a wait for the call in the triggerer.

        Return the call, or a deferral for the next wait.

        :param phase: what the trigger's polls have shown of the call.
        :param call: the outcome so far.
        """
        self.active_session_id = call.call_session_id if phase is Phase.ANSWERED else None
        return self._run(self._lifecycle.observed(phase, call))

    def report_due(self, call: Outcome, report_by: float) -> TryResult:
        """Ask the Data API again for the report of an ended call. An earlier request found no report.

        Return the call, or a deferral until the next request.

        :param report_by: when to continue without a report, epoch seconds.
        """
        return self._run(self._lifecycle.report_due(call, report_by))

    def release(self) -> None:
        """Release (end) the active call, if there is one and the author set ``cancel_on_kill``.

        The request uses a new HTTP connection, because another thread may be using the try's connection.
        """
        session_id, self.active_session_id = self.active_session_id, None
        if session_id is None:
            return
        if self._options.cancel_on_kill:
            release_calls(self._hook.settings, [session_id], self._log)
        else:
            self._log.info("Call session %s goes on, because cancel_on_kill is False", session_id)

    def refuse_killed(self) -> None:
        """Raise `Killed` if Airflow has killed the task.

        With ``cancel_on_kill``, the method first ends the active call.
        """
        # Airflow's signal handler only calls `on_kill`: afterwards, the try continues where it was.
        if self._is_killed():
            record, session_id = self._journal.record, self.active_session_id
            if session_id is None and record is not None and record.call is not None:
                session_id = record.outcome.call_session_id
            self.release()
            placed = "" if session_id is None else f". Call session {session_id} was placed"
            raise Killed(
                f"The task was killed: from now on, this try dials no one, and judges no call{placed}"
            )

    # --- from step to step ---

    def _run(self, step: LifecycleStep) -> TryResult:
        """Wait for the call, fetch its report, tag it, and decide whether the task succeeds.

        Return the call, or a deferral if the task waits in the triggerer.
        """
        while True:
            self.refuse_killed()
            if isinstance(step, Finished):
                self.active_session_id = None  # the task no longer waits for the call
                return self._judge(step)
            if isinstance(step, TimeIsUp):
                raise self._time_is_up(step.call)
            if isinstance(step, WaitForCall):
                self.active_session_id = step.call.call_session_id
                log_wait(self._log, step.call, step.until, step.deadline)
            if self._options.deferrable:
                return self._deferral(step)
            step = self._wait_here(step)

    def _wait_here(self, step: WaitForCall | WaitForReport) -> LifecycleStep:
        if isinstance(step, WaitForReport):
            self.sleep(REPORT_INTERVAL)
            return self._lifecycle.report_due(step.call, step.report_by)
        watch = SessionWatch(
            step.call.call_session_id,
            step.appear_by,
            step.deadline,
            tolerance=PollTolerance(failures=self._options.poll_failures_tolerated),
            observation=Observation.from_outcome(step.call),
        )
        phase = self._hook.watch_session(
            watch,
            until=step.until,
            poll_interval=self._options.poll_interval,
            after_each_poll=self.refuse_killed,
        )
        if phase in FINAL_PHASES and phase is not Phase.TIMED_OUT:
            self.active_session_id = None
        return self._lifecycle.observed(phase, watch.extend_outcome(step.call))

    def sleep(self, seconds: float) -> None:
        """Sleep for a number of seconds. A kill of the task ends the sleep within a second."""
        for _ in naps(seconds):
            self.refuse_killed()

    def _deferral(self, step: WaitForCall | WaitForReport) -> Deferral:
        if isinstance(step, WaitForReport):
            return Deferral(
                pause_trigger(REPORT_INTERVAL),
                method_name="report_due",
                kwargs={
                    "call": step.call.to_xcom(),
                    "report_by": step.report_by,
                    "wait_until": self._lifecycle.wait_until,
                },
            )
        trigger = CallApiSessionTrigger(
            callapi_conn_id=self._hook.callapi_conn_id,
            call=step.call.to_xcom(),
            until=step.until,
            poll_interval=self._options.poll_interval,
            appear_by=step.appear_by,
            deadline=step.deadline,
            poll_failures_tolerated=self._options.poll_failures_tolerated,
            cancel_on_kill=self._options.cancel_on_kill,
        )
        return Deferral(
            trigger,
            method_name="execute_complete",
            kwargs={
                "wait_until": self._lifecycle.wait_until,
                "call_session_id": step.call.call_session_id,
            },
            timeout=timedelta(seconds=max(step.deadline - system_clock.now(), 0) + _GRACE),
        )

    def _time_is_up(self, call: Outcome) -> BaseException:
        name = f"call session {call.call_session_id}"
        deadline = self._facts.execution_deadline
        if deadline is None or system_clock.now() < deadline:
            # Without a journal, the error gets a text about the retry in `forbid_redial`.
            retry = "; a retry waits again and does not dial" if self._keeps_journal else ""
            return CallStillActive(
                f"{name} is still active after timeout ({self._options.timeout:g} s){retry}"
            )
        self.active_session_id = call.call_session_id
        self.release()
        return AirflowTaskTimeout(f"execution_timeout is up before the end of {name}")

    def _judge(self, step: Finished) -> dict[str, Any]:
        """Return a finished call for XCom.

        :raises CallNotAnswered: ``require_answer`` is True, and the contact did not answer.
        :raises CallOutcomeUnknown: ``require_answer`` is True, and it is not known whether the contact
            answered.
        """
        call, name = step.call, f"call session {step.call.call_session_id}"
        if step.verdict is Verdict.NOT_ANSWERED:
            reason = f" ({call.finish_reason})" if call.finish_reason else ""
            if not self._keeps_journal:
                retry = (
                    "without task state (Airflow 3.3+, durable=True), a retry finds this call and fails again"
                )
            elif self._facts.try_number > self._facts.max_tries:
                retry = "this was the last try: to call again, clear this task"
            else:
                retry = "a retry calls again"
            raise CallNotAnswered(f"{name} was not answered{reason}; {retry}")
        if step.verdict is Verdict.UNKNOWN:
            retry = "; to call again, clear this task" if self._keeps_journal else ""
            raise CallOutcomeUnknown(
                f"require_answer: {name} has ended, and it is not known whether the contact answered. Check "
                f"the call in the account{retry}"
            )
        return call.to_xcom()

    # --- the services ---

    def _lifecycle_gateway(self) -> LifecycleGateway:
        hook = self._hook
        return LifecycleGateway(
            tag_active=lambda session_id, tag_id: hook.call(
                TagCall(call_session_id=session_id, tag_id=tag_id)
            ),
            tag_finished=lambda communication_id, tag_id: hook.data_api.call(
                SetTagCommunications(communication_id=communication_id, tag_id=tag_id)
            ),
            fetch_final_outcome=(
                partial(
                    hook.reports.final_outcome,
                    recording_link=self._options.recording_link,
                    operations=self._options.operations,
                )
                if hook.has_data_api
                else None
            ),
            is_listed=self._is_listed,
            clock=system_clock.now,
            log=self._log.info,
            warn=self._log.warning,
            on_tagged=lambda call: log_call_event(LogEvent.TAGGED, call),
            on_final_outcome=lambda call: log_call_event(LogEvent.SETTLED, call),
        )

    def _is_listed(self, call: Outcome) -> bool:
        snapshot = next(self._hook.poll_snapshots(self._options.poll_interval))
        return Observation.from_outcome(call).find_call(snapshot, call.call_session_id) is not None

    def _lifecycle_rules(self) -> LifecycleRules:
        options = self._options
        return LifecycleRules(
            wait_for_completion=options.wait_for_completion,
            require_answer=options.require_answer,
            stores_answer=options.deferrable and options.require_answer and not self._hook.has_data_api,
            report_always=options.recording_link or options.operations,
            appear_timeout=options.appear_timeout,
            report_timeout=options.report_timeout,
            timeout=options.timeout,
            last_deadline=self._facts.execution_deadline,
            tags=options.tags,
        )
