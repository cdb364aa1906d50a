"""What an active session proves about an answer of its contact."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.models import CallSession, Leg, LegState
from airflow_provider_callapi.calls.outcomes.answers import contact_has_answered

EXAMPLE = Path(__file__).parents[2] / "data" / "call-api" / "list.calls.response.json"
CONTACT = "79260000001"
EMPLOYEE = "79262444393"
PROVES_NOTHING = [LegState.DIALING, LegState.QUEUED, LegState.DISCONNECTED]
PROVES_AN_ANSWER = sorted(set(LegState) - set(PROVES_NOTHING))


def session(*legs: Leg, contact: str | None = CONTACT) -> CallSession:
    return CallSession(call_session_id=1, contact_phone_number=contact, legs=legs)


def contact_leg(state: str, called: str | None = CONTACT) -> Leg:
    return Leg(leg_id=1, called_phone_number=called, state=state)


def employee_leg(state: str) -> Leg:
    return Leg(
        leg_id=2, calling_phone_number=CONTACT, called_phone_number=EMPLOYEE, is_operator=True, state=state
    )


def test_the_contact_of_the_documents_example_has_answered() -> None:
    [call] = ListCalls.read_answer(json.loads(EXAMPLE.read_text())["result"]["data"])
    assert contact_has_answered(call)


@pytest.mark.parametrize("state", PROVES_AN_ANSWER)
def test_a_contact_in_a_state_after_dialing_has_answered(state: LegState) -> None:
    assert contact_has_answered(session(contact_leg(state)))


ENGLISH = [
    ("Dial", LegState.DIALING),
    ("Conversation", LegState.TALKING),
    ("Talking", LegState.TALKING),
    ("Next in line", LegState.QUEUED),
    ("Disconnected", LegState.DISCONNECTED),
    ("Operators talking", LegState.OPERATORS_TALKING),
    ("On hold", LegState.ON_HOLD),
    ("Call Transfer", LegState.TRANSFERRING),
    ("Sending DTMF", LegState.SENDING_DTMF),
    ("Receiving a fax", LegState.RECEIVING_FAX),
    ("Fax received", LegState.FAX_RECEIVED),
    ("Sending a fax", LegState.SENDING_FAX),
    ("Fax sent", LegState.FAX_SENT),
]


@pytest.mark.parametrize(("text", "state"), [*ENGLISH, *((each.value, each) for each in LegState)])
def test_a_state_proves_the_same_in_every_language_and_case(text: str, state: LegState) -> None:
    for spelling in (text, text.upper(), text.lower(), f" {text} "):
        assert contact_has_answered(session(contact_leg(spelling))) is (state in PROVES_AN_ANSWER)


@pytest.mark.parametrize("state", [*PROVES_NOTHING, "", "Летит на Луну", "Flying", "Conversations"])
def test_a_contact_in_any_other_state_or_an_unknown_one_proves_nothing(state: str) -> None:
    assert not contact_has_answered(session(contact_leg(state)))


@pytest.mark.parametrize("contact_state", [LegState.DIALING, LegState.QUEUED, ""])
def test_an_employee_who_picked_up_first_does_not_count_as_an_answer(contact_state: str) -> None:
    legs = employee_leg(LegState.TALKING), contact_leg(contact_state)
    assert not contact_has_answered(session(*legs))
    assert not contact_has_answered(session(*reversed(legs)))


def test_an_operators_leg_to_the_contacts_number_does_not_count_as_an_answer() -> None:
    leg = Leg(leg_id=1, called_phone_number=CONTACT, is_operator=True, state=LegState.TALKING)
    assert not contact_has_answered(session(leg))


def test_a_third_party_who_picked_up_does_not_count_as_an_answer_of_the_contact() -> None:
    third = contact_leg(LegState.TALKING, called="79031112233")
    assert not contact_has_answered(session(contact_leg(LegState.DIALING), third))


@pytest.mark.parametrize("called", [f"{CONTACT}...9.2.3.3", f"{CONTACT}.1", f"{CONTACT}."])
def test_the_dtmf_behind_the_contacts_number_is_not_part_of_it(called: str) -> None:
    assert contact_has_answered(session(contact_leg(LegState.TALKING, called)))
    assert contact_has_answered(session(contact_leg(LegState.TALKING), contact=called))


@pytest.mark.parametrize("called", [f"{CONTACT}5", CONTACT[:-1], f"9.{CONTACT}", "", None])
def test_a_number_that_only_resembles_the_contacts_is_another_person(called: str | None) -> None:
    assert not contact_has_answered(session(contact_leg(LegState.TALKING, called)))


@pytest.mark.parametrize("contact", [None, ""])
@pytest.mark.parametrize("called", [None, "", "...9.2"])
def test_a_session_that_does_not_name_its_contact_proves_nothing(
    contact: str | None, called: str | None
) -> None:
    assert not contact_has_answered(session(contact_leg(LegState.TALKING, called), contact=contact))


@pytest.mark.parametrize("legs_of_contact", [(), (contact_leg(LegState.DIALING),)])
def test_an_operator_who_sees_the_contacts_number_is_not_the_contact_of_a_started_call(
    legs_of_contact: tuple[Leg, ...],
) -> None:
    """A start request can set direction="in" and show_virtual_phone_number=false."""
    operators = Leg(
        leg_id=2,
        calling_phone_number=CONTACT,
        called_phone_number=EMPLOYEE,
        is_operator=False,
        state=LegState.TALKING,
    )
    call = CallSession(
        call_session_id=1,
        direction="in",
        external_id="order-7",
        virtual_phone_number="74950000001",
        contact_phone_number=CONTACT,
        legs=(operators, *legs_of_contact),
    )
    assert not contact_has_answered(call)


def test_a_session_without_legs_proves_nothing() -> None:
    assert not contact_has_answered(session())
