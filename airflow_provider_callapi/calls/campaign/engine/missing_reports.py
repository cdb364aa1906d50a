"""Finds out which reports a campaign still needs from the Data API, and how long it waits for each report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.calls.calling_hours.hours import NEVER
from airflow_provider_callapi.calls.campaign.engine.attempt_progress import AttemptProgress
from airflow_provider_callapi.calls.campaign.engine.dial_queue import DialQueue
from airflow_provider_callapi.calls.campaign.engine.person_index import PersonIndex
from airflow_provider_callapi.calls.campaign.engine.person_state import PersonStage, PersonState
from airflow_provider_callapi.calls.campaign.engine.unconfirmed_call_search import (
    UnconfirmedByExternalId,
    UnconfirmedCallSearch,
    owner_of,
)
from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import RESULT_MEANINGS, Result
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.external_ids import has_another_id, has_id
from airflow_provider_callapi.calls.outcomes.answers import FinishedCall
from airflow_provider_callapi.calls.outcomes.outcome import Outcome, may_follow, with_report
from airflow_provider_callapi.calls.phone_numbers.comparison import may_be_same_number

_NO_LINE_PAUSE = 60.0
"""Seconds for which a campaign does not dial after a call for which the account had no free line."""
UNANSWERED_PATIENCE = 3600.0
"""While the Data API does not answer, a campaign waits this many seconds longer for a report."""
POINTS_PATIENCE = 25 * 3600.0
"""The same while the Data API's points are used up, for a call that may lead to a redial.

