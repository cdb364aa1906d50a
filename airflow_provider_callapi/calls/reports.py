"""All calls that ended in an interval, from the Data API: one question for any number of calls."""

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
from airflow_provider_callapi.calls.outcome import answered_by, contact_connected

_PAGE = 10_000
"""The most that the service sends at once."""
_FURTHEST = 100_000
"""The largest offset that it accepts."""
_HOUR = 3600.0
_DAY = 86_400.0
_SHORTEST = 1.0
"""Seconds: the reports' own times are no finer."""

E = TypeVar("E", CallReport, LegReport)


class Asks(Protocol):
    """A client of the Data API."""

    def call(self, request: Any) -> Any:
        """Send a request; see `airflow_provider_callapi.api.client.Client`."""


def finished_calls(
    data_api: Asks, *, since: float, until: float, timezone: str
) -> list[tuple[CallReport, bool | None]]:
    """The finished calls that began in the interval, and whether the contact answered; None: not known.

    What began later is asked for, too: there is nothing, unless the account's clock or zone is ahead.

    The legs' report is asked for only where the calls' report leaves that open.

    :param since: epoch seconds, as ``until``.
    :param timezone: the account's.
    :raises CallApiError: the Data API did not answer.
    """
    interval = (since, until + _DAY)
    reports = _everything(data_api, GetCallsReport, interval, timezone)
    found = [(report, answered_by(report)) for report in reports if report.finished]
    if all(answered is not None for _, answered in found):
        return found
    legs: defaultdict[int | None, list[LegReport]] = defaultdict(list)
    for leg in _everything(data_api, GetCallLegsReport, interval, timezone):
        legs[leg.call_session_id].append(leg)
    return [
        (report, contact_connected(legs[report.id]) if answered is None else answered)
        for report, answered in found
    ]


def _dates(since: float, until: float, timezone: str) -> dict[str, str]:
    """The interval in the account's time, which has some hours twice: none of its calls may be left out."""
    early, late = (_put_back(at, timezone) for at in (since, until - _HOUR))
    return {
        "date_from": report_time(since - early, timezone),
        "date_till": report_time(until + late, timezone),
    }


def _put_back(at: float, timezone: str) -> float:
    """Seconds by which the clocks of a zone are put back within an hour."""
    now, then = (datetime.fromtimestamp(each, zone(timezone)).utcoffset() for each in (at, at + _HOUR))
    assert now is not None
    assert then is not None
    return max(0.0, (now - then).total_seconds())


def _everything(
    data_api: Asks, listing: Callable[..., Request[list[E]]], interval: tuple[float, float], timezone: str
) -> Iterable[E]:
    """Every entry of an interval, once. It is halved where it has more of them than the service tells.

    Neither the order of the entries nor whether an interval's end belongs to it is documented: so halves
    have their border in common.
    """
    found: dict[int, E] = {}
    intervals = [interval]
    while intervals:
        since, until = intervals.pop()
        dates = _dates(since, until, timezone)
        for offset in range(0, _FURTHEST + 1, _PAGE):
            page = data_api.call(listing(**dates, limit=_PAGE, offset=offset or None))
            found.update((entry.id, entry) for entry in page)
            if len(page) < _PAGE:
                break
        else:
            if until - since > _SHORTEST:
                middle = (since + until) / 2
                intervals += [(middle, until), (since, middle)]
    return found.values()
