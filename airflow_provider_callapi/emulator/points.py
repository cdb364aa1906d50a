"""The points of an account: a limit per minute and per day, charged for successful requests.

Source: "Лимиты и ограничения" (limits) and "Мета-параметры" (metadata) of the vendor's document.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.errors import RpcError

FREE_METHODS = frozenset({"login.user", "list.calls", "list.talk_options"})
"""Methods without a charge. The document charges for answers with ``success`` or a session id."""


def weight(account: Account, method: str) -> int:
    """Return the points that a successful request costs."""
    return account.weights.get(method, 0 if method in FREE_METHODS else 1)


class Points:
    """The counters of one account.

    A minute is a minute of the clock. A day ends at midnight in the account's time zone.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._minute_end = self._day_end = -math.inf
        self._minute_used = self._day_used = 0

    def check(self, points: int, now: float) -> None:
        """Check that the points are available. A request for 0 points always passes.

        :raises RpcError: limit_exceeded.
        """
        self._start_new_periods(now)
        account = self._account
        for name, limit, used in (
            ("day", account.day_limit, self._day_used),
            ("minute", account.minute_limit, self._minute_used),
        ):
            if points and used + points > limit:
                raise RpcError("limit_exceeded", limit_type=name, limit_max_value=limit)

    def charge(self, points: int, now: float) -> None:
        """Charge the points of a successful request."""
        self._start_new_periods(now)
        self._minute_used += points
        self._day_used += points

    def limits(self, now: float) -> dict[str, int]:
        """Return ``metadata.limits``."""
        self._start_new_periods(now)
        account = self._account
        return {
            "day_limit": account.day_limit,
            "day_remaining": max(0, account.day_limit - self._day_used),
            "day_reset": math.ceil(self._day_end - now),
            "minute_limit": account.minute_limit,
            "minute_remaining": max(0, account.minute_limit - self._minute_used),
            "minute_reset": math.ceil(self._minute_end - now),
        }

    def _start_new_periods(self, now: float) -> None:
        if now >= self._minute_end:
            self._minute_end = (now // 60 + 1) * 60
            self._minute_used = 0
        if now >= self._day_end:
            zone = ZoneInfo(self._account.timezone)
            tomorrow = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
            midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone)
            self._day_end = midnight.timestamp()
            self._day_used = 0
