"""Two numbers are certainly the same, certainly different, or neither."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_numbers import ANNA
from spelled_numbers import SIP_NUMBERS, in_any_case

from airflow_provider_callapi.calls.phone_numbers.comparison import (
    begins_with,
    contact_key,
    contains_number,
    is_same_number,
    may_be_same_number,
    sip_user,
)
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import read_international

national = st.integers(min_value=100_000_0000, max_value=999_999_9999).map(str)
any_text = st.none() | st.text() | st.text(alphabet="0123456789*xX +-.,()")


@pytest.mark.parametrize(
    "written",
    [
        "79260000011",
        "+7 926 000-00-11",
        "89260000011",
        "9260000011",
        "79260000011.5wp",
        "79260000011,,5",
        " 7926 0000011 ",
    ],
)
def test_every_spelling_of_a_number_is_the_same_number(written: str) -> None:
    assert is_same_number(written, ANNA)
    assert may_be_same_number(written, ANNA)


@pytest.mark.parametrize("ten_digits", ["4951234567", "4733025228", "9611234567"])
def test_ten_digits_count_as_a_russian_number_even_if_another_country_has_the_number(ten_digits: str) -> None:
    assert read_international(ten_digits) is not None
    assert is_same_number(ten_digits, f"7{ten_digits}")


@pytest.mark.parametrize(
    "written", ["79260000012", "9260000012", "11", "0000011", "sip:7926@pbx", "19260000011", "4979260000012"]
)
def test_another_number_is_certainly_different(written: str) -> None:
    assert not is_same_number(written, ANNA)
    assert not may_be_same_number(written, ANNA)


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        " ",
        "+",
        "anonymous",
        "7926***0011",
        "XXXXXXX0011",
        "+7 926 ***-**-11",
        "8926•••0011",
        "79260000011*5",
        "*",
    ],
)
def test_an_unknown_or_masked_number_is_not_certainly_the_same(written: str | None) -> None:
    assert not is_same_number(written, ANNA)
    assert may_be_same_number(written, ANNA)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("501234567", "971501234567"),
        ("0501234567", "971501234567"),
        ("291234567", "375291234567"),
        ("sip:79260000011@pbx.example", ANNA),
        ("79260000011@sip", ANNA),
        ("sip:anna", ANNA),
    ],
)
def test_a_part_of_a_number_or_a_sip_address_is_neither_certainly_the_same_nor_certainly_different(
    written: str, number: str
) -> None:
    assert not is_same_number(written, number)
    assert may_be_same_number(written, number)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip1.anna", "sip1.boris"),
        ("sip1@a.example", "sip1@a.test"),
        ("anna.1@pbx", "anna.2@pbx"),
        ("25.anna", "25.boris"),
    ],
)
def test_sip_addresses_that_differ_behind_a_dot_are_not_certainly_the_same(one: str, other: str) -> None:
    assert not is_same_number(one, other)
    assert is_same_number(one, f" {one.upper()} ")


@pytest.mark.parametrize("written", ["7926***0012", "XXXXXXX0012", "7927***0011", "79260000012*5"])
def test_a_masked_number_with_other_digits_is_certainly_different(written: str) -> None:
    assert not may_be_same_number(written, ANNA)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("7926***0011", "7926***0011"),
        ("7926***0011", "8926***0011"),
        ("7926***0011", "926***0011"),
        ("7926***0011", "+7 926 ***-**-11"),
        ("7926***0011", "***0011"),
        ("7926***0011", "7926***"),
        ("7926***0011", "7926***0011*5"),
        ("79260000011*5", "7926***0011"),
        ("79260000011***", "926***0011"),
        ("7***0011", "9***0011"),
        ("37***11", "29***11"),
        ("375***11", "29***11"),
        ("971 50 ***11", "050 ***11"),
        ("80291***34567", "+3752912*4567"),
        ("0207***60018", "00442079*60018"),
        ("151***", "0049151***"),
        ("201***", "004***"),
        ("sip1***@a", "sip2***@b"),
    ],
)
def test_two_masked_texts_whose_visible_digits_fit_may_be_the_same_number(one: str, other: str) -> None:
    assert may_be_same_number(one, other)
    assert not is_same_number(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("7926***0011", "7495***0011"),
        ("7926***0011", "7926***0012"),
        ("7926***0011", "495***0011"),
        ("7926***0011", "8495***11"),
        ("7926***0011", "***0012"),
        ("7926***0011", "4930***0011"),
        ("79260000012*5", "7926***0011"),
        ("7495***2233", "7916***4567"),
    ],
)
def test_two_masked_texts_whose_visible_digits_contradict_are_certainly_different(
    one: str, other: str
) -> None:
    assert not may_be_same_number(one, other)


@given(first=any_text, second=any_text)
def test_the_two_comparisons_agree_for_any_texts(first: str | None, second: str | None) -> None:
    assert is_same_number(first, second) is is_same_number(second, first)
    assert may_be_same_number(first, second) is may_be_same_number(second, first)
    assert not is_same_number(first, second) or may_be_same_number(first, second)


@given(number=national, code=st.sampled_from(["7", "8", "", "+7 "]), shown=st.integers(0, 9), data=st.data())
def test_a_masked_number_may_always_be_the_number_that_was_masked(
    number: str, code: str, shown: int, data: st.DataObject
) -> None:
    begin = data.draw(st.integers(0, shown))
    mask = data.draw(st.sampled_from(["*", "***", "XXX", "•••"]))
    masked = code + number[:begin] + mask + number[len(number) - (shown - begin) :]
    assert may_be_same_number(masked, "7" + number)


def masked_in_some_way(spellings: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return texts in which a part of a number is masked, and perhaps an extension follows."""

    def mask(spelling: str, begin: int, end: int, sign: str, behind: str) -> str:
        shown_end = spelling[len(spelling) - end :]
        return spelling[:begin] + sign + shown_end + (behind if shown_end else "")

    signs = st.sampled_from(["*", "***", "XXX", "•••"])
    behind = st.sampled_from(["", "", "*5"])
    return st.builds(mask, spellings, st.integers(0, 6), st.integers(0, 4), signs, behind)


