"""Read all rows of a report of the Data API, however long the interval is, each row exactly once.

`ReportPages` divides a long interval into windows, because one request can ask for three months at most.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from airflow_provider_callapi.api.data_api import GetCallLegsReport, GetCallsReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import DateRefused
from airflow_provider_callapi.api.list_request import LARGEST_PAGE, LAST_OFFSET
from airflow_provider_callapi.calls.reports.report_dates import report_dates
from airflow_provider_callapi.calls.reports.report_period import Period, PeriodReader, windows
from airflow_provider_callapi.calls.reports.report_refusals import DAYS_EARLIER
from airflow_provider_callapi.calls.reports.report_requests import DataApiClient

_DAY = 86_400
_DAYS_EARLIER = (0.0, *DAYS_EARLIER)
"""How many days before a window the requested period begins.

Some accounts refuse a period that began only a few hours ago. After a refusal, the next number is used.
"""

Raw = Mapping[str, Any]
"""A row as the Data API sends it: field → value."""


class ReportIncomplete(Exception):
    """The Data API did not send all rows, or sent a row that cannot be used, e.g. without a readable id.

    A later try may succeed.
    """


@dataclass(frozen=True)
class ReportQuery:
    """Describes which rows of a report to read.

    :ivar request_type: the class of the requests.
    :ivar parameters: the parameters of the requests, without dates, order and page.
    :ivar key: a function that takes a row, and returns a key that no other row has, e.g. the call session id.
    :ivar position: a function that takes a row, and returns a time in epoch seconds, e.g. when the call
        began. A row with a time outside the wanted interval is left out. If ``position`` itself is None, no
        rows are left out.
    """

    request_type: type[GetCallsReport] | type[GetCallLegsReport]
    parameters: Mapping[str, Any]
    key: Callable[[Raw], Hashable]
    position: Callable[[Raw], float] | None = None


class ReportPages:
    """Reads all rows of a report of the Data API, however long the interval is.

    :param data_api: sends the requests.
    :param timezone: IANA name of the account's time zone.
    :ivar requests: how many requests the Data API has answered with rows. Each of these answers costs one
        point (rate-limit unit).
    """

    def __init__(self, data_api: DataApiClient, timezone: str) -> None:
        self.requests = 0
        self._data_api = data_api
        self._timezone = timezone
        self._days_earlier = iter(_DAYS_EARLIER)
        self._seconds_earlier = next(self._days_earlier) * _DAY

    def read(self, query: ReportQuery, since: int, until: int) -> Iterator[list[Raw]]:
        """Yield the rows of an interval, each row once, in portions (lists of up to one page of rows).

        The portions are in the order of time, except for rows that change their page during the reading.

        :param query: the rows to read.
        :param since: the beginning of the interval, epoch seconds.
        :param until: the end of the interval, epoch seconds, exclusive.
        :raises ReportIncomplete: not all rows could be read.
        :raises CallApiError: the Data API refuses the request, or does not answer.
        """
        reader = PeriodReader(
            partial(self._fetch_page, query),
            key=query.key,
            page_size=LARGEST_PAGE,
            last_offset=LAST_OFFSET,
            all_or_none=True,
        )
        found: set[Hashable] = set()
        for window in windows((since, until)) if since < until else ():
            if query.position is not None:  # no row belongs to two windows
                found.clear()
            for part in reader.read(window):
                if part.left_out:
                    raise ReportIncomplete("the Data API names more rows for one second than it sends")
                new = {
                    key: row
                    for key, row in part.rows
                    if key not in found and _is_in(part.period, row, query.position)
                }
                found.update(new)
                yield list(new.values())

    def _fetch_page(self, query: ReportQuery, period: Period, offset: int) -> Entries[Any]:
        since, until = period
        while True:
            try:
                page: Entries[Any] = self._data_api.call(
                    query.request_type(
                        **report_dates(since - self._seconds_earlier, until, self._timezone),
                        **query.parameters,
                        sort=[{"field": "start_time", "order": "asc"}],
                        limit=LARGEST_PAGE,
                        offset=offset or None,
                    )
                )
            except DateRefused as error:
                if (days := next(self._days_earlier, None)) is None or "date_from" not in str(error.field):
                    raise
                self._seconds_earlier = days * _DAY
            else:
                self.requests += 1
                return page


def _is_in(period: Period, row: Raw, position: Callable[[Raw], float] | None) -> bool:
    return position is None or period[0] <= position(row) < period[1]
