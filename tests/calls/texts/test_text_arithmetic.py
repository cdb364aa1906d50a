"""A template of a spoken text calculates with numbers only."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateRuntimeError

from airflow_provider_callapi.calls.texts.text_arithmetic import plus, times

NUMBERS = st.integers(-1000, 1000) | st.floats(-1000, 1000) | st.booleans()
NAMES = st.text(st.characters(categories=["L"]), min_size=1, max_size=5)


@given(NUMBERS, NUMBERS)
def test_numbers_are_calculated(left: Any, right: Any) -> None:
    assert times(left, right) == left * right
    assert plus(left, right) == left + right


@given(st.text(max_size=5), NUMBERS)
def test_a_text_and_a_number_are_no_sum_and_no_product(text: str, number: Any) -> None:
    for operator in (times, plus):
        for pair in ((text, number), (number, text)):
            with pytest.raises(TemplateRuntimeError, match=r"`\| float`"):
                operator(*pair)


@pytest.mark.parametrize(
    ("left", "right"), [("1500", "200"), ("1 500,00", "1.5"), ("-7", "+7"), ("1\u00a0500", "0"), ("0", "0")]
)
def test_two_texts_that_are_numbers_are_not_joined(left: str, right: str) -> None:
    with pytest.raises(TemplateRuntimeError, match="join texts with ~"):
        plus(left, right)


@given(NAMES, NAMES | st.sampled_from(["5", "12-", " 5", ""]))
def test_other_texts_and_lists_are_joined(left: str, right: str) -> None:
    assert plus(left, right) == left + right
    assert plus([left], [right]) == [left, right]
    assert times([left], 2) == [left, left]
