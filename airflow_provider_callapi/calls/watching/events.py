"""Events of an account's calls, detected from snapshots: started, answered, ended.

Each event is reported once, at the first snapshot that shows the event. The event itself happened at the
time of that snapshot or before. A call that began and ended between two snapshots has no events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum
from typing import Any, Literal, get_args

from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.phone_numbers.comparison import begins_with, is_same_number
from airflow_provider_callapi.calls.texts.time_texts import iso_time
from airflow_provider_callapi.calls.watching.end_rule import TOLERANCE, PollTolerance
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

EventKind = Literal["started", "answered", "ended"]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
_LONGEST_GAP = 3600.0
"""The longest time in seconds between two snapshots whose changes are reported."""
_ENDED_KEPT = 600.0
"""How many seconds the detector remembers an ended call."""


class _Stage(IntEnum):
    """The latest stage of a call that the snapshots have shown. A call never returns to an earlier stage."""

    UNKNOWN = 0
    ACTIVE = 1
    ANSWERED = 2
    ENDED = 3


_EVENTS: Mapping[tuple[_Stage, _Stage], tuple[EventKind, ...]] = {
    (_Stage.UNKNOWN, _Stage.ACTIVE): ("started",),
    (_Stage.UNKNOWN, _Stage.ANSWERED): ("started", "answered"),
    (_Stage.ACTIVE, _Stage.ANSWERED): ("answered",),
    (_Stage.ACTIVE, _Stage.ENDED): ("ended",),
    (_Stage.ANSWERED, _Stage.ENDED): ("ended",),
}
"""(a call's stage before a snapshot, its stage after the snapshot) → the events of the call.

A pair that is missing has no events.
"""

_SESSION_FIELDS = ("direction", "virtual_phone_number", "start_time")
"""Fields that an event copies from a `CallSession`. ``start_time`` is text in the account's time zone."""


@dataclass(frozen=True)
class ActiveCallFilter:
    """The conditions that select some of an account's active calls. A call must meet all of them.

    :ivar direction: ``in`` or ``out``. None: both directions.
    :ivar virtual_phone_numbers: virtual numbers of the account. Empty: any number.
    :ivar contacts: phone numbers of contacts, or their first digits, e.g. ``7495``. Empty: any contact.
    """

    direction: str | None = None
    virtual_phone_numbers: tuple[str, ...] = ()
    contacts: tuple[str, ...] = field(default=(), repr=False)

    def matches(self, session: CallSession) -> bool:
        """Return whether an active call meets all conditions of this filter."""
        return (
            self.direction in (None, session.direction)
            and (
                not self.virtual_phone_numbers
                or any(
                    is_same_number(session.virtual_phone_number, own) for own in self.virtual_phone_numbers
                )
            )
            and (
                not self.contacts
                or any(begins_with(session.contact_phone_number, digits) for digits in self.contacts)
            )
        )


@dataclass(frozen=True)
class CallEvent:
    """One event of one call, e.g. that the contact answered.

    :ivar kind: ``started``, ``answered`` or ``ended``.
    :ivar seen_at: the time of the snapshot that first showed the event, epoch seconds.
    :ivar call: what was known of the call at that time. An event ``started`` never shows whether the contact
        answered.
    :ivar fields: the call's direction, virtual number and start time. If the DAG's author asked for phone
        numbers, also the contact's number.
    """

    kind: EventKind
    seen_at: float
    call: Outcome
    fields: Mapping[str, Any] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return the event as one dict of plain JSON.

        The dict contains the keys ``event`` and ``seen_at``, all keys of the call's outcome (see
        `Outcome.to_xcom`), and all keys of the attribute ``fields``.
        """
        seen_at = iso_time(self.seen_at)
        return {"event": self.kind, "seen_at": seen_at, **self.call.to_xcom(), **self.fields}


@dataclass(frozen=True)
class _WatchedCall:
    """What an event detector remembers of one active call until the next poll."""

    fields: dict[str, Any] = field(repr=False)  # may contain the contact's number, if an author asked for it
    observation: Observation
    stage: _Stage = _Stage.UNKNOWN  # UNKNOWN: a new call

    def event(self, kind: EventKind, call_session_id: int, seen_at: float) -> CallEvent:
        observation = self.observation
        # A call that is already answered when it is first listed has two events: "started" and "answered".
        # The event "started" must not contain the answer.
        answered_at = None if kind == "started" else observation.answered_at
        call = Outcome(
            call_session_id,
            external_id=observation.external_id,
            status="ended" if kind == "ended" else "started",
            answered=None if answered_at is None else True,
            answered_at=answered_at,
            ended_at=observation.missing_since if kind == "ended" else None,
            observed=True,
            tags=observation.tags,
            source="list.calls",
        )
        return CallEvent(kind, seen_at, call, self.fields)


@dataclass
class EventDetector:
    """Finds the events of an account's calls by comparing snapshots: started, answered, ended.

    A baseline is a snapshot from which the detector reports no events. Baselines are:

    - The first snapshot. Exception: `restore` has taken over what an earlier detector remembered.
    - A snapshot more than an hour after the last successful snapshot.

    The detector remembers an ended call for ten minutes. If ``list.calls`` shows the call again in this time,
    no events are reported, and the time begins again.

    :ivar call_filter: selects the calls whose events the detector reports.
    :ivar include_phone_numbers: whether events contain the contact's number.
    :ivar tolerance: how many consecutive snapshots without a call prove that the call has ended.
    :ivar is_baseline: whether the newest successful snapshot was a baseline.
    """

    call_filter: ActiveCallFilter = ActiveCallFilter()
    include_phone_numbers: bool = False
    tolerance: PollTolerance = TOLERANCE
    is_baseline: bool = field(default=False, init=False)
    _updated_at: float | None = field(default=None, init=False)
    _active: dict[int, _WatchedCall] = field(default_factory=dict, init=False)
    _ended: dict[int, float] = field(default_factory=dict, init=False)
    """Session id of an ended call → when the call ended or was last listed, epoch seconds."""

    def update(self, snapshot: Snapshot) -> list[CallEvent]:
        """Compare one snapshot with the earlier snapshots, and return the new events.

        A call's event ``started`` comes before its event ``answered``. The list is empty if the poll failed.
        The list is also empty if the snapshot is a baseline, see `EventDetector`.
        """
        if snapshot.failure is not None:
            return []
        at = snapshot.at
        self.is_baseline = self._updated_at is None or at - self._updated_at > _LONGEST_GAP
        if self.is_baseline:
            self._active.clear()
            self._ended.clear()
        self._updated_at = at
        events: list[CallEvent] = []
        for call_session_id, before in self._observe(snapshot).items():
            after = replace(before, stage=self._stage_of(before.observation, snapshot))
            self._active[call_session_id] = after
            kinds = () if self.is_baseline else _EVENTS.get((before.stage, after.stage), ())
            events.extend(after.event(kind, call_session_id, at) for kind in kinds)
        self._move_ended_calls(at)
        self._forget_ended_calls(snapshot)
        return events

    def awaited_answers(self) -> list[int]:
        """Return the session ids of the active calls for which no snapshot has shown an answer yet."""
        return [
            call_session_id for call_session_id, call in self._active.items() if call.stage is _Stage.ACTIVE
        ]

    def _observe(self, snapshot: Snapshot) -> dict[int, _WatchedCall]:
        """Return all watched calls, updated with a snapshot: session id → call.

        These are the known calls, and the new calls that meet `call_filter`.
        """
        calls = {}  # with the old stages, because `update` compares them with the new ones
        for call_session_id, session in snapshot.sessions.items():
            known = self._active.get(call_session_id)
            is_new = call_session_id not in self._ended and self.call_filter.matches(session)
            if known or is_new:
                observation = known.observation if known else Observation()
                calls[call_session_id] = _WatchedCall(
                    self._fields_of(session),
                    observation.with_snapshot(snapshot, call_session_id),
                    known.stage if known else _Stage.UNKNOWN,
                )
        for call_session_id, known in self._active.items():
            if call_session_id not in calls:
                observation = known.observation.with_snapshot(snapshot, call_session_id)
                calls[call_session_id] = replace(known, observation=observation)
        return calls

    def _stage_of(self, observation: Observation, snapshot: Snapshot) -> _Stage:
        if self.tolerance.has_ended(observation, snapshot):
            return _Stage.ENDED
        return _Stage.ACTIVE if observation.answered_at is None else _Stage.ANSWERED

    def _fields_of(self, session: CallSession) -> dict[str, Any]:
        numbers = ("contact_phone_number",) if self.include_phone_numbers else ()
        return {name: getattr(session, name) for name in (*_SESSION_FIELDS, *numbers)}

    def _move_ended_calls(self, at: float) -> None:
        """Move each call that has ended from the active to the ended calls."""
        # A call has ended at the first snapshot without it. If this time is not known, the newest one (`at`)
        # counts.
        for call_session_id, call in list(self._active.items()):
            if call.stage is _Stage.ENDED:
                del self._active[call_session_id]
                self._ended[call_session_id] = call.observation.missing_since or at

    def _forget_ended_calls(self, snapshot: Snapshot) -> None:
        """Forget each ended call that ``list.calls`` has not shown for ten minutes."""
        for call_session_id, since in list(self._ended.items()):
            if call_session_id in snapshot.sessions:
                self._ended[call_session_id] = snapshot.at
            elif snapshot.at - since > _ENDED_KEPT:
                del self._ended[call_session_id]

    # --- across processes ---

    def to_json(self) -> dict[str, Any]:
        """Return what the detector remembers as plain JSON: the active calls and the calls that have ended.

        Another process can continue from this JSON with `restore`.
        """
        active = {
            str(call_session_id): {
                **asdict(call),
                "observation": call.observation.to_json(),
                "stage": call.stage.name,
            }
            for call_session_id, call in self._active.items()
        }
        ended = {str(call_session_id): since for call_session_id, since in self._ended.items()}
        return {"at": self._updated_at, "calls": active, "ended": ended}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over the active and ended calls that an earlier detector remembered.

        The method changes nothing if the newest successful snapshot of this detector is at least as new as
        the newest successful snapshot of the earlier detector.

        :param state: what the method `to_json` of the earlier detector returned.
        :raises ValueError: ``state`` cannot be read.
        """
        try:
            active = {
                int(call_session_id): _WatchedCall(
                    dict(call["fields"]), Observation.from_json(call["observation"]), _Stage[call["stage"]]
                )
                for call_session_id, call in state["calls"].items()
            }
            ended = {int(call_session_id): float(since) for call_session_id, since in state["ended"].items()}
            at = float(state["at"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not the state of an event detector: {error!r}") from None
        if self._updated_at is None or at > self._updated_at:
            self._updated_at, self._active, self._ended = at, active, ended
