"""The functions through which a campaign reaches the Call API, the Data API, the clock and the log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.api.models import Limits, StartedCall
from airflow_provider_callapi.calls.campaign.wishes import Wish
from airflow_provider_callapi.calls.outcomes.answers import FinishedCall
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

_LONGEST_LIMIT = 600.0
"""The longest pause after the Data API refused a request for lack of points (rate-limit units), in seconds.

A request that is refused for lack of points costs no points, so an early repeat does no harm.
"""


ReportSource: TypeAlias = Callable[[float, Collection[int] | None], Iterable[FinishedCall]]
"""The type of `CampaignGateway.reports`: (earliest start, call session ids) → reported calls."""


@dataclass(frozen=True)
class CampaignGateway:
    """The functions through which a campaign reaches the services, the clock and the log.

    Times are epoch seconds. Without a Data API, ``reports`` and ``reported_calls`` are None.

    :ivar start: sends start requests. Returns the placed call or the error for each, in the same order.
    :ivar take_snapshot: polls the active calls once. Returns the snapshot.
    :ivar limits: returns the newest counters of the account's points. None: unknown.
    :ivar reports: takes a time and call session ids (None: all calls). Returns a report of each of these
        calls that started at or after the time and has finished. It may also return reports of earlier calls.
    :ivar reported_calls: takes a time. Returns the reports of all calls, active or finished, that started at
        this time or later. It may also return reports of calls that started earlier.
    :ivar tag_active: takes a call session id and a tag id. Sets the tag on the active call.
    :ivar tag_finished: takes a ``communication_id`` and a tag id. Sets the tag on the finished call.
    :ivar do_not_call: returns the numbers that must not be called. None: unknown, so no one is dialled.
    :ivar wish: returns the newest wish of a user (pause, resume or stop). None: there is no wish.
    :ivar clock: returns the present time.
    :ivar log: takes a line for the task's log.
    :ivar error: takes an error for the task's log.
    """

    start: Callable[[Sequence[StartCall]], Sequence[StartedCall | CallApiError]]
    take_snapshot: Callable[[], Snapshot]
    limits: Callable[[], Limits | None]
    reports: ReportSource | None
    reported_calls: Callable[[float], Entries[CallReport]] | None
    tag_active: Callable[[int, int], object]
    tag_finished: Callable[[int, int], object]
    do_not_call: Callable[[], Container[str] | None]
    wish: Callable[[], Wish | None]
    clock: Callable[[], float]
    log: Callable[[str], None]
    error: Callable[[str], None]


class LimitsFeed:
    """Returns the account's newest counters of points, but never the same counters twice.

    Counters that the campaign has read before are out of date: the campaign may have used points since then.
    If there are no newer counters, `take` returns None.

    :param newest: a function that returns the newest counters, or None if no reply has contained counters
        yet. Each use of `take` runs the function.
    """

    def __init__(self, newest: Callable[[], Limits | None]) -> None:
        self._newest = newest
        self._taken: Limits | None = None

    def take(self) -> Limits | None:
        """Return the newest counters of points.

        :return: the counters. None: no reply has contained new counters since the last use of this method.
        """
        limits = self._newest()
        if limits is self._taken:
            return None
        self._taken = limits
        return limits


def retry_seconds(error: CallApiError, otherwise: float) -> float:
    """Return how many seconds to wait after an error of the Data API before the next request.

    If the Data API refused the request for lack of points, the result is the time until the account gets new
    points, but at most 600 seconds. After every other error, the result is ``otherwise``.

    :param otherwise: seconds.
    """
    return min(error.retry_after, _LONGEST_LIMIT) if isinstance(error, LimitExceeded) else otherwise
