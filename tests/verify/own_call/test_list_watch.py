"""A leg belongs to a side by its number, and otherwise by what the service states."""

from __future__ import annotations

import pytest
from verify_world import CONTACT, DEAD

from airflow_provider_callapi.verify.findings import CallSeen
from airflow_provider_callapi.verify.own_call.list_watch import ListWatch, side_of

NUMBERS = {"contact": CONTACT, "operator": DEAD}


@pytest.mark.parametrize(
    ("called", "is_operator", "side"),
    [
        (CONTACT, False, "contact"),
        (CONTACT, True, "contact"),
        (f"{CONTACT}...9.2", False, "contact"),
        (DEAD, False, "operator"),
        ("sip.line", True, "operator"),
        ("sip.line", False, "contact"),
        (None, True, "operator"),
        (7, False, "contact"),
    ],
)
def test_the_side_of_a_leg_follows_from_its_number_and_its_flag(called, is_operator, side):
    assert side_of(called, NUMBERS, is_operator=is_operator) == side


def watch(seen: CallSeen) -> ListWatch:
    return ListWatch(seen, session_id=1, external_id="verify-1", numbers=NUMBERS, started_at=1_760_000_000.0)


@pytest.mark.parametrize(
    ("text", "form", "offset"),
    [
        ("2025-10-09T11:53:21.418", "milliseconds", 12),
        ("2025-10-09 13:53:21", "seconds", 20),
        ("2025-10-09T08:53:20Z", "utc", 0),
        ("2025-10-09 14:23:20", "seconds", 22),
        ("09.10.2025 11:53", "other", None),
        ("9999-99-99 99:99:99", "seconds", None),
        (None, "other", None),
    ],
)
def test_the_watch_detects_the_form_and_the_time_zone_of_a_start_time(text, form, offset):
    seen = CallSeen()
    watch(seen).take([{"call_session_id": 1, "start_time": text, "legs": None}], 0.0)

    assert (seen.start_time_form, seen.start_time_offset) == (form, offset)


def test_a_call_that_vanishes_has_a_gap_and_a_call_that_ends_has_none():
    seen, entry = CallSeen(), {"call_session_id": 1, "legs": []}
    listing = watch(seen)

    for at, is_listed in enumerate([False, False, True, True, False, False, False, True, False, False]):
        listing.take([entry] if is_listed else [], float(at))

    assert (seen.appeared, seen.gaps, seen.left_list) == (2.0, [(2.0, 3.0)], 8.0)


@pytest.mark.parametrize("legs", [None, {}, "legs", [None, 7, "leg"], [{}]])
def test_legs_of_an_unknown_shape_are_no_error(legs):
    seen = CallSeen()
    watch(seen).take([{"call_session_id": 1, "legs": legs}, {"call_session_id": None}, {}], 0.0)

    assert seen.appeared == 0.0
