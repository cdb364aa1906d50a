"""Estimates how many calls the points of an account still allow, and learns how many points a call costs.

Points are the units of the service's rate limits. An account has points for each minute and for each day.
Other programs may use points of the same account.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from airflow_provider_callapi.api.models import LONGEST_RESETS, UNKNOWN_RESETS, Limits, Period, Points

_LATE = 1.0
"""Seconds by which a reset may come later than the counters state, because the counters are whole seconds."""
_MINUTE = 60.0
_RATE_KNOWN_AFTER = 5.0
"""Seconds after a minute's beginning from which on the rate of other users is reliable."""
_COSTS_KEPT = 20


@dataclass(frozen=True, slots=True)
class _Estimate:
    """What is known of the points of one period.

    :ivar left: how many points were left at the time of the newest counters. None: unknown.
    :ivar reserved: how many points must stay unused.
    :ivar in_next_period: how many points the account has after the reset.
    :ivar reset_at: when the account gets new points, epoch seconds.
    """

    left: int | None
    reserved: int
    in_next_period: int
    reset_at: float


class AccountPoints:
    """What is known of an account's points, from the counters in the service's replies.

    :param reserve: the share of the points that is kept for polls, tags and other programs: 0.01 is 1 %.
    :param known_cost: the points that one call costs, as observed by an earlier process; None: unknown.
    :ivar known_cost: the lowest observed cost of a call in points. None: no cost has been observed yet.
    :ivar limits: the newest counters. None: no reply has contained counters.
    """

    def __init__(self, reserve: float = 0.01, known_cost: int | None = None) -> None:
        self.reserve = reserve
        self.known_cost = known_cost
        self.limits: Limits | None = None
        self._limits_at = 0.0
        self._own_points = self._unconfirmed_points = 0
        self._costs: deque[int] = deque(maxlen=_COSTS_KEPT)
        self._estimate()

    def update(self, limits: Limits, now: float) -> None:
        """Store the newest counters of the account's points.

        :param limits: the counters, from a reply of the service.
        :param now: when the reply came, epoch seconds.
        """
        self._store(limits, now)
        self._estimate()

    def _store(self, limits: Limits, now: float) -> None:
        if not self._is_same_minute(limits, now):
            self._own_points = 0
        self.limits, self._limits_at, self._unconfirmed_points = limits, now, 0

    def record_calls(self, calls: int, limits: Limits | None, now: float) -> None:
        """Record that the campaign has placed calls, and learn how many points a call costs.

        :param limits: the newest counters. None: no reply contained new counters, so nothing is learned about
            the cost.
        :param now: epoch seconds.
        """
        if limits is None:
            self._unconfirmed_points += calls * self.cost
        else:
            self._learn_cost(calls, limits, now)
            self._store(limits, now)
        self._own_points += calls * self.cost
        self._estimate()

    def _learn_cost(self, calls: int, limits: Limits, now: float) -> None:
        before, after = self.left_in_minute, limits.minute_remaining
        if not calls or before is None or after is None or not self._is_same_minute(limits, now):
            return
        if before >= after:
            self._costs.append(math.ceil((before - after) / calls))
            self.known_cost = min(self._costs)

    @property
    def cost(self) -> int:
        """The points that one call costs: ``known_cost``, or a guess."""
        return 1 if self.known_cost is None else self.known_cost

    @property
    def left_in_minute(self) -> int | None:
        """How many points were left in this minute at the time of the newest counters. None: unknown."""
        return self._of("minute").left

    def calls_per_minute(self) -> float | None:
        """Return how many calls the rate limit of one minute allows. None: unknown."""
        limit = self._of("minute").limit
        return limit * (1 - self.reserve) / self.cost if limit and self.cost else None

    def days_of(self, calls: int) -> int | None:
        """Return in how many further days the account gets enough points for so many calls. None: unknown."""
        limit, left, _ = self._of("day")
        if not limit or left is None or not self.cost:
            return None
        reserved = self._estimates["day"].reserved
        return math.ceil((calls * self.cost - max(0, left - reserved)) / (limit - reserved))

    def calls_left(self, now: float, period: Period) -> float:
        """Return how many calls the remaining points of a minute or of a day allow. Infinity: unknown.

        The share `reserve` stays unused.

        :param now: epoch seconds.
        """
        estimate = self._estimates[period]
        if estimate.left is None or not self.cost:
            return math.inf
        if now >= estimate.reset_at:
            # Allow at least one call, because only the answer to a call can show that the limit was raised.
            left: float = max(estimate.in_next_period, estimate.reserved + self.cost)
        else:
            left = estimate.left - self._unconfirmed_points - self._others_rate * (now - self._limits_at)
        return math.floor((left - estimate.reserved) / self.cost)

    def reset_at(self, period: Period) -> float:
        """Return when the account gets new points for a minute or for a day, epoch seconds.

        The newest answer of the service states this time.
        """
        return self._estimates[period].reset_at

    def seconds_of_minute(self, now: float) -> float:
        """Return how many seconds of the present minute are left. A whole minute: unknown, or it is over.

        :param now: epoch seconds.
        """
        is_known = self._of("minute").reset is not None
        left = self.reset_at("minute") - now if is_known else 0.0
        return left if left > 0 else _MINUTE

    def _of(self, period: Period) -> Points:
        """Return the points of a period, as the newest answer of the service states them."""
        return self.limits.of(period) if self.limits else Points()

    def _estimate(self) -> None:
        # Once for each change, because each step of a campaign asks many times.
        self._estimates: dict[Period, _Estimate] = {
            period: self._estimate_of(period) for period in ("minute", "day")
        }
        self._others_rate = self._rate_of_others()

    def _estimate_of(self, period: Period) -> _Estimate:
        limit, left, reset = self._of(period)
        # Not counted from now: without a call, no newer answer comes, and the reset would never be reached.
        seconds = UNKNOWN_RESETS[period] if reset is None else min(reset, LONGEST_RESETS[period])
        reserved = math.floor((limit or 0) * self.reserve)
        return _Estimate(left, reserved, limit or 0, self._limits_at + seconds + _LATE)

    def _rate_of_others(self) -> float:
        """Return how many points per second other programs have used in this minute, on average.

        If the points are unknown, it is 0.0.
        """
        limit, left, reset = self._of("minute")
        if limit is None or left is None or reset is None:
            return 0.0
        # The other shards of the campaign count as other programs, too.
        used = limit - left - self._own_points
        return max(0, used) / max(_RATE_KNOWN_AFTER, _MINUTE - reset)

    def _is_same_minute(self, limits: Limits, now: float) -> bool:
        """Return whether the newest rate-limit counters are from the same minute as the stored counters."""
        before = self._of("minute").reset
        if before is None or limits.minute_reset is None:
            return False
        return now + limits.minute_reset < self._limits_at + before + _RATE_KNOWN_AFTER
