"""The generous reader: every number that a cell of a do-not-call list may mean is excluded."""

from __future__ import annotations

import contextlib
import sys
import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from spelled_numbers import NUMBERS, PHONES_AS_SIP, SIP_NUMBERS, in_any_case, spelled

from airflow_provider_callapi.api.number_text import fold
from airflow_provider_callapi.calls.phone_numbers.generous import (
    complete_numbers,
    find_numbers,
    numbers_in_sip,
    search_numbers,
)
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


@pytest.mark.parametrize("form", ["{}", "{}.0", "{},00", "'{}", "Анна {}"])
@pytest.mark.parametrize(
    ("digits", "region", "other"),
    [("4915123456789", "DE", "494915123456789"), ("84951234567", "RU", "74951234567")],
)
def test_digits_that_may_be_two_numbers_exclude_both_in_every_form(
    digits: str, region: str, other: str, form: str
) -> None:
    assert find_numbers(form.format(digits), region) == {digits, other}


@pytest.mark.parametrize(
    ("text", "region", "numbers"),
    [
        *(("+495 123-45-67", "RU", {"74951234567"}), ("+(495) 123-45-67", "RU", {"74951234567"})),
        *(("+646 555 0123", "US", {"16465550123"}), ("+160 12345678", "DE", {"4916012345678"})),
        ("+39 (0) 312 454 2218", "IT", {"393124542218", "3903124542218"}),
        *(("+328 1234567", "IT", {"393281234567"}), ("+381 212 3456", "RU", {"73812123456", "3812123456"})),
    ],
)
def test_each_number_that_a_plus_or_a_zero_in_brackets_can_mean_is_excluded(
    text: str, region: str, numbers: set[str]
) -> None:
    assert find_numbers(text, region) >= numbers


@pytest.mark.parametrize("extension", ["-22", " 22", " - 0", "~2", ".0", " .0"])
def test_a_number_is_excluded_also_if_its_last_digits_are_an_extension(extension: str) -> None:
    assert "4930123456" in find_numbers(f"030 123456{extension}", "DE")


def test_a_number_with_a_slash_inside_is_found_between_two_numbers() -> None:
    text = "+1 201-819-4308 (201)/722-9756 (201) 625-6140 Ltd 3000"
    assert find_numbers(text, "US") >= {"12018194308", "12017229756", "12016256140"}


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


@pytest.mark.parametrize("words", ["", "тел. ", "Anna "])
@pytest.mark.parametrize(
    "second",
    [
        *(", 02", "/02", "; 02, 03", " и 2", "/ 0002", ", 02 (жена)", "..02", " – 02"),
        *(" или 02", " а также 02", " и 02, и 03", " or 02", " plus 02", " oraz 02", " та 02", " y 02"),
        *(
            " или на 02",
            " и ещё 02",
            " (02)",
            " | 02",
            " 02",
            ", -02",
            ", …02",
            " _ 02",
            "~02",
            "—02",
            "\\02",
        ),
        *("-02", "-02 Анна", "*02 Анна", " по 09", " до 05"),
    ],
)
def test_a_second_number_without_its_first_digits_is_unreadable(words: str, second: str) -> None:
    with pytest.raises(NotANumber):
        find_numbers(f"{words}8 926 000 00 01{second}", "RU")


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


def test_two_numbers_are_not_one_number_of_more_than_15_digits() -> None:
    assert find_numbers("030 144906 127001", "DE") >= {"4930144906", "4930127001"}


@given(
    middle=st.integers(200, 999),
    end=st.integers(0, 99),
    prefix=st.sampled_from(["+7", "7", "8", ""]),
    form=st.sampled_from(["{}", "{} Анна", "{}, 79260000001", "тел. {}, дом", "{}, доб. 5"]),
)
def test_a_dot_and_zeros_inside_a_number_are_no_fraction(
    middle: int, end: int, prefix: str, form: str
) -> None:
    """Without these zeros, 495363.00.62 is a number of Germany."""
    assert f"7495{middle}00{end:02}" in find_numbers(form.format(f"{prefix}495{middle}.00.{end:02}"), "RU")


@settings(max_examples=300)
@given(
    area=st.sampled_from(["385", "391", "401", "495", "812", "903", "916", "926", "951", "962", "992"]),
    rest=st.integers(2_000_000, 9_999_999),
    prefix=st.sampled_from(["8", "+7", "7", ""]),
    end=st.from_regex(r"[0-9]{1,4}", fullmatch=True),
    form=st.sampled_from(["{} {}", "{} - {}", "{}-{}", "{} ({})", "{}.{}", "{}\n{}", "{} {} Анна"]),
)
def test_a_foreign_number_never_hides_that_a_second_number_lacks_its_first_digits(
    area: str, rest: int, prefix: str, end: str, form: str
) -> None:
    """For example, 916 736 6779 37 may be a number of India."""
    first = f"{prefix} ({area}) {str(rest)[:3]}-{str(rest)[3:5]}-{str(rest)[5:]}"
    text = form.format(first, end)
    with contextlib.suppress(NotANumber):
        assume(read_contact(first, "RU") == f"7{area}{rest}")
        with pytest.raises(NotANumber):
            read_contact(text, "RU")
        second = f"7{area}{rest}"[: -len(end)] + end
        assert second in find_numbers(text, "RU") | complete_numbers(text, [f"7{area}{rest}"], "RU")


