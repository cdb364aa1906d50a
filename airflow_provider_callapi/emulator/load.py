"""Keeps a number of calls active at the emulator, so that users can test a deployment with a busy account."""

from __future__ import annotations

import random
import threading
from itertools import count
from typing import Self

from airflow_provider_callapi.emulator.calls.script import Script
from airflow_provider_callapi.emulator.exchange import Exchange

MEAN_TALK_SECONDS = 180.0
"""The mean length of a talk. With 10 000 calls, about 55 calls end and begin in each second."""
MAX_CALLS = 100_000
"""The largest number of calls that a load keeps active."""
_FIRST_CONTACT = 79_990_000_000
_CONTACTS = 2 * MAX_CALLS
"""How many contacts call in turn."""
_PAUSE = 0.5
"""Real seconds between two searches for calls that have ended."""
_KEPT_SECONDS = 3600.0
"""How long the exchange keeps a finished call and the events in its journal."""
_FORGET_INTERVAL = 60.0
"""Seconds between two searches for old calls and events."""


class Load:
    """Keeps a number of inbound calls active at an exchange, inside a ``with`` block of the `Load` object.

    Each call lasts for a random time. A thread then places another call. The exchange forgets a call about an
    hour after its end.

    :param exchange: the emulated exchange whose first account receives the calls.
    :param calls: how many inbound calls stay active. Clients may start further calls.
    """

    def __init__(self, exchange: Exchange, calls: int) -> None:
        self._exchange = exchange
        self._calls = calls
        self._placed: set[int] = set()
        self._numbers = count()
        self._random = random.Random(1)  # noqa: S311 - no secret
        self._forgot_at = exchange.clock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="callapi-load", daemon=True)

    def __enter__(self) -> Self:
        self.place_missing()
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()

    def place_missing(self) -> None:
        """Place new inbound calls until as many calls are active as the user wants.

        Only calls that this object has placed count.
        """
        self._placed &= {call.call_session_id for call in self._exchange.active_calls}
        employees = [one.id for one in self._exchange.account.employees.values() if one.phone_numbers]
        if not employees:
            raise ValueError("the load needs an employee with a phone")
        for _ in range(self._calls - len(self._placed)):
            contact = str(_FIRST_CONTACT + next(self._numbers) % _CONTACTS)
            talk = self._random.expovariate(1 / MEAN_TALK_SECONDS)
            self._exchange.script(contact, Script(talks=talk))
            session = self._exchange.inbound(contact, employee_id=self._random.choice(employees))
            self._placed.add(session)

    def forget_old(self) -> None:
        """Remove calls that ended more than an hour ago, and events that happened more than an hour ago.

        The method does this at most once a minute. The exchange's clock measures the hour and the minute.
        """
        now = self._exchange.clock()
        if now - self._forgot_at >= _FORGET_INTERVAL:
            self._exchange.forget(before=now - _KEPT_SECONDS)
            self._forgot_at = now

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE):
            self.place_missing()
            self.forget_old()
