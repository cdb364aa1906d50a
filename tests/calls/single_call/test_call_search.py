"""The search for an unconfirmed call: in list.calls, then in the Data API."""

from __future__ import annotations

from typing import Any

import pytest
from placing_world import (
    EARLIER,
    LOST,
    OTHER_PERSON,
    PERSON,
    World,
    failing,
    request_to,
    session,
    world_after,
)

from airflow_provider_callapi.api.errors import AccessDenied, CallApiError, NotSent, ServiceFailed, Unanswered
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.api.models import CallSession, StartedCall
from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.single_call.placing import ProveAbsence, Unresolved

# --- which active call it is ---


@pytest.mark.parametrize("error", LOST, ids=type)
@pytest.mark.parametrize("appears_after", [0, 20, 55])
def test_a_call_whose_answer_was_lost_is_found_when_it_is_listed(
    error: CallApiError, appears_after: float
) -> None:
    world = World(answer=failing(error))
    external_id = world.journal().external_id(request_to(), 1)
    world.lists = lambda now: [session(8, external_id)] if now >= 5000 + appears_after else []
    call = world.place()
    assert (call.call_session_id, call.external_id, len(world.sent)) == (8, external_id, 1)
    assert world.disk.stage == "started"


def test_the_search_time_counts_from_the_lost_answer_and_not_from_the_intent() -> None:
    """The start request may wait a minute for points between the intent and the answer."""
    world = World()

    def slow(_: StartCall) -> StartedCall:
        world.now += 115
        raise Unanswered("no answer")

    world.answer = slow
    external_id = world.journal().external_id(request_to(), 1)
    world.lists = lambda now: [session(8, external_id)] if now >= 5115 + 40 else []
    assert world.place().call_session_id == 8


@pytest.mark.parametrize(
    "other",
    [
        session(9, None),
        session(9, "something-else"),
        session(9, "order-77", OTHER_PERSON),
        session(9, "order-77-2"),
    ],
    ids=["no id", "another id", "another contact", "another attempt"],
)
def test_a_call_is_recognized_by_its_external_id_and_the_contact(other: CallSession) -> None:
    world = World(answer=failing(Unanswered("no answer")), lists=lambda now: [other])
    with pytest.raises(Unresolved):
        world.place(request_to(external_id="order-77"))
    world = World(answer=failing(Unanswered("no answer")))
    world.lists = lambda now: [other, session(8, "order-77")] if world.sent else [other]
    assert world.place(request_to(external_id="order-77")).call_session_id == 8


def test_a_session_that_does_not_name_its_contact_is_recognized_by_the_external_id() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    world.lists = lambda now: [session(8, "order-77", None)] if world.sent else []
    assert world.place(request_to(external_id="order-77")).call_session_id == 8


def test_one_late_miss_does_not_prove_absence() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    external_id = world.journal().external_id(request_to(), 1)
    world.lists = lambda now: [session(8, external_id)] if len(world.polled_at) == 2 else []
    assert world.place(appear_timeout=0.0).call_session_id == 8


def test_a_repeated_authors_id_does_not_adopt_a_call_that_began_long_before_the_intent() -> None:
    """The earlier call to the same contact is still active. It began before the unconfirmed call."""

    def lists(now: float) -> list[CallSession]:
        earlier = session(EARLIER, "order-7")
        return [earlier.model_copy(update={"start_time": "1969-12-31 10:00:00"})]  # 3600; the intent: 5000

    world = World(answer=failing(Unanswered("no answer")), lists=lists)
    with pytest.raises(Unresolved):
        world.place(request_to(external_id="order-7"))

    assert world.sent == ["order-7"]
    assert world.disk.stage == "unresolved"


def test_a_retry_without_a_journal_finds_the_call_of_the_earlier_try_with_any_start_time() -> None:
    """The retry's intent is minutes younger than the call that the earlier try placed."""

    def lists(now: float) -> list[CallSession]:
        placed = session(EARLIER, "order-7")
        return [placed.model_copy(update={"start_time": "1970-01-01 01:12:00"})]  # 11 minutes before 5000

    world = World(lists=lists)
    call = world.place(request_to(external_id="order-7"), search_first=True)

    assert (call.call_session_id, world.sent) == (EARLIER, [])


def test_an_authors_id_finds_the_call_that_began_with_the_intent() -> None:
    def lists(now: float) -> list[CallSession]:
        placed = session(8, "order-7")
        return [placed.model_copy(update={"start_time": "1970-01-01 01:23:21"})]  # 5001

    world = World(answer=failing(Unanswered("no answer")))
    world.lists = lambda now: lists(now) if world.sent else []
    assert world.place(request_to(external_id="order-7")).call_session_id == 8


def test_a_call_with_the_authors_id_that_was_active_before_is_not_the_unconfirmed_call() -> None:
    other = session(8, "order-7")
    world = World(answer=failing(Unanswered("no answer")), lists=lambda now: [other], reports=lambda _: 8)
    with pytest.raises(Unresolved):
        world.place(request_to(external_id="order-7"))
    assert world.journal().current.others == (8,)
    world.lists = lambda now: [other, session(9, "order-7")]
    assert world.place(request_to(external_id="order-7"), if_not_found="at_least_once").call_session_id == 9


def test_a_call_with_a_generated_id_is_placed_without_a_poll() -> None:
    world = World()
    world.place()
    assert world.polled_at == []


@pytest.mark.parametrize("failure", [ServiceFailed("down"), AccessDenied("component"), NotSent("refused")])
def test_active_calls_that_cannot_be_listed_delay_no_call(failure: CallApiError) -> None:
    world = World(lists=lambda now: failure)
    assert world.place(request_to(external_id="order-7")).call_session_id == 7
    assert world.polled_at == [5000.0]