@pytest.mark.parametrize(
    "text",
    [
        *("79260000001, дом 12", "тел 79260000001, 5 этаж", "2 раза 79260000001", "1. Анна 79260000001"),
        *("79260000001 12 марта", "79260000001 от 12.03.26", "Анна 79260000001 с 10:00 до 18:00"),
    ],
)
def test_a_short_number_that_words_explain_is_ignored(text: str) -> None:
    assert find_numbers(text, "RU") == {"79260000001"}


@pytest.mark.parametrize("between", ["..", "...", "…", "-", " – ", "—", "~", " по ", " до ", " to "])
@pytest.mark.parametrize("words", ["", "номера с "])
def test_a_range_of_numbers_is_unreadable(between: str, words: str) -> None:
    with pytest.raises(NotANumber, match="range"):
        find_numbers(f"{words}79260000001{between}79260000009", "RU")


@pytest.mark.parametrize("between", [" - ", " — ", " по ", " ... "])
@pytest.mark.parametrize(
    "form", ["+7 (495) 123-45-{}", "8-495-123-45-{}", "8 495 12345{}", "(495) 123 45 {}"]
)
def test_a_range_of_spelled_numbers_is_unreadable(between: str, form: str) -> None:
    with pytest.raises(NotANumber, match="range"):
        find_numbers(form.format("00") + between + form.format("99"), "RU")


@pytest.mark.parametrize(
    "between", [" ÷ ", ":", " -> ", " => ", " → ", "_", " through ", " until ", " через ", "»", " = "]
)
def test_a_sign_that_separates_no_list_makes_two_numbers_a_range(between: str) -> None:
    for text in (f"{A}{between}79260000009", f"8 926 000-00-01{between}8 926 000-00-09"):
        with pytest.raises(NotANumber, match="range"):
            find_numbers(text, "RU")


_LIST_SIGNS = frozenset(",;|/\\&+().*•·\"'-@")  # and the sign of a SIP address
SIGNS = [
    sign
    for sign in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(sign)[0] in "PS"
    and (folded := fold(f"0{sign}0")[1:-1].strip())
    and _LIST_SIGNS.isdisjoint(folded)
]
"""Every sign of Unicode that is neither a blank nor a sign that separates a list."""


@settings(max_examples=300)
@given(sign=st.sampled_from(SIGNS), gap=st.sampled_from(["", " "]))
def test_no_unknown_sign_hides_a_range(sign: str, gap: str) -> None:
    with pytest.raises(NotANumber):
        find_numbers(f"{A}{gap}{sign}{gap}79260000009", "RU")


@pytest.mark.parametrize("sign", [",", ";", " | ", " / ", " & ", "\n", " и ", " * ", " • ", "\\"])
def test_a_sign_that_separates_a_list_makes_no_range(sign: str) -> None:
    assert find_numbers(f"{A}{sign}79260000009", "RU") == {A, "79260000009"}


@pytest.mark.parametrize("text", ["[79260000001,79260000009)", "(79260000001, 79260000009]"])
def test_a_range_of_a_database_is_unreadable(text: str) -> None:
    with pytest.raises(NotANumber, match="range"):
        find_numbers(text, "RU")


@pytest.mark.parametrize("words", ["{}", "Herr Meier {}"])
@pytest.mark.parametrize("number", ["030 12345", "+43 664 12345"])
@pytest.mark.parametrize("sign", ["...", "…", "..", "?", "??", "%", " %", "-", " ff.", "⁷"])
def test_a_sign_that_may_stand_for_further_digits_is_unreadable(words: str, number: str, sign: str) -> None:
    with pytest.raises(NotANumber):
        find_numbers(words.format(number + sign), "DE")


@pytest.mark.parametrize("sign", ["...", "…", "..", "?", "%", "-", " -", "."])
def test_a_sign_behind_a_number_of_the_greatest_length_is_punctuation(sign: str) -> None:
    assert find_numbers(f"не звонить 8 926 000-00-01{sign}", "RU") == {A}


@pytest.mark.parametrize("end", ["-10 bis 20", "-10 bis -20", "-10 до -20"])
def test_the_last_digits_of_a_range_are_unreadable(end: str) -> None:
    with pytest.raises(NotANumber):
        find_numbers(f"030 123456{end}", "DE")


@pytest.mark.parametrize(
    "text",
    ["79260000002 - 79260000001", "79260000002 (до 18) 79260000001", "по 79260000002, и по 79260000001"],
)
def test_two_numbers_that_are_no_range_are_both_found(text: str) -> None:
    assert find_numbers(text, "RU") == {A, B}


@pytest.mark.parametrize("beside", ["", ", 79260000002", " и 79260000002", " Анна"])
@pytest.mark.parametrize(
    "typo", ["+7 926 OOO-OO-O1", "7926ООООО01", "8926О00-00-01", "8926000000З", "+7 926 000 00 0l"]
)
def test_a_letter_instead_of_a_digit_is_unreadable_also_beside_another_number(typo: str, beside: str) -> None:
    with pytest.raises(NotANumber):
        find_numbers(typo + beside, "RU")


@pytest.mark.parametrize("words", ["{} Зоя", "{} О. Смит", "дом 5 о {}", "З. Иванова {}", "{} оло", "{}, О"])
def test_a_word_with_letters_like_digits_is_ignored(words: str) -> None:
    assert find_numbers(words.format(A), "RU") == {A}


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
