"""The account's points: so many in a minute, so many in a day, charged for what succeeded.

Source: "Лимиты и ограничения" (limits) and "Мета-параметры" (metadata) of the vendor's document.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.errors import Refusal

FREE = frozenset({"login.user", "list.calls", "list.talk_options"})
"""Their answers hold neither ``success`` nor a session id, which is what the document charges for."""


def weight(account: Account, method: str) -> int:
    """The points that a successful request costs."""
    return account.weights.get(method, 0 if method in FREE else 1)


class Points:
    """The counters of one account: a minute by the clock, a day in the account's zone."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._minute_end = self._day_end = -math.inf
        self._minute_used = self._day_used = 0

    def require(self, points: int, now: float) -> None:
        """Refuse what cannot be paid for. Something free is never refused."""
        self._turn(now)
        account = self._account
        for name, limit, used in (
            ("day", account.day_limit, self._day_used),
            ("minute", account.minute_limit, self._minute_used),
        ):
            if points and used + points > limit:
                raise Refusal("limit_exceeded", limit_type=name, limit_max_value=limit)

    def charge(self, points: int, now: float) -> None:
        """Take the points of a request that succeeded."""
        self._turn(now)
        self._minute_used += points
        self._day_used += points

    def limits(self, now: float) -> dict[str, int]:
        """``metadata.limits``."""
        self._turn(now)
        account = self._account
        return {
            "day_limit": account.day_limit,
            "day_remaining": max(0, account.day_limit - self._day_used),
            "day_reset": math.ceil(self._day_end - now),
            "minute_limit": account.minute_limit,
            "minute_remaining": max(0, account.minute_limit - self._minute_used),
            "minute_reset": math.ceil(self._minute_end - now),
        }

    def _turn(self, now: float) -> None:
        if now >= self._minute_end:
            self._minute_end = (now // 60 + 1) * 60
            self._minute_used = 0
        if now >= self._day_end:
            zone = ZoneInfo(self._account.timezone)
            tomorrow = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
            midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone)
            self._day_end = midnight.timestamp()
            self._day_used = 0