@given(data=st.data(), national=st.from_regex(r"[2-9]\d{7,8}", fullmatch=True), russian=national)
def test_two_masks_of_one_number_may_always_be_the_same_number(
    data: st.DataObject, national: str, russian: str
) -> None:
    code = data.draw(st.sampled_from(["7", "49", "375", "971", "1"]))
    rest = russian if code == "7" else national
    prefixes = ["7", "8", "", "+7 "] if code == "7" else [code, f"+{code} ", "", "0", f"00{code}"]
    prefixes += ["80"] if code == "375" else []
    texts = masked_in_some_way(st.sampled_from(prefixes).map(lambda prefix: prefix + rest))
    assert may_be_same_number(data.draw(texts), data.draw(texts))


@given(one=national, other=national, shown=st.integers(3, 6), end=st.integers(0, 4))
def test_masks_that_show_other_national_digits_are_of_different_numbers(
    one: str, other: str, shown: int, end: int
) -> None:
    first, second = (f"7{each[:shown]}***{each[10 - end :]}" for each in (one, other))
    is_alike = one[:shown] == other[:shown] and one[10 - end :] == other[10 - end :]
    assert may_be_same_number(first, second) is is_alike or one[0] in "78" or other[0] in "78"


@given(
    number=national,
    code=st.sampled_from(["7", "8", "", "+7 "]),
    gap=st.sampled_from(["", " ", "-", "x", "\u200b"]),
    digits=st.sampled_from(
        ["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "⁰¹²³⁴⁵⁶⁷⁸⁹", "⓪①②③④⑤⑥⑦⑧⑨"]
    ),
    around=st.tuples(st.text("abc-_ ", max_size=6), st.text("abc-_ ", max_size=6)),
)
def test_a_text_contains_a_number_in_the_digits_of_every_script(
    number: str, code: str, gap: str, digits: str, around: tuple[str, str]
) -> None:
    spelled = gap.join(code + number).translate(str.maketrans("0123456789", digits))
    assert contains_number(around[0] + spelled + around[1], "7" + number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("order-21234567", "37121234567"),  # Latvia: eight digits without the country code
        ("order 2123 4567", "37121234567"),
        ("order-20123456", "4520123456"),
        ("order-5123456", "3725123456"),
        ("order-15123456789", "4915123456789"),
        ("order-9260000011", "79260000011@example.com"),
    ],
)
def test_a_text_contains_a_number_as_its_country_writes_it(text: str, number: str) -> None:
    assert contains_number(text, number)


@pytest.mark.parametrize("number", ["100", "sip25@example.com", "3725123", "anna@79260000011.example"])
def test_a_text_contains_no_number_that_is_no_phone_number(number: str) -> None:
    assert not contains_number(f"order-100-25-3725123-79260000011-{number[:3]}", number)


@pytest.mark.parametrize(
    "text", ["", "order-7", "order-7926-000-001", "7926000001x", "af-79260000012", "٩٢٦"]
)
def test_a_text_with_other_digits_does_not_contain_the_number(text: str) -> None:
    assert not contains_number(text, ANNA)


@pytest.mark.parametrize(
    ("number", "user"),
    [
        ("sip:79260000011@pbx.example", "79260000011"),
        ("SIPS:+79260000011@10.0.0.1:5060;user=phone", "+79260000011"),
        ('"Anna" <sip:anna@pbx.example>;tag=7', "anna"),
        ("tel:+79260000011;ext=5", "+79260000011"),
        ("sip25@example.com", "sip25"),
        ("79260000011,,5", "79260000011,,5"),
        ("", ""),
    ],
)
def test_the_user_of_a_sip_address_is_what_comes_before_the_at_sign(number: str, user: str) -> None:
    assert sip_user(number) == user


@given(in_any_case(SIP_NUMBERS))
def test_all_spellings_of_a_sip_number_have_one_key(sip: str) -> None:
    assert contact_key(sip) == contact_key(sip.lower())
    assert is_same_number(sip, contact_key(sip))


@pytest.mark.parametrize("number", [None, "", "anonymous", "***", "7926", "74991234567"])
def test_a_number_that_is_not_known_or_other_does_not_begin_with_a_prefix(number: str | None) -> None:
    assert not begins_with(number, "7495")


@given(st.from_regex(r"7[0-9]{10}|[1-9][0-9]{1,14}", fullmatch=True), st.integers(1, 15))
def test_a_number_begins_with_its_own_first_digits_in_every_spelling(number: str, digits: int) -> None:
    prefix = number[:digits]
    spellings = [number, f"+{number}", f"{number}.5"]
    if re.fullmatch(r"7\d{10}", number):
        spellings += [f"8{number[1:]}", number[1:], f"+7 ({number[1:4]}) {number[4:]}"]
    assert all(begins_with(spelling, prefix) for spelling in spellings)
