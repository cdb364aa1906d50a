"""Read all rows of a report of the Data API, page by page, each row exactly once.

The Data API limits the rows and the days that one request can ask for. So `ReportPages` divides a long
interval into windows, and halves a window with too many rows.

New rows can move other rows to another page during the reading. If rows of a window are then missing,
`ReportPages` reads the two halves of the window.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_callapi.api.data_api import GetCallLegsReport, GetCallsReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import DateRefused
from airflow_provider_callapi.api.list_request import LARGEST_PAGE, LAST_OFFSET
from airflow_provider_callapi.calls.reports.report_dates import report_dates
from airflow_provider_callapi.calls.reports.report_requests import DataApiClient

_DAY = 86_400
_LONGEST_WINDOW = 80 * _DAY
"""Seconds. Three months have at least 89 days. The rest is for a period that begins earlier."""
_DAYS_EARLIER = (0, 1, 2, 7)
"""How many days before a window the requested period begins.

Some accounts refuse a period that began only a few hours ago. After a refusal, the next number is used.
"""

Raw = Mapping[str, Any]
"""A row as the Data API sends it: field → value."""
Window = tuple[int, int]
"""The beginning and the end of a part of an interval, epoch seconds. The end does not belong to the part."""


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
    :param page_size: how many rows a full page has.
    :param last_offset: the largest offset of a page.
    :ivar requests: how many requests the Data API has answered with rows. Each of these answers costs one
        point (rate-limit unit).
    """

    def __init__(
        self,
        data_api: DataApiClient,
        timezone: str,
        *,
        page_size: int = LARGEST_PAGE,
        last_offset: int = LAST_OFFSET,
    ) -> None:
        self.requests = 0
        self._data_api = data_api
        self._timezone = timezone
        self._page_size = page_size
        self._last_offset = last_offset
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
        found: set[Hashable] = set()
        for begin in range(since, until, _LONGEST_WINDOW):
            window = (begin, min(begin + _LONGEST_WINDOW, until))
            yield from self._read_window(query, window, set() if query.position else found)

    def _read_window(self, query: ReportQuery, window: Window, found: set[Hashable]) -> Iterator[list[Raw]]:
        """Yield the rows of a period page by page, each row once.

        If the period has more rows than the pages have given, read each half of the period on its own.

        :param found: the keys of rows that were already yielded. These rows are not yielded again. The method
            adds the new keys.
        """
        first = self._fetch_page(query, window)
        is_whole = False
        if not self._is_too_long(query, window, first):
            keys, page = set[Hashable](), first
            for page in self._pages(query, window, first):
                new = {query.key(row): row for row in page}
                unknown = [row for key, row in new.items() if key not in found]
                keys.update(new)
                found.update(new)
                yield [row for row in unknown if _is_in(window, row, query.position)]
            total = page.total
            is_whole = total is None or len(keys) >= total or len(first) >= total
        if not is_whole:
            for half in _halves(window):
                # With a position, no row belongs to both halves. So each half only needs the rows before.
                yield from self._read_window(query, half, set(found) if query.position else found)

    def _is_too_long(self, query: ReportQuery, window: Window, first: Entries[Any]) -> bool:
        """Return whether a period has so many rows that the Data API does not send all their pages.

        :param first: the first page of the period.
        """
        if first.total is not None:
            return first.total > self._last_offset + self._page_size
        if len(first) < self._page_size:
            return False
        return len(self._fetch_page(query, window, self._last_offset)) >= self._page_size

    def _pages(self, query: ReportQuery, window: Window, first: Entries[Any]) -> Iterator[Entries[Any]]:
        """Yield the pages of a window's rows, up to the last page or the Data API's largest ``offset``."""
        page, offset = first, 0
        while page:
            yield page
            offset += len(page)
            is_last = len(page) < self._page_size if page.total is None else offset >= page.total
            if is_last or offset > self._last_offset:
                return
            page = self._fetch_page(query, window, offset)
        if offset == 0:
            yield page  # an empty window, whose number of rows still counts

    def _fetch_page(self, query: ReportQuery, window: Window, offset: int = 0) -> Entries[Any]:
        since, until = window
        while True:
            try:
                page: Entries[Any] = self._data_api.call(
                    query.request_type(
                        **report_dates(since - self._seconds_earlier, until, self._timezone),
                        **query.parameters,
                        sort=[{"field": "start_time", "order": "asc"}],
                        limit=self._page_size,
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


def _halves(window: Window) -> list[Window]:
    """Return the two halves of a period.

    :raises ReportIncomplete: the period is shorter than two seconds, so it cannot be halved.
    """
    since, until = window
    if until - since < 2:  # the times in the reports are whole seconds
        raise ReportIncomplete("the Data API names more rows for one second than it sends")
    middle = (since + until) // 2
    return [(since, middle), (middle, until)]


def _is_in(window: Window, row: Raw, position: Callable[[Raw], float] | None) -> bool:
    return position is None or window[0] <= position(row) < window[1]
