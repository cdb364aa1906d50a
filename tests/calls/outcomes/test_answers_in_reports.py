"""What the reports of a finished call and its legs prove about an answer."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api.data_api import CallReport, LegReport
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.calls.campaign.outcomes import Result, result_of
from airflow_provider_callapi.calls.outcomes.answers import (
    contact_has_answered,
    contacts_leg_is_connected,
    judge_finished_call,
)
from airflow_provider_callapi.calls.outcomes.finish_reasons import (
    category_of,
    finish_reasons,
    proves_no_answer,
)
from airflow_provider_callapi.calls.outcomes.outcome import Outcome, with_report

CONTACT = "79260000001"
EMPLOYEE = "79262444393"


ANSWERS = Path(__file__).parents[2] / "data" / "answers"
AT = "2026-01-01 10:00:00"
OPERATORS_PHONE = "79262444393"
REASONS = [*finish_reasons(), "a_reason_of_a_later_revision", "", None]


def report(**fields: Any) -> CallReport:
    return CallReport(id=7, contact_phone_number=CONTACT, **fields)


def leg(connect_time: str | None, *, is_operator: bool | None = False, **fields: Any) -> LegReport:
    return LegReport(id=1, call_session_id=7, connect_time=connect_time, is_operator=is_operator, **fields)


def answered(report: CallReport, *legs: LegReport) -> bool | None:
    return judge_finished_call(report, legs).answered


@pytest.mark.parametrize("reason", REASONS)
def test_a_talk_is_an_answer_with_any_finish_reason(reason: str | None) -> None:
    assert answered(report(finish_reason=reason, talk_duration=1)) is True
    assert answered(report(finish_reason=reason, talk_duration=1), leg(None)) is True


@pytest.mark.parametrize("talk", [0, None])
@pytest.mark.parametrize("reason", REASONS)
def test_a_connected_leg_with_the_contacts_number_is_an_answer_with_any_finish_reason(
    reason: str | None, talk: int | None
) -> None:
    call = report(finish_reason=reason, talk_duration=talk)
    numbered = leg(AT, called_phone_number=CONTACT)
    assert answered(call, numbered) is True
    assert answered(call, leg(None, called_phone_number=CONTACT), numbered) is True, "the second attempt"
    assert answered(call, leg(None, is_operator=True), numbered) is True


@pytest.mark.parametrize("talk", [0, None])
@pytest.mark.parametrize("reason", REASONS)
def test_a_connected_leg_that_may_be_the_contacts_is_an_answer_unless_the_finish_reason_contradicts(
    reason: str | None, talk: int | None
) -> None:
    """The leg may be that of an operator who is no employee: the account hides the numbers."""
    call = report(finish_reason=reason, talk_duration=talk)
    expected = None if proves_no_answer(reason) else True
    assert answered(call, leg(AT)) is expected
    assert answered(call, leg(AT), leg(AT)) is expected
    assert answered(call, leg(None, is_operator=True), leg(AT)) is expected
    assert answered(call, leg(None), leg(AT)) is None, "one may be an operator's"


@pytest.mark.parametrize("reason", REASONS)
def test_a_masked_operator_who_is_no_employee_does_not_answer_for_a_masked_contact(
    reason: str | None,
) -> None:
    call = CallReport(id=7, contact_phone_number="7926***0001", finish_reason=reason, talk_duration=0)
    assert answered(call, leg(AT, called_phone_number="7495***2233")) is None
    fitting = leg(AT, called_phone_number="7926***01")
    assert answered(call, fitting) is (None if proves_no_answer(reason) else True)


ADDRESSES = [
    f"sip:{CONTACT}@trunk.example.com",
    f"sip:+{CONTACT}@10.0.0.1:5060",
    f"sip:8{CONTACT[1:]}@trunk;user=phone",
    f'"Anna" <sips:{CONTACT}@trunk.example.com>;tag=7',
    f"tel:+{CONTACT}",
    f"{CONTACT}@10.0.0.1",
]
"""SIP addresses with which an exchange calls the contact through a SIP trunk."""


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("is_operator", [True, False, None])
@pytest.mark.parametrize("is_coach", [True, False])
def test_a_connected_leg_to_a_sip_address_with_the_contacts_number_may_be_the_contacts(
    address: str, is_operator: bool | None, is_coach: bool
) -> None:
    connected = leg(AT, is_operator=is_operator, is_coach=is_coach, called_phone_number=address)
    first = leg(None, called_phone_number=CONTACT)
    for reason in REASONS:
        call = report(finish_reason=reason, talk_duration=0)
        assert answered(call, connected) is None
        assert answered(call, first, connected) is None


def test_a_connected_leg_to_the_sip_address_of_a_contact_with_a_sip_number_may_be_the_contacts() -> None:
    call = CallReport(id=7, contact_phone_number="Sip25@example.com", finish_reason="subscriber_busy")
    first = leg(None, called_phone_number="sip25@example.com")
    assert answered(call, first, leg(AT, called_phone_number="sip:sip25@10.0.0.1")) is None
    assert answered(call, first, leg(AT, called_phone_number="sip:sip26@10.0.0.1")) is False


def test_a_connected_leg_to_another_sip_address_does_not_hide_an_unconnected_contact() -> None:
    call, contacts = report(finish_reason="subscriber_busy"), leg(None, called_phone_number=CONTACT)
    for address in (f"sip:{OPERATORS_PHONE}@trunk.example.com", "sip:101@pbx", "anna@example.com"):
        assert answered(call, contacts, leg(AT, called_phone_number=address)) is False


@pytest.mark.parametrize("reason", REASONS)
def test_a_contact_whose_legs_were_not_connected_did_not_answer_with_any_finish_reason(
    reason: str | None,
) -> None:
    call = report(finish_reason=reason, talk_duration=0)
    expected = None if reason == "success_finish" else False  # the two contradict each other
    assert answered(call, leg(None)) is expected
    assert answered(call, leg(""), leg(AT, is_operator=True)) is expected


def test_a_report_without_legs_or_with_contradicting_ones_is_early() -> None:
    """The Data API may report legs later than calls."""
    heard, busy = report(finish_reason="success_finish"), report(finish_reason="subscriber_busy")
    assert judge_finished_call(heard, []).is_early
    assert judge_finished_call(heard, [leg(None)]).is_early
    assert not judge_finished_call(heard, [leg(AT)]).is_early
    assert not judge_finished_call(heard, [], complete=False).is_early, "more legs would not help"
    assert not judge_finished_call(heard, None).is_early, "the account has no report of legs"
    assert not judge_finished_call(busy, []).is_early, "the reason decides"


@pytest.mark.parametrize("reason", REASONS)
def test_only_a_finish_reason_about_the_contact_proves_no_answer_of_a_call_without_legs(
    reason: str | None,
) -> None:
    expected = False if proves_no_answer(reason) else None
    assert answered(report(finish_reason=reason, talk_duration=0)) is expected
    assert answered(report(finish_reason=reason, talk_duration=0), leg(AT, is_operator=True)) is expected


@pytest.mark.parametrize("reason", REASONS)
def test_an_unconnected_leg_of_an_unknown_owner_leaves_the_decision_to_the_finish_reason(
    reason: str | None,
) -> None:
    call = report(finish_reason=reason, talk_duration=0)
    expected = False if proves_no_answer(reason) else None
    assert answered(call, leg(None, is_operator=None)) is expected


@pytest.mark.parametrize("reason", REASONS)
def test_a_connected_leg_of_an_unknown_owner_may_be_the_contacts_with_any_finish_reason(
    reason: str | None,
) -> None:
    """The reason can be that of another leg, e.g. of a number to which a scenario transferred the call."""
    call = report(finish_reason=reason, talk_duration=0)
    uri = f"sip:{CONTACT}@trunk.example.com"
    assert answered(call, leg(AT, is_operator=None)) is None
    assert answered(call, leg(AT, called_phone_number=uri)) is None
    assert answered(call, leg(AT, is_operator=None), leg(None, called_phone_number=CONTACT)) is None


def test_a_contact_who_was_never_rung_did_not_answer() -> None:
    """The operator's leg failed first, so the contact has no leg."""
    assert answered(report(finish_reason="sip_offline"), leg(None, is_operator=True)) is False
    assert answered(report(finish_reason=None), leg(None, is_operator=True)) is None, "a leg may be missing"


