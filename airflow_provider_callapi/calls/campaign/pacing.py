"""How many calls may be placed now, led by the server's own counters.

The counters come with every answer, and count for everybody who uses the account. What is left of a minute
is spread over what is left of the minute: shards and strangers take from the same number, and everybody's
next answer tells what they took.
"""

from __future__ import annotations

import math
from collections import deque

from airflow_provider_callapi.api.errors import LimitExceeded
from airflow_provider_callapi.api.models import Limits

_EARLY = 4.0
"""Seconds before the reset by which the minute's points are to be used."""
_BURST = 3.0
"""Seconds' worth of calls that may be placed at once, after a pause."""
_OBSERVATIONS = 20


class Pacing:
    """The points of one account, as far as its answers have told.

    :param reserve: the share of a minute's and a day's points left for polling, tags and others.
    :ivar cost: points of one call: the least that was seen, since others can only make it look dearer.
    """

    def __init__(self, reserve: float = 0.02) -> None:
        self.reserve = reserve
        self.cost = 1
        self.limits: Limits | None = None
        self._told_at = 0.0
        self._costs: deque[int] = deque(maxlen=_OBSERVATIONS)
        self._credit = 1.0
        self._credited_at: float | None = None
        self._blocked_until = 0.0
        self._blocked_by_day = False

    def told(self, limits: Limits, now: float) -> None:
        """The newest counters."""
        self.limits, self._told_at = limits, now

    def spent(self, calls: int, limits: Limits | None, now: float) -> None:
        """That many calls were placed since the last counters, and these are the newest."""
        self._credit -= calls
        if limits is None:
            return
        before = self._left(self.limits, "minute", now)
        same_minute = self.limits is not None and now < self._told_at + (self.limits.minute_reset or 0)
        if calls and same_minute and before is not None and limits.minute_remaining is not None:
            used = before - limits.minute_remaining
            if used >= 0:
                self._costs.append(math.ceil(used / calls))
                self.cost = min(self._costs)
        self.told(limits, now)

    def exhausted(self, error: LimitExceeded, now: float) -> None:
        """The service refused a call for want of points."""
        self._blocked_until = now + max(error.retry_after, 1)
        self._blocked_by_day = error.per_day
        self._credit = 0.0

    def allowed(self, now: float) -> int:
        """How many calls may be placed at this moment."""
        seconds = 0.0 if self._credited_at is None else now - self._credited_at
        self._credited_at = now
        rate = self._rate(now)
        if rate <= 0:
            self._credit = min(self._credit, 0.0)
            return 0
        self._credit = min(self._credit + seconds * rate, max(1.0, rate * _BURST))
        budget = self._budget(now)
        return max(0, int(min(self._credit, budget)))

    def opens_at(self, now: float) -> tuple[float, str]:
        """When a call may be placed again, epoch seconds, and what is waited for; "" if nothing is."""
        if now < self._blocked_until:
            return self._blocked_until, "the day's points" if self._blocked_by_day else "the minute's points"
        if self._budget_of("day", now) < 1:
            return self._reset("day", now), "the day's points"
        if self._budget_of("minute", now) < 1:
            return self._reset("minute", now), "the minute's points"
        rate = self._rate(now)
        missing = max(0.0, 1.0 - self._credit)
        return now + (min(missing / rate, 60.0) if rate > 0 else 60.0), ""

    @property
    def points_left(self) -> int | None:
        """Points left of the minute, as last told."""
        return self.limits.minute_remaining if self.limits else None

    def calls_a_minute(self) -> float | None:
        """The most calls that a minute's points pay for; None where nobody has told."""
        if not self.limits or not self.limits.minute_limit or not self.cost:
            return None
        return self.limits.minute_limit * (1 - self.reserve) / self.cost

    def _budget(self, now: float) -> float:
        if now < self._blocked_until:
            return 0.0
        return min(self._budget_of("minute", now), self._budget_of("day", now))

    def _budget_of(self, period: str, now: float) -> float:
        """Calls that the rest of the minute or day pays for, without the reserve."""
        limit: int | None = getattr(self.limits, f"{period}_limit", None)
        left = self._left(self.limits, period, now)
        if left is None or not self.cost:
            return math.inf
        return math.floor((left - math.ceil((limit or 0) * self.reserve)) / self.cost)

    def _left(self, limits: Limits | None, period: str, now: float) -> int | None:
        if limits is None:
            return None
        left: int | None = getattr(limits, f"{period}_remaining")
        turned = now >= self._reset(period, now)
        return getattr(limits, f"{period}_limit") if turned and left is not None else left

    def _reset(self, period: str, now: float) -> float:
        reset: int | None = getattr(self.limits, f"{period}_reset", None)
        if reset is None:
            return now + (60 if period == "minute" else 3600)
        return self._told_at + reset

    def _rate(self, now: float) -> float:
        """Calls a second."""
        budget = self._budget(now)
        if math.isinf(budget):
            return 1.0  # nobody has told any counters: carefully, until somebody does
        left = self._reset("minute", now) - now
        seconds = left if left > 0 else 60.0
        return budget / max(1.0, seconds - _EARLY)
