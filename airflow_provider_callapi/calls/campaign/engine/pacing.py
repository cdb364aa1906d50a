"""Determines how many calls may be placed now, so that the account's points are not used up too early.

Points are the units of the service's rate limits. An account has points for each minute and for each day.
`Pacing` spreads the points that are left in a minute over the rest of the minute. It takes into account that
other programs use points of the same account.
"""

from __future__ import annotations

import math
from collections import deque

from airflow_provider_callapi.api.errors import LimitExceeded
from airflow_provider_callapi.api.models import LONGEST_RESETS, UNKNOWN_RESETS, Limits, Period, Points

_EARLY = 4.0
"""Pacing plans to have used the minute's points this many seconds before the counter resets."""
_BURST = 3.0
"""After a pause, as many calls may be placed at once as the normal pace allows in this many seconds."""
_SHARE_AT_ONCE = 4
"""At most a quarter of the points left may be used at once, because other users need points too."""
_LATE = 1.0
"""Seconds by which a reset may come later than the counters state, because the counters are whole seconds."""
_MINUTE = 60.0
_DAY_MINUTES = 24 * 60.0
_TYPICAL_CALL = 30.0
"""Seconds that one call is assumed to last in a forecast."""
_SHORTEST = 0.01
"""The shortest pause, in seconds. A float of epoch seconds cannot represent a much shorter one."""
_RATE_KNOWN_AFTER = 5.0
"""Seconds after a minute's beginning from which on the rate of other users is reliable."""
_COSTS_KEPT = 20
_FIRST_PAUSE = 5.0
"""Seconds for which no call is placed after a start request got no answer.

Each further request without an answer doubles the pause, up to one minute.
"""


