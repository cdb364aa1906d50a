"""A person's stages: the table is complete, and nothing happens that is not in it."""

from __future__ import annotations

import os
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.engine.person_index import OPEN_STAGES, PersonIndex
from airflow_provider_callapi.calls.campaign.engine.person_state import (
    TRANSITIONS,
    ImpossibleTransition,
    PersonEvent,
    PersonStage,
    PersonState,
)
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall

PEOPLE = [Person(f"key-{number}", f"7926000{number:04d}", "UTC", {}, number) for number in range(1, 5)]


def test_every_stage_is_reachable_and_every_event_is_used() -> None:
    reached = {PersonStage.PLANNED}
    while more := {after for (before, _), after in TRANSITIONS.items() if before in reached} - reached:
        reached |= more
    assert reached == set(PersonStage)
    assert {event for _, event in TRANSITIONS} == set(PersonEvent)


def test_every_stage_leads_to_finished_and_only_finished_has_no_next_stage() -> None:
    can_finish = {PersonStage.FINISHED}
    while more := {before for (before, _), after in TRANSITIONS.items() if after in can_finish} - can_finish:
        can_finish |= more
    assert can_finish == set(PersonStage)
    assert {before for before, _ in TRANSITIONS} == set(PersonStage) - {PersonStage.FINISHED}


def test_an_unconfirmed_call_is_dialled_again_only_if_it_is_absent_or_another_process_has_it() -> None:
    after_lost = {
        event: after for (before, event), after in TRANSITIONS.items() if before is PersonStage.UNCONFIRMED
    }
    assert [event for event, after in after_lost.items() if after is PersonStage.WAITING] == [
        PersonEvent.ABSENT
    ]
    assert [event for event, after in after_lost.items() if after is PersonStage.PLANNED] == [
        PersonEvent.TAKEN_OVER
    ]
    to_dialling = {before for (before, _), after in TRANSITIONS.items() if after is PersonStage.DIALLING}
    assert to_dialling == {PersonStage.WAITING}


@pytest.mark.parametrize("stage", PersonStage)
@pytest.mark.parametrize("event", PersonEvent)
def test_an_impossible_transition_raises_an_error_and_leaves_the_stage_unchanged(
    stage: PersonStage, event: PersonEvent
) -> None:
    state = PersonState(PEOPLE[0], stage)
    if (stage, event) in TRANSITIONS:
        state.apply(event)
        assert state.stage is TRANSITIONS[stage, event]
        return
    with pytest.raises(ImpossibleTransition, match=f"stage {stage.value} .* event {event.value}") as raised:
        state.apply(event)
    assert state.stage is stage
    assert PEOPLE[0].contact not in str(raised.value)


def test_the_end_of_a_stage_removes_the_values_that_only_this_stage_needs() -> None:
    state = PersonState(PEOPLE[0], PersonStage.UNCONFIRMED)
    state.unconfirmed_call = UnconfirmedCall("id", PEOPLE[0].contact, 0.0, "UTC")
    state.apply(PersonEvent.UNRESOLVED)
    assert state.unconfirmed_call is None

    state = PersonState(PEOPLE[0], PersonStage.REPORT_DUE, report_deadline=5.0)
    state.apply(PersonEvent.RESULT_KNOWN)
    assert state.report_deadline is None

    state = PersonState(PEOPLE[0], PersonStage.TAGS_DUE, due_tags=(36,))
    state.apply(PersonEvent.COMPLETED)
    assert state.due_tags == ()


class Moving(RuleBasedStateMachine):
    """Any possible event happens to any person: the indexes agree with the states."""

    used: ClassVar[set[tuple[PersonStage, PersonEvent]]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.index = PersonIndex(PEOPLE)
        self.sessions = 0

    @rule(who=st.sampled_from(PEOPLE), event=st.sampled_from(PersonEvent))
    def something_happens(self, who: Person, event: PersonEvent) -> None:
        state = self.index[who.key]
        after = TRANSITIONS.get((state.stage, event))
        if after is None:
            with pytest.raises(ImpossibleTransition):
                self.index.move(state, event, self._attempt(who))
            return
        self.used.add((state.stage, event))
        if after is PersonStage.FINISHED:
            self.index.finish(state, event, Result.BUSY)
        else:
            self.index.move(state, event, self._attempt(who))

    def _attempt(self, who: Person) -> Attempt:
        self.sessions += 1
        call = Outcome(self.sessions, f"id-{self.sessions}")
        return Attempt(who.key, 1, Status.ACTIVE, f"id-{self.sessions}", intended_at=0.0, call=call)

    @invariant()
    def everybody_is_found_where_they_are_and_nowhere_else(self) -> None:
        for stage in OPEN_STAGES:
            found = self.index.in_stage(stage)
            assert sorted(state.person.key for state in found) == sorted(
                state.person.key for state in self.index if state.stage is stage
            )
            assert self.index.count(stage) == len(found)
        open_stages = [state.stage for state in self.index if state.stage in OPEN_STAGES]
        assert self.index.open_attempts == len(open_stages)
        finished = [state for state in self.index if state.stage is PersonStage.FINISHED]
        assert self.index.finished_by_result.total() == len(finished)

    @invariant()
    def only_of_an_unfinished_person_with_an_attempt_a_state_is_kept(self) -> None:
        kept = {
            state.person.key
            for state in self.index
            if state.attempt is not None and state.stage is not PersonStage.FINISHED
        }
        assert self.index._with_attempt.keys() == kept

    @invariant()
    def a_session_leads_to_the_person_who_has_it(self) -> None:
        for session in range(1, self.sessions + 1):
            owners = [
                state
                for state in self.index
                if state.stage in (PersonStage.ACTIVE, PersonStage.REPORT_DUE)
                and state.current_call.call_session_id == session
            ]
            assert self.index.with_session(session) is (owners[0] if owners else None)

    @invariant()
    def an_unconfirmed_call_is_found_by_its_external_id(self) -> None:
        lost = [state for state in self.index if state.stage is PersonStage.UNCONFIRMED]
        found = self.index.unconfirmed_by_external_id()
        assert {state.current_attempt.external_id: [state] for state in lost} == found


@pytest.mark.no_cover
def test_the_indexes_agree_with_the_states_after_any_sequence_of_events() -> None:
    Moving.used = set()
    run_state_machine_as_test(
        Moving,
        settings=settings(
            max_examples=150,
            stateful_step_count=50,
            derandomize="CALLAPI_EXPLORE" not in os.environ,
        ),
    )
    assert Moving.used <= set(TRANSITIONS)
    assert len(Moving.used) >= len(TRANSITIONS) // 2, "a test that never gets there proves nothing"
