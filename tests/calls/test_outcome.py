"""What counts as an answer, and what a finished call looks like in an XCom."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.data_api import CallReport, LegReport
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.models import CallSession, Leg, LegState
from airflow_provider_callapi.calls.outcome import (
    Outcome,
    answered_by,
    contact_connected,
    contact_is_on_the_line,
    settled,
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


# --- who is on the line ---


def test_the_contact_of_the_documents_example_is_on_the_line() -> None:
    [call] = ListCalls.read_answer(json.loads(EXAMPLE.read_text())["result"]["data"])
    assert contact_is_on_the_line(call)


@pytest.mark.parametrize("state", PROVES_AN_ANSWER)
def test_a_contact_in_a_state_that_needs_somebody_there_has_picked_up(state: LegState) -> None:
    assert contact_is_on_the_line(session(contact_leg(state)))


@pytest.mark.parametrize("state", [*PROVES_NOTHING, "", "Летит на Луну", "разговор", "TALKING"])
def test_a_contact_in_any_other_state_or_an_unknown_one_proves_nothing(state: str) -> None:
    assert not contact_is_on_the_line(session(contact_leg(state)))


@pytest.mark.parametrize("contact_state", [LegState.DIALING, LegState.QUEUED, ""])
def test_an_employee_who_picked_up_first_is_no_answer(contact_state: str) -> None:
    legs = employee_leg(LegState.TALKING), contact_leg(contact_state)
    assert not contact_is_on_the_line(session(*legs))
    assert not contact_is_on_the_line(session(*reversed(legs)))


def test_an_operators_leg_is_no_answer_even_if_it_rings_the_contacts_number() -> None:
    leg = Leg(leg_id=1, called_phone_number=CONTACT, is_operator=True, state=LegState.TALKING)
    assert not contact_is_on_the_line(session(leg))


def test_a_third_party_who_picked_up_is_no_answer_of_the_contact() -> None:
    third = contact_leg(LegState.TALKING, called="79031112233")
    assert not contact_is_on_the_line(session(contact_leg(LegState.DIALING), third))


@pytest.mark.parametrize("called", [f"{CONTACT}...9.2.3.3", f"{CONTACT}.1", f"{CONTACT}."])
def test_the_dtmf_behind_the_contacts_number_is_not_part_of_it(called: str) -> None:
    assert contact_is_on_the_line(session(contact_leg(LegState.TALKING, called)))
    assert contact_is_on_the_line(session(contact_leg(LegState.TALKING), contact=called))


@pytest.mark.parametrize("called", [f"{CONTACT}5", CONTACT[:-1], f"9.{CONTACT}", "", None])
def test_a_number_that_only_resembles_the_contacts_is_another_person(called: str | None) -> None:
    assert not contact_is_on_the_line(session(contact_leg(LegState.TALKING, called)))


@pytest.mark.parametrize("contact", [None, ""])
@pytest.mark.parametrize("called", [None, "", "...9.2"])
def test_a_session_that_does_not_name_its_contact_proves_nothing(
    contact: str | None, called: str | None
) -> None:
    assert not contact_is_on_the_line(session(contact_leg(LegState.TALKING, called), contact=contact))


def test_a_session_without_legs_proves_nothing() -> None:
    assert not contact_is_on_the_line(session())


# --- the XCom ---

moments = st.none() | st.integers(0, 4_000_000_000_000_000).map(lambda micros: micros / 1_000_000)
outcomes = st.builds(
    Outcome,
    call_session_id=st.integers(1, 2**63),
    external_id=st.none() | st.text(max_size=64),
    status=st.sampled_from(["started", "ended"]),
    answered=st.sampled_from([True, False, None]),
    attempt=st.integers(1, 9),
    started_at=moments,
    answered_at=moments,
    ended_at=moments,
    observed=st.booleans(),
    finish_reason=st.none() | st.text(max_size=20),
    talk_seconds=st.none() | st.integers(0, 86_400),
    tags=st.lists(st.integers(1, 2**31)).map(tuple),
    source=st.sampled_from(["start", "list.calls", "data_api"]),
)
TIMES = ("started_at", "answered_at", "ended_at")
FULL = Outcome(
    call_session_id=206597836,
    external_id="af-1",
    status="ended",
    answered=True,
    attempt=2,
    started_at=1_700_000_000.0,
    answered_at=1_700_000_005.5,
    ended_at=1_700_000_060.000001,
    observed=True,
    finish_reason="success",
    talk_seconds=54,
    tags=(36, 38),
    source="data_api",
)


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


def test_the_xcom_of_a_call_is_plain_json_with_iso_times_in_utc() -> None:
    promised = {
        "call_session_id": 206597836,
        "external_id": "af-1",
        "status": "ended",
        "answered": True,
        "attempt": 2,
        "started_at": "2023-11-14T22:13:20Z",
        "answered_at": "2023-11-14T22:13:25.500000Z",
        "ended_at": "2023-11-14T22:14:20.000001Z",
        "observed": True,
        "finish_reason": "success",
        "talk_seconds": 54,
        "tags": [36, 38],
        "source": "data_api",
    }
    xcom = through_json(FULL.to_xcom())
    assert {name: xcom.get(name) for name in promised} == promised


@given(outcomes)
def test_an_outcome_comes_back_from_json_as_it_was(outcome: Outcome) -> None:
    back = Outcome.from_xcom(through_json(outcome.to_xcom()))
    for name in Outcome.__dataclass_fields__:
        expected = getattr(outcome, name)
        if name in TIMES and expected is not None:
            expected = pytest.approx(expected, abs=1e-6)
        assert getattr(back, name) == expected, name
    assert back.to_xcom() == outcome.to_xcom(), "a second trip moved something"


@given(outcomes)
def test_times_are_iso_8601_in_utc_with_the_z(outcome: Outcome) -> None:
    xcom = outcome.to_xcom()
    for name in TIMES:
        epoch, text = getattr(outcome, name), xcom[name]
        if epoch is None:
            assert text is None
        else:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", text)
            assert datetime.fromisoformat(text).timestamp() == pytest.approx(epoch, abs=1e-6)


def test_a_time_with_an_offset_is_the_same_moment() -> None:
    text = "2023-11-15T01:13:20+03:00"
    back = Outcome.from_xcom({"call_session_id": 1, "started_at": text})
    assert back.started_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC).timestamp()


def test_the_keys_of_a_later_version_are_ignored() -> None:
    assert Outcome.from_xcom({**FULL.to_xcom(), "cost": 12.5, "legs": [{}]}) == FULL


def test_a_session_id_alone_is_a_call_of_which_nothing_else_is_known() -> None:
    assert Outcome.from_xcom({"call_session_id": 7}) == Outcome(7)
    assert Outcome(7).answered is None
    assert Outcome.from_xcom({"call_session_id": 7, "tags": None}) == Outcome(7)


@pytest.mark.parametrize("value", [{}, {"external_id": "af-1", "status": "ended"}, {"session": 5}])
def test_a_dict_without_a_session_id_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="call_session_id"):
        Outcome.from_xcom(value)


@pytest.mark.parametrize("text", ["soon", "", "2023-11-14/2023-11-15"])
def test_a_time_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|parse"):
        Outcome.from_xcom({"call_session_id": 7, "ended_at": text})


@pytest.mark.parametrize("text", ["206597836", " 206597836 "])
def test_a_session_id_that_a_template_made_text_is_the_number(text: str) -> None:
    read = Outcome.from_xcom({"call_session_id": text}).call_session_id
    assert (read, type(read)) == (206597836, int), "no look would ever show such a call"


@pytest.mark.parametrize("nonsense", [None, "", "next"])
def test_a_session_id_that_is_no_number_is_refused(nonsense: Any) -> None:
    with pytest.raises(ValueError, match="call_session_id: not a number"):
        Outcome.from_xcom({"call_session_id": nonsense})


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
"""Somebody hung up, our own side did not answer, or nobody says: the contact may have picked up before."""


def report(**fields: Any) -> CallReport:
    return CallReport(id=7, **fields)


def leg(connect_time: str | None, *, is_operator: bool = False) -> LegReport:
    return LegReport(id=1, call_session_id=7, connect_time=connect_time, is_operator=is_operator)


@pytest.mark.parametrize("reason", [*NEVER_PICKED_UP, *MAY_HAVE_PICKED_UP])
def test_a_talk_is_an_answer_whatever_reason_the_report_gives(reason: str | None) -> None:
    assert answered_by(report(finish_reason=reason, talk_duration=1)) is True


@pytest.mark.parametrize("talk", [0, None])
@pytest.mark.parametrize("reason", NEVER_PICKED_UP)
def test_a_contact_who_was_not_reached_did_not_answer(reason: str, talk: int | None) -> None:
    assert answered_by(report(finish_reason=reason, talk_duration=talk)) is False


@pytest.mark.parametrize("talk", [0, None])
@pytest.mark.parametrize("reason", MAY_HAVE_PICKED_UP)
def test_any_other_reason_proves_neither_an_answer_nor_its_absence(
    reason: str | None, talk: int | None
) -> None:
    assert answered_by(report(finish_reason=reason, talk_duration=talk)) is None


def test_that_a_call_was_lost_is_no_proof_that_the_contact_did_not_answer() -> None:
    """They may have waited for an employee in vain."""
    assert answered_by(report(is_lost=True, finish_reason="operator_not_responsible")) is None


def test_the_contact_answered_if_a_leg_that_is_not_an_operators_was_connected() -> None:
    at = "2026-01-01 10:00:00"
    assert contact_connected([leg(at)]) is True
    assert contact_connected([leg(None), leg(at)]) is True, "the second attempt to reach them"
    assert contact_connected([leg(None)]) is False
    assert contact_connected(iter([leg(None), leg(at, is_operator=True)])) is False


@pytest.mark.parametrize(
    "legs", [[], [leg("2026-01-01 10:00:00", is_operator=True)]], ids=["none", "operator"]
)
def test_without_a_leg_of_the_contact_nobody_knows(legs: list[LegReport]) -> None:
    assert contact_connected(legs) is None


SEEN = Outcome(
    7,
    "af-1",
    answered=True,
    attempt=2,
    started_at=1_767_250_000.0,
    answered_at=1_767_250_810.0,
    ended_at=1_767_250_999.0,
    observed=True,
    tags=(36,),
    source="list.calls",
)


def test_a_settled_call_has_what_the_report_says_and_keeps_what_only_list_calls_has_seen() -> None:
    told = report(
        communication_id=99,
        finish_time="2026-01-01 10:02:30",
        finish_reason="subscriber_disconnects",
        talk_duration=42,
        tags=[{"tag_id": 36}, {"tag_id": 38}],
    )
    assert settled(SEEN, told, True, "Europe/Moscow") == Outcome(
        7,
        "af-1",
        status="ended",
        answered=True,
        attempt=2,
        started_at=SEEN.started_at,
        answered_at=SEEN.answered_at,
        ended_at=datetime(2026, 1, 1, 7, 2, 30, tzinfo=UTC).timestamp(),
        observed=True,
        finish_reason="subscriber_disconnects",
        talk_seconds=42,
        tags=(36, 38),
        communication_id=99,
        source="data_api",
    )


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 10), ("Asia/Vladivostok", 0), ("Europe/Kaliningrad", 8)])
def test_the_reports_times_are_in_the_accounts_zone(zone: str, hour: int) -> None:
    call = settled(SEEN, report(finish_time="2026-01-01 10:00:00"), True, zone)
    assert call.ended_at == datetime(2026, 1, 1, hour, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("answered", [True, False, None])
def test_a_settled_call_is_answered_as_was_found_out(answered: bool | None) -> None:
    assert settled(SEEN, report(), answered, "UTC").answered is answered


@pytest.mark.parametrize("tags", [None, []])
@pytest.mark.parametrize("end", [None, "01.01.2026 10:02"])
def test_a_report_without_tags_or_an_end_to_be_read_takes_nothing_away_from_what_was_seen(
    tags: Any, end: str | None
) -> None:
    call = settled(SEEN, report(tags=tags, finish_time=end, finish_reason="success_finish"), True, "UTC")
    assert (call.ended_at, call.tags, call.status) == (SEEN.ended_at, (36,), "ended")
