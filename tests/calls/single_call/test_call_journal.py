"""The journal's table, row by row; and whose call it contains."""

from __future__ import annotations

import contextlib
import hashlib
import re
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from placing_world import (
    EARLIER,
    OTHER_PERSON,
    OWNER,
    PERSON,
    World,
    failing,
    request_to,
    session,
    world_after,
)

from airflow_provider_callapi.api.errors import NotSent, Unanswered
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.single_call.call_journal import _STEPS, Journal, Step
from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.single_call.placing import Unresolved
from airflow_provider_callapi.calls.stores import MemoryStore

# --- the table ---


def test_the_table_has_a_row_for_every_stage_with_and_without_a_clear() -> None:
    assert set(_STEPS) == {(stage, cleared) for stage in Stage for cleared in (False, True)}


def test_an_empty_journal_places_the_call_as_the_first_attempt() -> None:
    world = World()
    call = world.place()
    assert (call.call_session_id, call.attempt, call.started_at) == (7, 1, 5000.0)
    assert world.sent == [call.external_id]
    assert world.polled_at == []
    assert world.disk.stage == "started"
    assert world.log == ["First attempt: placing the call", "Call session 7: the call is placed"]


@pytest.mark.parametrize("cleared", [False, True])
def test_a_call_that_was_proven_not_to_be_placed_is_placed_as_the_same_attempt(cleared: bool) -> None:
    world = world_after(Stage.NOTHING, attempt=0)
    call = world.place(generation=int(cleared))
    assert (call.attempt, world.sent) == (1, [world.journal().external_id(request_to(), 1)])


@pytest.mark.parametrize("cleared", [False, True])
def test_an_intent_without_a_result_is_searched_for_before_another_start_request(cleared: bool) -> None:
    world = world_after(Stage.STARTING)
    with pytest.raises(Unresolved):
        world.place(generation=int(cleared))
    assert world.sent == []
    assert len(world.polled_at) > 1
    assert world.disk.stage == "unresolved"


@pytest.mark.parametrize("cleared", [False, True])
@pytest.mark.parametrize("stage", [Stage.STARTED, Stage.ENDED])
def test_a_placed_call_is_adopted_even_after_a_clear(stage: Stage, cleared: bool) -> None:
    world = world_after(stage)
    assert world.place(generation=int(cleared)).call_session_id == EARLIER
    assert (world.sent, world.polled_at, world.disk.stage) == ([], [], stage.value)


def test_a_done_call_is_returned_again() -> None:
    world = world_after(Stage.DONE)
    assert world.place().call_session_id == EARLIER
    assert (world.sent, world.polled_at) == ([], [])
    assert world.log == ["The call of an earlier try is finished: continuing with the call, without dialling"]


def test_an_unresolved_call_fails_again_without_a_request() -> None:
    world = world_after(Stage.UNRESOLVED)
    with pytest.raises(Unresolved, match="An earlier search did not find the call"):
        world.place()
    assert (world.sent, world.polled_at, world.disk.stage) == ([], [], "unresolved")


@pytest.mark.parametrize("stage", [Stage.DONE, Stage.UNRESOLVED, Stage.REDIAL])
def test_a_persons_clear_after_the_end_places_a_new_attempt_with_its_own_id(stage: Stage) -> None:
    world = world_after(stage)
    call = world.place(generation=1)
    assert (call.call_session_id, call.attempt) == (7, 2)
    assert (
        world.sent
        == [world.journal().external_id(request_to(), 2)]
        != [world.journal().external_id(request_to(), 1)]
    )
    assert world.place(generation=1).call_session_id == 7, "one clear, one call"
    assert len(world.sent) == 1


def test_a_redial_places_a_new_attempt_without_a_clear() -> None:
    world = world_after(Stage.REDIAL)
    assert world.place().attempt == 2


def test_a_clear_during_the_call_is_used_up_and_places_no_new_attempt_after_its_end() -> None:
    world = world_after(Stage.STARTED)
    call = world.place(generation=1)
    world.journal(generation=1).mark_done(call)
    assert world.place(generation=1) == call
    assert world.sent == []


def test_a_clear_that_led_to_a_search_is_used_up_and_places_no_call_after_the_search() -> None:
    world = world_after(Stage.STARTING)
    for _ in range(2):
        with pytest.raises(Unresolved):
            world.place(generation=1)
    assert world.sent == []
    assert world.place(generation=2).attempt == 2, "the next one does"


