"""The filters ``int`` and ``float``: a number stays the number, and nothing else becomes one."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateRuntimeError, Undefined

from airflow_provider_callapi.calls.texts.number_filters import to_float, to_int

NUMBERS = st.integers(-(10**18), 10**18) | st.decimals(-1000, 1000, places=2) | st.floats(-1e9, 1e9)


@given(number=NUMBERS)
def test_a_number_is_converted_as_python_converts_it(number: Any) -> None:
    assert to_int(number) == int(number)
    assert to_float(number) == float(number)


@given(number=st.integers(-(10**18), 10**18), blanks=st.text(" \t", max_size=2), zeros=st.integers(0, 3))
def test_a_text_of_digits_is_converted_without_a_loss(number: int, blanks: str, zeros: int) -> None:
    text = f"{blanks}{number}{'.' if zeros else ''}{'0' * zeros}{blanks}"
    assert to_int(text) == number
    assert to_float(text) == float(number)


@given(text=st.text(max_size=12))
def test_any_other_text_is_refused_unless_there_is_a_default(text: str) -> None:
    try:
        number = to_int(text)
    except TemplateRuntimeError as error:
        assert "give a default with {{ … | int(0) }}" in str(error)  # noqa: PT017
        assert to_int(text, "no number") in ("no number", *_of_jinja(text))
    else:
        assert Decimal("".join(text.split()).replace(",", ".")) == number


def _of_jinja(text: str) -> list[int]:
    try:
        return [int(float(text))]
    except (ValueError, OverflowError):
        return []


EMPTY = (None, math.nan, math.inf, "", " ", "nan", Undefined(name="x"))


@pytest.mark.parametrize("value", [*EMPTY, [], object()])
@pytest.mark.parametrize("convert", [to_int, to_float])
def test_an_empty_value_is_no_zero(convert: Any, value: Any) -> None:
    with pytest.raises(TemplateRuntimeError, match=r"an empty value|no number|no whole number"):
        convert(value)


@given(
    whole=st.integers(-(10**12), 10**12),
    blank=st.sampled_from([" ", "\xa0", "\u202f"]),
    cents=st.none() | st.integers(0, 99),
    default=st.sampled_from([(), (0,)]),
)
def test_an_amount_of_a_spreadsheet_is_the_number_also_with_a_default(
    whole: int, blank: str, cents: int | None, default: tuple[int, ...]
) -> None:
    text = f"{whole:,}".replace(",", blank) + ("" if cents is None else f",{cents:02}")

    assert to_float(text, *default) == float(f"{whole}.{cents or 0:02}")
    if not cents:
        assert to_int(text, *default) == whole


@pytest.mark.parametrize("text", ["1,500", "1 50", "15 00,00", "1 500,000", "1 500.00", "1.500,00", "1,5,5"])
def test_an_amount_with_two_meanings_or_none_is_refused(text: str) -> None:
    with pytest.raises(TemplateRuntimeError, match="no number"):
        to_float(text)


@pytest.mark.parametrize("value", [None, "", [], "1,500"])
@pytest.mark.parametrize("convert", [to_int, to_float])
def test_a_default_replaces_what_cannot_be_converted(convert: Any, value: Any) -> None:
    assert convert(value, 7) == 7


def test_a_base_is_left_to_jinja() -> None:
    assert to_int("1F", base=16) == 31
