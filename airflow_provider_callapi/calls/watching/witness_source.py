"""How a witness asks the Data API: the client, the time zones, and the function that logs warnings.

A witness is an object that asks the Data API for facts about calls, as a second source beside the snapshots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.calls.reports.report_refusals import Refusals
from airflow_provider_callapi.calls.reports.report_requests import DataApiClient, ReportRequests


class CountingClient(DataApiClient, Protocol):
    """A Data API client that keeps the newest counters of the account's points (rate-limit units)."""

    @property
    def limits(self) -> Limits | None:
        """The points that are left in this minute and this day, from the newest reply with these counters.

        None: no reply of the Data API has contained the counters yet.
        """


@dataclass(frozen=True)
class WitnessSource:
    """What a witness, an object that asks the Data API about calls, needs for its requests.

    :ivar client: a client of the Data API that does not repeat requests.
    :ivar period_timezone: IANA name of the time zone in which a request states its period. A wrong zone does
        no harm, see `ReportRequests`.
    :ivar account_timezone: a function that returns the IANA name of the account's time zone. A wrong zone
        gives wrong times of the ends of calls.
    :ivar warn: a function that logs a warning.
    :ivar refusals: what this Data API has refused before, for witnesses that ask one after the other. None:
        each witness learns it by itself.
    """

    client: CountingClient
    period_timezone: str
    account_timezone: Callable[[], str]
    warn: Callable[[str], object]
    refusals: Refusals | None = None

    def requests(self) -> ReportRequests:
        """Return an object that sends requests for reports. Each witness uses an object of its own."""
        return ReportRequests(self.client, self.refusals, self.period_timezone, self.account_timezone)
