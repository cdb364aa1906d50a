"""How many calls may be placed now, according to the service's counters of points.

Every answer carries the counters. They count for everybody who uses the account. The points that are left
of a minute are spread over the rest of the minute. Shards and other users take points from the same
counters, and the next answer shows how many they took. Until then, `Pacing` assumes that they continue at
their rate of this minute.
"""

from __future__ import annotations

import math
from collections import deque

from airflow_provider_callapi.api.errors import LimitExceeded
from airflow_provider_callapi.api.models import Limits

_EARLY = 4.0
"""Seconds before the reset by which the minute's points are to be used."""
_BURST = 3.0
"""Seconds' worth of calls that may be placed at once after a pause."""
_SHARE_AT_ONCE = 4
"""One in so many of the points left may be used at once: other users see the same points."""
_LATE = 1.0
"""Seconds by which a reset may come later than the counters state: they are whole seconds."""
_MINUTE = 60.0
_DAY_MINUTES = 24 * 60.0
_TYPICAL_CALL = 30.0
"""Seconds that a call takes, for a forecast."""
_SHORTEST = 0.01
"""Seconds. A much shorter pause, added to epoch seconds, would be no pause."""
_RATE_KNOWN_AFTER = 5.0
"""Seconds of a minute after which the rate of other users is known."""
_COSTS_KEPT = 20
_FIRST_PAUSE = 5.0
"""Seconds without a call after a start request got no answer. The pause doubles each time, up to a minute."""


