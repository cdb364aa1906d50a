"""The end of a campaign: its summary, the results that it writes, and the error with which its task ends."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowSkipException

from airflow_provider_callapi.calls.calling_hours.hours import NEVER
from airflow_provider_callapi.calls.campaign.engine.campaign import Campaign
from airflow_provider_callapi.calls.campaign.results.judgement import (
    ProblemKind,
    collect_endings,
    describe_counts,
    final_results,
    find_problem,
)
from airflow_provider_callapi.calls.campaign.results.summary import summarise
from airflow_provider_callapi.calls.texts.time_texts import local_time
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, CallTooLate
from airflow_provider_callapi.operators._campaign.options import CampaignOptions
from airflow_provider_callapi.operators._campaign.parts import CampaignParts


class CampaignEnding:
    """The people's results and the summary of a campaign that is over, or of a dry run.

    The constructor reads all attempts from the ledger, and the do-not-call list.

    :param began: when this worker began, epoch seconds. The summary needs it if there is no attempt.
    :param now: epoch seconds.
    :ivar summary: the counts of people and calls.
    """

    def __init__(
        self, options: CampaignOptions, parts: CampaignParts, campaign: Campaign, *, began: float, now: float
    ) -> None:
        self._options = options
        self._parts = parts
        self._campaign = campaign
        plan = parts.plan
        results = final_results(campaign.results(), plan, parts.excluded.numbers())
        self._endings = collect_endings(
            plan, results, parts.ledger, not_called_because=self._not_called_because
        )
        intents = [attempt.intended_at for ending in self._endings for attempt in ending.attempts]
        self.summary = summarise(
            options.campaign,
            self._endings,
            plan.invalid,
            duplicates=len(plan.duplicates),
            started_at=min(intents, default=began),
            ended_at=now,
            points_per_call=campaign.pacing.points.known_cost,
        )

    @property
    def _not_called_because(self) -> str | None:
        if self._campaign.dial_queue.stopped is not None:
            return "dialling stopped before this person was called"
        if self._parts.rules.dial_until == NEVER:
            return None
        return f"not called before the end of max_lateness at {self._last_minute}"

    @property
    def _last_minute(self) -> str:
        dial_until = self._parts.rules.dial_until
        return local_time(dial_until, self._options.timezone) if dial_until < NEVER else "never"

    def write(self, log: Any) -> list[str]:
        """Write the results and the campaign report, and put people who objected on the blacklist.

        The method logs the counts of the campaign and each failure.

        :return: the error texts. An empty list: all is written.
        """
        parts, endings = self._parts, self._endings
        unwritten = parts.files.write(
            self.summary,
            endings,
            parts.plan,
            calls_per_minute=self._campaign.pacing.points.calls_per_minute(),
            unfinished=self._campaign.dial_queue.stopped,
        )
        if parts.table is not None:
            unwritten += parts.table.write_all(endings, parts.plan.skipped)
        unwritten += parts.blacklist.add_missing(endings)
        for text in unwritten:  # another error may end the task
            log.error("%s", text)
        log.info("Campaign %s is over: %s", self.summary.campaign, describe_counts(self.summary))
        return unwritten

    def error(
        self, unwritten: list[str], *, run_after: float | None, began_too_late: bool
    ) -> AirflowException | None:
        """Return the error that fails or skips the task. None: the task succeeds.

        :param unwritten: the error texts that `write` has returned.
        :param run_after: when the DAG run was due, epoch seconds. None: not known.
        :param began_too_late: whether this try began after the author's time limit ``max_lateness``.
        """
        problem = find_problem(
            self.summary,
            self._endings,
            self._options.failure_limits,
            run_after=run_after,
            stopped=self._campaign.dial_queue.stopped,
            began_too_late=began_too_late,
            last_minute=self._last_minute,
        )
        texts = [problem.text, *unwritten] if problem is not None else unwritten
        if unwritten and (problem is None or problem.kind is ProblemKind.OVER_LIMIT):
            # A retry that has written the results fails because of the limit.
            return CallApiTrouble(f"{'; '.join(texts)}. All calls are over: a retry only writes the results")
        if not self._parts.plan.rows:
            return AirflowSkipException("contacts: the list is empty, so there is no one to call")
        if problem is not None:
            failure = CallTooLate if problem.kind is ProblemKind.TOO_LATE else CallApiFailure
            return failure("; ".join(texts))
        return None
