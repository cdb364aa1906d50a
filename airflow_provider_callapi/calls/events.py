"""What happened to calls between two looks: each start, answer and end is told once.

Looks are glimpses: an event is told by the first look that shows it, having happened then or before.
What no look shows (a call that began and ended between two of them) is not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum
from typing import Any, Literal, get_args

import pendulum

from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.snapshot import Snapshot
from airflow_provider_callapi.calls.tolerance import TOLERANCE, PollTolerance
from airflow_provider_callapi.calls.watch import Observation

Kind = Literal["started", "answered", "ended"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class _Stage(IntEnum):
    """How far a call was seen to have got. It never goes back."""

    UNKNOWN = 0
    ACTIVE = 1
    ANSWERED = 2
    OVER = 3


_TOLD: Mapping[tuple[_Stage, _Stage], tuple[Kind, ...]] = {
    (_Stage.UNKNOWN, _Stage.ACTIVE): ("started",),
    (_Stage.UNKNOWN, _Stage.ANSWERED): ("started", "answered"),
    (_Stage.ACTIVE, _Stage.ANSWERED): ("answered",),
    (_Stage.ACTIVE, _Stage.OVER): ("ended",),
    (_Stage.ANSWERED, _Stage.OVER): ("ended",),
}
"""(before the look, after it) → what is told. What is not here is no news."""


@dataclass(frozen=True)
class Wanted:
    """Which calls are watched. An empty field wants all.

    :ivar direction: ``in`` or ``out``.
    :ivar virtual_phone_numbers: numbers of the account.
    :ivar contacts: phone numbers, or how they begin.
    """

    direction: str | None = None
    virtual_phone_numbers: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()

    def __contains__(self, session: CallSession) -> bool:
        return (
            self.direction in (None, session.direction)
            and (not self.virtual_phone_numbers or session.virtual_phone_number in self.virtual_phone_numbers)
            and (not self.contacts or (session.contact_phone_number or "").startswith(self.contacts))
        )


@dataclass(frozen=True)
class CallEvent:
    """One event, and the call as it was then."""

    kind: Kind
    seen_at: float
    call: Outcome
    facts: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: the dict of a call, with ``event``, ``seen_at`` and `_FACTS` besides."""
        seen_at = pendulum.from_timestamp(self.seen_at).to_iso8601_string()
        return {"event": self.kind, "seen_at": seen_at, **self.call.to_xcom(), **self.facts}


_FACTS = ("direction", "virtual_phone_number", "start_time")
"""What is told of a session as it is. ``start_time`` is the service's text, in the account's zone."""


@dataclass(frozen=True)
class _Known:
    """A call that was seen. ``facts`` hold a person's number only where numbers are asked for."""

    facts: dict[str, Any]
    observation: Observation
    stage: _Stage = _Stage.UNKNOWN

    def event(self, kind: Kind, call_session_id: int, seen_at: float) -> CallEvent:
        seen = self.observation
        over = kind == "ended"
        call = Outcome(
            call_session_id,
            external_id=seen.external_id,
            status="ended" if over else "started",
            # of a call first seen in a talk, the start is told before the answer
            answered=True if seen.answered_at is not None and kind != "started" else None,
            answered_at=seen.answered_at if kind != "started" else None,
            ended_at=seen.gone_since if over else None,
            observed=True,
            tags=seen.tags,
            source="list.calls",
        )
        return CallEvent(kind, seen_at, call, self.facts)


