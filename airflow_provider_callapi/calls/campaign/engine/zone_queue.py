"""Queues of the people who wait for a call: one queue for each time zone."""

from __future__ import annotations

import heapq
from collections import deque
from itertools import count

from airflow_provider_callapi.calls.calling_hours.hours import NEVER, CallingHours
from airflow_provider_callapi.calls.campaign.contact_list.people import Person


class ZoneQueue:
    """A queue of the people of one time zone who wait for a call. Due redials come before new people.

    :param zone: IANA name of the time zone.
    :param hours: when people may be called.
    """

    def __init__(self, zone: str, hours: CallingHours) -> None:
        self.zone = zone
        self._hours = hours
        self._fresh: deque[str] = deque()
        self._later: list[tuple[float, int, str]] = []
        self._order = count()
        self._window_asked_at, self._opens, self._closes = NEVER, 0.0, 0.0

    def __len__(self) -> int:
        return len(self._fresh) + len(self._later)

    def __bool__(self) -> bool:
        return bool(self._fresh or self._later)

    def add(self, key: str) -> None:
        """Add to this queue the key of a person who may be called at once."""
        self._fresh.append(key)

    def add_later(self, key: str, due: float) -> None:
        """Add to this queue the key of a person who may not be called before the time ``due``.

        :param due: epoch seconds.
        """
        heapq.heappush(self._later, (due, next(self._order), key))

    def open_until(self, now: float) -> float | None:
        """Return when the zone's calling window closes, epoch seconds; None: no window is open now.

        :param now: epoch seconds.
        """
        return self._closes if self._opens_at(now) <= now else None

    def take(self, now: float) -> str | None:
        """Remove and return the key of the next person who may be called; None: no person is due.

        A person whose redial is due comes before the people who were not called yet.

        :param now: epoch seconds. A calling window of the zone must be open at this time (see `open_until`).
        """
        if self._later and self._later[0][0] <= now:
            return heapq.heappop(self._later)[2]
        return self._fresh.popleft() if self._fresh else None

    def next_at(self, now: float) -> float:
        """Return when the zone's next person may be called, epoch seconds; infinity: no person waits."""
        if self._fresh:
            due = now
        elif self._later:
            due = max(now, self._later[0][0])
        else:
            return NEVER
        return max(due, self._opens_at(due))

    def _opens_at(self, at: float) -> float:
        """Return the beginning of the calling window that contains ``at``, or else of the next window.

        ``at`` and the result are epoch seconds.
        """
        if not self._window_asked_at <= at < self._closes:
            self._window_asked_at = at
            self._opens, self._closes = self._hours.window(at, self.zone)
        return self._opens

    def clear(self) -> list[str]:
        """Remove all people from the queue. Return the keys of the removed people."""
        keys = [*self._fresh, *(key for _, _, key in self._later)]
        self._fresh.clear()
        self._later.clear()
        return keys


class ZoneQueues:
    """The queues of all people who wait for a call, one queue for each time zone."""

    def __init__(self, hours: CallingHours) -> None:
        self._hours = hours
        self._queues: dict[str, ZoneQueue] = {}

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def __bool__(self) -> bool:
        return any(self._queues.values())

    def add(self, person: Person) -> None:
        """Add a person who may be called at once. The person joins the queue of the person's time zone."""
        self._queue_of(person).add(person.key)

    def add_later(self, person: Person, due: float) -> None:
        """Add a person who may not be called before the time ``due``.

        The person joins the queue of the person's time zone.

        :param due: epoch seconds.
        """
        self._queue_of(person).add_later(person.key, due)

    def is_open(self, person: Person, now: float) -> bool:
        """Return whether a calling window is open now in the person's time zone."""
        return self._queue_of(person).open_until(now) is not None

    def open_queues(self, now: float) -> list[ZoneQueue]:
        """Return the queues of the time zones in which people wait and may be called now.

        The queue whose calling window closes first comes first.
        """
        open_now = [
            (closes, queue)
            for queue in self._queues.values()
            if queue and (closes := queue.open_until(now)) is not None
        ]
        return [queue for _, queue in sorted(open_now, key=lambda pair: pair[0])]

    def next_at(self, now: float) -> float:
        """Return when the next person of any zone may be called, epoch seconds; infinity: no person waits."""
        return min((queue.next_at(now) for queue in self._queues.values()), default=NEVER)

    def clear_from(self, end: float, now: float) -> list[str]:
        """Remove the waiting people of each time zone in which nobody may be called before ``end``.

        :param end: epoch seconds.
        :param now: epoch seconds.
        :return: the keys of the removed people.
        """
        return [key for queue in self._queues_from(end, now) for key in queue.clear()]

    def count_from(self, end: float, now: float) -> int:
        """Return how many people `clear_from` would remove.

        :param end: epoch seconds.
        :param now: epoch seconds.
        """
        return sum(map(len, self._queues_from(end, now)))

    def _queues_from(self, end: float, now: float) -> list[ZoneQueue]:
        return [queue for queue in self._queues.values() if queue and queue.next_at(now) >= end]

    def _queue_of(self, person: Person) -> ZoneQueue:
        if person.zone not in self._queues:
            self._queues[person.zone] = ZoneQueue(person.zone, self._hours)
        return self._queues[person.zone]
