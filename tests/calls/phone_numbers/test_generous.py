"""The generous reader: every number that a cell of a do-not-call list may mean is excluded."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spelled_numbers import NUMBERS, PHONES_AS_SIP, SIP_NUMBERS, in_any_case, spelled

from airflow_provider_callapi.calls.phone_numbers.generous import find_numbers, numbers_in_sip, search_numbers
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
        "12-34 sip25@x.ru",
        "7926000001, sip25@x.ru",
        "тел. 123-456, ivan80@x.ru",
        "sip25@x.ru:89260 00001",
        "anna@x.ru",
        "79260000002 / 7926000001 / anna@x.ru",
    ],
)
def test_digits_that_may_be_the_number_of_a_person_are_refused_and_not_ignored(text: str) -> None:
    with pytest.raises(NotANumber) as refusal:
        find_numbers(text, "RU")
    assert "926" not in str(refusal.value)


@settings(max_examples=300)
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


def test_a_number_in_words_is_unreadable() -> None:
    with pytest.raises(NotANumber):
        find_numbers("1-800-FLOWERS", "US")


@settings(max_examples=100)
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


@settings(max_examples=100)
@given(in_any_case(SIP_NUMBERS))
def test_a_sip_number_is_found_in_every_case(text: str) -> None:
    assert text.lower() in find_numbers(text, "RU")


_SIP_TEXTS = st.sampled_from(
    [
        "{}",
        "sip:{}",
        "SIPS:{}",
        "<sip:{}>",
        '"Анна" <sip:{}>',
        "<{}>",
        "sip:{}:5060",
        "sip:{};transport=udp",
        "({}).",
        "{}.",
        "-{}",
        "просил не звонить: {}, утром",
        "\u200b{}\u00a0",
    ]
)


@settings(max_examples=200)
@given(in_any_case(SIP_NUMBERS.filter(lambda sip: "@" in sip)), _SIP_TEXTS)
def test_a_sip_address_is_found_in_every_form(sip: str, form: str) -> None:
    assert sip.lower() in find_numbers(form.format(sip), "RU")


@settings(max_examples=100)
@given(PHONES_AS_SIP, _SIP_TEXTS)
def test_a_sip_address_with_a_phone_number_means_both(sip: str, form: str) -> None:
    assert find_numbers(form.format(sip), "RU") >= {sip.lower(), A}
    assert A in numbers_in_sip(read_contact(sip, "RU"), "RU")


@settings(max_examples=200)
@given(
    spelled(NUMBERS),
    in_any_case(SIP_NUMBERS.filter(lambda sip: "@" in sip)),
    st.sampled_from([" / ", ", ", "; ", "\n", " Анна "]),
    st.booleans(),
)
def test_a_sip_address_beside_a_phone_number_is_found_with_the_number(
    case: tuple[str, str, str], sip: str, gap: str, is_first: bool
) -> None:
    text, region, _ = case
    cell = f"{sip}{gap}{text.strip()}" if is_first else f"{text.strip()}{gap}{sip}"
    assert sip.lower() in search_numbers(cell, region)
    try:
        number = read_contact(text, region)
        found = find_numbers(cell, region)
    except NotANumber:
        return
    assert found >= {number, sip.lower()}


def test_a_long_text_is_searched_in_little_time() -> None:
    assert search_numbers(f"{'a1' * 100_000} sip25@x.ru", "RU") >= {"sip25@x.ru"}


@pytest.mark.parametrize(
    "text",
    ["sip25 79260000001", "79260000001, SIP25", "8 926 000-00-01 (sip25)", "sip25/79260000001 Анна"],
)
def test_a_sip_number_beside_a_phone_number_is_found(text: str) -> None:
    assert find_numbers(text, "RU") == {"79260000001", "sip25"}


def test_a_word_of_letters_or_a_masked_number_is_no_sip_number() -> None:
    assert find_numbers("Anna 79260000001 mob. 5", "RU") == {"79260000001"}
    with contextlib.suppress(NotANumber):
        assert "7926xxx0001" not in find_numbers("79260000001 7926xxx0001", "RU")


@pytest.mark.parametrize(
    "text",
    [
        *("7926*******", "7926xxx0001", "7926ххх0001", "+7926***0001", "7926###0001"),
        *("***0001", "*0001", "**01", "XXXXXXX0001", "7xxxxxxxx01", "7x926", "+7 926 *** ** 01"),
        *("7926*", "79*", "8-926-*", "7926.*", "7926#", "7926x", "7926nnnnnnn", "926AAAAAAA"),
    ],
)
def test_a_masked_number_or_a_pattern_is_no_sip_number(text: str) -> None:
    with pytest.raises(NotANumber):
        find_numbers(text, "RU")
    with pytest.raises(NotANumber):
        read_contact(text, "RU")


@settings(max_examples=200)
@given(st.from_regex(r"\+?[0-9]{1,9}[*#_xXхХ]{1,9}[0-9]{0,4}|[*#_xXхХ]{2,9}[0-9]{1,6}", fullmatch=True))
def test_signs_that_stand_for_digits_never_protect_no_one(text: str) -> None:
    try:
        numbers = find_numbers(text, "RU")
    except NotANumber:
        return
    assert numbers
    assert all(number.isdigit() for number in numbers)


@pytest.mark.parametrize("text", ["sip2*", "2*@example.com", "sip25*@example.com, 79260000001"])
def test_a_pattern_for_several_sip_numbers_is_unreadable(text: str) -> None:
    with pytest.raises(NotANumber, match="pattern"):
        find_numbers(text, "RU")
