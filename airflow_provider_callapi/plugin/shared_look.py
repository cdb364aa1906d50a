"""One look for all people who watch the page.

All viewers within a few seconds get the same look. While no one watches the page, no one looks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedLook(Generic[T]):
    """Returns the same look to all viewers until the look is too old.

    Several threads may use the object at once. While one thread looks, the others wait for what it sees.

    :param take: looks once; called with the time in epoch seconds.
    :param clock: returns the time, epoch seconds.
    :param lifetime: seconds for which a look is shown, from the end of the looking.
    """

    def __init__(self, take: Callable[[float], T], clock: Callable[[], float], *, lifetime: float) -> None:
        self._take = take
        self._clock = clock
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._newest: tuple[float, T] | None = None

    def look(self) -> T:
        """Return the newest look. If it is too old, look again first."""
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
        """Make the next viewer look again, because a user has just changed something."""
        with self._lock:
            self._newest = None
