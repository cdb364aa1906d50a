"""Shares one slow read, such as a poll of the service, among all viewers of the page *Calls*.

All viewers within a few seconds get the result of the same read. Without a viewer, the module reads nothing.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.supervision.own_thread import run_in_own_thread

T = TypeVar("T")

_LIFETIME = 5.0
"""Seconds for which one value serves all viewers. The page renews itself as often."""


class SharedLook(Generic[T]):
    """Reads a value, such as the active calls, and returns the same value to all viewers for five seconds.

    Each read has a thread of its own. A viewer waits in the event loop and holds no thread: the threads of
    Airflow's API server also serve the running tasks, and a slow read must not take them.

    :param read: a function that reads the value. It must return or fail within seconds.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._newest: Future[tuple[float, T]] | None = None
        """The newest read: its end in epoch seconds, and the value. None: the next viewer starts a read."""

    async def look(self) -> T:
        """Return the value that was read last, e.g. the active calls.

        If no value was read yet, or if the last value is older than five seconds, read a new value first.
        """
        with self._lock:
            if self._newest is None or not _serves(self._newest):
                self._newest = run_in_own_thread("callapi-look", self._read_in_turn)
            newest = self._newest
        _, value = await asyncio.wrap_future(newest)
        return value

    def _read_in_turn(self) -> tuple[float, T]:
        with self._turn:  # after `expire`, the next read begins before this one has ended
            value = self._read()
        return system_clock.now(), value

    def expire(self) -> None:
        """Discard the newest value, also if it is still being read. The next `look` reads a new value.

        Use this method when a user has changed something, e.g. has released a call.
        """
        with self._lock:
            self._newest = None


def _serves(read: Future[tuple[float, T]]) -> bool:
    """Return whether a read serves the viewers who come now: it goes on, or its value is not too old."""
    if not read.done():
        return True
    if read.exception() is not None:
        return False
    ended_at, _ = read.result()
    return ended_at <= system_clock.now() < ended_at + _LIFETIME
