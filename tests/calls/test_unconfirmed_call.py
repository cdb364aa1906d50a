"""Which calls with the external_id of an unconfirmed call can be the unconfirmed call."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import pendulum
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from known_numbers import ANNA, BORIS
from msgspec.structs import replace as msgspec_replace

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.models import CallSession, Leg
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

MOSCOW = "Europe/Moscow"
PLACED = pendulum.datetime(2026, 3, 2, 9, 0, tz="UTC").timestamp()
AUTHORS_ID, GENERATED_ID = "order-7", f"af-{'0' * 32}-1"


@dataclass(frozen=True)
class Sought:
    contact: str | None = ANNA
    since: float | None = PLACED
    external_id: str = AUTHORS_ID

    def is_found(self, *, external_id: str | None = None, **call: Any) -> bool:
        """Return whether the unconfirmed call matches a call. Both services report the same facts of it."""
        facts = {"contact_phone_number": ANNA, "start_time": "2026-03-02 12:00:01", **call}
        lost = UnconfirmedCall(self.external_id, self.contact, self.since, MOSCOW)
        found_id = external_id or self.external_id
        answers = {
            lost.matches(CallSession(call_session_id=1, external_id=found_id, **facts)),
            lost.matches(CallReport(id=1, call_api_external_id=found_id, **facts)),
        }
        (answer,) = answers
        return answer


def test_a_call_to_the_contact_after_the_intent_can_be_the_unconfirmed_call() -> None:
    assert Sought().is_found()


def test_a_call_with_another_external_id_is_not_the_unconfirmed_call() -> None:
    assert not Sought().is_found(external_id="order-8")
    lost = UnconfirmedCall(AUTHORS_ID, None, None, MOSCOW)
    assert not lost.matches(CallSession(call_session_id=1))
    assert not lost.matches(CallReport(id=1))


def test_a_call_to_another_person_is_not_the_unconfirmed_call() -> None:
    assert not Sought().is_found(contact_phone_number=BORIS)
    assert Sought(contact=None).is_found(contact_phone_number=BORIS)


@pytest.mark.parametrize(
    ("start_time", "is_it"),
    [
        ("2026-03-02 11:59:50", True),
        ("2026-03-02 11:59:49", False),
        ("2026-03-01 12:00:01", False),
    ],
)
def test_the_services_clock_may_be_behind_by_ten_seconds(start_time: str, is_it: bool) -> None:
    assert Sought().is_found(start_time=start_time) is is_it
    assert Sought(since=None).is_found(start_time=start_time)


def test_a_call_that_was_active_before_the_start_request_is_not_the_unconfirmed_call() -> None:
    lost = UnconfirmedCall(AUTHORS_ID, ANNA, PLACED, MOSCOW, others=(1,))
    assert not lost.matches(CallSession(call_session_id=1, external_id=AUTHORS_ID))
    assert not lost.matches(CallReport(id=1, call_api_external_id=AUTHORS_ID))
    assert lost.matches(CallSession(call_session_id=2, external_id=AUTHORS_ID))


def test_a_wrong_time_zone_of_the_connection_hides_no_call_with_a_generated_id() -> None:
    assert Sought(external_id=GENERATED_ID).is_found(start_time="2026-03-02 09:00:01")


@pytest.mark.parametrize("number", [BORIS, "0501234567", "sip:unknown@pbx", "unknown", None])
@pytest.mark.parametrize("generated", [GENERATED_ID, f"afc-{'0' * 24}-1"])
def test_no_form_of_the_number_hides_a_call_with_a_generated_id(generated: str, number: str | None) -> None:
    assert Sought(external_id=generated).is_found(contact_phone_number=number)
    assert Sought(external_id=generated).is_found(start_time="2026-03-01 12:00:00")


@pytest.mark.parametrize(
    ("written", "own"),
    [
        (f" {AUTHORS_ID}", AUTHORS_ID),
        (f"{AUTHORS_ID} ", AUTHORS_ID),
        ("ORDER-7", AUTHORS_ID),
        ("42", "00042"),
    ],
)
def test_blanks_case_and_leading_zeros_of_an_id_do_not_count(written: str, own: str) -> None:
    assert Sought(external_id=own).is_found(external_id=written)


@pytest.mark.parametrize("own", ["0", "000"])
def test_an_id_of_zeros_is_not_the_empty_id_of_a_call_without_an_id(own: str) -> None:
    assert Sought(external_id=own).is_found(external_id="0")
    assert not Sought(external_id=own).is_found(external_id=" ")


@given(own=st.text(alphabet="0a 7"), blank=st.text(alphabet=" \t\u00a0"))
@example(own="0", blank="")
@example(own="", blank="")
def test_a_call_with_a_blank_id_is_not_the_unconfirmed_call(own: str, blank: str) -> None:
    sought = UnconfirmedCall(own, ANNA, None, MOSCOW)
    assert not sought.matches(CallSession(call_session_id=1, external_id=blank, contact_phone_number=ANNA))
    assert not sought.matches(CallReport(id=1, call_api_external_id=blank, contact_phone_number=ANNA))


@pytest.mark.parametrize("number", [None, "", "Anonymous", "anonymous@anonymous.invalid"])
def test_an_inbound_call_without_an_id_and_with_a_hidden_number_causes_no_doubt(number: str | None) -> None:
    lost = UnconfirmedCall(AUTHORS_ID, ANNA, PLACED, MOSCOW)
    facts = {"contact_phone_number": number, "start_time": "2026-03-02 12:00:01"}
    assert not lost.may_be(CallReport(id=1, call_api_external_id=None, direction="in", **facts))
    for direction in ("out", None):  # an account may hide the numbers of all calls
        assert lost.may_be(CallReport(id=1, call_api_external_id=None, direction=direction, **facts))
    inbound = CallSession(call_session_id=1, external_id=None, direction="in", **facts)
    assert not lost.may_be(inbound)
    assert not lost.may_be(msgspec_replace(inbound, external_id="null")), "a placeholder is no id"
    # A call that the account itself has started hides no number: the list does not show it yet.
    assert lost.may_be(CallSession(call_session_id=1, external_id=None, direction="out", **facts))
    dials_anna = (Leg(leg_id=1, called_phone_number=ANNA, is_operator=False, state="Вызов"),)
    assert lost.may_be(msgspec_replace(inbound, legs=dials_anna))


@given(st.text(max_size=40))
@example("not set")
@example("A&amp;B-7")
@example("order-8")
def test_any_text_in_place_of_the_id_leaves_a_doubt_about_an_active_call_to_the_contact(shown: str) -> None:
    lost = UnconfirmedCall(GENERATED_ID, ANNA, PLACED, MOSCOW)
    active = CallSession(
        call_session_id=5, external_id=shown, contact_phone_number=ANNA, direction="out", start_time=None
    )
    assert lost.may_be(active)
    assert not replace(lost, others=(5,)).may_be(active)
    assert not lost.may_be(msgspec_replace(active, contact_phone_number=BORIS))


@given(st.sampled_from([f"af-{'1' * 32}-1", f"afc-{'1' * 24}-1", f"af-alert-{'1' * 24}-1"]))
def test_an_active_call_to_the_contact_with_another_id_of_this_package_leaves_no_doubt(shown: str) -> None:
    active = CallSession(call_session_id=5, external_id=shown, contact_phone_number=ANNA, direction="out")
    for own in (GENERATED_ID, AUTHORS_ID):
        assert not UnconfirmedCall(own, ANNA, PLACED, MOSCOW).may_be(active)


def test_the_doubt_about_a_snapshot_names_the_call_and_its_reason() -> None:
    lost = UnconfirmedCall(AUTHORS_ID, ANNA, PLACED, MOSCOW)
    earlier = {"contact_phone_number": ANNA, "start_time": "2026-03-02 11:59:00"}
    shown = CallSession(call_session_id=5, external_id=AUTHORS_ID, **earlier)
    hidden = CallSession(call_session_id=6, external_id=None, **earlier)
    assert re.search(
        "session 5 .* began before the request", str(lost.doubt_about(Snapshot(PLACED, {5: shown})))
    )
    assert re.search("session 6 .* does not show", str(lost.doubt_about(Snapshot(PLACED, {6: hidden}))))
    assert lost.doubt_about(Snapshot(PLACED)) is None
    assert "cannot be read" in str(lost.doubt_about(Snapshot(PLACED, left_out=1)))


@pytest.mark.parametrize(
    ("start_time", "is_doubtful"),
    [("2026-03-02 11:00:00", True), ("2026-03-01 21:00:00", True), ("2026-03-01 12:00:00", False)],
)
def test_a_reported_call_with_the_id_that_began_too_early_causes_doubt(
    start_time: str, is_doubtful: bool
) -> None:
    lost = UnconfirmedCall(AUTHORS_ID, ANNA, PLACED, MOSCOW)
    found = CallReport(
        id=1, call_api_external_id=AUTHORS_ID, contact_phone_number=ANNA, start_time=start_time
    )
    assert not lost.matches(found)
    assert lost.may_be(found) is is_doubtful
    assert not lost.may_be(found.model_copy(update={"contact_phone_number": BORIS}))


@pytest.mark.parametrize("own_id", [f"af-alert-{'0' * 32}-1", f"af-alert-{'0' * 32}-1-2"])
def test_an_active_call_with_an_id_of_an_alert_is_the_unconfirmed_call_whenever_it_began(
    own_id: str,
) -> None:
    """A report is not: a later alert of the same run uses the id again."""
    lost = UnconfirmedCall(own_id, ANNA, PLACED, MOSCOW)
    facts = {"contact_phone_number": ANNA, "start_time": "2026-03-02 09:00:01"}
    assert lost.matches(CallSession(call_session_id=1, external_id=own_id, **facts))
    assert not lost.matches(CallReport(id=1, call_api_external_id=own_id, **facts))


@pytest.mark.parametrize(
    "missing", [{"contact_phone_number": None}, {"start_time": None}, {"start_time": "noon"}]
)
def test_a_fact_that_the_service_does_not_report_counts_as_a_match(missing: dict[str, Any]) -> None:
    assert Sought().is_found(**missing)


def test_a_search_ends_after_its_time_and_two_misses() -> None:
    lost = UnconfirmedCall(AUTHORS_ID, ANNA, PLACED, MOSCOW, search_until=PLACED + 60)
    assert not lost.is_given_up(PLACED + 61), "one snapshot proves nothing"
    lost.misses = 1
    assert not lost.is_given_up(PLACED + 61)
    lost.misses = 2
    assert not lost.is_given_up(PLACED + 59)
    assert lost.is_given_up(PLACED + 60)
