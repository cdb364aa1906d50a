"""Clocks for the exchange.

`ManualClock` moves only when a test calls `ManualClock.advance`. `FastClock` runs at a multiple of real time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

Clock = Callable[[], float]
"""A function that returns the current time in epoch seconds."""


class ManualClock:
    """A clock that stands still until the method `advance` moves the clock forward.

    Calling the clock returns the time in epoch seconds. Several threads may use the clock.

    :param start: the time that the clock first shows, in epoch seconds. None: the present time. An Airflow
        operator asks for reports by the real time. If this clock differs from the real time by more than a
        day, the operator finds no report of its call.
    """

    def __init__(self, start: float | None = None) -> None:
        self._lock = threading.Lock()
        self._now = time.time() if start is None else start

    def __call__(self) -> float:
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> float:
        """Move the clock forward and return the new time in epoch seconds.

        :param seconds: how far the clock moves; zero or more.
        :raises ValueError: ``seconds`` is negative.
        """
        if seconds < 0:
            raise ValueError("seconds: the clock cannot go back; give 0 or more")
        with self._lock:
            self._now += seconds
            return self._now


class FastClock:
    """A clock that starts at the current time and runs ``speed`` times as fast as real time.

    Calling the clock returns the time in epoch seconds.

    :param speed: clock seconds per real second. With 60, a minute of the clock takes one real second.
    :raises ValueError: ``speed`` is not positive.
    """

    def __init__(self, speed: float) -> None:
        if speed <= 0:
            raise ValueError("speed: must be greater than 0")
        self._speed = speed
        self._epoch = time.time()
        self._started = time.monotonic()

    def __call__(self) -> float:
        return self._epoch + (time.monotonic() - self._started) * self._speed
