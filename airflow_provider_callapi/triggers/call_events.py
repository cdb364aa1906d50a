"""Calls as asset events: a call that starts, is answered or ends starts a DAG.

Goes with an `AssetWatcher`, and listens to the poll that all triggers of a connection share, waits for
single calls included; Airflow's own shared streams (3.3+) would be a second one.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.events import KINDS, CallWatch, Kind, Wanted

if TYPE_CHECKING:
    from airflow_provider_callapi.calls.snapshot import Snapshot

_PATIENCE = 10
"""Failed looks in a row after which the connection is read anew: it may have been corrected."""
_PAUSE = 60.0
"""Seconds before that. A wrong password is not tried every five."""
_LONGEST_INTERVAL = 600.0
_SAY_AGAIN = 600.0
"""Seconds between two log lines about the same trouble."""
_SAVE_AGAIN = 300.0
"""Seconds after which a quiet memory is saved again, lest it seem out of date."""


class CallApiEventTrigger(BaseEventTrigger):
    """Fires whenever a call starts, is answered or ends. For an `AssetWatcher`; never ends by itself.

    .. code-block:: python

        calls = Asset("inbound_calls", watchers=[
            AssetWatcher(name="calls", trigger=CallApiEventTrigger(events="started", direction="in")),
        ])

    The payload of the asset event, ``event.extra["payload"]``, is the dict of a call as the start
    operators return it (any operator and the sensor take it as a ``call_session_id``), and ``event``,
    ``seen_at`` (ISO 8601, UTC), ``direction``, ``virtual_phone_number``, ``start_time`` (the service's
    text, in the account's zone). **Several events may start one DAG run**: go through all of
    ``triggering_asset_events``.

    Each event is told once, by the first look that shows it. A call that begins and ends between two
    looks is not told. ``answered`` means that the contact's leg left Дозвон / На очереди: an inbound
    contact talks to somebody, or to a menu. ``ended`` is told when two looks in a row lack the call.

    What happens around a restart of the triggerer, with Airflow's asset state (3.3+): nothing is told
    twice; what happened meanwhile is told by the first look, unless nobody looked for more than an hour;
    lost are calls that began and ended meanwhile, and events of the last second before a kill. Without
    asset state, the first look only says what is there: a call active then is not told as started, nor
    as answered if it is in a talk, and calls that ended meanwhile are lost.

    Trouble does not end it (Airflow would start it again at once, and it would have forgotten what it
    saw): it says so in the triggerer's log, as an error where a person has to act, and goes on.

    :param callapi_conn_id: the connection.
    :param events: which of ``started``, ``answered``, ``ended``; one, or several.
    :param direction: only ``in`` or ``out``.
    :param virtual_phone_numbers: only calls of these numbers of the account.
    :param contacts: only these people: phone numbers, or how they begin (``"7495"``). They are in the DAG
        file, and in the serialized DAG.
    :param include_phone_numbers: add ``contact_phone_number``. An asset event, and the triggerer's log of
        it, is there for everybody to read.
    :param poll_interval: seconds between two looks, at most 600; the connection's most impatient trigger
        decides.
    :raises ValueError: names the parameter.
    """

    def __init__(
        self,
        *,
        callapi_conn_id: str = "callapi_default",
        events: Kind | Sequence[Kind] = "started",
        direction: Literal["in", "out"] | None = None,
        virtual_phone_numbers: str | Sequence[str] = (),
        contacts: str | Sequence[str] = (),
        include_phone_numbers: bool = False,
        poll_interval: float = 5.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.callapi_conn_id = callapi_conn_id
        self.events = _several(events)
        self.direction = direction
        self.virtual_phone_numbers = _several(virtual_phone_numbers)
        self.contacts = _several(contacts)
        self.include_phone_numbers = include_phone_numbers
        self.poll_interval = float(poll_interval)
        if not self.events or not set(self.events) <= set(KINDS):
            raise ValueError(f"events: one or several of {KINDS} are needed, not {self.events}")
        if direction not in ("in", "out", None):
            raise ValueError(f"direction: in or out, not {direction!r}")
        for name in ("virtual_phone_numbers", "contacts"):
            if not all(number.isdecimal() for number in getattr(self, name)):
                raise ValueError(f"{name}: digits only, the country code first, no +")
        if not 0 < self.poll_interval <= _LONGEST_INTERVAL:
            raise ValueError(
                f"poll_interval: more than 0, at most {_LONGEST_INTERVAL:g}, not {poll_interval}"
            )
        self._said: dict[tuple[Any, ...], float] = {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path and the arguments, plain JSON: Airflow tells watchers apart by them."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "callapi_conn_id": self.callapi_conn_id,
                "events": list(self.events),
                "direction": self.direction,
                "virtual_phone_numbers": list(self.virtual_phone_numbers),
                "contacts": list(self.contacts),
                "include_phone_numbers": self.include_phone_numbers,
                "poll_interval": self.poll_interval,
            },
        )

    def __repr__(self) -> str:
        return mask_phones(super().__repr__())

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event for each `CallEvent` that was asked for, for ever."""
        wanted = Wanted(self.direction, self.virtual_phone_numbers, self.contacts)
        watch = CallWatch(wanted, self.include_phone_numbers)
        await self._remember(watch)
        saved = -math.inf
        async with aclosing(self._looks()) as looks:
            async for snapshot in looks:
                events = watch.update(snapshot)
                if events or watch.anew or snapshot.at - saved > _SAVE_AGAIN:
                    # before it is told: an event may be lost by a kill, and is never told twice
                    saved = snapshot.at if await self._save(watch) else -math.inf
                for event in events:
                    if event.kind in self.events:
                        yield TriggerEvent(event.to_json())

    async def _looks(self) -> AsyncGenerator[Snapshot, None]:
        """The successful looks, for ever."""
        # here, because DAG files import this module and are parsed all day
        from airflow_provider_callapi.triggers._loop.shared_poll import listen  # noqa: PLC0415

        while True:
            try:
                async with listen(self.callapi_conn_id, self.poll_interval) as next_snapshot:
                    failures = 0
                    while failures < _PATIENCE:
                        snapshot = await next_snapshot()
                        if snapshot.failure is None:
                            failures = 0
                            yield snapshot
                        else:
                            self._complain("A look at the active calls failed", snapshot.failure)
                            failures = _PATIENCE if snapshot.failure.permanent else failures + 1
            except Exception as error:  # a secrets backend that is down, a connection that is not there yet
                self._complain("The active calls cannot be looked at", error)
            await asyncio.sleep(_PAUSE)

    def _complain(self, what: str, error: Exception) -> None:
        """Log trouble; the same trouble again only after a while."""
        from airflow_provider_callapi.triggers._loop.shared_poll import is_permanent  # noqa: PLC0415

        kind = (what, type(error), getattr(error, "mnemonic", None))
        now = time.monotonic()
        if now - self._said.get(kind, -math.inf) < _SAY_AGAIN:
            return
        self._said[kind] = now
        if is_permanent(error):
            self.log.error("%s; somebody has to act (connection %s): %s", what, self.callapi_conn_id, error)
        else:
            self.log.warning("%s (connection %s): %s", what, self.callapi_conn_id, error)

    # --- what outlives the process ---

    async def _remember(self, watch: CallWatch) -> None:
        """Give the watch what an earlier process has seen, if anything."""
        for store in self._stores():
            try:
                memory = await store.aget(self._memory)
                if memory is not None:
                    watch.remember(memory)
            except Exception as error:  # begins anew, and says so
                self._complain("What was seen before could not be read from asset state", error)

    async def _save(self, watch: CallWatch) -> bool:
        """Whether what was seen is safe now, or cannot be."""
        stores = self._stores()
        saved = 0
        for store in stores:
            try:
                await store.aset(self._memory, watch.to_json())
                saved += 1
            except Exception as error:  # the calls go on
                self._complain("What was seen could not be written to asset state", error)
        return saved > 0 or not stores

    def _stores(self) -> list[Any]:
        """The state of each asset of this watcher; none before Airflow 3.3.

        Equal watchers of several assets are one trigger to Airflow. An asset may leave them (its DAG is
        paused) before the next start, so that each keeps the memory.
        """
        store = getattr(self, "asset_state_store", None)
        if store is None:
            return []
        # it has no public way to go through its assets, and is one itself only where there is one
        return list(getattr(store, "_by_name", {}).values()) or [store]

    @property
    def _memory(self) -> str:
        """The key of this watcher's memory: another watcher of the asset looks for something else."""
        arguments = json.dumps(self.serialize()[1], sort_keys=True).encode()
        return f"callapi_calls_{hashlib.sha256(arguments).hexdigest()[:16]}"


def _several(value: str | Sequence[str]) -> tuple[str, ...]:
    """In a fixed order, each once: Airflow compares."""
    return tuple(sorted({value} if isinstance(value, str) else set(value)))