class Pacing:
    """Decides how many calls a campaign may place now, from the account's points (rate-limit units).

    :param reserve: the share of the points that is kept for polls, tags and other programs: 0.01 is 1 %.
    :param known_cost: the points that one call costs, as observed by an earlier process; None: unknown.
    :ivar known_cost: the lowest observed cost of a call in points. None: no cost has been observed yet.
    """

    def __init__(self, reserve: float = 0.01, known_cost: int | None = None) -> None:
        self.reserve = reserve
        self.known_cost = known_cost
        self.limits: Limits | None = None
        self._limits_at = 0.0
        self._own_points = self._unconfirmed_points = 0
        self._costs: deque[int] = deque(maxlen=_COSTS_KEPT)
        self._credit = 1.0
        self._credited_at: float | None = None
        self._paused_until, self._paused_for = 0.0, ""
        self._unanswered_in_a_row = 0

    def update_limits(self, limits: Limits, now: float) -> None:
        """Store the newest counters of the account's points.

        :param limits: the counters, from a reply of the service.
        :param now: when the reply came, epoch seconds.
        """
        if not self._is_same_minute(limits, now):
            self._own_points = 0
        self.limits, self._limits_at, self._unconfirmed_points = limits, now, 0

    def record_requests(self, sent: int, calls: int, limits: Limits | None, now: float) -> None:
        """Record a batch of start requests, and learn how many points a call costs.

        :param sent: how many start requests the batch has.
        :param calls: how many of these requests placed a call.
        :param limits: the newest counters of the account's points. None: no reply contained new counters, so
            nothing is learned about the cost.
        :param now: epoch seconds.
        """
        self._credit -= sent
        if limits is None:
            self._own_points += calls * self.cost
            self._unconfirmed_points += calls * self.cost
            return
        before = self.points_left
        same = self._is_same_minute(limits, now)
        if calls and same and before is not None and limits.minute_remaining is not None:
            used = before - limits.minute_remaining
            if used >= 0:
                self._costs.append(math.ceil(used / calls))
                self.known_cost = min(self._costs)
        self.update_limits(limits, now)
        self._own_points += calls * self.cost

    def record_limit_exceeded(self, error: LimitExceeded, now: float) -> None:
        """Record that the service refused a call for lack of points.

        `calls_allowed` then allows no call until the account gets new points.

        :param error: the service's refusal.
        :param now: epoch seconds.
        """
        why = "the day's points" if error.per_day else "the minute's points"
        self.pause_until(now + error.retry_after, why)

    def pause_until(self, until: float, why: str) -> None:
        """Allow no call before the time ``until``.

        An earlier pause stays in force, with its reason, if it ends later than ``until``.

        :param until: epoch seconds.
        :param why: what the campaign waits for, as text for the task's log, such as ``a free line of the
            account``.
        """
        if until > self._paused_until:
            self._paused_until, self._paused_for = until, why
        self._credit = 0.0

    def record_no_answer(self, now: float) -> None:
        """Pause dialling because a start request got no answer. After the pause, allow one call at a time.

        The first pause lasts five seconds. Each further use of this method doubles the pause, up to one
        minute. `record_answer` returns to the normal pace.

        A request without an answer may have placed a call, for which the campaign must search. The slow pace
        keeps the number of these unconfirmed calls small.

        :param now: epoch seconds.
        """
        pause = min(_FIRST_PAUSE * 2.0 ** min(self._unanswered_in_a_row, 8), _MINUTE)
        self.pause_until(now + pause, "the service's answers")
        self._unanswered_in_a_row += 1

    def record_answer(self) -> None:
        """Reset the pace of dialling to normal, because the service answers start requests again."""
        self._unanswered_in_a_row = 0

    def calls_allowed(self, now: float) -> int:
        """Return how many calls may be placed now.

        Each call uses points of the account. The pace spreads the points of a minute over the whole minute.

        :param now: epoch seconds.
        """
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
        """Return (time, reason): when the next call may be placed, and what the call waits for.

        The time is in epoch seconds. The reason is a text, such as ``the minute's points``. ``""``: the next
        call may be placed now, or waits only because calls are spread over the minute.
        """
        if now < self._paused_until:
            return self._paused_until, self._paused_for
        if self._budget_of("day", now) < 1:
            return self._reset_at("day"), "the day's points"
        if self._budget_of("minute", now) < 1:
            return self._reset_at("minute"), "the minute's points"
        rate = self._rate(now)
        if self._credit >= 1:
            return now, ""
        return now + max(_SHORTEST, min((1 - self._credit) / rate, _MINUTE) if rate > 0 else _MINUTE), ""

    @property
    def cost(self) -> int:
        """The points that one call costs: ``known_cost``, or a guess."""
        return 1 if self.known_cost is None else self.known_cost

    @property
    def points_left(self) -> int | None:
        """How many points (rate-limit units) are left in this minute. None: unknown."""
        return self._points_of("minute").left

    def calls_per_minute(self) -> float | None:
        """Return how many calls the rate limit of one minute allows. None: unknown."""
        limit = self._points_of("minute").limit
        return limit * (1 - self.reserve) / self.cost if limit and self.cost else None

    def forecast(self, calls: int, max_active: int) -> tuple[float, str]:
        """Return (minutes, limit): the shortest time that calls can take, and what limits the pace.

        The forecast assumes that each call lasts half a minute. The time is infinite if no call is possible.
        The limit is a text, such as ``the minute's points``.

        :param calls: how many calls to place.
        :param max_active: how many calls may be active at the same time.
        """
        rates = {"the limit of active calls (max_active_calls)": max_active * _MINUTE / _TYPICAL_CALL}
        if (rate := self.calls_per_minute()) is not None:
            rates["the minute's points"] = rate
        slowest = min(rates, key=lambda name: rates[name])
        minutes = calls / rates[slowest] if rates[slowest] else math.inf
        day = self._points_of("day")
        if day.limit and day.left is not None and self.cost:
            reserve = self._reserve_points("day")
            days = math.ceil((calls * self.cost - max(0, day.left - reserve)) / (day.limit - reserve))
            if days * _DAY_MINUTES > minutes:
                return days * _DAY_MINUTES, "the day's points"
        return minutes, slowest

    def _budget(self, now: float) -> float:
        if now < self._paused_until:
            return 0.0
        return min(self._budget_of("minute", now), self._budget_of("day", now))

    def _points_of(self, period: Period) -> Points:
        """Return the points of a period, as the newest answer of the service states them."""
        return self.limits.of(period) if self.limits else Points()

    def _budget_of(self, period: Period, now: float) -> float:
        """Return how many calls the remaining points of a ``period`` (minute or day) allow.

        The share `reserve` stays unused. Infinity: unknown.
        """
        left = self._points_left_of(period, now)
        if left is None or not self.cost:
            return math.inf
        return math.floor((left - self._reserve_points(period)) / self.cost)

    def _reserve_points(self, period: Period) -> int:
        return math.floor((self._points_of(period).limit or 0) * self.reserve)

    def _points_left_of(self, period: Period, now: float) -> float | None:
        points = self._points_of(period)
        if points.left is None:
            return None
        if now >= self._reset_at(period):
            # Allow at least one call, because only the answer to a call can show that the limit was raised.
            return max(points.limit or 0, self._reserve_points(period) + self.cost)
        return points.left - self._unconfirmed_points - self._others_rate() * (now - self._limits_at)

    def _others_rate(self) -> float:
        """Return how many points (rate-limit units) per second other programs have used in this minute.

        The result is an average. If the points are unknown, it is 0.0.
        """
        limit, left, reset = self._points_of("minute")
        if limit is None or left is None or reset is None:
            return 0.0
        # The other shards of the campaign count as other programs, too.
        used = limit - left - self._own_points
        return max(0, used) / max(_RATE_KNOWN_AFTER, _MINUTE - reset)

    def _is_same_minute(self, limits: Limits, now: float) -> bool:
        """Return whether the newest rate-limit counters are from the same minute as the stored counters."""
        before = self._points_of("minute").reset
        if before is None or limits.minute_reset is None:
            return False
        return now + limits.minute_reset < self._limits_at + before + _RATE_KNOWN_AFTER

    def _reset_at(self, period: Period) -> float:
        """Return when the points of ``period`` (``minute`` or ``day``) are reset, epoch seconds.

        The newest answer of the service states this time.
        """
        # Not counted from now: without a call, no newer answer comes, and the reset would never be reached.
        reset = self._points_of(period).reset
        seconds = UNKNOWN_RESETS[period] if reset is None else min(reset, LONGEST_RESETS[period])
        return self._limits_at + seconds + _LATE

    def _rate(self, now: float) -> float:
        """Return how many calls per second the account's points allow for the rest of the minute.

        If the points are unknown, return 1.0.
        """
        budget = self._budget(now)
        if math.isinf(budget):
            return 1.0  # A careful pace while the counters are unknown. The next answer carries the counters.
        is_known = self._points_of("minute").reset is not None
        left = self._reset_at("minute") - now if is_known else 0.0
        seconds = left if left > 0 else _MINUTE
        return budget / max(1.0, seconds - _EARLY)
