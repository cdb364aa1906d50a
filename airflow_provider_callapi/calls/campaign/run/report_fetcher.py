"""Asks the Data API for the reports of a campaign's finished calls, at regular intervals."""

from __future__ import annotations

from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded
from airflow_provider_callapi.calls.campaign.engine.dial_queue import DialQueue
from airflow_provider_callapi.calls.campaign.engine.missing_reports import (
    POINTS_PATIENCE,
    UNANSWERED_PATIENCE,
    MissingReports,
)
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway, ReportSource, retry_seconds
from airflow_provider_callapi.calls.campaign.ledger import Attempt


class ReportFetcher:
    """Fetches the missing reports of a campaign's calls from the Data API, for all calls together.

    :param missing: determines which reports are missing, and records the fetched reports.
    :param interval: seconds between two fetches.
    :ivar next_at: when the next fetch may begin, epoch seconds.
    """

    def __init__(
        self, missing: MissingReports, dial_queue: DialQueue, gateway: CampaignGateway, interval: float
    ) -> None:
        self._missing = missing
        self._dial_queue = dial_queue
        self._gateway = gateway
        self._interval = interval
        self.next_at = 0.0

    def fetch(self, now: float) -> list[Attempt]:
        """Fetch and record the missing reports of calls, if the next request to the Data API is due.

        If a report is overdue, the method stops waiting for it. What the snapshots have shown of the call
        then determines the result.

        If the request fails with a permanent error, the campaign stops dialling, and asks for no more
        reports, see `MissingReports.refuse`.

        :param now: epoch seconds.
        :return: the changed attempts, to store in the ledger.
        """
        reports = self._gateway.reports
        if reports is None:
            return []
        if now < self.next_at or self._missing.refused:
            return self._missing.give_up(now)
        if (since := self._missing.search_start()) is None:
            return []
        self.next_at = now + self._interval
        return self._ask(reports, min(since, now), now)  # an intent later than now: a clock was ahead

    def _ask(self, reports: ReportSource, since: float, now: float) -> list[Attempt]:
        try:
            return self._missing.record(reports(since, self._missing.sessions()), now)
        except CallApiError as error:
            self.next_at = now + max(retry_seconds(error, 0.0), self._interval)
            # After a stop, no redial needs the results, so the task should not wait for a day.
            waits_for_points = isinstance(error, LimitExceeded) and self._dial_queue.stopped is None
            self._missing.patience = POINTS_PATIENCE if waits_for_points else UNANSWERED_PATIENCE
            if not error.permanent:
                self._gateway.log(
                    f"The Data API did not report the finished calls, and is asked again: {error}"
                )
                return self._missing.give_up(now)
            why = f"the Data API does not report finished calls: {error}"
            self._gateway.error(f"Dialling has stopped: {why}")
            self._dial_queue.stop(why)
            return self._missing.refuse(now)
