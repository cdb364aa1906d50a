"""Digits that only the number format of a cell shows."""

from __future__ import annotations

import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.lists.number_formats import (
    decimal_text,
    may_show_other_digits,
    shown_text,
)
from airflow_provider_callapi.calls.texts.number_texts import number_text


@pytest.mark.parametrize(
    ("number_format", "value", "shown"),
    [
        ('"+7 "000 000-00-00', 9260000001, "+7 926 000-00-01"),
        (r"\+0", 79260000001, "+79260000001"),
        ("+7(000)000-00-00", 9260000001, "+7(926)000-00-01"),
        ('8" ("###") "###-##-##', 9260000001, "8 (926) 000-00-01"),
        ("00000000000", 9260000001, "09260000001"),
        ("0000", 42, "0042"),
        ("####", 42, None),
        ('"+1 "(000) 000-0000;"minus "0', 9162345678, "+1 (916) 234-5678"),
        ('[Red][$-419]"+7 "0_)', 9260000001, "+7 9260000001"),
        ('"UTC-"0', 5, "UTC-5"),
        ('"+1"General', 9162345678, "+19162345678"),
        ("[$+1] 000 000-0000", 9162345678, "+1 916 234-5678"),
        ("[$+1-409](000) 000-0000", 9162345678, "+1(916) 234-5678"),
        ("[$8-419]0", 9260000001, "89260000001"),
        ("[$-419]0", 9260000001, None),
        ("[$₽-419] 0", 9260000001, None),
        ('0" a;b "', 5, None),
    ],
)
def test_digits_and_signs_of_the_format_are_part_of_the_shown_text(number_format, value, shown) -> None:
    assert shown_text(value, number_format) == shown


@pytest.mark.parametrize(
    "number_format",
    [
        "General",
        "0",
        "#,##0",
        "+#,##0;-#,##0",
        "0.00",
        '0" rub."',
        "0%",
        "@",
        "",
        '"text"',
        "[<=9999999]###-####;(###) ###-####",
        "dd.mm.yyyy",
        '"open',
    ],
)
def test_a_format_that_adds_no_digit_leaves_the_number(number_format: str) -> None:
    assert shown_text(79260000001, number_format) is None
    assert not may_show_other_digits(79260000001, number_format)


@pytest.mark.parametrize(
    "number_format",
    [
        '[>9999999]"+1 "0;0',
        "[$+1].0",
        "[>9]0;[$1] 0",
        "[>9999999]+1 0;0",
        r"[<1]0;\+\10",
        '"+1 ".0',
        '0.00" 8"',
        '"+1"@',
    ],
)
def test_a_format_that_adds_digits_in_an_unknown_way_is_noticed(number_format: str) -> None:
    assert may_show_other_digits(9162345678, number_format)
    assert not may_show_other_digits(42, number_format)


@given(st.integers(0, 10**15), st.text("0123456789", min_size=1, max_size=4), st.lists(st.integers(1, 5)))
def test_the_shown_text_has_the_digits_of_the_format_and_then_those_of_the_number(
    value: int, code: str, groups: list[int]
) -> None:
    places = "-".join("#" * size for size in [*groups, 1])

    shown = shown_text(value, f'"+{code} "{places}')

    assert shown is not None
    assert re.sub(r"\D", "", shown) == f"{code}{value}"


@given(st.integers(0, 10**15), st.text('0#?"\\_*[]()+-;7 a,.%', max_size=12))
def test_any_format_either_shows_all_digits_of_the_number_or_leaves_it(
    value: int, number_format: str
) -> None:
    shown = shown_text(value, number_format)

    remaining = iter(shown or str(value))
    assert all(digit in remaining for digit in str(value))


def test_a_format_may_add_digits_to_a_text() -> None:
    shows_more = partial(may_show_other_digits, "9162345678")
    assert all(map(shows_more, ('"+1 "@', r"\+@", '0;-0;0;"8"@', "[$+1] @")))
    assert not any(map(shows_more, ("@", "General", "", '"+7 "0;;;@', '"тел. "@')))


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (0.15, "0%", "15%"),
        (1, "0%", "100%"),
        (0.1555, "0.00%", "15.55%"),
        (0.155, "0%", "16%"),
        (-0.15, "0%", "-15%"),
        (0.15, r"0\ %", "15%"),
        (0.15, r"0\%", "0"),
        (0.15, '0.00"%"', "0.15"),
        (0.3333333333333333, "# ?/?%", "33.3333333333333%"),
        (0.1 + 0.2, "General", "0.3"),
        (0.1 + 0.2, "0.00", "0.3"),
        (1234.5, "#,##0.00", "1234.5"),
        (1234.565, '#,##0.00" руб."', "1234.57"),
        (1234.5, "0", "1235"),
        (-1234.567, "#,##0.00_);[Red](#,##0.0)", "-1234.6"),
        (1234567.891, "0", "1234567.891"),
        (79260000001.7, "0", "79260000001.7"),
        (1234.567, "0,", "1234.567"),
        (1234.567, "0.00E+00", "1234.567"),
        (0.155, "[<1]0.0%;0%", "0.155"),
        (1e-05, "General", "0.00001"),
        (12, "0.00", "12"),
    ],
)
def test_a_number_is_rounded_as_shown_and_keeps_its_percent_sign(
    value: float, number_format: str, text: str
) -> None:
    assert decimal_text(value, number_format) == text


@given(st.floats(-1e9, 1e9), st.text('0#?.,%;E+"_ ', max_size=10))
def test_any_format_leaves_the_number_or_rounds_it_at_one_of_its_digits(
    value: float, number_format: str
) -> None:
    text = decimal_text(value, number_format)

    digits = number_text(value * 100 if "%" in text else value)
    assert float(text.rstrip("%")) == pytest.approx(float(digits), abs=0.5, rel=1e-14)
