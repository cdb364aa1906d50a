"""A second source that shows whether a call has ended: the Data API's reports of finished calls.

``list.calls`` may omit an active call for a moment. A report with the call's finish time proves that the call
has ended. The report also contains the outcome of the call, so the task needs no further request for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from airflow_provider_callapi.api.data_api import REPORT_INTERVAL
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.outcomes.answers import LEGS_DELAY
from airflow_provider_callapi.calls.outcomes.outcome import ReportedEnd
from airflow_provider_callapi.calls.reports.finished_calls import judge_reports
from airflow_provider_callapi.calls.reports.report_requests import Selection
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.witness_pause import WitnessPause
from airflow_provider_callapi.calls.watching.witness_source import WitnessSource

_PAUSE_WITHOUT_REPORTS = 600.0
"""Seconds that the witness pauses if the account's reports come late."""
_LATE_REPORTS = 3
"""If this many requests in a row find no report, the account's reports come late."""
_KEEP_FOR = 60.0
"""Seconds for which the witness keeps what it knows of a call."""


class EndWitness:
    """Asks the Data API for the reports of calls that are missing in the newest snapshot.

    The witness asks about each call at most once in ten seconds, and pauses in these cases:

    - Three requests in a row found no report. The pause lasts ten minutes.
    - A request failed, or few points (rate-limit units) are left: see `WitnessPause`.

    :param source: the Data API that the witness asks.
    """

    def __init__(self, source: WitnessSource) -> None:
        self._requests = source.requests()
        self._account_timezone = source.account_timezone
        self._pause = WitnessPause(source, "the ends of calls")
        self._asked_at: dict[int, float] = {}
        self._early_since: dict[int, float] = {}
        """Session id → when a report of the ended call first lacked the legs."""
        self._ends: dict[int, ReportedEnd] = {}
        self._requests_without_report = 0

    def extend(self, snapshot: Snapshot, missing: Collection[int]) -> Snapshot:
        """Return a copy of a snapshot with the known ends of missing calls, as the Data API reports them.

        The method first asks the Data API about the missing calls, if a request is due.

        :param snapshot: the newest snapshot of the active calls.
        :param missing: the session ids of the calls that the snapshot does not show any more.
        """
        if calls := self.due(snapshot, missing):
            self.ask(calls, snapshot.at)
        return replace(snapshot, ends=self.ends_in(snapshot))

    def due(self, snapshot: Snapshot, missing: Collection[int]) -> frozenset[int]:
        """Return the calls about which the witness should ask the Data API now.

        :param snapshot: the newest snapshot of the active calls.
        :param missing: the session ids of the calls that the snapshot does not show any more.
        :return: session ids. The set is empty while the witness pauses.
        """
        self._forget(snapshot.at)
        if not self._pause.is_over(snapshot.at):
            return frozenset()
        return frozenset(
            session_id
            for session_id in missing
            if session_id not in self._ends
            # abs: the clock may have been set back
            and abs(snapshot.at - self._asked_at.get(session_id, -REPORT_INTERVAL)) >= REPORT_INTERVAL
        )

    def ask(self, session_ids: Collection[int], at: float) -> None:
        """Ask the Data API whether calls that ``list.calls`` omits have ended. Remember those that have.

        :param session_ids: the session ids that `due` has returned.
        :param at: the time of the snapshot, epoch seconds.
        """
        self._asked_at |= dict.fromkeys(session_ids, at)
        try:
            ends = self._fetch_ends(session_ids, at)
        except CallApiError as error:
            self._pause.begin_after_failure(at, error)
            return
        self._ends |= ends
        has_report = bool(ends) or not self._early_since.keys().isdisjoint(session_ids)
        self._requests_without_report = 0 if has_report else self._requests_without_report + 1
        if self._requests_without_report >= _LATE_REPORTS:
            self._requests_without_report = 0
            self._pause.begin(at, _PAUSE_WITHOUT_REPORTS)
        self._pause.begin_if_few_points(at)

    def ends_in(self, snapshot: Snapshot) -> dict[int, ReportedEnd]:
        """Return what is known of the ends of calls that a snapshot does not show: session id → reported end.

        The method sends no request. The result contains the ends that earlier replies of the Data API have
        shown.
        """
        return {
            session_id: end for session_id, end in self._ends.items() if session_id not in snapshot.sessions
        }

    def _fetch_ends(self, session_ids: Collection[int], at: float) -> dict[int, ReportedEnd]:
        reports = self._requests.calls(at, at, selection=Selection("id", session_ids))
        return {
            call.report.id: ReportedEnd(call, self._account_timezone())
            for call in judge_reports(self._requests, reports, at, at)
            if not (call.is_early and self._may_follow(call.report.id, at))
        }

    def _may_follow(self, session_id: int, at: float) -> bool:
        """Return whether the Data API may still report legs of an ended call, see `LEGS_DELAY`."""
        return at < self._early_since.setdefault(session_id, at) + LEGS_DELAY

    def _forget(self, at: float) -> None:
        for session_id, asked_at in list(self._asked_at.items()):
            if abs(at - asked_at) >= _KEEP_FOR:
                del self._asked_at[session_id]
                self._early_since.pop(session_id, None)
                self._ends.pop(session_id, None)
