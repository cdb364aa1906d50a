"""A template inserts only values that have a text for people, and numbers as people write them."""

from __future__ import annotations

import math
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.inserted_values import (
    UnsuitableValue,
    check_inserted,
    spoken_value,
    written_value,
)
from airflow_provider_callapi.calls.lists.damaged_text import is_damaged


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        *((value, "an empty value") for value in (None, math.nan, -math.inf, Decimal("NaN"))),
        *((value, "a whole list or dict") for value in ([1], (1,), {"a": 1}, {1}, range(3), iter("ab"))),
        *((value, "bytes") for value in (b"Anna", bytearray(b"Anna"), memoryview(b"Anna"))),
        *((value, "a function or a method") for value in (len, "Anna".upper, str)),
        (object(), "no text of its own"),
    ],
)
def test_a_value_that_nobody_should_hear_is_refused_and_described(value: Any, problem: str) -> None:
    for check in (check_inserted, spoken_value, written_value):
        with pytest.raises(UnsuitableValue, match=problem) as refused:
            check(value)
        assert "Anna" not in str(refused.value)


TEXTS = st.text(st.characters(exclude_characters="anNu["))  # no word for a missing value


@given(TEXTS | st.integers() | st.booleans() | st.dates() | st.uuids())
def test_another_value_is_inserted_as_it_is(value: Any) -> None:
    assert check_inserted(value) is value
    assert written_value(value) is value
    if not (isinstance(value, str) and is_damaged(value)):
        assert spoken_value(value) is value


@pytest.mark.parametrize("value", ["Hello РђРЅРЅР°", "????"])
def test_a_person_hears_no_text_that_was_read_in_a_wrong_encoding(value: str) -> None:
    assert check_inserted(value) is value
    with pytest.raises(UnsuitableValue, match="wrong encoding"):
        spoken_value(value)


@given(st.integers(-(2**53) + 1, 2**53 - 1), st.sampled_from([float, Decimal]))
def test_a_person_hears_a_whole_number_without_a_fraction(number: int, kind: type) -> None:
    assert spoken_value(kind(number)) == str(number)
    assert check_inserted(kind(number)) == number


def test_a_number_that_has_lost_digits_is_not_spoken() -> None:
    with pytest.raises(UnsuitableValue, match=r"not certain: .* digits are lost"):
        spoken_value(12345678901234567890.0)


def test_an_empty_text_and_a_date_may_be_inserted() -> None:
    assert check_inserted("") == ""
    assert spoken_value(date(2026, 12, 1)) == date(2026, 12, 1)


@given(st.integers(-(2**53) + 1, 2**53 - 1), st.sampled_from([float, Decimal]))
@example(664, float)
@example(79260000000, float)
def test_a_whole_number_in_a_phone_number_is_its_digits_or_an_error(number: int, kind: type) -> None:
    """In `{{ contact.code }}{{ contact.number }}`, the zero of 664.0 would become a digit."""
    value = kind(number) if kind is float else Decimal(f"{number}.0")
    if re.fullmatch(r"\d{5,10}00000", str(number)):
        with pytest.raises(UnsuitableValue, match="ends in five zeros"):
            written_value(value)
    else:
        assert written_value(value) == str(number)


@pytest.mark.parametrize("value", [1.5, 1e300, 1234567890123456789.0, Decimal("0.25")])
def test_another_number_is_written_as_python_writes_it(value: Any) -> None:
    assert written_value(value) is value
