"""Finds the people of a campaign by ledger key, by stage, by call session id or by ``external_id``.

Only `PersonIndex.move` changes a person's stage, so the index always contains each person's present stage.

To save memory, the index keeps only two bytes for a person who is finished or was not called yet.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.engine.person_state import PersonEvent, PersonStage, PersonState
from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.external_ids import search_key

OPEN_STAGES = frozenset(
    {
        PersonStage.DIALLING,
        PersonStage.UNCONFIRMED,
        PersonStage.ACTIVE,
        PersonStage.REPORT_DUE,
        PersonStage.TAGS_DUE,
    }
)
"""The stages in which a person has an open attempt: the attempt is dialled, and not finished yet.

`PersonIndex` lists the people of these stages only, because most of a campaign's people are in other stages.
"""
_STAGES = tuple(PersonStage)
_RESULTS = (None, *Result)
"""The stages and the results whose positions in these tuples the index keeps as bytes."""
_STAGES_WITH_SESSION = frozenset({PersonStage.ACTIVE, PersonStage.REPORT_DUE})


class PersonIndex:
    """Finds the people of a campaign by ledger key, by stage, by call session id or by ``external_id``.

    :param people: all people of the campaign.
    :ivar finished_by_result: result → how many finished people have the result.
    """

    def __init__(self, people: Sequence[Person]) -> None:
        self._people = people
        self._positions = {person.key: position for position, person in enumerate(people)}
        self._stages = bytearray([_STAGES.index(PersonStage.PLANNED)]) * len(people)
        self._results = bytearray([_RESULTS.index(None)]) * len(people)
        self._with_attempt: dict[str, PersonState] = {}
        self._by_stage: dict[PersonStage, dict[str, PersonState]] = {stage: {} for stage in OPEN_STAGES}
        self._by_session: dict[int, PersonState] = {}
        self.finished_by_result: Counter[Result] = Counter()

    def __getitem__(self, key: str) -> PersonState:
        if (state := self._with_attempt.get(key)) is not None:
            return state
        position = self._positions[key]
        stage, result = _STAGES[self._stages[position]], _RESULTS[self._results[position]]
        return PersonState(self._people[position], stage, result=result)

    def __iter__(self) -> Iterator[PersonState]:
        return (self[person.key] for person in self._people)

    def in_stage(self, stage: PersonStage) -> list[PersonState]:
        """Return the people in a stage, in the order in which the people entered the stage.

        :param stage: a stage with an open attempt, such as ``active``: one of the `OPEN_STAGES`.
        """
        return list(self._by_stage[stage].values())

    def count(self, stage: PersonStage) -> int:
        """Return how many people are in a stage.

        :param stage: a stage with an open attempt, such as ``active``: one of the `OPEN_STAGES`.
        """
        return len(self._by_stage[stage])

    @property
    def open_attempts(self) -> int:
        """How many people have an open attempt (dialled and not finished), see `OPEN_STAGES`."""
        return sum(map(len, self._by_stage.values()))

    def with_session(self, call_session_id: int) -> PersonState | None:
        """Return the person whose call has this call session id.

        The method searches active calls, and finished calls whose report is missing.

        :return: the person. None: none of these calls has this id.
        """
        return self._by_session.get(call_session_id)

    def unconfirmed_by_external_id(self) -> Mapping[str, list[PersonState]]:
        """Return a dict: the `search_key` of an ``external_id`` → the people with such an unconfirmed call.

        The calls of several people can even have the same id, because the author may choose the ids.
        """
        unconfirmed = defaultdict(list)
        for state in self._by_stage[PersonStage.UNCONFIRMED].values():
            unconfirmed[search_key(state.current_attempt.external_id)].append(state)
        return unconfirmed

    def move(self, state: PersonState, event: PersonEvent, attempt: Attempt | None = None) -> None:
        """Move a person to the stage that follows an event, for example from ``active`` to ``report_due``.

        :param attempt: the person's newest attempt after the event; None: the attempt stays unchanged.
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
        self._keep(state)
        if session_before is not None:
            self._by_session.pop(session_before, None)
        if after in _STAGES_WITH_SESSION:
            self._by_session[state.current_call.call_session_id] = state

    def finish(self, state: PersonState, event: PersonEvent, result: Result | None = None) -> None:
        """Move a person to the stage ``finished`` and count the person's result.

        :param result: the person's final result; None: the final result is the newest result of the person's
            attempts, or `Result.NOT_CALLED` if no attempt has a result.
        """
        self.move(state, event)
        state.result = result or state.result or Result.NOT_CALLED
        self._keep(state)
        self.finished_by_result[state.result] += 1

    def _keep(self, state: PersonState) -> None:
        """Store a person's changed state.

        For a finished person, and for a person without an attempt, only the stage and the result are stored.
        """
        key = state.person.key
        if state.attempt is not None and state.stage is not PersonStage.FINISHED:
            self._with_attempt[key] = state
            return
        self._with_attempt.pop(key, None)
        position = self._positions[key]
        self._stages[position] = _STAGES.index(state.stage)
        self._results[position] = _RESULTS.index(state.result)
