"""Determines how many calls may be placed now, so that the account's points are not used up too early.

`Pacing` spreads the points that are left in a minute over the rest of the minute, see `AccountPoints`.
"""

from __future__ import annotations

import math

from airflow_provider_callapi.api.errors import LimitExceeded
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.calls.campaign.engine.account_points import AccountPoints

_EARLY = 4.0
"""Pacing plans to have used the minute's points this many seconds before the counter resets."""
_BURST = 3.0
"""After a pause, as many calls may be placed at once as the normal pace allows in this many seconds."""
_SHARE_AT_ONCE = 4
"""At most a quarter of the points left may be used at once, because other users need points too."""
_MINUTE = 60.0
_DAY_MINUTES = 24 * 60.0
_TYPICAL_CALL = 30.0
"""Seconds that one call is assumed to last in a forecast."""
_SHORTEST = 0.01
"""The shortest pause, in seconds. A float of epoch seconds cannot represent a much shorter one."""
_FIRST_PAUSE = 5.0
"""Seconds for which no call is placed after a start request got no answer.

Each further request without an answer doubles the pause, up to one minute.
"""


class Pacing:
    """Decides how many calls a campaign may place now, from the account's points (rate-limit units).

    :param points: what is known of the account's points.
    """

    def __init__(self, points: AccountPoints) -> None:
        self.points = points
        self._credit = 1.0
        self._credited_at: float | None = None
        self._paused_until, self._paused_for = 0.0, ""
        self._unanswered_in_a_row = 0

    def record_requests(self, sent: int, calls: int, limits: Limits | None, now: float) -> None:
        """Record a batch of start requests, and learn how many points a call costs.

        :param sent: how many start requests the batch has.
        :param calls: how many of these requests placed a call.
        :param limits: the newest counters of the account's points. None: no reply contained new counters, so
            nothing is learned about the cost.
        :param now: epoch seconds.
        """
        self._credit -= sent
        self.points.record_calls(calls, limits, now)

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
        if self.points.calls_left(now, "day") < 1:
            return self.points.reset_at("day"), "the day's points"
        if self.points.calls_left(now, "minute") < 1:
            return self.points.reset_at("minute"), "the minute's points"
        rate = self._rate(now)
        if self._credit >= 1:
            return now, ""
        return now + max(_SHORTEST, min((1 - self._credit) / rate, _MINUTE) if rate > 0 else _MINUTE), ""

    def forecast(self, calls: int, max_active: int) -> tuple[float, str]:
        """Return (minutes, limit): the shortest time that calls can take, and what limits the pace.

        The forecast assumes that each call lasts half a minute. The time is infinite if no call is possible.
        The limit is a text, such as ``the minute's points``.

        :param calls: how many calls to place.
        :param max_active: how many calls may be active at the same time.
        """
        rates = {"the limit of active calls (max_active_calls)": max_active * _MINUTE / _TYPICAL_CALL}
        if (rate := self.points.calls_per_minute()) is not None:
            rates["the minute's points"] = rate
        slowest = min(rates, key=lambda name: rates[name])
        minutes = calls / rates[slowest] if rates[slowest] else math.inf
        days = self.points.days_of(calls)
        if days is not None and days * _DAY_MINUTES > minutes:
            return days * _DAY_MINUTES, "the day's points"
        return minutes, slowest

    def _budget(self, now: float) -> float:
        if now < self._paused_until:
            return 0.0
        return min(self.points.calls_left(now, "minute"), self.points.calls_left(now, "day"))

    def _rate(self, now: float) -> float:
        """Return how many calls per second the account's points allow for the rest of the minute.

        If the points are unknown, return 1.0.
        """
        budget = self._budget(now)
        if math.isinf(budget):
            return 1.0  # A careful pace while the counters are unknown. The next answer carries the counters.
        return budget / max(1.0, self.points.seconds_of_minute(now) - _EARLY)