def test_any_changed_generation_counts_as_a_clear_even_a_lower_one() -> None:
    """The author may have lowered ``retries``, which Airflow's counter of clears contains."""
    world = world_after(Stage.DONE)
    world.place(generation=-1)
    assert len(world.sent) == 1


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("cleared", [False, True])
def test_a_journal_of_another_person_makes_the_try_place_a_new_attempt(stage: Stage, cleared: bool) -> None:
    world = world_after(stage, contact=OTHER_PERSON)
    call = world.place(generation=int(cleared))
    assert (call.call_session_id, call.attempt) == (7, 2)
    assert world.polled_at == []


@pytest.mark.parametrize("stage", [Stage.STARTED, Stage.DONE])
def test_a_task_whose_contact_changes_back_returns_the_call_of_the_first_person(stage: Stage) -> None:
    """The person on duty changes between two tries, and changes back."""
    world = world_after(stage)
    other = world.place(request_to(OTHER_PERSON))
    for _ in range(2):
        assert world.place().call_session_id == EARLIER
        assert world.place(request_to(OTHER_PERSON)) == other
    assert len(world.sent) == 1


def test_a_task_whose_contact_changes_back_searches_for_the_unconfirmed_call_of_the_first_person() -> None:
    world = world_after(Stage.STARTING)
    world.place(request_to(OTHER_PERSON))
    assert "no try searches for this call (external_id af-" in world.log[0]
    with pytest.raises(Unresolved):
        world.place()
    assert len(world.sent) == 1


def test_a_clear_places_a_new_call_to_each_person_of_the_task_once() -> None:
    sessions = count(100)
    world = world_after(Stage.DONE, answer=lambda _: StartedCall(call_session_id=next(sessions)))
    for generation in (0, 1, 2):
        for person in (OTHER_PERSON, PERSON, OTHER_PERSON):
            call = world.place(request_to(person), generation)
            world.journal(generation).mark_done(call)
    assert len(world.sent) == len(set(world.sent)) == 5


@pytest.mark.parametrize(
    ("stage", "contact", "cleared", "why"),
    [
        (Stage.NOTHING, PERSON, False, "An earlier try placed no call: placing the call"),
        (
            Stage.DONE,
            PERSON,
            True,
            "The call of an earlier try is finished, and a user has cleared this task: placing a new call",
        ),
        (
            Stage.UNRESOLVED,
            PERSON,
            True,
            "An earlier search did not find the call, and a user has cleared this task: placing a new call",
        ),
        (Stage.REDIAL, PERSON, False, "The contact did not answer the last call: placing a new call"),
        (Stage.REDIAL, PERSON, True, "The contact did not answer the last call: placing a new call"),
        (
            Stage.DONE,
            OTHER_PERSON,
            False,
            "The call of an earlier try was to another person: placing a new call",
        ),
        (
            Stage.STARTED,
            PERSON,
            True,
            "An earlier try placed the call: continuing with the call, without dialling",
        ),
    ],
)
def test_the_log_states_why_a_try_dials(stage: Stage, contact: str, cleared: bool, why: str) -> None:
    world = world_after(stage, contact=contact)
    world.place(generation=int(cleared))
    assert world.log[0] == why


def test_place_dials_only_in_the_rows_whose_step_dials() -> None:
    """The Airflow operator checks the step to know whether a late run would dial."""
    for (stage, cleared), step in _STEPS.items():
        world = world_after(stage, answer=failing(NotSent("no")))
        assert world.journal(int(cleared)).next_step(request_to()) is step
        with contextlib.suppress(NotSent, Unresolved):
            world.place(generation=int(cleared))
        assert bool(world.sent) is (step in (Step.DIAL, Step.DIAL_AGAIN)), (stage, cleared)


# --- whose call it is ---


def test_another_person_has_another_fingerprint_and_another_message_has_not() -> None:
    journal = World().journal()
    fingerprint = journal.person_fingerprint(request_to())
    assert (
        journal.person_fingerprint(request_to(text="Rendered again at 10:05", external_id="x")) == fingerprint
    )
    assert journal.person_fingerprint(request_to(OTHER_PERSON)) != fingerprint


def test_a_retry_that_renders_another_message_adopts_the_call() -> None:
    world = World()
    first = world.place(request_to(text="It is 10:00"))
    again = world.place(request_to(text="It is 10:05"))
    assert again == first
    assert len(world.sent) == 1