def test_a_verdict_that_rests_on_the_legs_of_others_holds_only_if_the_contact_is_called_last() -> None:
    """The exchange calls an operator after the contact only if the contact has picked up."""
    failed = report(finish_reason="sip_offline")
    missing = judge_finished_call(failed, [leg(None, is_operator=True)])
    unconnected = judge_finished_call(failed, [leg(None), leg(AT, is_operator=True)])
    busy_later = judge_finished_call(report(finish_reason="subscriber_busy"), [leg(AT, is_operator=True)])
    for call in (missing, unconnected, busy_later):
        assert (call.answered, call.if_contact_is_last) == (False, True)
        assert with_report(Outcome(1), call, "UTC").answered is False
        assert with_report(Outcome(1, contact_first=True), call, "UTC").answered is None

    own = judge_finished_call(failed, [leg(None), leg(None, is_operator=True)])
    busy = judge_finished_call(report(finish_reason="subscriber_busy"), [leg(None, is_operator=True)])
    for call in (own, busy):
        assert with_report(Outcome(1, contact_first=True), call, "UTC").answered is False


@pytest.mark.parametrize("reason", REASONS)
def test_a_participant_who_has_talked_leaves_open_whether_an_unconnected_contact_answered(
    reason: str | None,
) -> None:
    talked = leg(AT, is_operator=True, is_talked=True)
    assert answered(report(finish_reason=reason, talk_duration=0), leg(None), talked) is None