# --- the Data API ---


def test_a_call_that_list_calls_never_showed_is_found_in_the_report() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: 8)
    assert world.place().call_session_id == 8
    assert world.report_searches == [(world.sent[0], PERSON, 5000.0)]
    assert world.polled_at[-1] >= 5060, "active calls are listed sooner than they are reported"


def test_a_call_that_is_in_no_report_either_is_unresolved() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None)
    with pytest.raises(Unresolved):
        world.place()
    assert len(world.report_searches) == 1


def test_the_report_of_a_later_try_is_searched_from_the_intent_on() -> None:
    world = world_after(Stage.STARTING, reports=lambda external_id: 8)
    assert world.place().call_session_id == 8
    assert world.report_searches[0][2] == 4900.0


# --- errors during the search ---


@pytest.mark.parametrize("reports", [None, lambda external_id: None], ids=["no Data API", "Data API"])
def test_an_error_while_searching_keeps_the_intent_and_a_later_try_searches_again(reports: Any) -> None:
    trouble = Unanswered("list.calls is down")
    world = World(answer=failing(Unanswered("no answer")), lists=lambda now: trouble, reports=reports)
    for _ in range(3):
        with pytest.raises(Unanswered, match=r"list\.calls is down"):
            world.place()
        assert world.disk.stage == "starting"
    external_id = str(world.sent[0])
    world.lists = lambda now: [session(8, external_id)]
    assert world.place().call_session_id == 8
    assert len(world.sent) == 1


def test_ten_failed_polls_are_survived_and_count_neither_as_a_miss_nor_as_found() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    external_id = world.journal().external_id(request_to(), 1)
    shown = [NotSent("1"), [], *[NotSent("x")] * 10, [session(8, external_id)]]
    world.lists = lambda now: shown[len(world.polled_at) - 1]  # type: ignore[return-value]
    assert world.place(appear_timeout=0.0).call_session_id == 8


def test_the_report_decides_if_list_calls_is_forbidden() -> None:
    denied = AccessDenied("list.calls", mnemonic="component_disabled")
    found = World(
        answer=failing(Unanswered("no answer")), lists=lambda now: denied, reports=lambda external_id: 8
    )
    assert found.place().call_session_id == 8
    unknown = World(answer=failing(Unanswered("no answer")), lists=lambda now: denied)
    with pytest.raises(Unresolved):
        unknown.place()
    assert unknown.polled_at == [5000.0], "it would only be refused again"


def test_a_transient_error_of_the_data_api_keeps_the_intent() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=failing(Unanswered("report is down")))
    with pytest.raises(Unanswered, match="report is down"):
        world.place()
    assert world.disk.stage == "starting"


def test_an_unlisted_call_is_unresolved_and_the_reason_logged_if_the_data_api_is_forbidden() -> None:
    denied = AccessDenied("this address is not on the list", mnemonic="ip_not_whitelisted")
    world = World(answer=failing(Unanswered("no answer")), reports=failing(denied))
    with pytest.raises(Unresolved, match="may have been placed"):
        world.place()
    assert any("not on the list" in line for line in world.log)


def test_a_transient_error_of_one_source_is_raised_if_the_other_source_is_forbidden() -> None:
    world = World(
        answer=failing(Unanswered("no answer")),
        lists=lambda now: AccessDenied("component"),
        reports=failing(Unanswered("report is down")),
    )
    with pytest.raises(Unanswered, match="report is down"):
        world.place()
    assert world.disk.stage == "starting"


# --- calls that cannot be read ---


def nameless(number: int, contact: str | None = PERSON) -> CallSession:
    """Return an active call whose ``external_id`` could not be read."""
    return CallSession(call_session_id=number, contact_phone_number=contact)


@pytest.mark.parametrize("if_not_found", ["at_most_once", "at_least_once", ProveAbsence(60.0)], ids=str)
@pytest.mark.parametrize(
    "unreadable",
    [
        {"left_out": lambda now: 1},
        {"lists": lambda now: [nameless(9)]},
        {"lists": lambda now: [nameless(9, None)]},
        {"lists": lambda now: [session(9, None)]},
        {"lists": lambda now: [session(9, "", "8" + PERSON[1:])]},
        {"lists": lambda now: [session(9, "not set")]},
    ],
    ids=["no id", "no external_id", "no contact either", "null as external_id", "empty external_id", "text"],
)
def test_an_unconfirmed_call_is_not_dialled_again_while_an_active_call_cannot_be_read(
    unreadable: dict[str, Any], if_not_found: Any
) -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None, **unreadable)
    for _ in range(3):
        with pytest.raises(Unanswered, match="may be the unconfirmed call"):
            world.place(if_not_found=if_not_found)
        world.now += 100
    assert len(world.sent) == 1


def test_the_search_continues_once_all_active_calls_can_be_read_again() -> None:
    world = World(answer=failing(Unanswered("no answer")), left_out=lambda now: int(now < 5030))
    with pytest.raises(Unresolved):
        world.place()
    assert world.disk.stage == "unresolved"
    world = World(answer=failing(Unanswered("no answer")), left_out=lambda now: int(now < 5030))
    external_id = world.journal().external_id(request_to(), 1)
    world.lists = lambda now: [session(8, external_id)] if now >= 5020 else []
    assert world.place().call_session_id == 8


def test_a_call_to_another_person_that_cannot_be_read_is_not_the_unconfirmed_call() -> None:
    world = World(answer=failing(Unanswered("no answer")), lists=lambda now: [nameless(9, OTHER_PERSON)])
    with pytest.raises(Unresolved):
        world.place()
