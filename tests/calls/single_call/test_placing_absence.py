"""An unconfirmed call is placed again only once its absence is proven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from placing_world import PERSON, World, failing, request_to, session, world_after

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import AccessDenied, CallApiError, Unanswered
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.api.models import CallSession, StartedCall
from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.single_call.placing import AbsenceNotProven, ProveAbsence, Unresolved

NOT_FOUND: dict[str, Any] = {"answer": failing(Unanswered("no answer")), "reports": lambda external_id: None}


def test_the_absence_of_a_call_in_the_first_search_does_not_prove_absence() -> None:
    world = World(**NOT_FOUND)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    assert error.value.search_again_at == world.now + 300.0
    assert world.now >= 5060.0, "list.calls may show a new call as late as that"
    assert world.disk.stage == "starting", "the call is still searched for"
    assert len(world.sent) == 1


@pytest.mark.parametrize("seconds", [299.0, 300.0, 86_400.0])
def test_a_worker_that_was_suspended_behind_its_intent_places_no_second_call(seconds: float) -> None:
    """Meanwhile, another try may prove that the call was never placed, and place the call."""
    world = World(reports=lambda external_id: 9 if seconds >= 300 else None)
    store = world.disk.set

    def suspend(key: str, record: dict[str, Any]) -> None:
        store(key, record)
        if len(world.disk.written) == 1:
            world.now += seconds

    world.disk.set = suspend  # type: ignore[method-assign]

    call = world.place(if_not_found=ProveAbsence(300.0))

    assert (call.call_session_id, len(world.sent)) == ((9, 0) if seconds >= 300 else (7, 1))


@pytest.mark.parametrize("seconds", [299.0, 300.0, 86_400.0])
def test_a_worker_that_was_suspended_before_a_repeat_of_its_request_places_no_second_call(
    seconds: float,
) -> None:
    """A client pauses before a repeat. Meanwhile, another try may place the call."""
    world = World(reports=lambda external_id: 9 if seconds >= 300 else None)
    send = world.send

    def send_after_a_pause(request: StartCall, before_each_send: Callable[[], object]) -> StartedCall:
        before_each_send()
        world.now += seconds
        return send(request, before_each_send)

    world.send = send_after_a_pause  # type: ignore[method-assign]

    call = world.place(if_not_found=ProveAbsence(300.0))

    assert (call.call_session_id, len(world.sent)) == ((9, 0) if seconds >= 300 else (7, 1))


def test_a_call_that_no_service_shows_long_after_a_first_search_is_placed_as_the_same_attempt() -> None:
    world = World(**NOT_FOUND)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now, world.answer = error.value.search_again_at, lambda request: StartedCall(call_session_id=9)
    polls = len(world.polled_at)

    call = world.place(if_not_found=ProveAbsence(300.0))

    assert (call.call_session_id, call.attempt) == (9, 1)
    assert world.sent == [world.journal().external_id(request_to(), 1)] * 2
    assert len(world.polled_at) - polls == 2, "one absence in list.calls proves nothing"


def test_a_second_search_that_comes_too_early_does_not_start_the_wait_again() -> None:
    world = World(**NOT_FOUND)
    search_again_at = set()
    for _ in range(3):
        with pytest.raises(AbsenceNotProven) as error:
            world.place(if_not_found=ProveAbsence(300.0))
        search_again_at.add(error.value.search_again_at)
        world.now += 60.0
    assert len(search_again_at) == 1
    assert len(world.sent) == 1
    assert "An earlier search did not find the call; searching" in world.log[-1], "no try has ended"


def test_an_old_intent_needs_a_second_search_because_its_call_may_have_just_ended() -> None:
    """The call is no longer active, and the Data API does not report it yet."""
    world = world_after(Stage.STARTING, reports=lambda external_id: None)
    world.now = 9000.0
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now, world.reports = error.value.search_again_at, lambda external_id: 8
    assert world.place(if_not_found=ProveAbsence(300.0)).call_session_id == 8
    assert world.sent == []


def test_a_second_lost_answer_is_searched_for_like_the_first() -> None:
    world = World(**NOT_FOUND)
    for number in range(3):
        with pytest.raises(AbsenceNotProven) as error:
            world.place(if_not_found=ProveAbsence(300.0))
        world.now = error.value.search_again_at
        assert len(world.sent) == [1, 2, 2][number], "the second attempt is searched for before a third"


@pytest.mark.parametrize("stage", [Stage.STARTING, Stage.UNRESOLVED])
@pytest.mark.parametrize("where", ["list.calls", "report"])
def test_a_call_that_a_service_shows_is_never_placed_again(stage: Stage, where: str) -> None:
    world = world_after(stage, reports=lambda external_id: 8 if where == "report" else None)
    if where == "list.calls":
        world.lists = lambda now: [session(8, world.journal().external_id(request_to(), 1))]
    world.now = 9000.0
    assert world.place(if_not_found=ProveAbsence(300.0)).call_session_id == 8
    assert world.sent == []


@pytest.mark.parametrize("failing_part", ["lists", "reports"])
@pytest.mark.parametrize("error", [Unanswered("down"), AccessDenied("component")], ids=type)
def test_a_search_that_fails_proves_no_absence(failing_part: str, error: CallApiError) -> None:
    world = world_after(Stage.STARTING, reports=lambda external_id: None)
    if failing_part == "lists":
        world.lists = lambda now: error
    else:
        world.reports = failing(error)
    world.now = 9000.0
    with pytest.raises(type(error)):
        world.place(if_not_found=ProveAbsence(300.0))
    assert (world.sent, world.disk.stage) == ([], "starting")


BEGAN_BEFORE = {"contact_phone_number": PERSON, "start_time": "1970-01-01 01:21:40"}  # 4900


def test_a_reported_call_with_the_authors_id_before_the_intent_makes_the_absence_doubtful() -> None:
    """The call may be the unconfirmed one, if a clock or the time zone is wrong, or another task's."""
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None)
    with pytest.raises(AbsenceNotProven):
        world.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
    world.now = 9000.0
    world.reported = Entries([CallReport(id=8, call_api_external_id="order-7", **BEGAN_BEFORE)])
    with pytest.raises(Unresolved, match="Call session 8 has this task's external_id"):
        world.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
    assert (len(world.sent), world.disk.stage) == (1, "unresolved")


