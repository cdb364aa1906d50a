"""The observation of one call: what all snapshots so far have shown of the call."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from airflow_provider_callapi.api.entries import tells
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.external_ids import is_anothers_call
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.snapshot import Snapshot


class Observation(Struct, frozen=True, gc=False):
    """What the snapshots so far have shown of one call. All values are plain JSON.

    :ivar listed: whether a snapshot has shown the call.
    :ivar answered_at: the time of the first snapshot with an answer of the contact, epoch seconds. None: no
        answer was seen.
    :ivar misses: how many complete snapshots in a row, until now, do not show the call. Failed polls between
        them do not count. After a snapshot that proves nothing about the call (see
        `Snapshot.proves_absence`), the number is 0.
    :ivar missing_since: the time of the first of these snapshots, epoch seconds. None: there is none.
    :ivar in_doubt: whether the newest successful snapshot leaves it open whether the call is active.
    :ivar failures: how many polls in a row have failed.
    :ivar external_id: the call's ``external_id``. None: no snapshot has shown this id.
    :ivar tags: the ids of the call's tags, from the newest snapshot that shows the tags.
    """

    listed: bool = False
    answered_at: float | None = None
    missing_since: float | None = None
    misses: int = 0
    failures: int = 0
    external_id: str | None = None
    tags: tuple[int, ...] = ()
    in_doubt: bool = False

    @classmethod
    def from_outcome(cls, call: Outcome) -> Observation:
        """Return an observation with what an earlier wait has found out about a call.

        A new wait for the call begins with this observation. The counts of misses and failures are 0.

        :param call: what is known of the call before the new wait.
        """
        return cls(
            listed=call.observed,
            answered_at=call.answered_at,
            external_id=call.external_id,
            tags=call.tags,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the observation as plain JSON."""
        return {**asdict(self), "tags": list(self.tags)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Observation:
        """Return the observation that a dict from `to_json` describes.

        Unknown keys are ignored. Missing keys get their defaults.
        """
        known = {name: value[name] for name in cls.__struct_fields__ if name in value}
        return cls(**{**known, "tags": tuple(value.get("tags", ()))})

    def without_failures(self) -> Observation:
        """Return a copy of this observation with ``failures`` set to 0.

        A new try of the task begins with this copy.
        """
        return replace(self, failures=0)

    def with_snapshot(self, snapshot: Snapshot, call_session_id: int) -> Observation:
        """Return a copy of this observation, updated with the snapshot of a successful poll.

        :param call_session_id: the session id of the observed call.
        """
        if session := self.find_call(snapshot, call_session_id):
            return self._with_session(session, snapshot)
        if call_session_id in snapshot.sessions or snapshot.proves_absence(call_session_id):
            return self.with_miss(snapshot.at)
        return self._with_doubt()

    def find_call(self, snapshot: Snapshot, call_session_id: int) -> CallSession | None:
        """Return the observed call as a snapshot shows it. None: the snapshot does not show the call.

        A call with the session id may be another call, see `is_anothers_call`. For example, the answer to the
        start request may have named a wrong session.
        """
        session = snapshot.sessions.get(call_session_id)
        return None if session is None or is_anothers_call(session, self.external_id) else session

    def with_miss(self, at: float) -> Observation:
        """Return a copy of this observation with one more miss.

        :param at: the time of the snapshot without the call, epoch seconds.
        """
        missing_since = at if self.missing_since is None else self.missing_since
        misses = self.misses + 1
        return replace(self, missing_since=missing_since, misses=misses, failures=0, in_doubt=False)

    def _with_session(self, session: CallSession, snapshot: Snapshot) -> Observation:
        answered_at = self.answered_at
        if answered_at is None and snapshot.shows_answer(session):
            answered_at = snapshot.at
        return Observation(
            listed=True,
            answered_at=answered_at,
            external_id=session.external_id or self.external_id,
            tags=tuple(tag.tag_id for tag in session.tags) if tells(session, "tags") else self.tags,
        )

    def _with_doubt(self) -> Observation:
        # The newest snapshot does not prove that the call is missing, so the count of misses begins again.
        return replace(self, missing_since=None, misses=0, failures=0, in_doubt=True)
