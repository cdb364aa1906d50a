"""Fetch all finished calls of an interval from the Data API. One request covers up to 10,000 calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from airflow_provider_callapi.api.data_api import (
    CallReport,
    GetCallLegsReport,
    GetCallsReport,
    LegReport,
    report_time,
)
from airflow_provider_callapi.api.methods import Request
from airflow_provider_callapi.api.models import zone
from airflow_provider_callapi.calls.answers import FinishedCall, judge_finished_call

_PAGE_SIZE = 10_000
"""The most entries that the Data API sends in one answer."""
_LAST_OFFSET = 100_000
"""The largest offset that the Data API accepts."""
_HOUR = 3600.0
_DAY = 86_400.0
_SHORTEST_INTERVAL = 1.0
"""Seconds. A shorter interval is not halved, because the Data API's reports show whole seconds."""

Entry = TypeVar("Entry", CallReport, LegReport)


class DataApiClient(Protocol):
    """Any object that sends requests to the Data API and returns typed answers."""

    def call(self, request: Any) -> Any:
        """Send a request to the Data API and return the typed answer."""


def fetch_finished_calls(
    data_api: DataApiClient, *, since: float, until: float, timezone: str
) -> list[FinishedCall]:
    """Return what the Data API reports about each finished call that began in an interval.

    One request fetches the reports of the legs of all calls. The request is not sent if every call contains a
    talk, because a talk proves an answer.

    :param since: the beginning of the interval, epoch seconds.
    :param until: the end of the interval, epoch seconds. The calls of one more day are fetched too, in case
        the account's clock or time zone is ahead.
    :param timezone: IANA name of the account's time zone.
    :raises CallApiError: the Data API did not answer.
    """
    interval = (since, until + _DAY)
    reports = [
        report for report in _fetch_all(data_api, GetCallsReport, interval, timezone) if report.finished
    ]
    legs: defaultdict[int | None, list[LegReport]] = defaultdict(list)
    if not all(report.talk_duration for report in reports):
        for leg in _fetch_all(data_api, GetCallLegsReport, interval, timezone):
            legs[leg.call_session_id].append(leg)
    return [judge_finished_call(report, legs[report.id]) for report in reports]


def report_period(since: float, until: float, timezone: str) -> dict[str, Any]:
    """Return the parameters ``date_from`` and ``date_till`` of a request for reports.

    The period begins a day before ``since`` and ends a day after ``until``. The two extra days allow for a
    wrong clock or time zone. The Data API may also refuse a ``date_from`` that lies in the last hours.

    :param since: the earliest start of a call, epoch seconds.
    :param until: the latest start of a call, epoch seconds.
    :param timezone: IANA name of the account's time zone.
    """
    return {
        "date_from": report_time(since - _DAY, timezone),
        "date_till": report_time(until + _DAY, timezone),
    }


def _fetch_all(
    data_api: DataApiClient,
    report_request: Callable[..., Request[list[Entry]]],
    interval: tuple[float, float],
    timezone: str,
) -> Iterable[Entry]:
    """Return all entries of one kind of report in an interval, each entry once.

    If the interval has more entries than the Data API sends for one interval, the interval is halved. The
    Data API's documentation does not state whether the ends of an interval belong to the interval. So both
    halves contain the moment at which the halves meet. The entries are returned in no particular order.
    """
    entries: dict[int, Entry] = {}
    intervals = [interval]
    while intervals:
        since, until = intervals.pop()
        dates = _dates(since, until, timezone)
        for offset in range(0, _LAST_OFFSET + 1, _PAGE_SIZE):
            page = data_api.call(report_request(**dates, limit=_PAGE_SIZE, offset=offset or None))
            entries.update((entry.id, entry) for entry in page)
            if len(page) < _PAGE_SIZE:
                break
        else:
            if until - since > _SHORTEST_INTERVAL:
                middle = (since + until) / 2
                intervals += [(middle, until), (since, middle)]
    return entries.values()


def _dates(since: float, until: float, timezone: str) -> dict[str, str]:
    """Return the beginning and end of an interval as parameters of a Data API request.

    The Data API takes both times in the account's time zone. When the clocks of a zone are set back, one hour
    of the day occurs twice. In that case, the returned interval is longer and includes both hours.

    :param since: the beginning of the interval, epoch seconds.
    :param until: the end of the interval, epoch seconds.
    """
    earlier, later = (_seconds_set_back(at, timezone) for at in (since, until - _HOUR))
    return {
        "date_from": report_time(since - earlier, timezone),
        "date_till": report_time(until + later, timezone),
    }


def _seconds_set_back(at: float, timezone: str) -> float:
    """Return by how many seconds a time zone's clocks are set back in the hour after a moment.

    Return 0 if the clocks are not set back in this hour.

    :param at: this moment, epoch seconds.
    """
    before, after = (datetime.fromtimestamp(each, zone(timezone)).utcoffset() for each in (at, at + _HOUR))
    assert before is not None
    assert after is not None
    return max(0.0, (before - after).total_seconds())
