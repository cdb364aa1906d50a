"""Shares one slow read, such as a poll of the service, among all viewers of the page *Calls*.

All viewers within a few seconds get the result of the same read. Without a viewer, the module reads nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedLook(Generic[T]):
    """Reads a value, such as the active calls, and returns the same value to all viewers for some seconds.

    Several threads may use the object. While one thread reads, the others wait.

    :param take: a function that reads the value. It gets the time in epoch seconds.
    :param clock: a function that returns the time in epoch seconds.
    :param lifetime: how many seconds a value is used before a new one is read, e.g. 5.
    """

    def __init__(self, take: Callable[[float], T], clock: Callable[[], float], *, lifetime: float) -> None:
        self._take = take
        self._clock = clock
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._newest: tuple[float, T] | None = None

    def look(self) -> T:
        """Return the value that was read last, e.g. the active calls.

        If no value was read yet, or if the last value is older than ``lifetime``, read a new value first.
        """
        with self._lock:
            now = self._clock()
            if self._newest is not None:
                taken_at, seen = self._newest
                if taken_at <= now < taken_at + self._lifetime:
                    return seen
            seen = self._take(now)
            self._newest = (self._clock(), seen)
            return seen

    def expire(self) -> None:
        """Discard the newest value, so that the next `look` reads a new value.

        Use this method when a user has changed something, e.g. has released a call.
        """
        with self._lock:
            self._newest = None