The points are reset after a day at the latest.
"""
_LATE_PATIENCE = 600.0
"""If this time was over before the try began, the try asks the Data API for at least this many seconds."""


class MissingReports:
    """Assigns the Data API's reports to a campaign's calls, and records the result of each reported call.

    If the report of a call does not come in time, the snapshots of the call determine the result.

    :ivar refused: whether the Data API refuses every request, e.g. because its key has expired. The calls
        without a report then stay open in the ledger. The next try asks for their reports.
    :ivar patience: the time in seconds for which the campaign still waits for a report after the report's
        deadline, while the requests to the Data API fail. After this time, the report is overdue.
    """

    def __init__(
        self,
        index: PersonIndex,
        progress: AttemptProgress,
        unconfirmed_calls: UnconfirmedCallSearch,
        dial_queue: DialQueue,
        rules: Rules,
    ) -> None:
        self._index = index
        self._progress = progress
        self._unconfirmed_calls = unconfirmed_calls
        self._dial_queue = dial_queue
        self._rules = rules
        self._asked_first_at: float | None = None
        self.refused = False
        self.patience = UNANSWERED_PATIENCE

    @property
    def needed(self) -> bool:
        """Whether the report of any ended or unconfirmed call of the campaign is still missing.

        The value is False if there is no Data API, or if the Data API refuses every request.
        """
        return self._asks and (
            self._index.count(PersonStage.REPORT_DUE) > 0 or self._index.count(PersonStage.UNCONFIRMED) > 0
        )

    @property
    def _asks(self) -> bool:
        return self._rules.has_data_api and not self.refused

    def search_start(self) -> float | None:
        """Return the earliest time at which a call with a missing report may have started, epoch seconds.

        This is the earliest time at which the campaign decided to make one of these calls. The code that asks
        the Data API begins the period of the reports at least one day earlier, because a clock or time zone
        may be wrong.

        :return: the time. None: no report is missing, there is no Data API, or it refuses every request.
        """
        if not self._asks:
            return None
        return min((state.current_attempt.intended_at for state in self._unreported()), default=None)

    def sessions(self) -> frozenset[int] | None:
        """Return the call session ids of the calls whose reports are needed.

        With these ids, the Data API's reply stays short even if the account has many other calls.

        :return: the ids. None: the campaign has an unconfirmed call, whose session id is unknown. The
            campaign then needs the reports of all calls of the account.
        """
        if self._index.count(PersonStage.UNCONFIRMED):
            return None
        return frozenset(state.current_call.call_session_id for state in self._unreported())

    def _unreported(self) -> Iterator[PersonState]:
        """Yield each person whose call may have a report that the campaign has not recorded."""
        yield from self._index.in_stage(PersonStage.REPORT_DUE)
        yield from self._index.in_stage(PersonStage.UNCONFIRMED)
        for state in self._index.in_stage(PersonStage.ACTIVE):
            # Only a report shows the end of a call that has begun and ended between two snapshots, or of any
            # call while an entry of list.calls cannot be read.
            seen = state.current_watch.observation
            if seen.in_doubt or not seen.listed:
                yield state

    def record(self, finished_calls: Iterable[FinishedCall], now: float) -> list[Attempt]:
        """Record the results of reported calls. Stop waiting for each report whose deadline has passed.

        :param finished_calls: what the Data API reports about finished calls of the account.
        :param now: epoch seconds.
        :return: the attempts to store in the ledger.
        """
        unconfirmed_calls = self._index.unconfirmed_by_external_id()
        changed = []
        for finished in finished_calls:
            state = self._owner_of(finished.report, unconfirmed_calls, now)
            if state is not None:
                call = self._with_report(state, finished)
                is_early = may_follow(finished, call, now, state.report_deadline or NEVER)
                changed.append(state.current_attempt if is_early else self._finish_call(state, call, now))
        return [*changed, *self._finish_overdue(now, patience=0.0)]

    def _with_report(self, state: PersonState, finished: FinishedCall) -> Outcome:
        if self._rules.contact_first and finished.if_contact_is_last:
            finished = replace(finished, answered=None)
        return with_report(state.current_call, finished, self._rules.timezone)

    def _owner_of(
        self, report: CallReport, unconfirmed_calls: UnconfirmedByExternalId, now: float
    ) -> PersonState | None:
        """Return the person whose call a report describes. If the call was unconfirmed, record it as found.

        None: the campaign does not need the report.
        """
        state = self._index.with_session(report.id)
        if state is not None and not _is_report_of(state, report):
            state = None
        if state is None and (state := owner_of(unconfirmed_calls, report)):
            self._unconfirmed_calls.record_found(state, report.id, now)
        return state

    def give_up(self, now: float) -> list[Attempt]:
        """Stop waiting for overdue reports of ended calls. Return the attempts to store in the ledger.

        What the snapshots have shown of these calls then determines their results.

        :param now: epoch seconds.
        """
        return self._finish_answered(now) if self.refused else self._finish_overdue(now, self.patience)

    def _finish_overdue(self, now: float, patience: float) -> list[Attempt]:
        """Record the results of the calls whose report is overdue. Return their attempts.

        :param patience: how many seconds after its deadline a report becomes overdue. The deadline is
            `Rules.report_timeout` seconds after the end of the call.
        """
        if self._asked_first_at is None:
            self._asked_first_at = now
        if now < self._asked_first_at + min(patience, _LATE_PATIENCE):
            return []
        late = self._overdue(now, patience)
        return [self._finish_call(state, state.current_call, now) for state in late]

    def refuse(self, now: float) -> list[Attempt]:
        """Record that the Data API refuses every request, so the missing reports will not come.

        If a snapshot has shown an ended call as answered, its attempt gets a result now. The attempts of all
        other ended calls get no result, and stay open.

        :param now: epoch seconds.
        :return: the attempts with a new result, to store in the ledger.
        """
        self.refused = True
        return self._finish_answered(now)

    def _finish_answered(self, now: float) -> list[Attempt]:
        ended = self._index.in_stage(PersonStage.REPORT_DUE)
        return [
            self._finish_call(state, state.current_call, now)
            for state in ended
            if state.current_call.answered
        ]

    def has_late(self, now: float) -> bool:
        """Return whether the campaign still waits for a report that is more than ``patience`` seconds late.

        `give_up` ends this wait, so a late report does not block the end of the campaign forever. If a report
        is already late when a try of the task begins, the try still waits for it for ten minutes.
        """
        return self._asks and bool(self._overdue(now, self.patience))

    def _overdue(self, now: float, patience: float) -> list[PersonState]:
        """Return the people whose report was due ``patience`` seconds ago or earlier, see `give_up`."""
        shorter = min(patience, UNANSWERED_PATIENCE)  # an answered call leads to no redial
        return [
            state
            for state in self._index.in_stage(PersonStage.REPORT_DUE)
            if state.report_deadline is not None
            and now - shorter >= state.report_deadline  # a quick answer for most people
            and now - (shorter if state.current_call.answered else patience) >= state.report_deadline
        ]

    def _finish_call(self, state: PersonState, call: Outcome, now: float) -> Attempt:
        attempt = self._progress.know_result(state, call, now)
        if attempt.result is Result.ACCOUNT:
            self._dial_queue.stop(f"{RESULT_MEANINGS[attempt.result]} ({call.finish_reason})")
        elif attempt.result is Result.CAPACITY:
            self._dial_queue.pacing.pause_until(now + _NO_LINE_PAUSE, "a free line of the account")
        return attempt


def _is_report_of(state: PersonState, report: CallReport) -> bool:
    """Return whether a report with the session id of a person's call can be the report of this call.

    If the report does not show the ``external_id``, the contact decides.
    """
    external_id = state.current_attempt.external_id
    if has_another_id(report, external_id):
        return False
    return has_id(report, external_id) or may_be_same_number(
        report.contact_phone_number, state.person.contact
    )
