"""The lifecycle of a placed call: wait for the call, fetch the final outcome, tag the call, judge the call.

The caller begins with `CallLifecycle.resume`. Each method returns the next step. No method waits. The caller
carries out the step:

==============  =========================================================================
step            what the caller does
==============  =========================================================================
WaitForCall     poll until the wait ends, then use `CallLifecycle.observed`
WaitForReport   wait `REPORT_INTERVAL` seconds, then use `CallLifecycle.report_due`
TimeIsUp        fail the try, because the call may still be active
Finished        return the call, or fail if the verdict is not ``ACCEPTED``
==============  =========================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.errors import CallApiError, CallNotFound, InvalidParameters
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.outcomes.tagging import TagRules, due_tags
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.watching.watch import Phase, Until


class Verdict(StrEnum):
    """Whether a task may accept a finished call, according to the task's parameter ``require_answer``."""

    ACCEPTED = "the call was answered, or no answer is required"
    NOT_ANSWERED = "an answer is required, and the contact did not answer"
    UNKNOWN = "an answer is required, and it is not known whether the contact answered"


@dataclass(frozen=True)
class WaitForCall:
    """The step of a lifecycle in which the task polls until the call is answered or has ended.

    :ivar call: what is known of the call so far.
    :ivar until: ``answered``: wait for the contact's answer or the call's end. ``ended``: wait for the end.
    :ivar appear_by: epoch seconds. A call that no snapshot has shown by then counts as ended.
    :ivar deadline: when the wait ends at the latest, epoch seconds.
    """

    call: Outcome
    until: Until
    appear_by: float
    deadline: float


@dataclass(frozen=True)
class WaitForReport:
    """The step of a lifecycle in which the task waits, because the Data API has no report of the call yet.

    :ivar report_by: epoch seconds after which the lifecycle continues without a report.
    """

    call: Outcome
    report_by: float


@dataclass(frozen=True)
class TimeIsUp:
    """The last step of a try that runs out of time before a snapshot shows the end of the call.

    The try fails, because the call may still be active.
    """

    call: Outcome


@dataclass(frozen=True)
class Finished:
    """The last step of a call's lifecycle: the task has nothing more to do for the call.

    :ivar call: the outcome of the call.
    :ivar verdict: whether the task succeeds with this outcome, according to the parameter ``require_answer``.
    """

    call: Outcome
    verdict: Verdict


LifecycleStep = WaitForCall | WaitForReport | TimeIsUp | Finished
"""What the caller of a `CallLifecycle` must do next."""


@dataclass(frozen=True)
class LifecycleRules:
    """The task's parameters that control the lifecycle of the task's call. Durations are seconds.

    :ivar wait_for_completion: True: wait for the call's end. False: the lifecycle ends when the call is
        placed.
    :ivar require_answer: True: accept only an answered call. If it is known that the contact did not answer,
        the next try redials. False: accept every call.
    :ivar stores_answer: True: store the contact's answer in the journal at once, so that a crash of the
        triggerer does not lose it.
    :ivar report_always: True: fetch the Data API's report even if the task can judge the call without it, for
        example to get the link to the recording.
    :ivar appear_timeout: time from the call's start. A call that no snapshot has shown by then counts as
        ended.
    :ivar report_timeout: how long after the call's end the lifecycle waits for the Data API's report.
    :ivar timeout: how long one try waits for the call's end, from the try's first wait. Then the try fails.
    :ivar last_deadline: the latest end of a try's wait, epoch seconds. None: only ``timeout`` limits the
        wait.
    :ivar tags: event → id of the tag for a call with this event, such as ``{"answered": 36}``.
    """

    wait_for_completion: bool
    require_answer: bool
    stores_answer: bool
    report_always: bool
    appear_timeout: float
    report_timeout: float
    timeout: float
    last_deadline: float | None
    tags: TagRules