@dataclass
class CallWatch:
    """All wanted calls of an account, fed one look after the other.

    The first look only says what is there: calls that are active then are not told as started, nor
    as answered if they are in a talk, since that may have been told before; what happens to them
    from then on is. So it is again after a gap between two successful looks that is too long for the
    difference to be news.

    :ivar tolerance: what proves a call's end.
    :ivar longest_gap: seconds.
    :ivar ended_kept: seconds for which a call that ended is remembered: one that is listed again,
        after all, is no news.
    :ivar include_phone_numbers: tell the contact's number.
    :ivar anew: whether the newest look began anew.
    """

    wanted: Wanted = Wanted()
    include_phone_numbers: bool = False
    tolerance: PollTolerance = TOLERANCE
    longest_gap: float = 3600.0
    ended_kept: float = 600.0
    anew: bool = field(default=False, init=False)
    _at: float | None = field(default=None, init=False)
    _calls: dict[int, _Known] = field(default_factory=dict, init=False)
    _over: dict[int, float] = field(default_factory=dict, init=False)

    def update(self, snapshot: Snapshot) -> list[CallEvent]:
        """Take one look into account; returns what is news, in order. A failed look proves nothing."""
        if snapshot.failure is not None:
            return []
        at = snapshot.at
        self.anew = self._at is None or at - self._at > self.longest_gap
        if self.anew:
            self._calls.clear()
            self._over.clear()
        self._at = at
        events: list[CallEvent] = []
        for call_session_id, known in self._seen(snapshot).items():
            now = replace(known, stage=self._stage(known))
            self._calls[call_session_id] = now
            news = () if self.anew else _TOLD.get((known.stage, now.stage), ())
            events.extend(now.event(kind, call_session_id, at) for kind in news)
        self._forget(snapshot)
        return events

    def _seen(self, snapshot: Snapshot) -> dict[int, _Known]:
        """Every watched call with what this look adds, in the stage that the look before left it in."""
        seen = {}
        for call_session_id, session in snapshot.sessions.items():
            known = self._calls.get(call_session_id)
            if known or (session in self.wanted and call_session_id not in self._over):
                observation = known.observation if known else Observation()
                stage = known.stage if known else _Stage.UNKNOWN
                seen[call_session_id] = _Known(
                    self._facts(session), observation.present(session, snapshot.at), stage
                )
        for call_session_id, known in self._calls.items():
            if call_session_id not in seen:
                seen[call_session_id] = replace(known, observation=known.observation.absent(snapshot.at))
        return seen

    def _stage(self, known: _Known) -> _Stage:
        if known.observation.misses >= self.tolerance.misses:
            return _Stage.OVER
        return _Stage.ACTIVE if known.observation.answered_at is None else _Stage.ANSWERED

    def _facts(self, session: CallSession) -> dict[str, Any]:
        numbers = ("contact_phone_number",) if self.include_phone_numbers else ()
        return {name: getattr(session, name) for name in (*_FACTS, *numbers)}

    def _forget(self, snapshot: Snapshot) -> None:
        """Of a call that is over, all but that; and that, too, when it was not listed for long enough."""
        for call_session_id, known in list(self._calls.items()):
            if known.stage is _Stage.OVER:
                del self._calls[call_session_id]
                self._over[call_session_id] = known.observation.gone_since or snapshot.at
        for call_session_id, since in list(self._over.items()):
            if call_session_id in snapshot.sessions:
                self._over[call_session_id] = snapshot.at
            elif snapshot.at - since > self.ended_kept:
                del self._over[call_session_id]

    # --- across processes ---

    def to_json(self) -> dict[str, Any]:
        """What has been seen, as plain JSON: a later process goes on where this one was."""
        calls = {
            str(call_session_id): {
                **asdict(known),
                "observation": known.observation.to_json(),
                "stage": known.stage.name,
            }
            for call_session_id, known in self._calls.items()
        }
        over = {str(call_session_id): since for call_session_id, since in self._over.items()}
        return {"at": self._at, "calls": calls, "over": over}

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Read what `to_json` wrote; an older memory than what is known already changes nothing.

        :raises ValueError: it is not that.
        """
        try:
            calls = {
                int(call_session_id): _Known(
                    dict(call["facts"]), Observation.from_json(call["observation"]), _Stage[call["stage"]]
                )
                for call_session_id, call in memory["calls"].items()
            }
            over = {int(call_session_id): float(since) for call_session_id, since in memory["over"].items()}
            at = float(memory["at"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not the memory of a watch: {error!r}") from None
        if self._at is None or at > self._at:
            self._at, self._calls, self._over = at, calls, over
