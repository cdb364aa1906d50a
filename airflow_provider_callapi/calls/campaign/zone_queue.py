"""Who is waiting to be called, by the clock on their own wall."""

from __future__ import annotations

import heapq
from collections import deque
from itertools import count

from airflow_provider_callapi.calls.campaign.hours import CallingHours

_NEVER = float("inf")


class ZoneQueue:
    """The people of one time zone: those who were called already come first, when it is their time."""

    def __init__(self, zone: str, hours: CallingHours) -> None:
        self.zone = zone
        self._hours = hours
        self._fresh: deque[str] = deque()
        self._later: list[tuple[float, int, str]] = []
        self._order = count()
        self._asked, self._opens, self._closes = _NEVER, 0.0, 0.0

    def __len__(self) -> int:
        return len(self._fresh) + len(self._later)

    def add(self, person: str) -> None:
        """To be called as soon as it is their turn."""
        self._fresh.append(person)

    def add_later(self, person: str, due: float) -> None:
        """To be called at that time or after it."""
        heapq.heappush(self._later, (due, next(self._order), person))

    def open_until(self, now: float) -> float | None:
        """When the open window closes; None: it is not open."""
        return self._closes if self._opens_at(now) <= now else None

    def take(self, now: float) -> str | None:
        """Whose turn it is, if the window is open (see `open_until`)."""
        if self._later and self._later[0][0] <= now:
            return heapq.heappop(self._later)[2]
        return self._fresh.popleft() if self._fresh else None

    def next_at(self, now: float) -> float:
        """When somebody of this zone may be called next."""
        due = _NEVER
        if self._fresh:
            due = now
        elif self._later:
            due = max(now, self._later[0][0])
        if due == _NEVER:
            return due
        return max(due, self._opens_at(due))

    def _opens_at(self, at: float) -> float:
        """The beginning of the window that is open at that time, or of the next one."""
        if not self._asked <= at < self._closes:
            self._asked = at
            self._opens, self._closes = self._hours.window(at, self.zone)
        return self._opens

    def clear(self) -> list[str]:
        """Everybody, who will not be called any more."""
        people = [*self._fresh, *(person for _, _, person in self._later)]
        self._fresh.clear()
        self._later.clear()
        return people
