"""Everybody on a campaign's list, found by key, by stage, by call session or by external_id.

`PersonIndex.move` is the only code that changes a stage, so the indexes always agree with the states.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.people import Person
from airflow_provider_callapi.calls.campaign.person_state import PersonEvent, PersonStage, PersonState

OPEN_STAGES = frozenset(
    {
        PersonStage.DIALLING,
        PersonStage.LOST,
        PersonStage.ACTIVE,
        PersonStage.REPORT_DUE,
        PersonStage.TAGS_DUE,
    }
)
"""The stages with an open attempt. Only these have a list of people: the others hold most of a campaign."""
_STAGES_WITH_SESSION = frozenset({PersonStage.ACTIVE, PersonStage.REPORT_DUE})


class PersonIndex:
    """The state of everybody on the list.

    :ivar finished_by_result: finished people, counted by result.
    """

    def __init__(self, people: Iterable[Person]) -> None:
        self._by_key = {person.key: PersonState(person) for person in people}
        self._by_stage: dict[PersonStage, dict[str, PersonState]] = {stage: {} for stage in OPEN_STAGES}
        self._by_session: dict[int, PersonState] = {}
        self.finished_by_result: Counter[Result] = Counter()

    def __getitem__(self, key: str) -> PersonState:
        return self._by_key[key]

    def __iter__(self) -> Iterator[PersonState]:
        return iter(self._by_key.values())

    def in_stage(self, stage: PersonStage) -> list[PersonState]:
        """Return the people in one of the `OPEN_STAGES`, in the order in which they came to it."""
        return list(self._by_stage[stage].values())

    def count(self, stage: PersonStage) -> int:
        """Return how many people are in one of the `OPEN_STAGES`."""
        return len(self._by_stage[stage])

    @property
    def has_open_attempts(self) -> bool:
        """Return whether anybody is in one of the `OPEN_STAGES`."""
        return any(self._by_stage.values())

    def with_session(self, call_session_id: int) -> PersonState | None:
        """Return the person whose active call, or whose call without a report, has this session id."""
        return self._by_session.get(call_session_id)

    def lost_by_external_id(self) -> Mapping[str, list[PersonState]]:
        """Return the people with a lost call by the external_id of their attempt.

        An external_id can belong to several people: an author's own id need not be unique.
        """
        lost = defaultdict(list)
        for state in self._by_stage[PersonStage.LOST].values():
            lost[state.current_attempt.external_id].append(state)
        return lost

    def move(self, state: PersonState, event: PersonEvent, attempt: Attempt | None = None) -> None:
        """Move a person to the next stage.

        :param attempt: the attempt after the event; None: unchanged.
        :raises ImpossibleTransition: the event cannot happen in the person's stage.
        """
        before = state.stage
        session_before = state.current_call.call_session_id if before in _STAGES_WITH_SESSION else None
        state.apply(event, attempt)
        after = state.stage
        if before is not after:
            if before in OPEN_STAGES:
                del self._by_stage[before][state.person.key]
            if after in OPEN_STAGES:
                self._by_stage[after][state.person.key] = state
        if session_before is not None:
            self._by_session.pop(session_before, None)
        if after in _STAGES_WITH_SESSION:
            self._by_session[state.current_call.call_session_id] = state

    def finish(self, state: PersonState, event: PersonEvent, result: Result | None = None) -> None:
        """Move a person to the end and count the result.

        :param result: the final result; None: the newest result, or `Result.NOT_CALLED`.
        """
        self.move(state, event)
        state.result = result or state.result or Result.NOT_CALLED
        self.finished_by_result[state.result] += 1
