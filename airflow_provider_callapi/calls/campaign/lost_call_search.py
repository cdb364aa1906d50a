"""The search for a campaign's lost calls, among the active calls and in the Data API's reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.campaign.attempt_progress import AttemptProgress
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.person_index import PersonIndex
from airflow_provider_callapi.calls.campaign.person_state import PersonStage, PersonState
from airflow_provider_callapi.calls.snapshot import Snapshot

LostByExternalId = Mapping[str, Sequence[PersonState]]


class LostCallSearch:
    """Finds lost calls, and gives up those that it does not find in time."""

    def __init__(self, index: PersonIndex, progress: AttemptProgress) -> None:
        self._index = index
        self._progress = progress

    def search_snapshot(self, snapshot: Snapshot) -> tuple[list[Attempt], list[str]]:
        """Search the active calls of a successful poll.

        :return: the attempts whose call was found, to be stored; and the keys of the people whose search
            is over without a result, for `give_up`.
        """
        if not self._index.count(PersonStage.LOST):
            return [], []
        lost_calls = self._index.lost_by_external_id()
        found = []
        for session in snapshot.sessions.values():
            if self._is_watched(session.call_session_id):
                continue
            if state := owner_of(lost_calls, session.external_id, session):
                found.append(self.found(state, session.call_session_id, snapshot.at))
        return found, self._count_misses(snapshot.at)

    def _is_watched(self, call_session_id: int) -> bool:
        state = self._index.with_session(call_session_id)
        return state is not None and state.stage is PersonStage.ACTIVE

    def _count_misses(self, now: float) -> list[str]:
        given_up = []
        for state in self._index.in_stage(PersonStage.LOST):
            assert state.lost_call is not None
            state.lost_call.misses += 1
            if state.lost_call.is_given_up(now):
                given_up.append(state.person.key)
        return given_up

    def found(self, state: PersonState, call_session_id: int, now: float) -> Attempt:
        """Watch a lost call that the search has found; return the attempt to store."""
        return self._progress.place(state, call_session_id, state.current_attempt.intended_at, now)

    def give_up(self, people: Iterable[str], held: Iterable[Attempt], now: float) -> list[Attempt]:
        """End the search for these people's calls; return the attempts to store.

        If another process has dialled a person since, the campaign continues with its attempt. Otherwise the
        attempt stays unresolved.

        :param held: the attempts to call these people that the ledger has now, each person's oldest first.
        """
        newest_held = {attempt.person: attempt for attempt in held}
        changed = []
        for key in people:
            state = self._index[key]
            newest = newest_held.get(key, state.current_attempt)
            if _is_same_intent(newest, state.current_attempt):
                changed.append(self._progress.leave_unresolved(state, now))
            else:
                self._progress.adopt(state, newest, now)
        return changed


def owner_of(
    lost_calls: LostByExternalId, external_id: str | None, found: CallSession | CallReport
) -> PersonState | None:
    """Return the person whose lost call this is; None: it is no lost call."""
    for state in lost_calls.get(external_id or "", ()):
        if state.lost_call is not None and state.lost_call.matches(found):
            return state
    return None


def _is_same_intent(held: Attempt, intent: Attempt) -> bool:
    return (held.attempt, held.status, held.intended_at) == (
        intent.attempt,
        Status.DIALLING,
        intent.intended_at,
    )
