"""One poll loop for any number of subscribers. A subscriber is, for example, the trigger of a waiting task.

A thousand waiting tasks send no more requests than one waiting task. A subscriber that waits for one call
gets only the snapshots in which this call may have changed. Most calls do not change from one snapshot to the
next, so a snapshot costs little time, even if thousands of tasks wait.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any

from airflow_provider_callapi.calls.watching.absence_history import SECOND_LOOK_AFTER, AbsenceHistory
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

NextSnapshot = Callable[[], Awaitable[Snapshot]]
"""A function that waits for a subscriber's next snapshot and returns the snapshot."""

_WOKEN_AT_ONCE = 200
"""The number of subscribers that run between two turns of the event loop.

If a snapshot concerns thousands of subscribers, other work of the event loop runs in between.
"""


class SharedPoll:
    """A poll loop for many subscribers, such as the triggers of tasks that wait for calls.

    The loop runs while there are subscribers. The pause between two polls is the shortest interval of the
    subscribers.

    - After a rate limit refused a poll, the pause is longer.
    - If a call that a subscriber waits for is newly missing, the pause may be shorter, see `AbsenceHistory`.

    :param take_snapshot: a function that polls once and returns the snapshot. It must not block the event
        loop.
    :param history: what earlier polls of the account have shown about missing calls. The loop adds each new
        snapshot. None: there were no earlier polls.
    :param when_idle: a function that is called when the last subscriber has left.
    :param sleep: ``asyncio.sleep``, or a replacement in a test.
    """

    def __init__(
        self,
        take_snapshot: Callable[[], Awaitable[Snapshot]],
        *,
        history: AbsenceHistory | None = None,
        when_idle: Callable[[], object] = lambda: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._take_snapshot = take_snapshot
        self._history = AbsenceHistory() if history is None else history
        self._when_idle = when_idle
        self._sleep = sleep
        self._subscriptions: dict[Subscription, None] = {}
        """The subscriptions in the order in which they began."""
        self._intervals: Counter[float] = Counter()
        """Interval in seconds → the number of subscriptions with this interval."""
        self._newest: Snapshot | None = None
        self._loop_task: asyncio.Task[None] | None = None
        self._subscriptions_changed = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether no subscriber, such as the trigger of a waiting task, uses this poll."""
        return not self._subscriptions

    @property
    def awaited_answers(self) -> set[int]:
        """The session ids of all calls for whose answer a subscriber waits."""
        return {call for subscription in self._subscriptions for call in subscription.awaited()}

    @property
    def _watched(self) -> set[int]:
        """The session ids of the calls for which subscribers wait: the ``only_call`` of each subscriber."""
        calls = (subscription.only_call for subscription in self._subscriptions)
        return {call for call in calls if call is not None}

    def awaited_ends(self, snapshot: Snapshot) -> set[int]:
        """Return the session ids of the watched calls about whose end the Data API should be asked.

        Some subscribers wait for one call only. These calls are the watched calls. The result contains two
        kinds of watched calls, which may come back in a later snapshot:

        - The previous snapshot shows the call, and the new snapshot does not.
        - The new snapshot does not show the call, and does not prove that it is not active. No number of such
          snapshots would end the wait.

        :param snapshot: the new snapshot, which the subscribers have not received yet.
        """
        before = self._newest.sessions if self._newest else {}
        return {
            call
            for call in self._watched
            if snapshot.omits(call) and (call in before or not snapshot.proves_absence(call))
        }

    def subscribe(
        self,
        interval: float,
        awaited: Callable[[], Iterable[int]] = tuple,
        *,
        only_call: int | None = None,
        wake_at: float = math.inf,
    ) -> Subscription:
        """Return a subscription to the snapshots. It begins and ends with its ``async with`` block.

        ``async with poll.subscribe(5.0) as next_snapshot: snapshot = await next_snapshot()``

        :param interval: seconds between two polls. The shortest interval of all subscribers is used.
        :param awaited: a function that returns the session ids of those calls for which the subscriber waits
            until a contact picks up.
        :param only_call: the session id of the only call for which the subscriber waits. The subscriber gets
            the first snapshot, and later only snapshots that may concern this call. None: the subscriber gets
            every snapshot.
        :param wake_at: epoch seconds, e.g. the deadline of the wait. From this time on, a subscriber with
            ``only_call`` gets every snapshot.
        :raises ValueError: the interval is not positive.
        """
        if interval <= 0:
            raise ValueError(f"the interval between two polls must be positive, not {interval:g}")
        return Subscription(self, interval, awaited, only_call, wake_at)

    def add(self, subscription: Subscription) -> None:
        """Begin a subscription. Start the poll loop if the loop does not run."""
        if subscription.interval < min(self._intervals, default=subscription.interval):
            self._subscriptions_changed.set()
        self._subscriptions[subscription] = None
        self._intervals[subscription.interval] += 1
        if self._loop_task is None:
            # The context is empty, because the loop logs for all subscribers and not only for the first one.
            self._loop_task = asyncio.create_task(self._run(), context=contextvars.Context())

    def remove(self, subscription: Subscription) -> None:
        """End a subscription. The poll loop ends with the last subscription."""
        del self._subscriptions[subscription]
        self._intervals[subscription.interval] -= 1
        self._intervals += Counter()  # drops intervals that no subscription has
        if not self._subscriptions:
            # This ends the pause. A poll in progress is not cancelled, so two polls never run at once.
            self._subscriptions_changed.set()
            self._when_idle()

    async def _run(self) -> None:
        try:
            while self._subscriptions:
                snapshot = self._history.extend(await self._take_snapshot())
                await self._publish(snapshot)
                await self._pause_after(snapshot)
        except Exception as error:  # a bug: the subscribers raise the error instead of waiting for ever
            self._fail(error)
        except asyncio.CancelledError:
            self._fail(RuntimeError("the shared poll was cancelled"))
            raise
        finally:
            self._newest = None
            self._loop_task = None

    async def _publish(self, snapshot: Snapshot) -> None:
        """Give a snapshot to the subscribers that it concerns, see `Subscription.is_concerned_by`."""
        before, self._newest = self._newest, snapshot
        concerned = [each for each in self._subscriptions if each.is_concerned_by(snapshot, before)]
        for number, subscription in enumerate(concerned):
            if number and number % _WOKEN_AT_ONCE == 0:
                await asyncio.sleep(0)
            subscription.deliver(snapshot)

    def _fail(self, error: Exception) -> None:
        for subscription in self._subscriptions:
            subscription.deliver(error)

    async def _pause_after(self, snapshot: Snapshot) -> None:
        """Sleep until the time of the next poll, or until no subscribers are left."""
        pauses: set[asyncio.Future[Any]] = set()
        has_second_look = self._history.permits_second_look(self._watched)
        if has_second_look:
            self._history.begin_second_look()
        try:
            while self._subscriptions:
                # A new subscriber may want a shorter interval. It counts from the moment of joining.
                seconds = snapshot.pause(min(self._intervals))
                if has_second_look:
                    seconds = min(seconds, SECOND_LOOK_AFTER)
                pauses.add(asyncio.ensure_future(self._sleep(seconds)))
                self._subscriptions_changed.clear()
                changed: asyncio.Future[Any] = asyncio.ensure_future(self._subscriptions_changed.wait())
                done, _ = await asyncio.wait({*pauses, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if done & pauses:
                    return
        finally:
            for pause in pauses:
                pause.cancel()


class Subscription:
    """One subscriber's part in a `SharedPoll`, from the beginning to the end of an ``async with`` block.

    :ivar interval: the wanted number of seconds between two polls, see `SharedPoll.subscribe`.
    :ivar awaited: a function that returns the session ids of the calls for whose answer the subscriber waits.
    :ivar only_call: the session id of the only call for which the subscriber waits. The subscriber then gets
        only the snapshots that matter for this call. None: the subscriber gets all snapshots.
    """

    # No __dict__ and no queue, so that ten thousand subscriptions need little memory.
    __slots__ = (
        "_arrival",
        "_arrived",
        "_has_received",
        "_poll",
        "_wake_at",
        "awaited",
        "interval",
        "only_call",
    )

    def __init__(
        self,
        poll: SharedPoll,
        interval: float,
        awaited: Callable[[], Iterable[int]],
        only_call: int | None,
        wake_at: float,
    ) -> None:
        self.interval = interval
        self.awaited = awaited
        self._poll = poll
        self.only_call = only_call
        self._wake_at = wake_at
        self._has_received = False
        self._arrived: list[Snapshot | Exception] = []
        self._arrival: asyncio.Future[None] | None = None

    async def __aenter__(self) -> NextSnapshot:
        self._poll.add(self)
        return self.next_snapshot

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._poll.remove(self)

    async def next_snapshot(self) -> Snapshot:
        """Wait for the next snapshot that this subscriber gets, see `only_call`, and return it.

        The snapshot of a large account takes much memory, so the caller should not keep the snapshot.
        """
        while not self._arrived:
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        item = self._arrived.pop(0)
        if isinstance(item, Exception):
            raise item
        return item

    def is_concerned_by(self, snapshot: Snapshot, before: Snapshot | None) -> bool:
        """Return whether this subscriber must get the new snapshot.

        A subscriber with ``only_call`` must get its first snapshot, the snapshots that may concern this call,
        and every snapshot from its ``wake_at`` on. Any other subscriber must get every snapshot.

        :param snapshot: the new snapshot.
        :param before: the previous snapshot; None: there is no earlier snapshot.
        """
        if self.only_call is None or before is None or not self._has_received:
            return True
        return snapshot.at >= self._wake_at or snapshot.concerns(self.only_call, before)

    def deliver(self, item: Snapshot | Exception) -> None:
        """Hand over a snapshot, which `next_snapshot` returns, or an error, which `next_snapshot` raises."""
        self._has_received = True
        self._arrived.append(item)
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