class Pacing:
    """The points of one account, as its answers show them.

    :param reserve: the share of a minute's and a day's points that is left for polls, tags and others.
    :param known_cost: the points of one call that an earlier process has observed; None: unknown.
    :ivar cost: the points of one call: the least observed cost, since other users only make it seem higher.
    :ivar known_cost: the same; None: no cost was observed, and ``cost`` is a guess.
    """

    def __init__(self, reserve: float = 0.01, known_cost: int | None = None) -> None:
        self.reserve = reserve
        self.known_cost = known_cost
        self.cost = 1 if known_cost is None else known_cost
        self.limits: Limits | None = None
        self._limits_at = 0.0
        self._own_points = self._unconfirmed_points = 0
        self._costs: deque[int] = deque(maxlen=_COSTS_KEPT)
        self._credit = 1.0
        self._credited_at: float | None = None
        self._paused_until, self._paused_for = 0.0, ""
        self._unanswered_in_a_row = 0

    def update_limits(self, limits: Limits, now: float) -> None:
        """Take the newest counters."""
        if not self._is_same_minute(limits, now):
            self._own_points = 0
        self.limits, self._limits_at, self._unconfirmed_points = limits, now, 0

    def record_requests(self, sent: int, calls: int, limits: Limits | None, now: float) -> None:
        """Count the start requests that were sent since the last counters.

        :param calls: how many of the requests placed a call.
        :param limits: the newest counters; None: no answer had any.
        """
        self._credit -= sent
        if limits is None:
            self._own_points += calls * self.cost
            self._unconfirmed_points += calls * self.cost
            return
        before = self.limits.minute_remaining if self.limits else None
        same = self._is_same_minute(limits, now)
        if calls and same and before is not None and limits.minute_remaining is not None:
            used = before - limits.minute_remaining
            if used >= 0:
                self._costs.append(math.ceil(used / calls))
                self.cost = self.known_cost = min(self._costs)
        self.update_limits(limits, now)
        self._own_points += calls * self.cost

    def record_limit_exceeded(self, error: LimitExceeded, now: float) -> None:
        """Pause after the service refused a call because of missing points."""
        why = "the day's points" if error.per_day else "the minute's points"
        self.pause_until(now + max(error.retry_after, 1), why)

    def pause_until(self, until: float, why: str) -> None:
        """Place no call before this time, epoch seconds. A shorter pause does not replace a longer one."""
        if until > self._paused_until:
            self._paused_until, self._paused_for = until, why
        self._credit = 0.0

    def record_no_answer(self, now: float) -> None:
        """Pause after a start request without an answer, longer each time, and then place one call at a time.

        Each such request may be a call that is lost.
        """
        pause = min(_FIRST_PAUSE * 2.0 ** min(self._unanswered_in_a_row, 8), _MINUTE)
        self.pause_until(now + pause, "the service's answers")
        self._unanswered_in_a_row += 1

    def record_answer(self) -> None:
        """Return to the normal pace: the service answers again."""
        self._unanswered_in_a_row = 0

    def calls_allowed(self, now: float) -> int:
        """Return how many calls may be placed at this moment."""
        seconds = 0.0 if self._credited_at is None else now - self._credited_at
        self._credited_at = now
        rate = self._rate(now)
        if rate <= 0:
            self._credit = min(self._credit, 0.0)
            return 0
        self._credit = min(self._credit + seconds * rate, max(1.0, rate * _BURST))
        budget = self._budget(now)
        most = 1.0 if self._unanswered_in_a_row else max(1.0, budget / _SHARE_AT_ONCE)
        return max(0, int(min(self._credit, most, budget)))

    def next_slot(self, now: float) -> tuple[float, str]:
        """Return when the next call may be placed, epoch seconds, and why not earlier.

        The text is empty if only the pace delays the call.
        """
        if now < self._paused_until:
            return self._paused_until, self._paused_for
        if self._budget_of("day", now) < 1:
            return self._reset_at("day", now), "the day's points"
        if self._budget_of("minute", now) < 1:
            return self._reset_at("minute", now), "the minute's points"
        rate = self._rate(now)
        if self._credit >= 1:
            return now, ""
        return now + max(_SHORTEST, min((1 - self._credit) / rate, _MINUTE) if rate > 0 else _MINUTE), ""

    @property
    def points_left(self) -> int | None:
        """Return the points left of the minute in the newest counters; None: unknown."""
        return self.limits.minute_remaining if self.limits else None

    def calls_per_minute(self) -> float | None:
        """Return how many calls a minute's points pay for; None: the limit is unknown."""
        if not self.limits or not self.limits.minute_limit or not self.cost:
            return None
        return self.limits.minute_limit * (1 - self.reserve) / self.cost

    def forecast(self, calls: int, max_active: int) -> tuple[float, str]:
        """Return the fewest minutes that so many calls take, and the name of the bottleneck.

        :param max_active: how many calls may be active at once. Each is assumed to last half a minute.
        """
        rates = {"the calls that may be active": max_active * _MINUTE / _TYPICAL_CALL}
        if (rate := self.calls_per_minute()) is not None:
            rates["the minute's points"] = rate
        slowest = min(rates, key=lambda name: rates[name])
        minutes = calls / rates[slowest] if rates[slowest] else math.inf
        a_day, today = getattr(self.limits, "day_limit", None), getattr(self.limits, "day_remaining", None)
        if a_day and today is not None and self.cost:
            reserve = self._reserve_points("day")
            days = math.ceil((calls * self.cost - max(0, today - reserve)) / (a_day - reserve))
            if days * _DAY_MINUTES > minutes:
                return days * _DAY_MINUTES, "the day's points"
        return minutes, slowest

    def _budget(self, now: float) -> float:
        if now < self._paused_until:
            return 0.0
        return min(self._budget_of("minute", now), self._budget_of("day", now))

    def _budget_of(self, period: str, now: float) -> float:
        """Return how many calls the points left of the minute or day pay for, without the reserve."""
        left = self._points_left_of(period, now)
        if left is None or not self.cost:
            return math.inf
        return math.floor((left - self._reserve_points(period)) / self.cost)

    def _reserve_points(self, period: str) -> int:
        return math.floor((getattr(self.limits, f"{period}_limit", None) or 0) * self.reserve)

    def _points_left_of(self, period: str, now: float) -> float | None:
        left: int | None = getattr(self.limits, f"{period}_remaining", None)
        if left is None:
            return None
        if now >= self._reset_at(period, now):
            # enough for one call in any case: only an answer shows that a limit was raised
            limit = getattr(self.limits, f"{period}_limit") or 0
            return max(limit, self._reserve_points(period) + self.cost)
        return left - self._unconfirmed_points - self._others_rate() * (now - self._limits_at)

    def _others_rate(self) -> float:
        """Return how many points a second other users have used in this minute."""
        limits = self.limits
        if limits is None or None in (limits.minute_limit, limits.minute_remaining, limits.minute_reset):
            return 0.0
        used = (limits.minute_limit or 0) - (limits.minute_remaining or 0) - self._own_points
        return max(0, used) / max(_RATE_KNOWN_AFTER, _MINUTE - (limits.minute_reset or 0))

    def _is_same_minute(self, limits: Limits, now: float) -> bool:
        """Return whether these counters belong to the minute of the last ones."""
        if self.limits is None or self.limits.minute_reset is None or limits.minute_reset is None:
            return False
        return now + limits.minute_reset < self._limits_at + self.limits.minute_reset + _RATE_KNOWN_AFTER

    def _reset_at(self, period: str, now: float) -> float:
        reset: int | None = getattr(self.limits, f"{period}_reset", None)
        if reset is None:
            return now + (_MINUTE if period == "minute" else 3600)
        return self._limits_at + reset + _LATE

    def _rate(self, now: float) -> float:
        """Return how many calls a second the budget allows."""
        budget = self._budget(now)
        if math.isinf(budget):
            return 1.0  # the counters are unknown: a careful pace until an answer carries them
        left = self._reset_at("minute", now) - now
        seconds = left if left > 0 else _MINUTE
        return budget / max(1.0, seconds - _EARLY)
