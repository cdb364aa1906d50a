"""Searches for a campaign's unconfirmed calls among the active calls and in the Data API's reports.

A call is unconfirmed if its start request got no answer: it is unknown whether the service placed the call.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.campaign.engine.attempt_progress import AttemptProgress
from airflow_provider_callapi.calls.campaign.engine.person_index import PersonIndex
from airflow_provider_callapi.calls.campaign.engine.person_state import PersonStage, PersonState
from airflow_provider_callapi.calls.campaign.ledger import Attempt, is_same_intent
from airflow_provider_callapi.calls.external_ids import search_key, shown_external_id
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

UnconfirmedByExternalId = Mapping[str, Sequence[PersonState]]


class UnconfirmedCallSearch:
    """Searches for a campaign's unconfirmed calls, and gives up a call that is not found in time.

    A call is unconfirmed if its start request got no answer: it is unknown whether the service placed the
    call.
    """

    def __init__(self, index: PersonIndex, progress: AttemptProgress) -> None:
        self._index = index
        self._progress = progress

    def search_snapshot(self, snapshot: Snapshot) -> tuple[list[Attempt], list[str]]:
        """Search for the campaign's unconfirmed calls among the active calls of a successful poll.

        :return: a pair. First: the attempts whose call was found, to store in the ledger. Second: the keys of
            the people whose calls have not been found for so long that this search ends.
        """
        if not self._index.count(PersonStage.UNCONFIRMED):
            return [], []
        unconfirmed_calls = self._index.unconfirmed_by_external_id()
        found = []
        for session in snapshot.sessions.values():
            if self._is_watched(session.call_session_id):
                continue
            if state := owner_of(unconfirmed_calls, session):
                found.append(self.record_found(state, session.call_session_id, snapshot.at))
        return found, self._count_misses(snapshot)

    def _is_watched(self, call_session_id: int) -> bool:
        state = self._index.with_session(call_session_id)
        return state is not None and state.stage is PersonStage.ACTIVE

    def _count_misses(self, snapshot: Snapshot) -> list[str]:
        # Returns the keys of the people whose calls are given up.
        # A search ends if enough snapshots prove that the call is not active, or if its time is over.
        not_found = []
        for state in self._index.in_stage(PersonStage.UNCONFIRMED):
            unconfirmed = state.current_unconfirmed_call
            unconfirmed.count_snapshot(snapshot)  # counts anew after a snapshot that proves nothing
            at = snapshot.at
            if unconfirmed.is_given_up(at) or unconfirmed.is_doubtful(at) or unconfirmed.is_overdue(at):
                not_found.append(state.person.key)
        return not_found

    def record_found(self, state: PersonState, call_session_id: int, now: float) -> Attempt:
        """Record that a person's unconfirmed call was found, and begin to watch the call.

        :param now: epoch seconds.
        :return: the attempt to store in the ledger.
        """
        return self._progress.place(state, call_session_id, state.current_attempt.intended_at, now)

    def record_reported(self, session_ids: Mapping[str, int], now: float) -> list[Attempt]:
        """Record that unconfirmed calls were found in the Data API's reports, and begin to watch the calls.

        :param session_ids: key of a person → session id of the person's unconfirmed call.
        :param now: epoch seconds.
        :return: the attempts of these people. The caller stores the attempts in the ledger.
        """
        return [
            self.record_found(self._index[key], session_id, now) for key, session_id in session_ids.items()
        ]

    def give_up(
        self, keys: Iterable[str], held: Iterable[Attempt], now: float, *, absent: Container[str]
    ) -> list[Attempt]:
        """End the search for unconfirmed calls that were not found. Return the attempts to store.

        - If another process has changed the person's attempts: the campaign continues with the newest of
          them.
        - If the unconfirmed call was never placed: the person returns to the queue.
        - Otherwise: the attempt gets the result ``unresolved``, because the call may have been placed.

        :param keys: the ledger keys of the people whose unconfirmed call was not found.
        :param held: these people's attempts in the ledger; for each person, the oldest first.
        :param now: epoch seconds.
        :param absent: the keys of the people whose unconfirmed call was never placed.
        """
        newest_held = {attempt.person: attempt for attempt in held}
        changed: list[Attempt] = []
        for key in keys:
            state = self._index[key]
            newest = newest_held.get(key, state.current_attempt)
            if is_same_intent(newest, state.current_attempt):
                end = self._progress.put_back_absent if key in absent else self._progress.leave_unresolved
                changed.append(end(state, now))
            else:
                changed += self._progress.adopt(state, newest, now)
        return changed


def owner_of(
    unconfirmed_calls: UnconfirmedByExternalId, found: CallSession | CallReport
) -> PersonState | None:
    """Return the person whose unconfirmed call matches a call of the account. None: there is no such person.

    :param unconfirmed_calls: the dict of `PersonIndex.unconfirmed_by_external_id`.
    :param found: the account's call: an active call, or the Data API's report of a call.
    """
    external_id, _ = shown_external_id(found)
    for state in unconfirmed_calls.get(search_key(external_id or ""), ()):
        if state.unconfirmed_call is not None and state.unconfirmed_call.matches(found):
            return state
    return None
