"""The trigger that starts a DAG when a call starts, is answered or ends. The trigger creates asset events.

An Airflow `AssetWatcher` contains the trigger. In one triggerer process, all triggers of an Airflow
connection share one poll loop. Airflow 3.3 has its own way to share work between triggers: shared streams.
This trigger does not use them, because they would need a second poll loop beside the loop of the waiting
tasks.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.phone_numbers.strict import read_number_or_prefix
from airflow_provider_callapi.calls.watching.events import (
    EVENT_KINDS,
    ActiveCallFilter,
    EventDetector,
    EventKind,
)
from airflow_provider_callapi.calls.watching.poll_interval import POLL_INTERVAL
from airflow_provider_callapi.parameters.kind import Kind, choice, read_each, seconds
from airflow_provider_callapi.parameters.kinds import FLAG, TEXT, TEXTS
from airflow_provider_callapi.parameters.schema import as_invalid_parameter, read_parameter
from airflow_provider_callapi.triggers._error_log import ErrorLog
from airflow_provider_callapi.triggers._saved_state import SavedState

if TYPE_CHECKING:
    from airflow_provider_callapi.calls.watching.snapshot import Snapshot

_FAILED_POLLS_BEFORE_RECONNECT = 10
"""The number of consecutive failed polls after which the trigger reads the connection again.

A user may have corrected the connection.
"""
_PAUSE_BEFORE_RECONNECT = 60.0
"""Seconds that the trigger waits after too many failed polls, before it polls again.

With a shorter pause, the trigger would send a wrong password too often.
"""
_INTERVAL = seconds(at_least=0.1, at_most=600.0)
_DIRECTION = choice(("in", "out")).or_none("both directions")
_SAVE_AGAIN_AFTER = 300.0
"""Seconds after which the trigger saves its state again, even if no call has changed.

