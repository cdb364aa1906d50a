"""The generous reader: every number that a cell of a do-not-call list may mean is excluded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from spelled_numbers import NUMBERS, SIP_NUMBERS, in_any_case, spelled

from airflow_provider_callapi.calls.phone_numbers.generous import find_numbers
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.phone_numbers.strict import read_contact

A, B = "79260000001", "79260000002"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (A, {A}),
        ("+7 926 000-00-01, +7 926 000-00-02", {A, B}),
        ("+79260000001 +79260000002", {A, B}),
        ("8 926 000-00-01; 8 926 000-00-02", {A, B}),
        ("8 926 000 00 01/8 926 000 00 02", {A, B}),
        ("79260000001.0", {A}),
        ("+79260000001.0", {A}),
        ("-79260000001", {A}),
        ("+7 926 000-00-01 Анна", {A}),
        ("тел. 8-926-000-00-01 (моб.), дом 5", {A}),
        ("8 (495) 123-45-67 доб. 12", {"74951234567"}),
        ("8 (495) 123-45-67 (внутр. 12)", {"74951234567"}),
        ("+7 495 123 45 67 ext 12", {"74951234567"}),
        ("7926\u200e0000001", {A}),
        ("+7926\u200d0000002", {B}),
        ("+8 (495) 123-45-67", {"74951234567", "84951234567"}),
        ("+84951234567", {"74951234567", "84951234567"}),
        ("436641234567", {"436641234567"}),
        ("79260000001@pbx.example.com", {A, "79260000001@pbx.example.com"}),
        ("sip25", {"sip25"}),
    ],
)
def test_every_number_of_a_cell_is_found(text: str, numbers: set[str]) -> None:
    assert find_numbers(text, "RU") >= numbers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Анна",
        "123-45-67",
        "+7 926 000-00-01, 123-45-67",
        "+7 926 000-00-01, 02",
        "8 926 000-00-01, 7.9260E10",
        "7926000000 / 8 926 000-00-04",
        "7926000000 8 926 000-00-04",
        "8 926 000-00-0 / 8 926 000-00-04",
        "7.926E10",
        "7926000000179260000002",
        "12-34",
        "7926000001",
    ],
)
def test_digits_that_may_be_the_number_of_a_person_are_refused_and_not_ignored(text: str) -> None:
    with pytest.raises(NotANumber) as refusal:
        find_numbers(text, "RU")
    assert "926" not in str(refusal.value)


@settings(max_examples=300, deadline=None)
@given(spelled(NUMBERS))
def test_a_do_not_call_list_finds_every_number_that_a_contact_list_reads(case: tuple[str, str, str]) -> None:
    text, region, _ = case
    try:
        number = read_contact(text, region)
    except NotANumber:
        return
    assert number in find_numbers(text, region)
    try:
        assert number in find_numbers(f"просил не звонить: {text.strip()}", region)
    except NotANumber:
        return  # such an entry fails the task before the first call


@settings(max_examples=100, deadline=None)
@given(spelled(NUMBERS), spelled(NUMBERS))
def test_two_numbers_in_a_cell_are_both_found_or_the_cell_is_unreadable(
    first: tuple[str, str, str], second: tuple[str, str, str]
) -> None:
    region = first[1]
    try:
        numbers = {read_contact(text, region) for text in (first[0], second[0])}
        found = find_numbers(f"{first[0].strip()}, {second[0].strip()}", region)
    except NotANumber:
        return
    assert found >= numbers


@settings(max_examples=100, deadline=None)
@given(in_any_case(SIP_NUMBERS))
def test_a_sip_number_is_found_in_every_case(text: str) -> None:
    assert text.lower() in find_numbers(text, "RU")
