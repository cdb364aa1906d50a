"""The result of one poll of the active calls: the reply to ``list.calls``, or the failure of the poll.

A call in a snapshot is active. A call that is missing in a snapshot may be active too, because the reply may
contain calls that the package could not read. `Snapshot.proves_absence` returns whether a call is certainly
not active.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.api.entries import tells
from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.outcomes.answers import contact_has_answered
from airflow_provider_callapi.calls.outcomes.outcome import ReportedEnd

if TYPE_CHECKING:  # requests is heavy, and DAG files are parsed all day
    from airflow_provider_callapi.api.client import Client

_LONGEST_PAUSE = 60.0
"""The longest pause between two polls after an exceeded rate limit, in seconds."""


@dataclass(frozen=True)
class Snapshot:
    """The active calls of an account at a moment, or the failure of the poll.

    :ivar at: when the reply or the failure arrived, epoch seconds.
    :ivar sessions: session id → active call. Empty if the poll failed.
    :ivar failure: why the poll failed. None: the poll succeeded.
    :ivar answered: session ids of active calls that were answered, according to the Data API.
    :ivar left_out: how many active calls are missing in ``sessions``, e.g. because their session ids are
        unreadable.
    :ivar ends: session id → what the Data API reports about the end of a call that is missing in
        ``list.calls``. Calls whose end the Data API has not reported are left out.
    :ivar needed_absence: a call that is missing in several snapshots has ended if it is missing for longer
        than this time, in seconds. 0: the number of snapshots is enough. See `AbsenceHistory`.
    """

    at: float
    sessions: Mapping[int, CallSession] = field(default_factory=dict)
    failure: CallApiError | None = None
    answered: frozenset[int] = frozenset()
    left_out: int = 0
    ends: Mapping[int, ReportedEnd] = field(default_factory=dict)
    needed_absence: float = 0.0

    def shows_answer(self, session: CallSession) -> bool:
        """Return whether this snapshot proves that the contact of an active call picked up.

        The legs of the call prove it, or a report of the Data API that the snapshot already contains. This
        method sends no request.
        """
        return session.call_session_id in self.answered or contact_has_answered(session)

    def proves_absence(self, call_session_id: int) -> bool:
        """Return whether this snapshot proves that a call is not active.

        A failed poll proves nothing. If `left_out` is not 0, the snapshot proves nothing either, because one
        of the calls that are missing in `sessions` may be this call.
        """
        return self.omits(call_session_id) and not self.left_out

    def omits(self, call_session_id: int) -> bool:
        """Return whether the poll succeeded and does not show a call. The call may be active nevertheless.

        See `proves_absence`.
        """
        return self.failure is None and call_session_id not in self.sessions

    def concerns(self, call_session_id: int, before: Snapshot) -> bool:
        """Return whether the watch of a call must observe this snapshot.

        A watch is the object that collects what the snapshots show of one call. It may skip a snapshot only
        if nothing has changed: both snapshots show the call with the same values, and the Data API's answers
        (`answered`) about the call are the same. It must observe a failed poll, and a snapshot without the
        call.

        :param before: the previous snapshot, which the watch has observed.
        """
        session = self.sessions.get(call_session_id)
        return (
            session is None
            or session != before.sessions.get(call_session_id)
            or (call_session_id in self.answered) != (call_session_id in before.answered)
        )

    def pause(self, interval: float) -> float:
        """Return the seconds until the next poll: ``interval``, or more if a rate limit refused this poll.

        :param interval: the usual number of seconds between two polls.
        """
        if isinstance(self.failure, LimitExceeded):
            return max(interval, min(self.failure.retry_after, _LONGEST_PAUSE))
        return interval


def take_snapshot(
    client: Client, clock: Callable[[], float], *, time_limit: float = float("inf")
) -> Snapshot:
    """Poll the active calls once and return the snapshot.

    If the poll fails, the function raises no `CallApiError`. The snapshot contains the error as ``failure``.

    :param clock: a function that returns the current time, epoch seconds.
    :param time_limit: the longest time for the poll, in seconds. If the client's own limit is shorter, the
        client's limit applies.
    """
    try:
        sessions = client.call(ListCalls(), time_limit=time_limit)
    except CallApiError as error:
        return Snapshot(clock(), failure=error)
    by_id = {session.call_session_id: session for session in sessions}
    if len(by_id) < len(sessions):
        by_id = _merged(sessions)
    return Snapshot(
        clock(),
        by_id,
        left_out=sessions.left_out + max((sessions.total or 0) - sessions.sent, 0),
    )


def _merged(sessions: Iterable[CallSession]) -> dict[int, CallSession]:
    """Merge the entries of each call into the one with the most fields. Return session id → entry.

    The entry gets the legs and tags of all entries.
    """
    by_id: dict[int, CallSession] = {}
    for session in sorted(sessions, key=lambda session: len(session.model_fields_set)):
        before = by_id.get(session.call_session_id)
        by_id[session.call_session_id] = session if before is None else _with_parts_of(session, before)
    return by_id


def _with_parts_of(session: CallSession, other: CallSession) -> CallSession:
    """Return ``session`` plus the legs and tags of ``other``, another entry of the same call.

    A missing ``external_id`` also comes from ``other``.
    """
    parts: dict[str, Any] = {
        name: tuple(dict.fromkeys((*getattr(other, name), *getattr(session, name))))
        for name in ("legs", "tags")
        if tells(other, name) or tells(session, name)
    }
    if session.external_id is None and other.external_id is not None:
        parts["external_id"] = other.external_id
    return session.model_copy(update=parts)
