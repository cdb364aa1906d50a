"""After a call was placed: wait, tag, settle, judge; each a place where a try may begin."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

from airflow.providers.common.compat.sdk import AirflowTaskTimeout

from airflow_provider_callapi.api.data_api import REPORT_INTERVAL, SetTagCommunications
from airflow_provider_callapi.api.errors import CallApiError, CallNotFound, CallRefused
from airflow_provider_callapi.api.methods import StartCall, TagCall
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.placing import Journal, Stage
from airflow_provider_callapi.calls.stores import KeyValueStore, MemoryStore
from airflow_provider_callapi.calls.tagging import TagRules, TagWhen, due_tags
from airflow_provider_callapi.calls.tolerance import PollTolerance
from airflow_provider_callapi.calls.watch import Observation, Phase, SessionWatch, Until
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallApiTrouble,
    CallNotAnswered,
    CallOutcomeUnknown,
    CallStillActive,
)
from airflow_provider_callapi.observability import LogEvent, ObservedStore, log_call_event
from airflow_provider_callapi.task_context import CONTEXT_KEY, TaskState

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_callapi.hooks.callapi import CallApiHook
    from airflow_provider_callapi.operators._call.base_operator import PlacedCallOperator


class CallLifecycle:
    """One try's way with one call; every method ends in the task's result, an error, or a deferral."""

    def __init__(
        self, task: PlacedCallOperator, context: Context, hook: CallApiHook, tag_rules: TagRules
    ) -> None:
        self.task = task
        self.context = context
        self.hook = hook
        self.tag_rules = tag_rules
        self.durable = task.durable and CONTEXT_KEY in context
        ti = context["ti"]
        store: KeyValueStore = MemoryStore()
        if self.durable:
            store = TaskState(context[CONTEXT_KEY])  # type: ignore[literal-required]
        owner = (ti.dag_id, ti.run_id, ti.task_id, str(-1 if ti.map_index is None else ti.map_index))
        self.journal = Journal(ObservedStore(store), owner=owner, generation=ti.max_tries)
        self.wait_until: float | None = None
        """When this try's time to wait is up, epoch seconds; None: it has not begun to wait."""

    @contextmanager
    def forbid_redial_on_retry(self) -> Iterator[None]:
        """Where no journal outlives a try, what fails after the call was placed must not be retried."""
        try:
            yield
        except (CallApiError, CallApiTrouble, CallStillActive) as error:
            if self.durable:
                raise
            raise CallApiFailure(
                f"{error}. Not retried: without task state (Airflow 3.3+) a retry could dial again"
            ) from error

    def refused(self, request: StartCall, error: CallRefused) -> dict[str, Any]:
        """The result of a call that the service refused to place: there is no session, and nothing rang."""
        attempt = self.journal.current.attempt + 1  # the journal has taken it back
        call = Outcome(
            0,
            self.journal.external_id(request, attempt),
            answered=False,
            attempt=attempt,
            finish_reason=error.mnemonic,
        )
        return {**call.to_xcom(), "call_session_id": None, "status": "refused"}

    def go_on(self, call: Outcome) -> dict[str, Any]:
        """Go on with a call that was placed, from the stage that the journal says."""
        stage = self.journal.current.stage
        if stage is Stage.DONE:
            return self._judged(call)
        if stage is Stage.ENDED:
            return self.ended(call)
        if self.task.wait_for_completion:
            return self._wait(call)
        self.journal.done(call)
        return call.to_xcom()

    def seen(self, phase: Phase, call: Outcome) -> dict[str, Any]:
        """Go on after a wait, which has seen an answer, an end, or that the time is up."""
        if phase is Phase.ANSWERED:
            return self._wait(call)
        if phase is Phase.TIMED_OUT:
            self._time_is_up(call)
        return self.ended(call)

    def ended(self, call: Outcome, *, report_by: float | None = None) -> dict[str, Any]:
        """The call is over: settle what became of it, tag it, judge it.

        :param report_by: when to give up waiting for the report; the report timeout from the end on.
        """
        self.task.call_session_id = None  # nothing to release any more
        self.journal.ended(call)
        if self.hook.has_data_api:
            call = self._tag_finished(self._settled(call, report_by))
        elif call.answered and "answered" in self.tag_rules and self.tag_rules["answered"] not in call.tags:
            self.task.log.warning("The call ended before it could be tagged: that needs the Data API now")
        self.journal.done(call, redial=self.task.require_answer and call.answered is False)
        return self._judged(call)

    def _wait(self, call: Outcome) -> dict[str, Any]:
        """Wait for the next thing to do: an answer to be tagged, or the end."""
        task = self.task
        task.call_session_id = call.call_session_id
        call = self._tag_active(call)
        self.journal.follow(call)
        until: Until = "answered" if "answered" in self.tag_rules and not call.answered else "ended"
        now = time.time()
        appear_by = (call.started_at or now) + task.appear_timeout
        self.wait_until = self.wait_until or now + task.timeout
        deadline = min(self.wait_until, self._execution_deadline() or self.wait_until)
        if task.deferrable:
            from airflow_provider_callapi.triggers.call_session import (  # noqa: PLC0415 - parse time
                CallApiSessionTrigger,
            )

            task.defer(
                trigger=CallApiSessionTrigger(
                    callapi_conn_id=task.callapi_conn_id,
                    call=call.to_xcom(),
                    until=until,
                    poll_interval=task.poll_interval,
                    appear_by=appear_by,
                    deadline=deadline,
                    poll_failures_tolerated=task.poll_failures_tolerated,
                    cancel_on_kill=task.cancel_on_kill,
                ),
                method_name="execute_complete",
                kwargs={"wait_until": self.wait_until},
                # a little later than the trigger's own deadline, whose event says more
                timeout=timedelta(seconds=max(deadline - now, 0) + 60),
            )
        watch = SessionWatch(
            call.call_session_id,
            appear_by,
            deadline,
            tolerance=PollTolerance(failures=task.poll_failures_tolerated),
            observation=Observation.of(call),
        )
        phase = self.hook.watch_session(watch, until=until, poll_interval=task.poll_interval)
        return self.seen(phase, watch.outcome(call))

    def _execution_deadline(self) -> float | None:
        """When ``execution_timeout`` is up, counted over deferrals too, which Airflow 3.3 does not do."""
        limit, started = self.task.execution_timeout, self.context["ti"].start_date
        return (started + limit).timestamp() if limit and started else None

    def _time_is_up(self, call: Outcome) -> None:
        self.journal.follow(call)
        name = f"call session {call.call_session_id}"
        deadline = self._execution_deadline()
        if deadline is not None and time.time() >= deadline:
            self.task.call_session_id = call.call_session_id
            self.task.on_kill()
            raise AirflowTaskTimeout(f"execution_timeout is up and {name} is still active")
        raise CallStillActive(
            f"{name} is still active after {self.task.timeout:g} s; a retry waits again, it does not dial"
        )

    def _settled(self, call: Outcome, report_by: float | None) -> Outcome:
        """The call with what its report says; as it is, where the report does not come in time."""
        if call.source == "data_api" and not self.task.recording_link:
            return call
        due = report_by or (call.ended_at or time.time()) + self.task.report_timeout
        while (found := self.hook.fetch_final_outcome(call)) is None:
            if time.time() >= due:
                self.task.log.warning("No report in time: the outcome is what list.calls has shown")
                return call
            self.task.log.info("The Data API has no report of call session %s yet", call.call_session_id)
            self._pause(call, due)
        settled, report = found
        if self.task.recording_link:
            self.task.recording_url = report.full_record_file_link
        self.journal.ended(settled)
        if call.source != "data_api":
            log_call_event(LogEvent.SETTLED, settled)
        return settled

    def _pause(self, call: Outcome, report_by: float) -> None:
        """Wait before asking for the report again."""
        if self.task.deferrable:
            from airflow.providers.standard.triggers.temporal import (  # noqa: PLC0415 - parse time
                TimeDeltaTrigger,
            )

            self.task.defer(
                trigger=TimeDeltaTrigger(timedelta(seconds=REPORT_INTERVAL)),
                method_name="report_due",
                kwargs={"call": call.to_xcom(), "report_by": report_by},
            )
        time.sleep(REPORT_INTERVAL)

    def _tag_active(self, call: Outcome) -> Outcome:
        """The wish for an answered call, while it is active."""
        tag_id = self.tag_rules.get("answered")
        if not call.answered or tag_id is None or tag_id in call.tags:
            return call
        try:
            self.hook.call(TagCall(call_session_id=call.call_session_id, tag_id=tag_id))
        except CallNotFound:
            self.task.log.info("Call session %s ended before it could be tagged", call.call_session_id)
            return call
        call = call.tagged(tag_id)
        log_call_event(LogEvent.TAGGED, call)
        return call

    def _tag_finished(self, call: Outcome) -> Outcome:
        """The tag_rules for a finished call that are not fulfilled yet, through the Data API."""
        for tag_id in due_tags(call, self.tag_rules):
            if call.communication_id is None:
                self.task.log.warning("Not tagged with %s: the Data API has no report of the call", tag_id)
                continue
            self.hook.data_api.call(
                SetTagCommunications(communication_id=call.communication_id, tag_id=tag_id)
            )
            call = call.tagged(tag_id)
            self.journal.ended(call)
            log_call_event(LogEvent.TAGGED, call)
        return call

    def _judged(self, call: Outcome) -> dict[str, Any]:
        """The call as an XCom, or the error that the task was asked to make of it."""
        name = f"call session {call.call_session_id}"
        if self.task.require_answer and call.answered is False:
            raise CallNotAnswered(f"{name} was not answered ({call.finish_reason}); a retry calls again")
        if self.task.require_answer and call.answered is None:
            raise CallOutcomeUnknown(f"{name} is over, and whether it was answered is not known")
        return call.to_xcom()


def read_tag_rules(tags: Mapping[Any, Any] | None, hook: CallApiHook) -> TagRules:
    """The wished tags by when; text is converted.

    :raises CallApiFailure: names what cannot be fulfilled, before anybody is dialled.
    """
    tag_rules: dict[TagWhen, int] = {}
    if not isinstance(tags or {}, Mapping):
        raise CallApiFailure(f"tags: a dict of {get_args(TagWhen)} is needed. Nothing was sent.")
    for when, tag_id in (tags or {}).items():
        if when not in get_args(TagWhen):
            raise CallApiFailure(f"tags: {when!r} is not one of {get_args(TagWhen)}. Nothing was sent.")
        if tag_id is None:
            continue
        try:
            tag_rules[when] = int(str(tag_id))
        except ValueError:
            raise CallApiFailure(f"tags.{when}: the id of a tag is needed. Nothing was sent.") from None
    if not hook.has_data_api and (finished := tag_rules.keys() - {"answered"}):
        raise CallApiFailure(
            f"tags.{min(finished)}: a finished call can only be tagged through the Data API; set "
            f"extra.data_api of connection {hook.callapi_conn_id} to true. Nothing was sent."
        )
    return tag_rules
