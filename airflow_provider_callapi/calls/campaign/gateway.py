"""The callables through which a campaign reaches the services."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.api.models import Limits, StartedCall
from airflow_provider_callapi.calls.snapshot import Snapshot

_LONGEST_LIMIT = 600.0
"""Seconds after which the Data API is asked again, even if its points return later: a refusal is free."""


@dataclass(frozen=True)
class CampaignGateway:
    """How a campaign reaches the services, the clock and the log.

    :ivar start: sends start requests, all at once or one by one; returns an answer or an error for each.
    :ivar take_snapshot: polls the active calls once.
    :ivar limits: returns the newest counters of the account; None: no answer had any yet.
    :ivar reports: returns the reports of the finished calls that began at this time or later, epoch seconds,
        each with whether the call was answered; None: there is no Data API.
    :ivar tag_active: tags an active call: session id, tag id.
    :ivar tag_finished: tags a finished call: its report's ``communication_id``, tag id.
    :ivar do_not_call: returns the numbers that must not be called, as of now; None: unknown.
    :ivar clock: returns epoch seconds.
    :ivar log: writes a line for the reader of the task's log.
    """

    start: Callable[[Sequence[StartCall]], Sequence[StartedCall | CallApiError]]
    take_snapshot: Callable[[], Snapshot]
    limits: Callable[[], Limits | None]
    reports: Callable[[float], Iterable[tuple[CallReport, bool | None]]] | None
    tag_active: Callable[[int, int], object]
    tag_finished: Callable[[int, int], object]
    do_not_call: Callable[[], Container[str] | None]
    clock: Callable[[], float]
    log: Callable[[str], None]


class LimitsFeed:
    """Returns each new state of the account's counters once."""

    def __init__(self, newest: Callable[[], Limits | None]) -> None:
        self._newest = newest
        self._taken: Limits | None = None

    def take(self) -> Limits | None:
        """Return the newest counters, or None if they were returned before."""
        limits = self._newest()
        if limits is self._taken:
            return None
        self._taken = limits
        return limits


def retry_seconds(error: CallApiError, otherwise: float) -> float:
    """Return the seconds until the Data API is asked again after an error.

    :param otherwise: the seconds for every error other than missing points.
    """
    return min(error.retry_after, _LONGEST_LIMIT) if isinstance(error, LimitExceeded) else otherwise
