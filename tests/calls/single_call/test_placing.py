"""What follows for a call: a start request, a search, another attempt, or an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from placing_world import EARLIER, LOST, OWNER, World, failing, request_to, session, world_after

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import (
    AccessDenied,
    CallApiError,
    CallRefused,
    InvalidParameters,
    LimitExceeded,
    NotSent,
    Unanswered,
)
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.single_call.placing import AnswerNotStored, Killed, Unresolved, place
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

PROVEN = [
    NotSent("refused"),
    LimitExceeded("limit"),
    CallRefused("blacklisted"),
    InvalidParameters("contact"),
    AccessDenied("component"),
]


# --- no answer came ---


@pytest.mark.parametrize("error", LOST, ids=type)
def test_a_call_whose_answer_was_lost_and_that_is_not_found_is_unresolved(error: CallApiError) -> None:
    world = World(answer=failing(error))
    with pytest.raises(Unresolved) as raised:
        world.place()
    text = str(raised.value)
    assert str(error) in text
    assert "may have been placed" in text
    assert str(world.sent[0]) in text
    assert "clear this task to place a new call" in text
    assert (len(world.sent), world.disk.stage) == (1, "unresolved")
    assert world.polled_at[-1] >= 5060, "a call is given the whole appear_timeout to be listed"


@pytest.mark.parametrize("error", PROVEN, ids=type)
def test_a_call_that_is_proven_not_to_be_placed_is_not_searched_for_and_may_be_placed_again(
    error: CallApiError,
) -> None:
    world = World(answer=failing(error))
    with pytest.raises(type(error)):
        world.place()
    assert (world.polled_at, world.disk.stage) == ([], "nothing")
    world.answer = lambda request: StartedCall(call_session_id=7)
    assert world.place().attempt == 1
    assert world.sent[0] == world.sent[1], "nothing was placed under it: the id is still free"


def test_a_crash_while_sending_leaves_an_intent_that_the_next_try_searches_for() -> None:
    world = World(answer=failing(MemoryError()))  # type: ignore[arg-type]
    with pytest.raises(MemoryError):
        world.place()
    assert world.disk.stage == "starting"
    with pytest.raises(Unresolved):
        world.place()
    assert len(world.sent) == 1


@pytest.mark.parametrize("cleared", [False, True])
def test_an_answer_that_cannot_be_stored_is_logged_and_the_next_try_finds_the_call(cleared: bool) -> None:
    world = World()
    world.disk.refuses = ("started",)
    with pytest.raises(
        AnswerNotStored, match=r"call session 7: the phone rings or has rung.*RuntimeError"
    ) as error:
        world.place()
    assert world.log[-1] == "Call session 7: the call is placed"
    assert (world.disk.stage, world.sent[0]) == ("starting", world.journal().current.external_id)
    assert str(world.sent[0]) in str(error.value)

    world.disk.refuses = ()
    world.lists = lambda now: [session(7, world.sent[0])]
    assert world.place(generation=int(cleared)).call_session_id == 7
    assert len(world.sent) == 1


def test_an_answer_is_logged_even_if_no_store_works_after_the_send() -> None:
    world = World()

    def calls_of_others(_: StartCall) -> list[int]:
        if world.sent:
            raise ConnectionError("no store")
        return []

    world.disk.refuses = ("started",)
    journal = Journal(world.disk, owner=OWNER, clears=Clears(0), calls_of_others=calls_of_others)
    with pytest.raises(AnswerNotStored, match="call session 7"):
        place(journal, request_to(), world.gateway, appear_timeout=1.0)
    assert world.log[-1] == "Call session 7: the call is placed"


def test_a_store_that_cannot_be_read_before_the_send_leaves_no_intent() -> None:
    world = World()
    journal = Journal(world.disk, owner=OWNER, clears=Clears(0), calls_of_others=failing(ConnectionError()))  # type: ignore[arg-type]
    with pytest.raises(ConnectionError):
        place(journal, request_to(), world.gateway, appear_timeout=1.0)
    assert (world.sent, world.disk.stage) == ([], None)


def test_a_lost_answer_is_a_warning_that_names_the_request_and_the_id() -> None:
    warnings: list[str] = []
    world = World(answer=failing(Unanswered("no answer", method="start.informer_call")))
    gateway = replace(world.gateway, warn=warnings.append)
    with pytest.raises(Unresolved, match=r"start\.informer_call: no answer"):
        place(world.journal(), request_to(), gateway, appear_timeout=1.0)
    assert warnings == [f"start.informer_call: no answer; searching for external_id {world.sent[0]}"]


def test_a_found_call_that_cannot_be_stored_is_logged_and_named_in_the_error() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    world.lists = lambda now: [session(7, world.sent[0])]
    world.disk.refuses = ("started",)
    with pytest.raises(AnswerNotStored, match="call session 7"):
        world.place()
    assert "Found call session 7 by its external_id: it was placed" in world.log
    assert (world.disk.stage, len(world.sent)) == ("starting", 1)


def test_a_kill_before_the_send_stores_that_no_call_was_placed() -> None:
    world = World(answer=failing(Killed()))  # type: ignore[arg-type]
    with pytest.raises(Killed):
        world.place()
    assert (world.disk.stage, len(world.sent)) == ("nothing", 1)
    world.answer = World().answer
    assert world.place().attempt == 1


def test_a_kill_during_the_search_leaves_the_intent_so_that_the_next_try_searches_again() -> None:
    world = World(answer=failing(Unanswered("no answer")))

    def polls() -> Iterator[Snapshot]:
        yield Snapshot(world.now)
        raise Killed

    world.snapshots = polls  # type: ignore[method-assign]
    with pytest.raises(Killed):
        world.place(if_not_found="at_least_once")
    assert (world.disk.stage, len(world.sent)) == ("starting", 1)


# --- at_least_once ---


def test_at_least_once_places_only_one_more_attempt_after_the_search() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    with pytest.raises(Unresolved, match=r"a retry searches for external_id .* and places a new call"):
        world.place(if_not_found="at_least_once")
    journal = world.journal()
    assert world.sent == [journal.external_id(request_to(), 1), journal.external_id(request_to(), 2)]
    assert world.polled_at[-1] >= 5120, "both were searched for"
    assert any("at_least_once" in line for line in world.log)


def test_at_least_once_does_not_place_another_attempt_if_the_first_is_found() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    world.lists = lambda now: [session(8, world.journal().external_id(request_to(), 1))]
    assert world.place(if_not_found="at_least_once").call_session_id == 8
    assert len(world.sent) == 1


def test_at_least_once_finds_the_call_of_its_second_attempt_if_that_answer_is_lost_too() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    world.lists = lambda now: [session(9, world.sent[1])] if len(world.sent) == 2 else []
    call = world.place(if_not_found="at_least_once")
    assert (call.call_session_id, call.attempt, len(world.sent)) == (9, 2, 2)


def test_a_failed_search_for_earlier_attempts_does_not_prevent_the_next_attempt() -> None:
    """Many reports may need more points than the account has: the person would never be rung."""
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None)
    with pytest.raises(Unresolved):
        world.place(if_not_found="at_least_once")
    world.reported, world.answer = LimitExceeded("no points"), lambda request: StartedCall(call_session_id=9)
    assert world.place(if_not_found="at_least_once").attempt == 3
    assert any("Could not search for the earlier attempts: no points" in line for line in world.log)


@pytest.mark.parametrize("stage", [Stage.STARTING, Stage.UNRESOLVED])
def test_at_least_once_never_skips_the_search(stage: Stage) -> None:
    late = world_after(stage)
    late.lists = lambda now: [session(8, late.journal().external_id(request_to(), 1))]
    assert late.place(if_not_found="at_least_once").call_session_id == 8
    assert late.sent == []


@pytest.mark.parametrize("stage", [Stage.STARTING, Stage.UNRESOLVED])
def test_at_least_once_places_one_new_attempt_a_try(stage: Stage) -> None:
    world = world_after(stage, answer=failing(Unanswered("no answer")))
    for attempt in (2, 3):
        with pytest.raises(Unresolved):
            world.place(if_not_found="at_least_once")
        assert world.sent[attempt - 2 :] == [world.journal().external_id(request_to(), attempt)]


@given(
    fates=st.lists(st.sampled_from(["unanswered", "refused"]), min_size=1, max_size=4).filter(
        lambda fates: "unanswered" in fates
    ),
    shown=st.integers(min_value=0, max_value=3),
    by_list_calls=st.booleans(),
)
def test_at_least_once_looks_for_each_unresolved_attempt_before_it_dials_again(
    fates: list[str], shown: int, by_list_calls: bool
) -> None:
    remaining = list(fates)
    unanswered: list[str] = []

    def answer(request: StartCall) -> StartedCall:
        if remaining.pop(0) == "refused":
            raise LimitExceeded("no points left")
        unanswered.append(str(request.external_id))
        raise Unanswered("no answer")

    world = World(answer=answer, reports=lambda external_id: None)
    while remaining:
        with suppress(Unresolved, LimitExceeded, IndexError):
            world.place(if_not_found="at_least_once")
    external_id = unanswered[shown % len(unanswered)]
    if by_list_calls:
        world.lists = lambda now: [session(8, external_id)]
    else:
        world.reported = Entries([CallReport(id=8, call_api_external_id=external_id)])
        world.reports = lambda searched: 8 if searched == external_id else None
    sent = len(world.sent)

    found = world.place(if_not_found="at_least_once")

    assert (found.call_session_id, found.external_id, len(world.sent)) == (8, external_id, sent)
    assert world.journal().next_attempt > len(unanswered), "no later attempt gets the id of one of these"


def test_a_call_of_another_task_with_the_authors_id_is_not_taken_for_an_earlier_attempt() -> None:
    theirs = session(8, "order-7")
    world = World(answer=failing(Unanswered("no answer")), lists=lambda now: [theirs])
    for _ in range(2):
        with pytest.raises(Unresolved):
            world.place(request_to(external_id="order-7"), if_not_found="at_least_once")
    assert world.sent == ["order-7", "order-7-2", "order-7-3"]


@pytest.mark.parametrize("stage", [Stage.STARTED, Stage.ENDED, Stage.DONE])
def test_at_least_once_does_not_repeat_a_placed_call(stage: Stage) -> None:
    world = world_after(stage)
    assert world.place(if_not_found="at_least_once").call_session_id == EARLIER
    assert world.sent == []


# --- a journal that does not outlive a try ---


def test_search_first_adopts_the_active_call_of_an_earlier_try() -> None:
    world = World()
    world.lists = lambda now: [session(8, world.journal().external_id(request_to(), 1))]
    assert world.place(search_first=True).call_session_id == 8
    assert world.sent == []
    assert world.log[0] == "The journal of earlier tries is lost: searching for their call before dialling"


def test_search_first_dials_if_no_call_is_active() -> None:
    world = World()
    assert world.place(search_first=True).call_session_id == 7
    assert len(world.polled_at) == 2, "one absence proves nothing"


@pytest.mark.parametrize("error", [Unanswered("down"), AccessDenied("component")], ids=type)
def test_search_first_does_not_dial_if_the_search_fails(error: CallApiError) -> None:
    world = World(lists=lambda now: error)
    with pytest.raises(type(error)):
        world.place(search_first=True)
    assert world.sent == []


def test_at_least_once_with_search_first_dials_if_list_calls_is_forbidden() -> None:
    world = World(lists=lambda now: AccessDenied("component"))
    assert world.place(search_first=True, if_not_found="at_least_once").call_session_id == 7
