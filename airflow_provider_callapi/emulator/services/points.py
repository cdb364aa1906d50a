"""Count the points that an account has used. Points are the API's rate-limit units.

A successful request costs points. An account has a limit per minute and a limit per day.

Source: "Лимиты и ограничения" (limits) and "Мета-параметры" (metadata) of the vendor's document.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.errors import RpcError

FREE_METHODS = frozenset({"login.user", "list.calls", "list.talk_options"})
"""Methods of the Call API that cost no points at the emulator.

The vendor documents no cost of a method. In the vendor's document, only a request whose answer contains
``success`` or a session id costs points, and the answers of these methods contain neither. Whether the
service charges a poll is not known.
"""


def weight(account: Account, method: str) -> int:
    """Return how many points (rate-limit units) a successful request for a Call API method costs.

    `Account.weights` states the number. Without an entry for the method, the number is 0 for a method in
    `FREE_METHODS`, and 1 for any other method.
    """
    return account.weights.get(method, 0 if method in FREE_METHODS else 1)


class Points:
    """The points that one account has used in the present minute and on the present day.

    Points are the API's rate-limit units. A minute starts when the exchange's clock shows second 0. A day
    ends at midnight in the account's time zone.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._minute_end = self._day_end = -math.inf
        self._minute_used = self._day_used = 0

    def shortage(self, points: int, now: float) -> RpcError | None:
        """Return the error ``limit_exceeded`` if too few points are left for a request, else None.

        The account needs enough points both in the present minute and on the present day. A request that
        costs 0 points never lacks points.

        :param points: the points that the request costs.
        :param now: the time of the request, in epoch seconds.
        """
        self._start_new_periods(now)
        account = self._account
        for name, limit, used in (
            ("day", account.day_limit, self._day_used),
            ("minute", account.minute_limit, self._minute_used),
        ):
            if points and used + points > limit:
                return RpcError("limit_exceeded", limit_type=name, limit_max_value=limit)
        return None

    def charge(self, points: int, now: float) -> None:
        """Add the points of a successful request to the points that the account has used.

        :param points: the points that the request costs.
        :param now: the time of the request, in epoch seconds.
        """
        self._start_new_periods(now)
        self._minute_used += points
        self._day_used += points

    def limits(self, now: float) -> dict[str, int]:
        """Return the account's limits, and the points that are left.

        Most answers of the emulator contain this dict as ``metadata.limits``.

        :param now: the present time, in epoch seconds.
        :return: a dict with six keys: ``minute_limit`` and ``minute_remaining`` in points, and
            ``minute_reset``: seconds until the present minute ends. ``day_limit``, ``day_remaining`` and
            ``day_reset`` are the same for the day.
        """
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