def test_an_operator_who_is_no_employee_does_not_answer_for_the_contact() -> None:
    """Nobody knows whether the service marks the leg of such an operator as an operator's."""
    for number in (None, "", "79***"):
        call = CallReport(id=7, contact_phone_number=number, finish_reason="subscriber_not_responsible")
        operators, contacts = leg(AT, called_phone_number=number), leg(None, called_phone_number=CONTACT)
        assert answered(call, operators, contacts) is None


def test_the_second_attempt_to_reach_the_contact_counts_whatever_direction_its_leg_has() -> None:
    first = leg(None, direction="in", calling_phone_number=OPERATORS_PHONE, called_phone_number=CONTACT)
    second = leg(AT, direction="in", calling_phone_number=OPERATORS_PHONE, called_phone_number=CONTACT)
    assert answered(report(talk_duration=0), first, second) is True


def test_the_field_is_lost_does_not_prove_that_the_contact_did_not_answer() -> None:
    """The contact may have waited for an employee who did not answer."""
    assert answered(report(is_lost=True, finish_reason="operator_not_responsible")) is None


@pytest.mark.parametrize("flag", [False, None])
def test_the_leg_to_the_contacts_number_is_the_contacts_leg(flag: bool | None) -> None:
    """The operator of a start.simple_call may use a phone of no employee, so the flag proves nothing."""
    call = report(finish_reason="subscriber_disconnects")
    operators = leg(AT, is_operator=flag, called_phone_number=OPERATORS_PHONE)
    assert (
        answered(call, operators, leg(None, is_operator=flag, called_phone_number=f"{CONTACT}...9")) is False
    )
    assert answered(call, operators, leg(AT, is_operator=flag, called_phone_number=CONTACT)) is True


@pytest.mark.parametrize("reason", [name for name in finish_reasons() if not category_of(name)])
def test_a_leg_of_the_contact_may_be_missing_if_the_call_had_reached_someone(reason: str) -> None:
    operators = leg(None, is_operator=True, called_phone_number=EMPLOYEE)
    assert answered(report(finish_reason=reason, talk_duration=0), operators) is None


def test_an_unanswered_leg_to_another_number_does_not_hide_the_contact() -> None:
    call = report(finish_reason="timeout")
    assert answered(call, leg(AT, called_phone_number=OPERATORS_PHONE)) is None
    assert answered(call, leg(AT, called_phone_number=OPERATORS_PHONE, is_coach=True)) is None


def test_the_leg_of_a_contact_who_calls_in_comes_from_the_contacts_number() -> None:
    inbound = leg(AT, direction="in", calling_phone_number=CONTACT, called_phone_number="74950000001")
    operators = leg(None, is_operator=True, calling_phone_number=CONTACT)
    assert answered(report(finish_reason="operator_busy"), inbound, operators) is True


