"""Watching one call through glimpses: fed snapshots, it says what has become of the call.

The worker's loop, the sensor's poke and the trigger all feed the same `SessionWatch`; what differs
is only who sleeps between two looks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.outcome import Outcome, contact_is_on_the_line
from airflow_provider_callapi.calls.snapshot import Snapshot
from airflow_provider_callapi.calls.tolerance import TOLERANCE, PollTolerance

Until = Literal["answered", "ended"]


class Phase(StrEnum):
    """How far a watched call has got, as far as anybody could see."""

    EXPECTED = "accepted, not listed yet"
    APPEARED = "listed, not answered as far as seen"
    ANSWERED = "the contact is on the line"
    ENDED = "was listed and is gone"
    NEVER_APPEARED = "was never listed: it ended unobserved"
    TIMED_OUT = "was not seen to end when the time was up"


OVER = frozenset({Phase.ENDED, Phase.NEVER_APPEARED, Phase.TIMED_OUT})
DONE: dict[Until, frozenset[Phase]] = {"answered": OVER | {Phase.ANSWERED}, "ended": OVER}
"""The phases in which there is nothing more to wait for."""


@dataclass(frozen=True)
class Observation:
    """What has been seen of a call so far: plain JSON values, so that it survives a process.

    Times are epoch seconds. ``misses`` and ``failures`` count consecutive snapshots.
    """

    seen: bool = False
    answered_at: float | None = None
    gone_since: float | None = None
    misses: int = 0
    failures: int = 0
    external_id: str | None = None
    tags: tuple[int, ...] = ()

    @classmethod
    def of(cls, call: Outcome) -> Observation:
        """What an earlier wait for the same call has already seen."""
        return cls(
            seen=call.observed,
            answered_at=call.answered_at,
            external_id=call.external_id,
            tags=call.tags,
        )

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "tags": list(self.tags)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Observation:
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        return cls(**{**known, "tags": tuple(value.get("tags", ()))})

    def present(self, session: CallSession, at: float) -> Observation:
        answered = self.answered_at
        if answered is None and contact_is_on_the_line(session):
            answered = at
        return replace(
            self,
            seen=True,
            answered_at=answered,
            gone_since=None,
            misses=0,
            failures=0,
            external_id=session.external_id or self.external_id,
            tags=tuple(tag.tag_id for tag in session.tags),
        )

    def absent(self, at: float) -> Observation:
        gone = at if self.gone_since is None else self.gone_since
        return replace(self, gone_since=gone, misses=self.misses + 1, failures=0)


@dataclass
class SessionWatch:
    """One call and the rules for its end.

    :ivar appear_by: epoch seconds; a call not listed by then has ended unobserved.
    :ivar deadline: epoch seconds; a call still active then has timed out.
    :ivar tolerance: what proves the call's end, and how many failed polls are survived.
    """

    call_session_id: int
    appear_by: float
    deadline: float
    tolerance: PollTolerance = TOLERANCE
    observation: Observation = field(default_factory=Observation)
    phase: Phase = field(default=Phase.EXPECTED, init=False)

    def __post_init__(self) -> None:
        if self.observation.seen:
            self.phase = Phase.ANSWERED if self.observation.answered_at is not None else Phase.APPEARED

    def update(self, snapshot: Snapshot) -> Phase:
        """Take one look into account and say how far the call has got.

        A failed look changes nothing about the call; too many in a row, or one that the next
        would only repeat (wrong credentials, component off), raise.

        :raises CallApiError: the failure that ends the watch.
        """
        if self.phase in OVER:
            return self.phase
        before = self.phase
        if snapshot.failure is not None:
            self._count_failure(snapshot)
        elif session := snapshot.sessions.get(self.call_session_id):
            self.observation = self.observation.present(session, snapshot.at)
            answered = self.observation.answered_at is not None
            self.phase = Phase.ANSWERED if answered else Phase.APPEARED
        else:
            self.observation = self.observation.absent(snapshot.at)
            enough = self.observation.misses >= self.tolerance.misses
            if self.observation.seen and enough:
                self.phase = Phase.ENDED
            elif enough and snapshot.at >= self.appear_by:
                self.phase = Phase.NEVER_APPEARED
        news = self.phase is Phase.ANSWERED and before is not Phase.ANSWERED
        if self.phase not in OVER and snapshot.at >= self.deadline and not news:
            self.phase = Phase.TIMED_OUT  # an answer seen at the last moment is told first
        return self.phase

    def _count_failure(self, snapshot: Snapshot) -> None:
        assert snapshot.failure is not None
        self.observation = replace(self.observation, failures=self.observation.failures + 1)
        if snapshot.failure.permanent or self.observation.failures > self.tolerance.failures:
            raise snapshot.failure.with_traceback(None)  # other watches raise the same one

    def outcome(self, call: Outcome) -> Outcome:
        """What is known now of the call that ``call`` began to describe."""
        seen = self.observation
        ended = self.phase in (Phase.ENDED, Phase.NEVER_APPEARED)
        return replace(
            call,
            status="ended" if ended else "started",
            external_id=call.external_id or seen.external_id,
            answered=True if seen.answered_at is not None else call.answered,
            answered_at=seen.answered_at or call.answered_at,
            ended_at=seen.gone_since if self.phase is Phase.ENDED else None,
            observed=seen.seen or call.observed,
            tags=seen.tags or call.tags,
            source="list.calls" if seen.seen or seen.misses else call.source,
        )
