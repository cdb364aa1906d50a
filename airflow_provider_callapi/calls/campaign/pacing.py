"""How many calls may be placed now, led by the server's own counters.

The counters come with every answer, and count for everybody who uses the account. What is left of a minute
is spread over what is left of the minute: shards and strangers take from the same number, and everybody's
next answer tells what they took. Until then they are taken to go on as they did in this minute.
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
_AT_ONCE = 4
"""The part of the points that are left, one in so many, that may be used at once: others look at them too."""
_LATE = 1.0
"""Seconds by which a reset may come later than it was told, in whole seconds."""
_MINUTE = 60.0
_DAY = 24 * 60.0
"""Minutes."""
_TYPICAL_CALL = 30.0
"""Seconds, for a forecast."""
_SHORTEST = 0.01
"""Seconds: added to the time of day, a much shorter pause would be none."""
_SETTLED = 5.0
"""Seconds of a minute after which it tells how fast others use its points."""
_OBSERVATIONS = 20
_FIRST_PAUSE = 5.0
"""Seconds without a call after a start request got no answer; doubled each time, up to a minute."""


class Pacing:
    """The points of one account, as far as its answers have told.

    :param reserve: the share of a minute's and a day's points left for polling, tags and others.
    :param known_cost: points of one call, where an earlier process has seen it.
    :ivar cost: points of one call: the least that was seen, since others can only make it look dearer.
    :ivar known_cost: the same; None: none was seen, and `cost` is a guess.
    """

    def __init__(self, reserve: float = 0.01, known_cost: int | None = None) -> None:
        self.reserve = reserve
        self.known_cost = known_cost
        self.cost = 1 if known_cost is None else known_cost
        self.limits: Limits | None = None
        self._told_at = 0.0
        self._own = self._untold = 0
        self._costs: deque[int] = deque(maxlen=_OBSERVATIONS)
        self._credit = 1.0
        self._credited_at: float | None = None
        self._blocked_until, self._blocked_by = 0.0, ""
        self._troubles = 0

    def update_limits(self, limits: Limits, now: float) -> None:
        """The newest counters."""
        if not self._same_minute(limits, now):
            self._own = 0
        self.limits, self._told_at, self._untold = limits, now, 0

    def spent(self, sent: int, calls: int, limits: Limits | None, now: float) -> None:
        """So many start requests were sent since the last counters; the newest are these.

        :param calls: how many of the requests placed a call.
        """
        self._credit -= sent
        if limits is None:
            self._own += calls * self.cost
            self._untold += calls * self.cost
            return
        before = self.limits.minute_remaining if self.limits else None
        same = self._same_minute(limits, now)
        if calls and same and before is not None and limits.minute_remaining is not None:
            used = before - limits.minute_remaining
            if used >= 0:
                self._costs.append(math.ceil(used / calls))
                self.cost = self.known_cost = min(self._costs)
        self.update_limits(limits, now)
        self._own += calls * self.cost

    def exhausted(self, error: LimitExceeded, now: float) -> None:
        """The service refused a call for want of points."""
        why = "the day's points" if error.per_day else "the minute's points"
        self.wait(now + max(error.retry_after, 1), why)

    def wait(self, until: float, why: str) -> None:
        """Nobody is dialled until then, epoch seconds."""
        if until > self._blocked_until:
            self._blocked_until, self._blocked_by = until, why
        self._credit = 0.0

    def unanswered(self, now: float) -> None:
        """A start request got no answer: each may be a person lost, so one at a time, later and later."""
        self.wait(now + min(_FIRST_PAUSE * 2.0 ** min(self._troubles, 8), _MINUTE), "the service's answers")
        self._troubles += 1

    def answered(self) -> None:
        """The service answers."""
        self._troubles = 0

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
        most = 1.0 if self._troubles else max(1.0, budget / _AT_ONCE)
        return max(0, int(min(self._credit, most, budget)))

    def next_slot(self, now: float) -> tuple[float, str]:
        """When a call may be placed again, epoch seconds, and what is waited for; "" if nothing is."""
        if now < self._blocked_until:
            return self._blocked_until, self._blocked_by
        if self._budget_of("day", now) < 1:
            return self._reset("day", now), "the day's points"
        if self._budget_of("minute", now) < 1:
            return self._reset("minute", now), "the minute's points"
        rate = self._rate(now)
        if self._credit >= 1:
            return now, ""
        return now + max(_SHORTEST, min((1 - self._credit) / rate, _MINUTE) if rate > 0 else _MINUTE), ""

    @property
    def points_left(self) -> int | None:
        """Points left of the minute, as last told."""
        return self.limits.minute_remaining if self.limits else None

    def calls_a_minute(self) -> float | None:
        """The most calls that a minute's points pay for; None where nobody has told."""
        if not self.limits or not self.limits.minute_limit or not self.cost:
            return None
        return self.limits.minute_limit * (1 - self.reserve) / self.cost

    def forecast(self, calls: int, max_active: int) -> tuple[float, str]:
        """The least minutes that so many calls take, and what it is that takes them.

        :param max_active: how many may be active at once; each is taken to last half a minute.
        """
        rates = {"the calls that may be active": max_active * _MINUTE / _TYPICAL_CALL}
        if (rate := self.calls_a_minute()) is not None:
            rates["the minute's points"] = rate
        slowest = min(rates, key=lambda name: rates[name])
        minutes = calls / rates[slowest] if rates[slowest] else math.inf
        a_day, today = getattr(self.limits, "day_limit", None), getattr(self.limits, "day_remaining", None)
        if a_day and today is not None and self.cost:
            kept = self._kept("day")
            days = math.ceil((calls * self.cost - max(0, today - kept)) / (a_day - kept))
            if days * _DAY > minutes:
                return days * _DAY, "the day's points"
        return minutes, slowest

    def _budget(self, now: float) -> float:
        if now < self._blocked_until:
            return 0.0
        return min(self._budget_of("minute", now), self._budget_of("day", now))

    def _budget_of(self, period: str, now: float) -> float:
        """Calls that the rest of the minute or day pays for, without the reserve."""
        left = self._left(period, now)
        if left is None or not self.cost:
            return math.inf
        return math.floor((left - self._kept(period)) / self.cost)

    def _kept(self, period: str) -> int:
        """The reserve, in points."""
        return math.floor((getattr(self.limits, f"{period}_limit", None) or 0) * self.reserve)

    def _left(self, period: str, now: float) -> float | None:
        left: int | None = getattr(self.limits, f"{period}_remaining", None)
        if left is None:
            return None
        if now >= self._reset(period, now):
            # for one call in any case: only an answer tells of a limit that was raised
            return max(getattr(self.limits, f"{period}_limit") or 0, self._kept(period) + self.cost)
        return left - self._untold - self._others() * (now - self._told_at)

    def _others(self) -> float:
        """Points a second that others have used in this minute."""
        limits = self.limits
        if limits is None or None in (limits.minute_limit, limits.minute_remaining, limits.minute_reset):
            return 0.0
        used = (limits.minute_limit or 0) - (limits.minute_remaining or 0) - self._own
        return max(0, used) / max(_SETTLED, _MINUTE - (limits.minute_reset or 0))

    def _same_minute(self, limits: Limits, now: float) -> bool:
        """Whether these counters are of the minute of the last ones."""
        if self.limits is None or self.limits.minute_reset is None or limits.minute_reset is None:
            return False
        return now + limits.minute_reset < self._told_at + self.limits.minute_reset + _SETTLED

    def _reset(self, period: str, now: float) -> float:
        reset: int | None = getattr(self.limits, f"{period}_reset", None)
        if reset is None:
            return now + (_MINUTE if period == "minute" else 3600)
        return self._told_at + reset + _LATE

    def _rate(self, now: float) -> float:
        """Calls a second."""
        budget = self._budget(now)
        if math.isinf(budget):
            return 1.0  # nobody has told any counters: carefully, until somebody does
        left = self._reset("minute", now) - now
        seconds = left if left > 0 else _MINUTE
        return budget / max(1.0, seconds - _EARLY)
