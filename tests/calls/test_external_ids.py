"""External ids: two spellings of one id are equal, and another id belongs to another call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.external_ids import (
    has_another_id,
    has_id,
    is_anothers_call,
    is_own_id,
    is_same_id,
    is_shown,
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
    is_respelt = str(shown).replace("-", "").lower() == own.replace("-", "").lower()
    is_other = is_shown(shown) and not is_same_id(str(shown), own) and not is_respelt
    assert has_another_id(CallReport(id=5, call_api_external_id=shown), own) is is_other
    assert has_another_id(CallSession(call_session_id=5, external_id=shown), own) is is_other
    assert not has_another_id(CallReport(id=5, call_api_external_id=shown), None)


OWN_IDS = st.from_regex(
    r"af-[0-9a-f]{32}-[1-9]|afc-[0-9a-f]{24}-[1-9]|af-alert-[0-9a-f]{32}-1-2", fullmatch=True
)


@given(OWN_IDS, st.integers(1, 43), st.booleans())
def test_the_first_characters_of_an_id_of_this_package_are_not_another_id(
    own: str, length: int, upper: bool
) -> None:
    length = min(length, len(own))
    shown = own[:length].upper() if upper else own[:length]
    report, session = (
        CallReport(id=5, call_api_external_id=shown),
        CallSession(call_session_id=5, external_id=f"{shown}x"),
    )
    is_whole_id = is_own_id(shown.lower()) and length < len(own)
    assert has_id(report, own) is (length >= own.rindex("-", 0, 10) + 7 and not is_whole_id)
    assert not (has_id(report, own) and has_another_id(report, own))
    assert has_another_id(session, own)


@pytest.mark.parametrize(
    ("shown", "own"),
    [
        ("reminder-order-1", "reminder-order-12"),
        ("reminder-order-7", "reminder-order-7-2"),
        (f"af-{'0' * 32}-1", f"af-{'0' * 32}-12"),
        (f"af-alert-{'0' * 24}-1", f"af-alert-{'0' * 24}-1-2"),
    ],
)
def test_the_whole_id_of_another_call_is_no_cut_id(shown: str, own: str) -> None:
    report = CallReport(id=5, call_api_external_id=shown)
    assert has_another_id(report, own)
    assert not has_id(report, own)


@pytest.mark.parametrize(
    ("own", "shown"),
    [
        ("A&B-7", "A&amp;B-7"),
        ("order  7", "order 7"),
        ("a+b", "a b"),
        ("й-7", "\u0438\u0306-7"),
        ("a-7", "A_7"),
    ],
)
def test_an_id_that_differs_only_in_signs_is_neither_certainly_the_same_nor_another(
    own: str, shown: str
) -> None:
    report = CallReport(id=5, call_api_external_id=shown)
    assert not has_another_id(report, own)
    assert not has_id(report, own)
    assert has_another_id(report, f"{own}1")


@pytest.mark.parametrize(
    "placeholder", ["", " ", "0", "000", "-", "—", "null", "NULL", "None", "undefined", "N/A", "нет"]
)
def test_a_placeholder_is_no_other_id(placeholder: str) -> None:
    report = CallReport(id=5, call_api_external_id=placeholder)
    assert not has_another_id(report, "order-7")
    assert not has_id(report, "order-7")


@pytest.mark.parametrize(
    ("own", "shown", "is_anothers"),
    [
        (f"af-{'0' * 32}-2", f"af-{'1' * 32}-1", True),
        (f"af-{'0' * 32}-2", f"afc-{'1' * 24}-1", True),
        ("order-7", f"af-alert-{'1' * 24}-1-2", True),
        ("order-7", "order-8", False),
        ("A&B-7", "A&amp;B-7", False),
        (f"af-{'0' * 32}-2", "null", False),
        (f"af-{'0' * 32}-2", f"AF-{'0' * 32}-2", False),
        (None, f"af-{'1' * 32}-1", False),
    ],
)
def test_only_an_id_that_this_package_made_shows_that_an_active_call_is_anothers(
    own: str | None, shown: str, is_anothers: bool
) -> None:
    """A service may show an author's id in another form than it was sent."""
    assert is_anothers_call(CallSession(call_session_id=5, external_id=shown), own) is is_anothers


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
