"""One try at a campaign: from the operator's parameters to a running campaign, and from its end to files."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import pendulum
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_callapi.api.data_api import SetTagCommunications
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.methods import StartCall, TagCall
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.calls.campaign.engine import Campaign
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway
from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.pacing import Pacing
from airflow_provider_callapi.calls.campaign.people import Person, Plan, external_id, fingerprint
from airflow_provider_callapi.calls.campaign.runner import Pause, Runner
from airflow_provider_callapi.calls.campaign.summary import Ending, Summary, summarise
from airflow_provider_callapi.calls.reports import finished_calls
from airflow_provider_callapi.calls.snapshot import take_snapshot
from airflow_provider_callapi.connection.clients import same_trace
from airflow_provider_callapi.connection.release import release_calls
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, CallTooLate
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.observability import MeteredLedger
from airflow_provider_callapi.operators._campaign.contact_list import DoNotCall
from airflow_provider_callapi.operators._campaign.identity import identity, refuse_another
from airflow_provider_callapi.operators._campaign.output_files import CampaignFiles
from airflow_provider_callapi.operators._campaign.preparation import (
    open_ledger,
    read_plan,
    read_rules,
    read_template,
)
from airflow_provider_callapi.task_context import CONTEXT_KEY, TaskState
from airflow_provider_callapi.triggers.campaign import CallApiCampaignTrigger, read_observations

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

_WORTH_DEFERRING = 60.0
"""Seconds of waiting that are worth giving the worker slot away: a minute's reset is never further."""
_LONGEST_DEFERRAL = 3600.0
_REST = 10.0
"""A worker stays away for so many times the seconds that reading list and ledger took."""
_LONGEST_WITH_CALLS = 300.0
"""Seconds after which a worker asks what became of calls while others go on: a busy line is called again."""
_NAP = 1.0
_LINES_TOLD = 10
_COST_KEY = "callapi_campaign_points_per_call"
_WHICH_KEY = "callapi_campaign_which"