def test_a_retry_with_a_sip_number_in_another_case_adopts_the_call() -> None:
    world = World()
    first = world.place(request_to("sip25"))
    assert world.place(request_to("SIP25")) == first
    assert len(world.sent) == 1


def test_the_fingerprint_of_a_phone_number_is_the_hash_of_its_digits_as_in_older_records() -> None:
    journal = Journal(MemoryStore(), owner=("dag", "run", "call", "-1"), clears=Clears(0))
    digest = hashlib.sha256("\n".join(("dag", "run", "call", "-1", PERSON)).encode()).hexdigest()
    assert journal.person_fingerprint(request_to()) == digest[:12]


@given(contact=st.from_regex(r"7[0-9]{10}", fullmatch=True), owner=st.tuples(*[st.text(max_size=5)] * 4))
def test_a_fingerprint_is_salted_with_the_owner_and_is_no_number(
    contact: str, owner: tuple[str, ...]
) -> None:
    one = Journal(MemoryStore(), owner=owner, clears=Clears(0))
    other = Journal(MemoryStore(), owner=(*owner[:3], owner[3] + "!"), clears=Clears(0))
    fingerprint = one.person_fingerprint(request_to(contact))
    assert fingerprint != other.person_fingerprint(request_to(contact)), "or a table of all numbers finds it"
    assert re.fullmatch(r"[0-9a-f]{12}", fingerprint)
    assert fingerprint == Journal(MemoryStore(), owner=owner, clears=Clears(9)).person_fingerprint(
        request_to(contact)
    )


@given(
    owner=st.tuples(*[st.text(min_size=1, max_size=250)] * 3, st.integers(-1, 5000).map(str)),
    attempt=st.integers(1, 10**6),
)
def test_an_external_id_is_the_same_for_every_try_short_and_without_a_number(
    owner: tuple[str, ...], attempt: int
) -> None:
    def external_id(generation: int, contact: str, attempt: int = attempt) -> str:
        return Journal(MemoryStore(), owner=owner, clears=Clears(generation)).external_id(
            request_to(contact), attempt
        )

    made = external_id(0, PERSON)
    assert made == external_id(3, PERSON) == external_id(0, OTHER_PERSON)
    assert len(made) <= 64
    assert re.fullmatch(r"af-[0-9a-f]{32}-\d+", made)
    assert PERSON not in made
    assert made != external_id(0, PERSON, attempt + 1)


@pytest.mark.parametrize("position", range(4))
def test_each_part_of_the_owner_makes_another_external_id(position: int) -> None:
    owner = list(OWNER)
    owner[position] += "1"
    other = Journal(MemoryStore(), owner=tuple(owner), clears=Clears(0))
    assert other.external_id(request_to(), 1) != World().journal().external_id(request_to(), 1)


def test_the_authors_external_id_is_sent_unchanged_and_numbered_from_the_second_attempt_on() -> None:
    world = World()
    for generation in range(3):
        session_id = 7 + generation
        world.answer = lambda request, number=session_id: StartedCall(call_session_id=number)
        world.place(request_to(external_id="order-77"), generation=generation)
        world.journal(generation).mark_done(Outcome(session_id))
    assert world.sent == ["order-77", "order-77-2", "order-77-3"]


def test_a_retry_that_renders_another_external_id_still_finds_the_call_of_the_first_try() -> None:
    world = World(answer=failing(KeyError("the worker dies")))
    with pytest.raises(KeyError):
        world.place(request_to(external_id="at-10:00"))
    world.lists = lambda now: [session(8, "at-10:00")]
    assert world.place(request_to(external_id="at-10:05")).call_session_id == 8


def test_no_phone_number_is_ever_stored_or_logged() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None)
    with pytest.raises(Unresolved) as raised:
        world.place(if_not_found="at_least_once")
    world.answer = lambda request: StartedCall(call_session_id=7)
    world.place(generation=1)
    shown = "\n".join([*world.disk.written, *world.log, str(raised.value)])
    assert PERSON not in shown
    assert PERSON[1:] not in shown


def test_each_stage_stores_the_call_as_it_was_observed() -> None:
    world = World()
    call = world.place()
    seen = replace(call, observed=True, answered=True, tags=(36,))
    for write, stage in [
        (Journal.mark_active, "started"),
        (Journal.mark_ended, "ended"),
        (Journal.mark_done, "done"),
    ]:
        write(world.journal(), seen)
        assert world.disk.stage == stage
        assert world.journal().current.outcome == seen
