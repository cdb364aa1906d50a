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
        assert Decimal(text.strip()) == number


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


@pytest.mark.parametrize("value", [None, "", [], "1 500,00"])
@pytest.mark.parametrize("convert", [to_int, to_float])
def test_a_default_replaces_what_cannot_be_converted(convert: Any, value: Any) -> None:
    assert convert(value, 7) == 7


def test_a_base_is_left_to_jinja() -> None:
    assert to_int("1F", base=16) == 31