class CampaignRun:
    """Everything of one try, open for as long as it lasts.

    :param event: what the trigger said; None: the try begins here.
    :param memo: what was known before a wait in the triggerer, plain JSON: ``stopped``, why nobody is dialled
        any more; ``excluded``, fingerprints of who must not be called; ``which``, see `campaign_identity`.
    :raises CallApiFailure: a parameter cannot be used; nobody was dialled.
    """

    def __init__(
        self,
        task: CallApiCampaignOperator,
        context: Context,
        event: Mapping[str, Any] | None,
        memo: Mapping[str, Any],
    ) -> None:
        self.task = task
        self.context = context
        self.event = event
        self.log = task.log
        self.hook = CallApiHook(task.callapi_conn_id, max_limit_wait=0.0)
        self.began = time.time()
        self._killed = False
        self._released: set[int] = set()
        self._state = TaskState(context[CONTEXT_KEY]) if CONTEXT_KEY in context else None  # type: ignore[literal-required]
        self._cost_stored: int | None = self._state.get(_COST_KEY) if self._state is not None else None
        self._begun_as = memo.get("which") or (
            self._state.get(_WHICH_KEY) if self._state is not None else None
        )
        self.rules = read_rules(task, context, self.hook)
        self._pool = ThreadPoolExecutor(
            self.rules.at_once, thread_name_prefix="callapi-campaign", initializer=same_trace()
        )
        self.template = read_template(task, context)
        self.ledger = open_ledger(task, self._state)
        self.plan = self._read_plan()
        known = frozenset(memo.get("excluded", ()))
        excluded = frozenset(
            person.contact
            for person in self.plan.people
            if known and fingerprint(task.campaign, person.contact) in known
        )
        self._do_not_call = DoNotCall(task.do_not_call, task.region, known=excluded if memo else None)
        self._files = CampaignFiles(task)
        self.runner = self._runner()
        if memo.get("stopped"):
            self.runner.campaign.stop(memo["stopped"])
        self.preparation = time.time() - self.began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._pool.shutdown(wait=False)
        self.hook.close()

    def carry_out(self) -> dict[str, Any]:
        """Run until the campaign is over, or defer; returns the summary."""
        if self.task.only_plan:
            self.log.info("A dry run: nobody is dialled, and no file is written")
            forecast = self._tell_plan()
            return {**self._summary(self._endings()).to_xcom(), **forecast}
        self._is_the_same()
        if self.event is not None:
            self.runner.campaign.update_observations(read_observations(self.event))
        else:
            self._tell_plan()
        while not (pause := self._step()).over:
            if self._killed:
                self._release()  # what was being dialled when the kill came
            elif self.task.deferrable:
                self._defer_if_worth_it(pause)
            self._sleep(pause.seconds)
        return self._finish()

    def _sleep(self, seconds: float) -> None:
        """A kill ends it: whoever kills does not wait long."""
        killed = self._killed
        while seconds > 0 and self._killed == killed:
            time.sleep(min(seconds, _NAP))
            seconds -= _NAP

    def _step(self) -> Pause:
        pause = self.runner.step()
        cost = self.runner.campaign.pacing.known_cost
        if self._state is not None and cost != self._cost_stored:
            self._state.set(_COST_KEY, cost)
            self._cost_stored = cost
        return pause

    def _read_plan(self) -> Plan:
        """The people of the list; one that could be read before may be just being written anew."""
        try:
            return read_plan(self.task, self.template)
        except CallApiFailure as error:
            if self._begun_as is None:
                raise
            raise CallApiTrouble(f"{error} It could be read when this task began") from error

    def _is_the_same(self) -> None:
        """Refuse to go on as another campaign; see `campaign_identity`."""
        which = identity(self.task, self.plan, clears=self.context["ti"].max_tries)
        if self._begun_as is not None:
            refuse_another(which, self._begun_as)
        if self._state is not None and which != self._begun_as:
            self._state.set(_WHICH_KEY, which)
        self._begun_as = which

    def kill(self) -> None:
        """Dial nobody any more, from whatever thread or signal; with ``cancel_on_kill`` release the calls."""
        self._killed = True
        campaign = self.runner.campaign
        campaign.stop("the task was killed")
        self.log.info("Killed: nobody is dialled any more; %d calls are active", campaign.active)
        self._release()

    def _release(self) -> None:
        """With ``cancel_on_kill``: release the active calls, each once."""
        active = self.runner.campaign.watched().keys() - self._released
        if not (self.task.cancel_on_kill and active):
            return
        self._released |= active
        release_calls(self.hook.settings, active, self.log)

    # --- how it reaches the world ---

    def _runner(self) -> Runner:
        now = time.time()
        campaign = Campaign(
            self.plan,
            self.ledger.load(person.key for person in self.plan.people),
            self.rules,
            Pacing(self.task.points_reserve, self._cost_stored),
            personal=self.template.personal,
            new_external_id=self._new_external_id,
            now=now,
        )
        gateway = CampaignGateway(
            start=self._start,
            take_snapshot=lambda: take_snapshot(self.hook.get_conn(), time.time),
            limits=lambda: self.hook.limits,
            reports=self._reports if self.hook.has_data_api else None,
            tag_active=lambda session_id, tag_id: self.hook.get_conn().call(
                TagCall(call_session_id=session_id, tag_id=tag_id)
            ),
            tag_finished=lambda communication_id, tag_id: self.hook.data_api.client.call(
                SetTagCommunications(communication_id=communication_id, tag_id=tag_id)
            ),
            do_not_call=self._excluded,
            clock=time.time,
            log=self.log.info,
        )
        ledger = MeteredLedger(self.ledger, self.task.campaign)
        return Runner(campaign, self.template, ledger, gateway, poll_interval=self.task.poll_interval)

    def _new_external_id(self, person: Person, attempt: int) -> str:
        own = self.template.own_external_id(person)
        return external_id(self.task.campaign, person.contact, attempt, own)

    def _start(self, requests: Sequence[StartCall]) -> list[StartedCall | CallApiError]:
        return list(self._pool.map(self._started, requests))

    def _started(self, request: StartCall) -> StartedCall | CallApiError:
        try:
            return self.hook.get_conn().call(request)
        except CallApiError as error:
            return error

    def _excluded(self) -> frozenset[str] | None:
        """Who must not be called; None: the list cannot be read now."""
        numbers = self._do_not_call()
        return None if self._do_not_call.stale else numbers

    def _reports(self, since: float) -> Any:
        client = self.hook.data_api.client
        return finished_calls(client, since=since, until=time.time(), timezone=self.rules.timezone)

    # --- what is told, and how it waits ---

    @property
    def _too_late(self) -> bool:
        """Whether this try began when nobody could be called any more."""
        return self.event is None and self.began >= self.rules.dial_until

    def _last_minute(self) -> str:
        return _wall(self.rules.dial_until, self.task.timezone)

    def _tell_plan(self) -> dict[str, Any]:
        """Who will be called, who will not and why, and what it takes; its numbers are a dry run's result."""
        campaign, plan, now = self.runner.campaign, self.plan, time.time()
        kept = sum(result is Result.DO_NOT_CALL for result in self._results().values())
        called = 0 if self._too_late else campaign.waiting - kept
        self.log.info(
            "Campaign %s: %d people to be called, %d settled before, %d active, %d invalid rows, "
            "%d duplicates, %d on the do_not_call list",
            self.task.campaign,
            called,
            campaign.finished,
            campaign.active,
            len(plan.invalid),
            plan.duplicates,
            kept,
        )
        for skipped in plan.invalid[:_LINES_TOLD]:
            self.log.warning("Row %d is skipped: %s", skipped.line, skipped.why)
        if len(plan.invalid) > _LINES_TOLD:
            self.log.warning("… and %d more rows; the results name all", len(plan.invalid) - _LINES_TOLD)
        self.runner.poll_limits()  # free, and its answer tells the counters
        pacing = campaign.pacing
        points, (least, why) = called * pacing.cost, pacing.forecast(called, self.rules.max_active)
        minutes = math.ceil(least) if math.isfinite(least) else None
        if called and minutes is not None:
            self.log.info(
                "The first calls need about %d points%s and at least %s of calling at the present limits; "
                "the bottleneck: %s. Redials are not included",
                points,
                "" if pacing.known_cost else " (taking 1 point a call: the real cost is not known yet)",
                timedelta(minutes=minutes),
                why,
            )
        if self.rules.hours.over_midnight:
            self.log.warning("calling_hours go over midnight: people are called at night")
        dial_at, why = campaign.next_dial(now)
        if campaign.waiting and now + _WORTH_DEFERRING < dial_at < float("inf"):
            self.log.info("Nobody is dialled before %s: %s", _wall(dial_at, self.task.timezone), why)
        return {"to_be_called": called, "points_needed": points, "minutes_needed": minutes}

    def _defer_if_worth_it(self, pause: Pause) -> None:
        """Give the worker slot away where nobody is to be dialled for a while."""
        campaign, now = self.runner.campaign, time.time()
        if pause.dial_at < now + _WORTH_DEFERRING or campaign.has_lost_calls or self.runner.last_poll_failed:
            return
        if campaign.has_answered_call_to_tag:
            return
        if campaign.finished_calls_to_tag() and self.runner.next_tag_at < now + _WORTH_DEFERRING:
            return
        wake_at = min(pause.dial_at, now + _LONGEST_DEFERRAL)
        if campaign.finished_calls_to_tag():
            wake_at = min(wake_at, self.runner.next_tag_at)
        if campaign.needs_reports:
            wake_at = min(wake_at, max(self.runner.next_report_at, now + _REST * self.preparation))
        elif campaign.watched() and self.hook.has_data_api:
            wake_at = min(wake_at, now + _LONGEST_WITH_CALLS)
        if pause.dial_at < float("inf"):
            self.log.info(
                "Waiting until %s for %s; %d people are waiting, %d calls are active",
                _wall(pause.dial_at, self.task.timezone),
                pause.why,
                campaign.waiting,
                campaign.active,
            )
        self.task.defer(
            trigger=CallApiCampaignTrigger(
                callapi_conn_id=self.task.callapi_conn_id,
                calls=CallApiCampaignTrigger.calls_of(campaign.watched()),
                wake_at=wake_at,
                poll_interval=self.task.poll_interval,
                cancel_on_kill=self.task.cancel_on_kill,
                until_answered=campaign.tags_active_calls,
            ),
            method_name="execute_complete",
            kwargs={"memo": self._memo()},
        )

    def _memo(self) -> dict[str, Any]:
        excluded, campaign = self._do_not_call(), self.task.campaign
        contacts = (person.contact for person in self.plan.people)
        return {
            "stopped": self.runner.campaign.stopped,
            "excluded": [fingerprint(campaign, contact) for contact in contacts if contact in excluded],
            "which": self._begun_as,
        }

    # --- the end ---

    def _finish(self) -> dict[str, Any]:
        """Write what is to be left behind, and judge."""
        endings = self._endings()
        summary = self._summary(endings)
        unwritten = self._files.write(
            summary,
            endings,
            self.plan.invalid,
            calls_per_minute=self.runner.campaign.pacing.calls_per_minute(),
            unfinished=self.runner.campaign.stopped,
        )
        value = summary.to_xcom()
        self.log.info("Campaign %s is over: %s", summary.campaign, _counts(summary))
        if self._killed:
            raise CallApiTrouble("The campaign was killed; clear this task to resume it")
        problem = self._problem(summary)
        if problem or unwritten:
            self.context["ti"].xcom_push(key="return_value", value=value)
        if problem:
            raise problem
        if unwritten:
            raise CallApiTrouble(f"{'; '.join(unwritten)}. All calls are over: a retry only writes the file")
        return value

    def _problem(self, summary: Summary) -> AirflowException | None:
        """Why the task fails, though the campaign is over."""
        if stopped := self.runner.campaign.stopped:
            return CallApiFailure(
                f"The campaign was stopped: {stopped}. Put that right and clear this task: it goes on with "
                f"those who are left. {_counts(summary)}"
            )
        uncalled = summary.results[Result.NOT_CALLED]
        if self._too_late and uncalled:
            return CallTooLate(
                f"max_lateness ended at {self._last_minute()}: {uncalled} people are not called. "
                f"{_counts(summary)}"
            )
        if uncalled and not summary.calls and self.task.min_gap is None:
            return CallTooLate(
                f"Nobody could be called: max_lateness ends at {self._last_minute()}, and no calling hours "
                f"(or points) came before. {_counts(summary)}"
            )
        for name, share, people in (
            ("unreached", summary.unreached_share, summary.callable),
            ("unknown", summary.unknown_share, summary.callable),
            ("invalid", summary.invalid_share, summary.people),
        ):
            most = getattr(self.task, f"fail_if_{name}_over")
            if most is not None and share > most:
                return CallApiFailure(
                    f"fail_if_{name}_over: {share:.1%} of {people} people, more than {most:.1%}. "
                    f"{_counts(summary)}"
                )
        return None

    def _endings(self) -> list[Ending]:
        attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
        for attempt in self.ledger.load(person.key for person in self.plan.people):
            attempts[attempt.person].append(attempt)
        results = self._results()
        return [
            Ending(person, results[person.key], tuple(attempts[person.key])) for person in self.plan.people
        ]

    def _results(self) -> dict[str, Result]:
        """What became of everybody; of those whose turn did not come, some must not be called."""
        results: dict[str, Result] = self.runner.campaign.results()
        excluded = self._do_not_call()
        for person in self.plan.people:
            if results[person.key] is Result.NOT_CALLED and person.contact in excluded:
                results[person.key] = Result.DO_NOT_CALL
        return results

    def _summary(self, endings: Sequence[Ending]) -> Summary:
        intents = [attempt.intended_at for ending in endings for attempt in ending.attempts]
        return summarise(
            self.task.campaign,
            endings,
            self.plan.invalid,
            duplicates=self.plan.duplicates,
            started_at=min(intents, default=self.began),
            ended_at=time.time(),
            points_per_call=self.runner.campaign.pacing.known_cost,
        )


def _wall(at: float, timezone: str) -> str:
    return pendulum.from_timestamp(at, tz=timezone).format("YYYY-MM-DD HH:mm:ss z")


def _counts(summary: Summary) -> str:
    counts = ", ".join(f"{result.value} {number}" for result, number in summary.results.items() if number)
    return f"{summary.people} people, {summary.calls} calls: {counts}"
