"""Asks the Data API for the reports of a campaign's finished calls, from time to time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.campaign.engine import Campaign
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway, retry_seconds
from airflow_provider_callapi.calls.campaign.ledger import Attempt


class ReportFetcher:
    """Fetches the missing reports of all calls with one request.

    :param interval: seconds between two requests.
    :ivar next_at: when the Data API is asked next, epoch seconds.
    """

    def __init__(self, campaign: Campaign, gateway: CampaignGateway, interval: float) -> None:
        self._campaign = campaign
        self._gateway = gateway
        self._interval = interval
        self.next_at = 0.0

    def fetch(self, now: float) -> list[Attempt]:
        """Ask for reports if some are missing and it is time; return the attempts to store."""
        reports = self._gateway.reports
        if reports is None or (since := self._campaign.report_search_start(now)) is None:
            return []
        if now < self.next_at:
            return self._campaign.give_up_reports(now)
        self.next_at = now + self._interval
        return self._ask(reports, since, now)

    def _ask(
        self, reports: Callable[[float], Iterable[tuple[CallReport, bool | None]]], since: float, now: float
    ) -> list[Attempt]:
        try:
            return self._campaign.record_reports(reports(since), now)
        except CallApiError as error:
            self._gateway.log(f"The Data API did not report the finished calls: {error}")
            self.next_at = now + max(retry_seconds(error, 0.0), self._interval)
            if not error.permanent:
                return self._campaign.give_up_reports(now)
            self._campaign.stop(f"the Data API does not report finished calls: {error}")
            return self._campaign.give_up_reports(now, patience=-float("inf"))