@dataclass(frozen=True)
class LifecycleGateway:
    """The functions with which a call's lifecycle reaches the services and the task's log.

    Each attribute is a function. The outcome is what is known of the call.

    :ivar tag_active: takes a call session id and a tag id. Sets the tag on the active call.
    :ivar tag_finished: takes a ``communication_id`` and a tag id. Sets the tag on the finished call.
    :ivar fetch_final_outcome: takes the outcome so far, and the time until which the lifecycle waits for the
        report. Returns (final outcome, report), or None if there is no complete report yet. Without a Data
        API, the attribute is None.
    :ivar is_listed: takes the outcome so far. Polls once, and returns whether ``list.calls`` shows the call.
    :ivar clock: returns the present time, epoch seconds.
    :ivar log: takes a line for the task's log.
    :ivar warn: takes a warning for the task's log.
    :ivar on_tagged: takes the outcome. Runs after each new tag.
    :ivar on_final_outcome: takes the final outcome. Runs when the Data API first reports the call.
    """

    tag_active: Callable[[int, int], Any]
    tag_finished: Callable[[int, int], Any]
    fetch_final_outcome: Callable[[Outcome, float], tuple[Outcome, CallReport] | None] | None
    is_listed: Callable[[Outcome], bool]
    clock: Callable[[], float]
    log: Callable[[str], None]
    warn: Callable[[str], None]
    on_tagged: Callable[[Outcome], None]
    on_final_outcome: Callable[[Outcome], None]


