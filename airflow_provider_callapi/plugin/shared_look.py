"""Shares one slow read, such as a poll of the service, among all viewers of the page *Calls*.

All viewers within a few seconds get the result of the same read. Without a viewer, the module reads nothing.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedLook(Generic[T]):
    """Reads a value, such as the active calls, and returns the same value to all viewers for some seconds.

    Each read has a thread of its own. A viewer waits in the event loop and holds no thread: the threads of
    Airflow's API server also serve the running tasks, and a slow read must not take them.

    :param take: a function that reads the value. It gets the time in epoch seconds. It must return
        or fail within seconds.
    :param clock: a function that returns the time in epoch seconds.
    :param lifetime: how many seconds a value is used before a new one is read, e.g. 5.
    """

    def __init__(self, take: Callable[[float], T], clock: Callable[[], float], *, lifetime: float) -> None:
        self._take = take
        self._clock = clock
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._newest: tuple[float, T] | None = None
        self._awaited: Future[T] | None = None

    async def look(self) -> T:
        """Return the value that was read last, e.g. the active calls.

        If no value was read yet, or if the last value is older than ``lifetime``, read a new value first.
        """
        with self._lock:
            now = self._clock()
            if self._newest is not None:
                taken_at, seen = self._newest
                if taken_at <= now < taken_at + self._lifetime:
                    return seen
            if self._awaited is None:
                self._awaited = Future()
                self._awaited.set_running_or_notify_cancel()  # a viewer who leaves cannot cancel it
                threading.Thread(target=self._read, args=(self._awaited,), daemon=True).start()
            awaited = self._awaited
        return await asyncio.wrap_future(awaited)

    def _read(self, awaited: Future[T]) -> None:
        try:
            with self._turn:  # after `expire`, the next read begins before this one has ended
                seen = self._take(self._clock())
        except Exception as error:
            with self._lock:
                if self._awaited is awaited:
                    self._awaited = None
            awaited.set_exception(error)
            return
        with self._lock:
            if self._awaited is awaited:
                self._awaited = None
                self._newest = (self._clock(), seen)
        awaited.set_result(seen)

    def expire(self) -> None:
        """Discard the newest value, also if it is still being read. The next `look` reads a new value.

        Use this method when a user has changed something, e.g. has released a call.
        """
        with self._lock:
            self._newest = None
            self._awaited = None
