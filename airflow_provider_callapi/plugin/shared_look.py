"""One look at a connection's active calls for all people who watch the page.

A look is one poll of the active calls. All viewers within a few seconds get the same look. While no one
watches the page, no request is sent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from airflow_provider_callapi.api.models import CallSession, Limits


@dataclass(frozen=True)
class Look:
    """What one poll has shown, or why it failed.

    :ivar at: when the poll was answered or failed, epoch seconds.
    :ivar sessions: the active calls.
    :ivar left_out: how many more active calls the answer has that cannot be read.
    :ivar limits: the points left; None: not known.
    :ivar timezone: IANA name of the account's time zone.
    :ivar problem: why the service cannot be reached from the API server; ``""``: the service has answered.
    """

    at: float
    sessions: Sequence[CallSession] = ()
    left_out: int = 0
    limits: Limits | None = None
    timezone: str = "UTC"
    problem: str = ""


class SharedLook:
    """Returns the same look to all viewers until the look is too old.

    Several threads may use the object at once. While one thread polls, the others wait for its look.

    :param take: polls the active calls once; called with the time in epoch seconds.
    :param clock: returns the time, epoch seconds.
    :param lifetime: seconds for which a look is shown.
    """

    def __init__(self, take: Callable[[float], Look], clock: Callable[[], float], *, lifetime: float) -> None:
        self._take = take
        self._clock = clock
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._look: Look | None = None

    def look(self) -> Look:
        """Return the newest look. If it is too old, poll first."""
        with self._lock:
            now = self._clock()
            if self._look is None or not self._look.at <= now < self._look.at + self._lifetime:
                self._look = self._take(now)
            return self._look

    def expire(self) -> None:
        """Make the next viewer poll, because a call was just released."""
        with self._lock:
            self._look = None
