"""External ids: two spellings of one id are equal, and another id belongs to another call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.external_ids import (
    has_another_id,
    is_own_id,
    is_same_id,
    is_used_once,
)

IDS = st.from_regex(r"[A-Za-z0-9-]{1,12}", fullmatch=True)


@given(IDS, st.sampled_from(["{}", " {} ", "{}\n"]), st.booleans())
def test_an_id_with_other_blanks_and_another_case_is_the_same(one: str, form: str, upper: bool) -> None:
    shown = form.format(one.upper() if upper else one.lower())
    assert is_same_id(shown, one)
    assert not is_same_id(shown, f"{one}-2")


@pytest.mark.parametrize(("shown", "own"), [("007", "7"), ("00", "0"), ("7", "007")])
def test_a_number_as_id_may_lose_its_zeros(shown: str, own: str) -> None:
    assert is_same_id(shown, own)


@given(IDS, IDS | st.sampled_from(["", " "]) | st.none())
def test_only_a_visible_other_id_shows_that_a_call_is_another_one(own: str, shown: str | None) -> None:
    is_other = bool(shown and shown.strip()) and not is_same_id(str(shown), own)  # too short to be cut
    assert has_another_id(CallReport(id=5, call_api_external_id=shown), own) is is_other
    assert has_another_id(CallSession(call_session_id=5, external_id=shown), own) is is_other
    assert not has_another_id(CallReport(id=5, call_api_external_id=shown), None)


@given(st.from_regex(r"af-[0-9a-f]{32}-[1-9]", fullmatch=True), st.integers(1, 37), st.booleans())
def test_the_first_characters_of_a_long_id_are_not_another_id(own: str, length: int, upper: bool) -> None:
    shown = own[:length].upper() if upper else own[:length]
    assert has_another_id(CallReport(id=5, call_api_external_id=shown), own) is (length < 16)
    assert has_another_id(CallSession(call_session_id=5, external_id=f"{shown}x"), own)


@pytest.mark.parametrize(
    ("external_id", "is_own", "once"),
    [
        (f"af-{'0' * 32}-1", True, True),
        (f"afc-{'0' * 24}-2", True, True),
        (f"af-alert-{'0' * 24}-1-2", True, False),
        ("order-7", False, False),
        (f"af-{'0' * 31}-1", True, False),
    ],
)
def test_the_ids_that_this_package_makes_are_recognised(external_id: str, is_own: bool, once: bool) -> None:
    assert (is_own_id(external_id), is_used_once(external_id)) == (is_own, once)