def test_an_active_call_with_the_authors_id_that_began_before_the_intent_delays_the_proof() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None)
    with pytest.raises(AbsenceNotProven):
        world.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
    world.now = 9000.0
    began = CallSession(call_session_id=8, external_id="order-7", **BEGAN_BEFORE)
    world.lists = lambda now: [began]
    with pytest.raises(Unanswered, match="may be the unconfirmed call"):
        world.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
    assert (len(world.sent), world.disk.stage) == (1, "starting")


def test_the_last_poll_before_the_second_start_request_may_show_the_unconfirmed_call() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None)
    request = request_to(external_id="order-7")
    with pytest.raises(AbsenceNotProven):
        world.place(request, if_not_found=ProveAbsence(300.0))
    world.now = 9000.0
    polls = len(world.polled_at)
    world.lists = lambda now: [session(8, "order-7")] if len(world.polled_at) > polls + 2 else []
    with pytest.raises(AbsenceNotProven):
        world.place(request, if_not_found=ProveAbsence(300.0))
    assert world.place(request, if_not_found=ProveAbsence(300.0)).call_session_id == 8
    assert len(world.sent) == 1


PLACED_AT = "1970-01-01 01:23:20"  # 5000


@pytest.mark.parametrize(
    "report",
    [
        {"call_api_external_id": None},
        {"call_api_external_id": ""},
        {"call_api_external_id": " "},
        {"call_api_external_id": None, "contact_phone_number": "8" + PERSON[1:]},
        {"call_api_external_id": None, "contact_phone_number": PERSON[:4] + "***" + PERSON[-4:]},
        {"call_api_external_id": None, "start_time": None},
        {"call_api_external_id": None, "start_time": "noon"},
    ],
    ids=str,
)
def test_a_reported_call_to_the_contact_without_an_id_makes_the_absence_doubtful(
    report: dict[str, Any],
) -> None:
    """The account may not show the ids of its calls."""
    world = World(**NOT_FOUND)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now = error.value.search_again_at
    facts = {"id": 8, "contact_phone_number": PERSON, "start_time": PLACED_AT, **report}
    world.reported = Entries([CallReport(**facts)])
    with pytest.raises(Unresolved, match="Call session 8 has no external_id, and may be the call of"):
        world.place(if_not_found=ProveAbsence(300.0))
    assert (len(world.sent), world.disk.stage) == (1, "unresolved")


@pytest.mark.parametrize(
    "report",
    [
        {"call_api_external_id": "order-8"},
        {"contact_phone_number": "79260000012"},
        {"contact_phone_number": "7926***0012"},
        {"contact_phone_number": None, "direction": "in"},
        {"start_time": "1969-12-31 10:00:00"},
    ],
    ids=str,
)
def test_a_reported_call_that_is_certainly_another_call_does_not_make_the_absence_doubtful(
    report: dict[str, Any],
) -> None:
    world = World(**NOT_FOUND)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now, world.answer = error.value.search_again_at, lambda request: StartedCall(call_session_id=9)
    facts = {"call_api_external_id": None, "contact_phone_number": PERSON, "start_time": PLACED_AT, **report}
    world.reported = Entries([CallReport(id=8, **facts)])
    assert world.place(if_not_found=ProveAbsence(300.0)).call_session_id == 9


def test_a_report_that_cannot_be_read_proves_no_absence() -> None:
    world = World(**NOT_FOUND)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now, world.reported = error.value.search_again_at, Entries(left_out=1)
    with pytest.raises(Unanswered, match="a report cannot be read"):
        world.place(if_not_found=ProveAbsence(300.0))
    assert (len(world.sent), world.disk.stage) == (1, "starting")


def test_an_unresolved_call_is_placed_once_its_absence_is_proven() -> None:
    world = world_after(Stage.UNRESOLVED, reports=lambda external_id: None)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now = error.value.search_again_at
    assert world.place(if_not_found=ProveAbsence(300.0)).attempt == 1


@pytest.mark.parametrize("others", [[], [session(8, "order-7")]], ids=["alone", "beside another call"])
def test_a_call_with_the_authors_id_is_not_dialled_again_if_the_last_poll_cannot_be_read(
    others: list[CallSession],
) -> None:
    def second_try(unreadable_poll: int) -> World:
        world = World(answer=failing(Unanswered("no answer")), lists=lambda now: others)
        with pytest.raises(AbsenceNotProven) as error:
            world.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
        world.now, world.answer = error.value.search_again_at, lambda request: StartedCall(call_session_id=9)
        world.left_out = lambda now: int(len(world.polled_at) == unreadable_poll)
        return world

    readable = second_try(unreadable_poll=0)
    assert (
        readable.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0)).call_session_id
        == 9
    )
    unreadable = second_try(unreadable_poll=len(readable.polled_at))
    with pytest.raises(AbsenceNotProven):
        unreadable.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
    assert len(unreadable.sent) == 1