class CallLifecycle:
    """Follows a placed call to its end in one try of the task: wait, fetch the final outcome, tag, judge.

    Each method returns the next step. The table in the module's docstring shows what the caller does then.

    :param journal: the stored record of the task's call.
    :param gateway: the functions that reach the services and the task's log.
    :param rules: the task's parameters for the lifecycle.
    :param wait_until: when this try stops waiting for the call, epoch seconds; None: the first wait sets it.
        A task that defers must store the attribute ``wait_until``, and pass it here when it resumes.
    :ivar report: the Data API's report of the call; None: it was not fetched.
    """

    def __init__(
        self,
        journal: Journal,
        gateway: LifecycleGateway,
        rules: LifecycleRules,
        *,
        wait_until: float | None = None,
    ) -> None:
        self.journal = journal
        self.wait_until = wait_until
        self.report: CallReport | None = None
        self._gateway = gateway
        self._rules = rules

    def resume(self, call: Outcome) -> LifecycleStep:
        """Begin or continue the lifecycle of a placed call, and return the next step.

        The journal shows what earlier tries have finished. For example, the lifecycle does not wait again for
        a call that has ended.

        :param call: the outcome so far of the call.
        """
        stage = self.journal.current.stage
        if stage is Stage.DONE:
            return self._finished(call)
        if stage is Stage.ENDED:
            return self._ended(call)
        if self._rules.wait_for_completion:
            return self._wait(call)
        self.journal.mark_done(call)
        return Finished(call, Verdict.ACCEPTED)

    def observed(self, phase: Phase, call: Outcome) -> LifecycleStep:
        """Continue after the step `WaitForCall`, and return the next step.

        :param phase: the phase of the call at the end of the wait.
        :param call: the outcome so far, updated with what the wait has observed.
        """
        if phase is Phase.ANSWERED:
            return self._wait(call)
        if phase is Phase.TIMED_OUT:
            self.journal.mark_active(call)
            return TimeIsUp(call)
        if call.source == "data_api":
            self._gateway.on_final_outcome(call)
        return self._ended(call)

    def report_due(self, call: Outcome, report_by: float) -> LifecycleStep:
        """Fetch the Data API's report of a finished call, tag the call, and return the next step.

        - If the Data API has no report yet, the next step is `WaitForReport`. After ``report_by``, the method
          tags the call without the report. Exception: ``list.calls`` shows the call again, so it has not
          ended. The next step is then `WaitForCall`.
        - If the task can judge the call without the report, the method fetches the report only with
          `LifecycleRules.report_always`.
        - Without a Data API, the method neither fetches a report nor tags the call.

        :param report_by: epoch seconds.
        """
        if self._gateway.fetch_final_outcome is not None:
            final = self._final_outcome(call, report_by)
            if isinstance(final, WaitForReport | WaitForCall):
                return final
            call = self._tag_finished(final)
        elif self._is_answered_without_tag(call):
            self._gateway.warn(
                f"Call session {call.call_session_id} stays without tag {self._rules.tags['answered']}: the "
                "call ended before it was tagged, and tagging a finished call needs the Data API"
            )
        self.journal.mark_done(call, redial=self._rules.require_answer and call.answered is False)
        return self._finished(call)

    def _ended(self, call: Outcome) -> LifecycleStep:
        self.journal.mark_ended(call)
        ended_at = self._gateway.clock() if call.ended_at is None else call.ended_at
        return self.report_due(call, ended_at + self._rules.report_timeout)

    def _wait(self, call: Outcome) -> WaitForCall:
        if self._is_answered_without_tag(call):
            call = self._tag_active(call)
        self.journal.mark_active(call)
        needs_answer = self._rules.stores_answer or "answered" in self._rules.tags
        until: Until = "answered" if needs_answer and not call.answered else "ended"
        now = self._gateway.clock()
        self.wait_until = self.wait_until or now + self._rules.timeout
        return WaitForCall(
            call,
            until=until,
            appear_by=(call.started_at or now) + self._rules.appear_timeout,
            deadline=min(self.wait_until, self._rules.last_deadline or self.wait_until),
        )

    def _final_outcome(self, call: Outcome, report_by: float) -> Outcome | WaitForReport | WaitForCall:
        """Return the final outcome of a call, or the next step: wait for the Data API's report, or the call.

        Without a report at ``report_by``, return the outcome so far.

        :raises CallApiError: the Data API still does not answer at ``report_by``, and the task needs the
            report. Or the error is permanent.
        """
        if call.source == "data_api" and not self._rules.report_always:
            return call
        assert self._gateway.fetch_final_outcome is not None
        problem = f"The Data API has no report of call session {call.call_session_id}"
        try:
            found = self._gateway.fetch_final_outcome(call, report_by)
        except CallApiError as error:
            if error.permanent or (self._gateway.clock() >= report_by and self._needs_report(call)):
                raise
            found, problem = None, f"{problem}, because it does not answer ({type(error).__name__}),"
        if found is None:
            if self._gateway.clock() < report_by:
                self._gateway.log(
                    f"{problem} yet: waiting for the report, at most "
                    f"{report_by - self._gateway.clock():.0f} s more"
                )
                return WaitForReport(call, report_by)
            if self._gateway.is_listed(call):
                self._gateway.warn(f"{problem}, and list.calls shows this call again: it has not ended")
                return self._wait(replace(call, status="started", ended_at=None))
            self._gateway.warn(
                f"{problem} after report_timeout ({self._rules.report_timeout:g} s): the outcome is what "
                "list.calls has shown"
            )
            return call
        final, self.report = found
        self.journal.mark_ended(final)
        if call.source != "data_api":
            self._gateway.on_final_outcome(final)
        return final

    def _needs_report(self, call: Outcome) -> bool:
        return call.answered is None or bool(due_tags(call, self._rules.tags))

    def _is_answered_without_tag(self, call: Outcome) -> bool:
        tag_id = self._rules.tags.get("answered")
        return bool(call.answered) and tag_id is not None and tag_id not in call.tags

    def _tag_active(self, call: Outcome) -> Outcome:
        tag_id = self._rules.tags["answered"]
        try:
            with _name_tag(call, tag_id):
                self._gateway.tag_active(call.call_session_id, tag_id)
        except CallNotFound:
            self._gateway.log(f"Call session {call.call_session_id} ended before it got tag {tag_id}")
            return call
        call = call.tagged(tag_id)
        self._gateway.on_tagged(call)
        return call

    def _tag_finished(self, call: Outcome) -> Outcome:
        for tag_id in due_tags(call, self._rules.tags):
            if call.communication_id is None:
                missing = "communication_id" if call.source == "data_api" else "report"
                self._gateway.warn(
                    f"Call session {call.call_session_id} stays without tag {tag_id}: the Data API has no "
                    f"{missing} of the call"
                )
                continue
            with _name_tag(call, tag_id):
                self._gateway.tag_finished(call.communication_id, tag_id)
            call = call.tagged(tag_id)
            self.journal.mark_ended(call)
            self._gateway.on_tagged(call)
        return call

    def _finished(self, call: Outcome) -> Finished:
        verdict = Verdict.ACCEPTED
        if self._rules.require_answer and not call.answered:
            verdict = Verdict.UNKNOWN if call.answered is None else Verdict.NOT_ANSWERED
        return Finished(call, verdict)


@contextmanager
def _name_tag(call: Outcome, tag_id: int) -> Iterator[None]:
    """Context manager: name the tag and the placed call if the service refuses to set the tag.

    :raises InvalidParameters: the ``with`` block raised it, e.g. because the account has no such tag.
    """
    try:
        yield
    except InvalidParameters as error:
        raise InvalidParameters(
            f"tags: call session {call.call_session_id} was placed, and tag {tag_id} cannot be set: {error}. "
            "`airflow callapi tags` lists the account's tags"
        ) from None