The state is what the trigger knows of the active calls. After a restart, the trigger uses a saved state only
if the state is less than an hour old.
"""


def _read_events(value: Any) -> list[EventKind]:
    events = read_each(value, choice(EVENT_KINDS))
    if not events:
        raise ValueError
    return events


_EVENTS = Kind(f"one of {', '.join(EVENT_KINDS)}, or a list of them", _read_events)


class CallApiEventTrigger(BaseEventTrigger):
    """Fires when a call of the account starts, is answered or ends. Use it in an `AssetWatcher`.

    .. code-block:: python

        calls = Asset("inbound_calls", watchers=[
            AssetWatcher(name="calls", trigger=CallApiEventTrigger(events="started", direction="in")),
        ])

    The trigger polls the active calls, and reports each event once:

    - ``started``: a poll shows the call for the first time.
    - ``answered``: a poll or the Data API shows that the contact has picked up, or, in an inbound call, that
      the contact talks to an employee or hears a menu.
    - ``ended``: at least two successful polls in a row have not shown the call.

    The trigger does not notice a call that begins and ends between two polls.

    ``event.extra["payload"]`` of the asset event is a dict of the call. The control operators and the sensor
    accept this dict as ``call_session_id``. It contains the keys of the dict that the start operators return,
    and:

    - ``event``, ``direction`` and ``virtual_phone_number``.
    - ``seen_at``: when the poll showed the event, in ISO 8601, UTC.
    - ``start_time``: the service's text, in the account's time zone.

    **One DAG run can handle several events**: read all of ``triggering_asset_events``.

    After a restart of the triggerer:

    - Airflow 3.3+, and a state saved less than an hour ago: the trigger repeats no event, and reports the
      events of the pause. It misses calls that began and ended in the pause. If the triggerer was killed, the
      events of its last second may be lost.
    - Otherwise: the trigger reports only the events that happen after its first poll.

    The trigger logs errors and continues. A permanent error, which a user must correct, has the level ERROR.

    :param callapi_conn_id: id of the Airflow connection. Default: ``callapi_default``.
    :param events: one or several of ``started``, ``answered``, ``ended``. Default: ``started``.
    :param direction: only calls of this direction, ``in`` or ``out``. None (default): both.
    :param virtual_phone_numbers: only calls with these virtual numbers of the account. Empty (default): all.
    :param contacts: only calls with these contacts: phone numbers, or prefixes such as ``"7495"``. Empty
        (default): all. The numbers are visible in the DAG file and in the serialized DAG.
    :param region: ISO 3166 code of the country of phone numbers without a country code. Default: ``RU``.
        Prefixes always begin with the country code.
    :param include_phone_numbers: True: add ``contact_phone_number`` to the payload. Everyone who can see
        asset events or the triggerer's log can then read this number. Default: False.
    :param poll_interval: seconds between two polls, at most 600. Default: 5. The triggers of a connection
        share the polls, and the shortest interval counts.
    :raises InvalidParameter: the value of a parameter cannot be used, e.g. a phone number or prefix that
        cannot be read. The error message names the parameter.
    """

    def __init__(
        self,
        *,
        callapi_conn_id: str = "callapi_default",
        events: EventKind | Sequence[EventKind] = "started",
        direction: Literal["in", "out"] | None = None,
        virtual_phone_numbers: str | Sequence[str] = (),
        contacts: str | Sequence[str] = (),
        region: str = "RU",
        include_phone_numbers: bool = False,
        poll_interval: float = POLL_INTERVAL,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.callapi_conn_id = read_parameter("callapi_conn_id", callapi_conn_id, TEXT)
        self.events = _sorted_tuple(read_parameter("events", events, _EVENTS))
        self.direction = read_parameter("direction", direction, _DIRECTION)
        self.virtual_phone_numbers = _sorted_tuple(
            read_parameter("virtual_phone_numbers", virtual_phone_numbers, TEXTS)
        )
        self.contacts = _sorted_tuple(read_parameter("contacts", contacts, TEXTS))
        self.region = read_parameter("region", region, TEXT)
        self.include_phone_numbers = read_parameter("include_phone_numbers", include_phone_numbers, FLAG)
        self.poll_interval = read_parameter("poll_interval", poll_interval, _INTERVAL)
        self._call_filter = ActiveCallFilter(
            self.direction,
            self._read_numbers("virtual_phone_numbers"),
            self._read_numbers("contacts"),
        )

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the trigger's class path and its arguments as plain JSON.

        Airflow runs triggers with equal arguments as one trigger.
        """
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "callapi_conn_id": self.callapi_conn_id,
                "events": list(self.events),
                "direction": self.direction,
                "virtual_phone_numbers": list(self.virtual_phone_numbers),
                "contacts": list(self.contacts),
                "region": self.region,
                "include_phone_numbers": self.include_phone_numbers,
                "poll_interval": self.poll_interval,
            },
        )

    def _read_numbers(self, name: str) -> tuple[str, ...]:
        """Return the numbers and prefixes of a parameter as digits that begin with the country code.

        :raises InvalidParameter: a number cannot be read.
        """
        with as_invalid_parameter(name):
            return tuple(read_number_or_prefix(text, self.region) for text in getattr(self, name))

    def __repr__(self) -> str:
        return mask_phones(super().__repr__())

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one Airflow event for each call event that the parameters select, e.g. the end of a call.

        This generator never ends.
        """
        detector = EventDetector(self._call_filter, self.include_phone_numbers)
        errors = ErrorLog(self.log, self.callapi_conn_id)
        state = SavedState(self, errors)
        await state.restore(detector)
        saved_at = -math.inf
        awaited = detector.awaited_answers if "answered" in self.events else tuple
        async with aclosing(self._poll_snapshots(awaited, errors)) as snapshots:
            async for snapshot in snapshots:
                events = detector.update(snapshot)
                if events or detector.is_baseline or snapshot.at - saved_at > _SAVE_AGAIN_AFTER:
                    # Save before the events are yielded: a kill may lose an event, but never repeats one.
                    saved_at = snapshot.at if await state.save(detector) else -math.inf
                for event in events:
                    if event.kind in self.events:
                        yield TriggerEvent(event.to_json())

    async def _poll_snapshots(
        self, awaited: Callable[[], Iterable[int]], errors: ErrorLog
    ) -> AsyncGenerator[Snapshot, None]:
        """Yield the result of each successful poll in an endless loop.

        After repeated failures or a permanent error, pause and read the connection again.
        """
        # imported here, because DAG files import this module and are parsed all day
        from airflow_provider_callapi.event_loop.polls_by_connection import subscribe  # noqa: PLC0415

        while True:
            try:
                async with subscribe(self.callapi_conn_id, self.poll_interval, awaited) as next_snapshot:
                    failures = 0
                    while failures < _FAILED_POLLS_BEFORE_RECONNECT:
                        snapshot = await next_snapshot()
                        if snapshot.failure is None:
                            failures = 0
                            yield snapshot
                        else:
                            errors.log_failed_poll("Polling the active calls failed", snapshot.failure)
                            permanent = snapshot.failure.permanent
                            failures = _FAILED_POLLS_BEFORE_RECONNECT if permanent else failures + 1
            except Exception as error:  # the secrets backend is down, or the connection does not exist yet
                errors.log_failed_poll("The active calls cannot be polled", error)
            await asyncio.sleep(_PAUSE_BEFORE_RECONNECT)


def _sorted_tuple(texts: list[str]) -> tuple[str, ...]:
    """Return texts as a sorted tuple without repetitions."""
    # Airflow runs triggers with equal arguments as one trigger, so the authors' order must not matter.
    return tuple(sorted(set(texts)))
