"""What proves that the contact of a call answered, or did not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_callapi.api.data_api import CallReport, LegReport
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.models import CallSession, Leg, LegState
from airflow_provider_callapi.calls.answers import (
    answered_from_legs,
    answered_from_report,
    contact_has_answered,
)

EXAMPLE = Path(__file__).parents[1] / "data" / "call-api" / "list.calls.response.json"
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


# --- an active session ---


def test_the_contact_of_the_documents_example_has_answered() -> None:
    [call] = ListCalls.read_answer(json.loads(EXAMPLE.read_text())["result"]["data"])
    assert contact_has_answered(call)


@pytest.mark.parametrize("state", PROVES_AN_ANSWER)
def test_a_contact_in_a_state_after_dialing_has_answered(state: LegState) -> None:
    assert contact_has_answered(session(contact_leg(state)))


@pytest.mark.parametrize("state", [*PROVES_NOTHING, "", "Летит на Луну", "разговор", "TALKING"])
def test_a_contact_in_any_other_state_or_an_unknown_one_proves_nothing(state: str) -> None:
    assert not contact_has_answered(session(contact_leg(state)))


@pytest.mark.parametrize("contact_state", [LegState.DIALING, LegState.QUEUED, ""])
def test_an_employee_who_picked_up_first_is_no_answer(contact_state: str) -> None:
    legs = employee_leg(LegState.TALKING), contact_leg(contact_state)
    assert not contact_has_answered(session(*legs))
    assert not contact_has_answered(session(*reversed(legs)))


def test_an_operators_leg_is_no_answer_even_if_it_rings_the_contacts_number() -> None:
    leg = Leg(leg_id=1, called_phone_number=CONTACT, is_operator=True, state=LegState.TALKING)
    assert not contact_has_answered(session(leg))


def test_a_third_party_who_picked_up_is_no_answer_of_the_contact() -> None:
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


def test_a_session_without_legs_proves_nothing() -> None:
    assert not contact_has_answered(session())


# --- the report of a finished call ---

NEVER_PICKED_UP = [
    "subscriber_busy",
    "subscriber_not_responsible",
    "timeout",
    "no_success_subscriber_call",
    "subscriber_number_problems",
    "incorrect_input",
    "numa_in_black_list",
    "locked_numb",
    "call_not_allowed_on_tp",
    "out_call_not_allowed",
    "external_call_not_allowed",
    "max_out_call_reached",
    "no_resources",
    "not_enough_money",
    "no_money",
    "limit_exceeded",
    "app_is_inactive",
    "component_is_inactive",
    "platform_not_found",
]
MAY_HAVE_PICKED_UP = [
    "subscriber_disconnects",
    "operator_disconnects",
    "success_finish",
    "operator_busy",
    "operator_not_responsible",
    "no_success_operator_call",
    "employee_busy",
    "operator_channels_busy",
    "internal_error",
    "a_reason_of_a_later_revision",
    None,
]
"""These reasons do not prove that the contact did not answer."""


def report(**fields: Any) -> CallReport:
    return CallReport(id=7, **fields)


def leg(connect_time: str | None, *, is_operator: bool = False) -> LegReport:
    return LegReport(id=1, call_session_id=7, connect_time=connect_time, is_operator=is_operator)


@pytest.mark.parametrize("reason", [*NEVER_PICKED_UP, *MAY_HAVE_PICKED_UP])
def test_a_talk_is_an_answer_whatever_reason_the_report_gives(reason: str | None) -> None:
    assert answered_from_report(report(finish_reason=reason, talk_duration=1)) is True


@pytest.mark.parametrize("talk", [0, None])
@pytest.mark.parametrize("reason", NEVER_PICKED_UP)
def test_a_contact_who_was_not_reached_did_not_answer(reason: str, talk: int | None) -> None:
    assert answered_from_report(report(finish_reason=reason, talk_duration=talk)) is False


@pytest.mark.parametrize("talk", [0, None])
@pytest.mark.parametrize("reason", MAY_HAVE_PICKED_UP)
def test_any_other_reason_proves_neither_an_answer_nor_its_absence(
    reason: str | None, talk: int | None
) -> None:
    assert answered_from_report(report(finish_reason=reason, talk_duration=talk)) is None


def test_is_lost_does_not_prove_that_the_contact_did_not_answer() -> None:
    """The contact may have waited for an employee who did not answer."""
    assert answered_from_report(report(is_lost=True, finish_reason="operator_not_responsible")) is None


def test_the_contact_answered_if_a_leg_that_is_not_an_operators_was_connected() -> None:
    at = "2026-01-01 10:00:00"
    assert answered_from_legs([leg(at)]) is True
    assert answered_from_legs([leg(None), leg(at)]) is True, "the second attempt to reach them"
    assert answered_from_legs([leg(None)]) is False
    assert answered_from_legs(iter([leg(None), leg(at, is_operator=True)])) is False


@pytest.mark.parametrize(
    "legs", [[], [leg("2026-01-01 10:00:00", is_operator=True)]], ids=["none", "operator"]
)
def test_without_a_leg_of_the_contact_the_answer_is_unknown(legs: list[LegReport]) -> None:
    assert answered_from_legs(legs) is None