@pytest.mark.parametrize("connect_time", [AT, None])
@pytest.mark.parametrize("direction", ["in", "out"])
def test_the_contact_of_a_started_call_is_called_whatever_direction_a_leg_has(
    direction: str, connect_time: str | None
) -> None:
    call = report(finish_reason="sip_offline", talk_duration=0)
    number = "74950000001"
    own = leg(connect_time, direction=direction, calling_phone_number=number, called_phone_number=CONTACT)
    operators = leg(
        AT, direction=direction, calling_phone_number=CONTACT, called_phone_number=OPERATORS_PHONE
    )
    assert answered(call, own) is (connect_time is not None)
    assert answered(call, own, operators) is (connect_time is not None)
    assert contacts_leg_is_connected(CONTACT, [own, operators]) is (connect_time is not None)


def test_an_operator_who_sees_the_contacts_number_does_not_answer_for_the_contact() -> None:
    call = report(finish_reason="timeout", talk_duration=0, call_api_external_id="order-7")
    operators = leg(AT, direction="in", calling_phone_number=CONTACT, called_phone_number=OPERATORS_PHONE)
    assert answered(call, operators) is None


@pytest.mark.parametrize(
    "number", [CONTACT, f"+{CONTACT}", f"8{CONTACT[1:]}", CONTACT[1:], f"{CONTACT},,1", None]
)
@pytest.mark.parametrize("flag", [False, None])
def test_an_unanswered_numbered_leg_does_not_hide_a_connected_leg_of_the_contact(
    number: str | None, flag: bool | None
) -> None:
    legs = [
        leg(None, is_operator=flag, called_phone_number=CONTACT),
        leg(AT, is_operator=flag, called_phone_number=number),
    ]
    for reason in REASONS:
        verdict = answered(report(finish_reason=reason, talk_duration=0), *legs)
        is_known = verdict is True or (number is None and verdict is None)
        assert is_known or proves_no_answer(reason)


@pytest.mark.parametrize("flag", [True, False, None])
def test_the_number_of_the_contact_overrides_the_operator_flag(flag: bool | None) -> None:
    """An alert calls an employee, whose phone belongs to the account."""
    call = report(finish_reason="subscriber_busy", talk_duration=0)
    others = leg(None, is_operator=False, called_phone_number=OPERATORS_PHONE)
    assert answered(call, leg(AT, is_operator=flag, called_phone_number=CONTACT), others) is True


@pytest.mark.parametrize("reason", REASONS)
def test_a_leg_that_cannot_be_read_may_be_the_contacts_connected_leg(reason: str | None) -> None:
    call = report(finish_reason=reason, talk_duration=0)
    assert judge_finished_call(call, [], complete=False).answered is None
    assert judge_finished_call(call, [leg(None)], complete=False).answered is None


def test_the_contacts_leg_counts_although_it_is_flagged_as_a_coachs() -> None:
    contacts = leg(AT, is_coach=True, is_operator=None, called_phone_number=CONTACT)
    assert answered(report(finish_reason="timeout", talk_duration=0), leg(None, is_operator=True), contacts)


@pytest.mark.parametrize(
    ("legs", "connected"),
    [
        ([leg(AT, called_phone_number=CONTACT), leg(None)], True),
        ([leg(None, called_phone_number=CONTACT), leg(AT)], False),
        ([leg(AT), leg(None)], False),
        ([leg(AT), leg(AT)], True),
        ([leg(AT)], True),
        ([leg(AT, called_phone_number="sip:anna")], False),
        ([], False),
    ],
)
def test_a_connected_leg_without_a_number_proves_no_answer_of_an_active_call(
    legs: list[LegReport], connected: bool
) -> None:
    assert contacts_leg_is_connected(CONTACT, legs) is connected


@pytest.mark.parametrize("time", ["0000-00-00 00:00:00", " ", ""])
def test_a_finish_time_of_zeros_does_not_end_the_call(time: str) -> None:
    assert not report(finish_time=time).finished


@pytest.mark.parametrize("at", ["0000-00-00 00:00:00", " ", "", None])
def test_a_connect_time_of_zeros_is_no_answer(at: str | None) -> None:
    assert answered(report(finish_reason="timeout", talk_duration=-1), leg(at)) is False


def test_the_reason_of_the_contacts_newest_leg_is_kept() -> None:
    first = leg(None, finish_reason="subscriber_busy")
    second = leg(None, finish_reason="subscriber_not_responsible").model_copy(update={"id": 2})
    finished = judge_finished_call(report(finish_reason="operator_disconnects"), [second, first])
    assert finished.contact_finish_reason == "subscriber_not_responsible"


