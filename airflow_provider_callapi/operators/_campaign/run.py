"""One try of the campaign operator: begin the campaign, dial step by step, defer long waits, and finish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from typing import Any, Self

from airflow.providers.common.compat.sdk import AirflowException, AirflowTaskTimeout

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.calls.calling_hours.hours import NEVER
from airflow_provider_callapi.calls.campaign.attempt_ids import external_id
from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.engine.account_points import AccountPoints
from airflow_provider_callapi.calls.campaign.engine.campaign import Campaign
from airflow_provider_callapi.calls.campaign.engine.pacing import Pacing
from airflow_provider_callapi.calls.campaign.ledger import LedgerWithListeners, Listener
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.results.judgement import (
    describe_not_called,
    final_results,
    find_invalid_rows,
)
from airflow_provider_callapi.calls.campaign.run.announcement import Announcement, Line
from airflow_provider_callapi.calls.campaign.run.deferral_rule import may_defer_until
from airflow_provider_callapi.calls.campaign.run.runner import NextStep, Runner
from airflow_provider_callapi.calls.outcomes.marks import tag_ids
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.calls.texts.time_texts import local_time
from airflow_provider_callapi.connection.call_release import release_calls
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.observability.metrics import count_finished_attempts
from airflow_provider_callapi.operators._campaign.account_check import find_problems
from airflow_provider_callapi.operators._campaign.ending import CampaignEnding
from airflow_provider_callapi.operators._campaign.identity import identity_of, refuse_another_campaign
from airflow_provider_callapi.operators._campaign.memory import CampaignMemory
from airflow_provider_callapi.operators._campaign.options import CampaignOptions
from airflow_provider_callapi.operators._campaign.parts import open_parts
from airflow_provider_callapi.operators._campaign.supervision import PUBLISH_INTERVAL
from airflow_provider_callapi.operators._naps import naps
from airflow_provider_callapi.parameters.schema import nothing_sent
from airflow_provider_callapi.task_context.deferral import Deferral
from airflow_provider_callapi.task_context.facts import TaskFacts, refuse_regrouped_task
from airflow_provider_callapi.task_context.state_keys import IDENTITY_KEY
from airflow_provider_callapi.task_context.task_kinds import refuse_another_kind
from airflow_provider_callapi.triggers.campaign import CallApiCampaignTrigger, read_observations

_CLOCK_STEP = 30.0
"""If the worker's clock is set back by more than this many seconds, the campaign begins its waits again."""


class CampaignNotSuccessful(Exception):
    """Raised if a finished campaign's task must not succeed, e.g. because too few people were reached."""

    def __init__(self, summary: dict[str, Any], error: AirflowException) -> None:
        super().__init__(str(error))
        self.summary = summary  # the task stores it as its XCom
        self.error = error  # skips the task if the contact list is empty, and fails it otherwise


