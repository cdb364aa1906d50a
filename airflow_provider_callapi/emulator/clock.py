"""The exchange's clocks: one that a test moves by hand, and one that runs faster than the wall's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Epoch seconds now."""


class ManualClock:
    """A clock that stands still until `advance` moves it. Thread-safe.

    :param start: epoch seconds.
    """

    def __init__(self, start: float = 1_760_000_000.0) -> None:
        self._lock = threading.Lock()
        self._now = start

    def __call__(self) -> float:
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> float:
        """Move on, never back; returns the new time."""
        if seconds < 0:
            raise ValueError("a clock does not go back")
        with self._lock:
            self._now += seconds
            return self._now


class FastClock:
    """The wall clock, ``speed`` times as fast from now on."""

    def __init__(self, speed: float) -> None:
        if speed <= 0:
            raise ValueError("speed must be positive")
        self._speed = speed
        self._epoch = time.time()
        self._started = time.monotonic()

    def __call__(self) -> float:
        return self._epoch + (time.monotonic() - self._started) * self._speed