def legs_with(**fields: Any) -> st.SearchStrategy[LegReport]:
    """Return a strategy for legs: with these fields, and with any others."""
    any_leg = {
        "connect_time": st.sampled_from([AT, "", None]),
        "is_operator": st.sampled_from([True, False, None]),
        "is_coach": st.sampled_from([True, False, None]),
        "is_talked": st.sampled_from([True, False, None]),
        "direction": st.sampled_from(["in", "out", None]),
        "called_phone_number": st.sampled_from([CONTACT, OPERATORS_PHONE, *ADDRESSES, "", None]),
        "calling_phone_number": st.sampled_from([CONTACT, OPERATORS_PHONE, "", None]),
        "finish_reason": st.sampled_from(REASONS),
    }
    return st.builds(leg, **{**any_leg, **{name: st.just(value) for name, value in fields.items()}})


UNANSWERED = legs_with(connect_time=None, is_talked=False, called_phone_number=CONTACT)
CONNECTED = legs_with(connect_time=AT, is_operator=False, is_coach=False)
LEGS = st.lists(legs_with(), max_size=4) | st.tuples(UNANSWERED, CONNECTED).map(list)


@settings(max_examples=300)
@given(
    legs=LEGS,
    order=st.randoms(use_true_random=False),
    reason=st.sampled_from(REASONS),
    talk=st.sampled_from([0, None, 5]),
)
def test_a_connected_leg_that_may_be_the_contacts_never_proves_that_the_contact_did_not_answer(
    legs: list[LegReport], order: random.Random, reason: str | None, talk: int | None
) -> None:
    call = report(finish_reason=reason, talk_duration=talk)
    verdict = answered(call, *legs)
    shuffled = list(legs)
    order.shuffle(shuffled)
    assert answered(call, *shuffled) is verdict
    if verdict is not False:
        return
    assert not talk
    # A leg with the contact's number is the contact's, even if the service calls it a coach's leg.
    contacts = [each for each in legs if CONTACT in (each.called_phone_number, each.calling_phone_number)]
    assert not any(each.connect_time for each in legs if each.called_phone_number in ADDRESSES)
    for each in legs:
        if (each.connect_time or each.is_talked) and not (each.is_operator or each.is_coach):
            assert contacts, "another leg is known to be the contact's"


@pytest.mark.parametrize(
    ("number", "answered"),
    [("20_list_array", True), ("22_list_english", True), ("23_list_never_talk", False)],
)
def test_the_active_calls_of_the_real_service_show_an_answer_as_expected(number: str, answered: bool) -> None:
    recorded = json.loads((ANSWERS / f"{number}.json").read_text(encoding="utf-8"))
    [call] = ListCalls.read_answer(recorded["answers"]["list.calls"]["body"]["result"]["data"])
    assert contact_has_answered(call) is answered, recorded["expected"]


@pytest.mark.parametrize("file", sorted(ANSWERS.glob("3*.json")) + sorted(ANSWERS.glob("4*.json")), ids=str)
def test_the_answers_of_the_real_service_are_judged_as_expected(file: Path) -> None:
    recorded = json.loads(file.read_text(encoding="utf-8"))
    answers = {name: answer["body"]["result"]["data"] for name, answer in recorded["answers"].items()}
    legs = [LegReport.model_validate(row) for row in answers["get.call_legs_report"]]
    finished = [
        judge_finished_call(call, [each for each in legs if each.call_session_id == call.id])
        for call in map(CallReport.model_validate, answers["get.calls_report"])
    ]
    verdicts = [(call.answered, result_of(with_report(Outcome(1), call, "UTC"))) for call in finished]
    assert verdicts == EXPECTED[file.name.partition("_")[0]], recorded["expected"]


EXPECTED: dict[str, list[tuple[bool | None, Result]]] = {
    "30": [(True, Result.ANSWERED)],
    "31": [(False, Result.OUR_SIDE)],
    "32": [(True, Result.ANSWERED)],
    "34": [(True, Result.ANSWERED)],
    "37": [(True, Result.ANSWERED)],
    "39": [(True, Result.ANSWERED)],
    "41": [(False, Result.OUR_SIDE), (None, Result.NETWORK)],
}
"""Number of a recorded answer → for each call: whether the contact answered, and the campaign's result."""
