"""One look at the active calls: an answer of ``list.calls``, or a look that failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.models import CallSession

if TYPE_CHECKING:  # requests is heavy, and DAG files are parsed all day
    from airflow_provider_callapi.api.client import Client

_LONGEST_PAUSE = 60.0
"""Seconds to wait after a limit at the most: whoever waits has a deadline of their own to keep."""


@dataclass(frozen=True)
class Snapshot:
    """What was active at a moment.

    :ivar at: when the answer (or the failure) was in hand, epoch seconds.
    :ivar sessions: the active calls by session id; empty where the look failed.
    :ivar failure: why there is no answer. A failed look proves nothing about any call.
    """

    at: float
    sessions: Mapping[int, CallSession] = field(default_factory=dict)
    failure: CallApiError | None = None

    def pause(self, interval: float) -> float:
        """Seconds until the next look: the interval, or longer where the points are used up."""
        if isinstance(self.failure, LimitExceeded):
            return max(interval, min(self.failure.retry_after, _LONGEST_PAUSE))
        return interval


def take_snapshot(client: Client, clock: Callable[[], float]) -> Snapshot:
    """Ask for the active calls once. The next look is the retry of a failed one."""
    try:
        sessions = client.call(ListCalls())
    except CallApiError as error:
        return Snapshot(clock(), failure=error)
    return Snapshot(clock(), {session.call_session_id: session for session in sessions})
