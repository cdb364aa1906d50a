"""All calls that ended in an interval, from the Data API: one question for any number of calls."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Protocol

from airflow_provider_callapi.api.data_api import (
    CallReport,
    GetCallLegsReport,
    GetCallsReport,
    LegReport,
    report_time,
)
from airflow_provider_callapi.calls.outcome import answered_by, contact_connected

_PAGE = 10_000
"""The most that the service sends at once."""


class Asks(Protocol):
    """A client of the Data API."""

    def call(self, request: Any) -> Any:
        """Send a request; see `airflow_provider_callapi.api.client.Client`."""


def finished_calls(
    data_api: Asks, *, since: float, until: float, timezone: str
) -> list[tuple[CallReport, bool | None]]:
    """The finished calls that began in the interval, and whether the contact answered; None: not known.

    The legs' report is asked for only where the calls' report leaves that open.

    :param since: epoch seconds.
    :param timezone: the account's.
    :raises CallApiError: the Data API did not answer.
    """
    first, last = report_time(since, timezone), report_time(until, timezone)
    reports: list[CallReport] = []
    while len(reports) % _PAGE == 0:
        page = data_api.call(
            GetCallsReport(date_from=first, date_till=last, limit=_PAGE, offset=len(reports) or None)
        )
        if not page:
            break
        reports += page
    found = [(report, answered_by(report)) for report in reports if report.finished]
    if all(answered is not None for _, answered in found):
        return found
    legs: defaultdict[int | None, list[LegReport]] = defaultdict(list)
    count = 0
    while count % _PAGE == 0:
        chunk = data_api.call(
            GetCallLegsReport(date_from=first, date_till=last, limit=_PAGE, offset=count or None)
        )
        if not chunk:
            break
        count += len(chunk)
        for leg in chunk:
            legs[leg.call_session_id].append(leg)
    return [
        (report, contact_connected(legs[report.id]) if answered is None else answered)
        for report, answered in found
    ]