class CampaignRun:
    """Carries out one try of a campaign operator. The constructor prepares the campaign, and dials no one.

    The end of the ``with`` block stops the threads, and closes the connections. If the constructor fails, it
    does the same.
    """

    def __init__(
        self,
        options: CampaignOptions,
        facts: TaskFacts,
        log: Any,
        *,
        template_values: Mapping[str, Any],
        event: Mapping[str, Any] | None = None,
        memo: Mapping[str, Any] | None = None,
    ) -> None:
        self._options = options
        self._facts = facts
        self._log = log
        self._event = event  # what the trigger's polls have shown of the calls; None: no deferral
        self._began = self._stepped_at = system_clock.now()
        self._killed = False
        self._released: set[int] = set()
        self._memory = CampaignMemory(facts.state, memo or {})
        with self._before_dialling(), ExitStack() as opened:
            self._parts = opened.enter_context(
                open_parts(
                    options,
                    facts,
                    self._memory,
                    log,
                    template_values=template_values,
                    now=self._began,
                    is_new_try=self._is_new_try,
                )
            )
            if self._is_new_try and self._began >= self._parts.rules.dial_until:
                self._memory.began_too_late = True
            self._runner = self._make_runner()
            if self._memory.stopped:
                self._campaign.dial_queue.stop(self._memory.stopped)
            self._opened = opened.pop_all()  # after an error: the end of the block closes all parts
        self._preparation = system_clock.now() - self._began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._opened.close()

    def carry_out(self) -> dict[str, Any] | Deferral:
        """Run the campaign until it is over, or until the task can wait in the triggerer.

        :return: the campaign's summary as a dict, or a deferral.
        :raises CampaignNotSuccessful: the campaign is over, and the task must fail or be skipped.
        """
        if self._options.is_dry_run and self._is_new_try:
            return self._rehearse()
        self._begin()
        return self._call_people()

    def kill(self) -> None:
        """Stop dialling, and release (end) the active calls if the author set ``cancel_on_kill``."""
        # Airflow may call this method in a signal handler.
        self._killed = True
        self._campaign.dial_queue.stop("the task was killed")
        self._log.info("Killed: the campaign dials no more; %s", self._active_calls())
        self._release()

    @property
    def _is_new_try(self) -> bool:
        """Whether the try begins. False: the worker continues a try after a deferral."""
        return self._event is None

    @property
    def _campaign(self) -> Campaign:
        return self._runner.campaign

    # --- the beginning ---

    def _before_dialling(self) -> AbstractContextManager[None]:
        """Return a context manager: if this try has placed no call, the error of the block says so."""
        # Before a deferral, the try may have placed calls.
        return nothing_sent() if self._is_new_try else nullcontext()

    def _make_runner(self) -> Runner:
        parts = self._parts
        attempts = parts.ledger.load(person.key for person in parts.plan.people)
        after: list[Listener] = [partial(count_finished_attempts, self._options.campaign)]
        if parts.table is not None:
            after.append(parts.table.add)
            if self._is_new_try:  # an earlier try may have ended before it wrote its last rows
                attempts = list(attempts)
                parts.table.add(attempts)
        campaign = Campaign(
            parts.plan,
            attempts,
            parts.rules,
            Pacing(AccountPoints(self._options.points_reserve, self._memory.points_per_call)),
            personal=parts.template.personal,
            new_external_id=self._new_external_id,
            now=system_clock.now(),
        )
        runner = Runner(
            campaign,
            parts.template,
            LedgerWithListeners(parts.ledger, before=parts.blacklist.add, after=after),
            parts.services.gateway(
                do_not_call=parts.excluded.current,
                wish=parts.supervision.read_wish,
                log=self._log.info,
                error=self._log.error,
            ),
            poll_interval=self._options.poll_interval,
        )
        runner.wish = self._memory.wish  # an earlier worker of this try has logged it
        return runner

    def _new_external_id(self, person: Person, attempt: int) -> str:
        own = self._parts.template.own_external_id(person)
        return external_id(self._parts.scope_of_ids, person.contact, attempt, own)

    def _check_identity(self) -> None:
        """Raise an error if an earlier try ran another campaign, or another map index has the same people.

        Otherwise, store what identifies this campaign.
        """
        plan, listed = self._parts.plan, self._parts.listed
        identity = identity_of(self._options, plan, self._parts.scope, self._facts.clears)
        if self._is_new_try:
            refuse_another_kind(self._facts, IDENTITY_KEY)
        if self._memory.identity is None:
            refuse_regrouped_task(self._facts)
        else:
            proves_absence = self._options.absence_proven_after is not None
            refuse_another_campaign(identity, self._memory.identity, proves_absence=proves_absence)
        if listed is not None and self._is_new_try:
            before = self._memory.identity or {}
            are_known = before.get("contacts") == identity["contacts"]
            listed.claim(plan.people, are_known=are_known)
        self._memory.remember_identity(identity)

    def _announce(self, numbers: frozenset[str]) -> dict[str, Any]:
        """Log and return what the campaign will do: the counts of people, and the ``problems`` in its way.

        ``numbers``: the phone numbers on the do-not-call list.
        """
        parts = self._parts
        announcement = self._make_announcement(numbers)
        now = system_clock.now()
        self._log_lines(announcement.plan_lines())
        self._runner.poll_limits()  # the answer to the poll contains the points left
        forecast = list(announcement.forecast_lines(now))
        self._log_lines(forecast)
        marks = [*parts.rules.redial_marks, *parts.rules.block_marks]
        tags = {*parts.rules.tags.values(), *tag_ids(marks)}
        problems = find_problems(parts.hook, parts.template, parts.plan.people, tags)
        self._log_lines(Line(problem, is_warning=True) for problem in problems)
        problems += [line.text for line in forecast if line.is_warning]
        return {**announcement.forecast(), "problems": problems}  # the forecast: one call to each person

    def _make_announcement(self, numbers: frozenset[str]) -> Announcement:
        results = final_results(self._campaign.results(), self._parts.plan, numbers)
        excluded = sum(result is Result.DO_NOT_CALL for result in results.values())
        return Announcement(
            self._options.campaign,
            self._campaign,
            to_be_called=0 if self._memory.began_too_late else self._campaign.waiting - excluded,
            excluded=excluded,
            timezone=self._options.timezone,
            writes_results=self._options.results is not None and not self._options.is_dry_run,
        )

    def _log_lines(self, lines: Iterable[Line]) -> None:
        for line in lines:
            (self._log.warning if line.is_warning else self._log.info)("%s", line.text)

    def _refuse_unknown_days(self) -> None:
        # The campaign must not wait for a day that never comes.
        # For example, the calendar of workdays does not contain the next year.
        if self._campaign.waiting and not self._campaign.active and (why := self._why_never()):
            raise CallApiFailure(why)

    def _why_never(self) -> str | None:
        return self._parts.rules.hours.why_never(system_clock.now(), self._options.timezone)

    def _rehearse(self) -> dict[str, Any]:
        """Return the summary and the forecast of a dry run, which places no calls and writes no files."""
        self._log.info("A dry run: the campaign places no calls and writes no files")
        with self._before_dialling():
            numbers = self._parts.excluded.numbers()
        forecast = self._announce(numbers)
        self._refuse_unknown_days()
        summary = self._ending().summary
        if problem := find_invalid_rows(summary, self._options.failure_limits):
            self._log.warning("The campaign would fail: %s", problem)
            forecast["problems"].append(problem)
        return {**summary.to_xcom(), **forecast}

    def _begin(self) -> None:
        """Check that the task has the same campaign as in earlier tries, and begin or continue this try."""
        # A new try logs what it will do. After a deferral, the trigger's observations are added to the
        # campaign's calls.
        with self._before_dialling():
            self._check_identity()
        if self._parts.hook.settings.timezone is None:
            self._memory.remember_timezone(self._parts.rules.timezone)
        if self._event is None:
            with self._before_dialling():
                # Stored before the first dial: the list may be shorter in the next try.
                numbers = self._parts.excluded.remember()
            self._announce(numbers)
            with self._before_dialling():
                self._refuse_unknown_days()
        else:
            self._campaign.watched_calls.update_observations(read_observations(self._event))
            if self._options.is_dry_run:
                # E.g. its Variable has changed. The calls of this try must still be judged.
                self._campaign.dial_queue.stop("dry_run has become true")

    # --- step by step ---

    def _call_people(self) -> dict[str, Any] | Deferral:
        """Dial and wait, step by step, until the campaign is over or the task can wait in the triggerer.

        Return the summary, or a deferral.
        """
        while True:
            was_killed = self._killed
            self._refuse_timeout()
            if (next_step := self._step()).over:
                return self._finish()
            may_defer = self._options.deferrable and not self._killed
            deferral = self._deferral(next_step) if may_defer else None
            if self._killed:  # maybe during `_deferral`; a kill must not outlive this process in a memo
                self._release()  # includes a call that was being dialled when the kill came
            elif deferral is not None:
                return deferral
            self._sleep(next_step.in_seconds, was_killed)

    def _refuse_timeout(self) -> None:
        """Raise `AirflowTaskTimeout` after ``execution_timeout``: Airflow does not do so after a deferral."""
        deadline = self._facts.execution_deadline
        if self._is_new_try or deadline is None or system_clock.now() < deadline:
            return
        self._campaign.dial_queue.stop("execution_timeout is up")
        self._step()  # stores what the trigger has shown of the active calls
        raise AirflowTaskTimeout(
            f"execution_timeout is up; {self._people_waiting()}, {self._active_calls()}. A retry or a clear "
            "of this task continues the campaign"
        )

    def _step(self) -> NextStep:
        before, self._stepped_at = self._stepped_at, system_clock.now()
        if self._stepped_at < before - _CLOCK_STEP:
            self._begin_again()
        next_step = self._runner.step()
        self._memory.remember_points_per_call(self._campaign.pacing.points.known_cost)
        now = system_clock.now()
        if next_step.over or self._parts.supervision.is_due(now):
            self._publish(now, next_at=now + max(PUBLISH_INTERVAL, next_step.in_seconds))
        return next_step

    def _people_waiting(self) -> str:
        return count_text(self._campaign.waiting, "person is waiting", "people are waiting")

    def _active_calls(self) -> str:
        return count_text(self._campaign.active, "call is active", "calls are active")

    def _begin_again(self) -> None:
        """Read the campaign from its ledger again, after the clock of the worker was set back."""
        # Otherwise, the campaign would not poll until the clock shows the old time again.
        self._log.warning("The clock of this worker was set back: the campaign continues from its ledger")
        stopped, wish = self._campaign.dial_queue.stopped, self._runner.wish
        self._runner = self._make_runner()
        self._runner.wish = wish
        if stopped is not None or self._killed:
            self._campaign.dial_queue.stop(stopped or "the task was killed")

    def _publish(self, now: float, *, next_at: float) -> None:
        """Store how far the campaign is, for the command line and the page of calls.

        :param next_at: when the campaign publishes again at the latest, epoch seconds.
        """
        self._parts.supervision.publish(
            self._runner.progress.measure(
                self._options.campaign,
                shard=self._options.shard,
                owner=self._facts.owner,
                connection=self._options.callapi_conn_id,
                files=self._parts.files.paths,
                now=now,
                next_at=next_at,
            )
        )

    def _sleep(self, seconds: float, was_killed: bool) -> None:
        # A kill during the sleep ends it within a second. `was_killed`: the task was killed before, so no
        # kill can come, and the sleep lasts its full time.
        for _ in naps(seconds):
            if self._killed != was_killed:
                break

    def _deferral(self, next_step: NextStep) -> Deferral | None:
        """Return a deferral until the campaign's next step. None: the task cannot be deferred now."""
        campaign = self._campaign
        wake_at = may_defer_until(
            self._runner,
            next_step,
            system_clock.now(),
            preparation=self._preparation,
        )
        if wake_at is None:  # e.g. the next person is due within a minute
            return None
        self._log_wait(next_step)
        trigger = CallApiCampaignTrigger(
            callapi_conn_id=self._options.callapi_conn_id,
            calls=CallApiCampaignTrigger.serialize_watches(campaign.watched_calls.by_session()),
            wake_at=min(wake_at, self._facts.execution_deadline or wake_at),
            poll_interval=self._options.poll_interval,
            cancel_on_kill=self._options.cancel_on_kill,
            until_answered=campaign.tags.plan.tags_active_calls,
        )
        self._parts.excluded.remember()
        self._publish(system_clock.now(), next_at=wake_at)
        memo = self._memory.memo(stopped=campaign.dial_queue.stopped, wish=self._runner.wish)
        return Deferral(trigger, method_name="execute_complete", kwargs={"memo": memo})

    def _log_wait(self, next_step: NextStep) -> None:
        if next_step.dial_at < NEVER:
            self._log.info(
                "Waiting until %s for %s; %s, %s",
                local_time(next_step.dial_at, self._options.timezone),
                next_step.why,
                self._people_waiting(),
                self._active_calls(),
            )
        elif self._campaign.active:
            self._log.info("Waiting for %s; %s", next_step.why, self._active_calls())

    def _release(self) -> None:
        """Release (end) the active calls, with one request per call, if the author set ``cancel_on_kill``."""
        active = self._campaign.watched_calls.by_session().keys() - self._released
        if self._options.cancel_on_kill and active:
            self._released |= active
            release_calls(self._parts.hook.settings, active, self._log)

    # --- the end ---

    def _ending(self) -> CampaignEnding:
        return CampaignEnding(
            self._options, self._parts, self._campaign, began=self._began, now=system_clock.now()
        )

    def _finish(self) -> dict[str, Any]:
        """Write the results and the campaign report, and return the summary of the finished campaign.

        :raises CampaignNotSuccessful: the campaign is over, and the task must fail or be skipped.
        """
        ending = self._ending()
        unwritten = ending.write(self._log)
        summary = ending.summary
        if (not_called := summary.results[Result.NOT_CALLED]) and (why := self._why_never()):
            self._log.warning("%s. %s", why, describe_not_called(not_called))
        if self._killed:
            raise CallApiTrouble(
                "The task was killed. A retry or a clear of this task continues the campaign"
            )
        if error := ending.error(
            unwritten, run_after=self._facts.run_after, began_too_late=self._memory.began_too_late
        ):
            raise CampaignNotSuccessful(summary.to_xcom(), error)
        return summary.to_xcom()
