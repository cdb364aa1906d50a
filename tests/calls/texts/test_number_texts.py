"""A number becomes the text that a person would write."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.texts.number_texts import number_text

PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?")
"""A number without an exponent, without zeros in front, and without zeros at the end of its fraction."""
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.0, "1234"),
        (1e-05, "0.00001"),
        (0.1 + 0.2, "0.3"),
        (1234.5000000000002, "1234.5"),
        (1e16, "10000000000000000"),
        (9007199254740991.0, "9007199254740991"),
        (-0.0, "0"),
        (-1.50, "-1.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0E-10"), "0"),
        (Decimal("-0"), "0"),
        (Decimal("0E+999999999"), "0"),
        (Decimal("1500.0000000000"), "1500"),
        (Decimal("12345678901234567890.12345678901234567890"), "12345678901234567890.1234567890123456789"),
        (12345678901234567890, "12345678901234567890"),
    ],
)
def test_a_number_has_no_exponent_no_noise_and_no_zeros_behind_it(value: Any, text: str) -> None:
    assert number_text(value) == text


@given(st.integers() | DECIMALS)
def test_the_text_of_an_exact_number_is_the_same_number(value: int | Decimal) -> None:
    text = number_text(value)

    assert PLAIN.fullmatch(text)
    assert Fraction(text) == Fraction(value)


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 20))
def test_a_float_has_the_digits_that_a_person_wrote_if_these_are_at_most_15(digits: int, places: int) -> None:
    written = Decimal(digits).scaleb(-places)

    assert number_text(float(written)) == number_text(written)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_written_within_15_digits_or_exactly_or_not_at_all(value: float) -> None:
    try:
        text = number_text(value)
    except ValueError:
        assert abs(value) >= 2**53
        return

    assert PLAIN.fullmatch(text)
    assert float(text) == pytest.approx(value, rel=1e-14, abs=0)
    if value.is_integer():
        assert float(text) == value
    else:
        assert len(text.strip("-0.").replace(".", "")) <= 15


@pytest.mark.parametrize(
    "value",
    [
        *(float("nan"), float("inf"), -float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")),
        *(True, False, Decimal("1E+400"), Decimal("1E-999999999"), 1.2345678901234567e19, 2.0**53 + 2),
    ],
)
def test_a_value_that_has_no_certain_digits_has_no_text(value: Any) -> None:
    with pytest.raises(ValueError, match=r"digits|no number"):
        number_text(value)


class Float32:
    """Stands for a number of numpy that is no float of Python: only its text is short."""

    def __str__(self) -> str:
        return "0.1"

    def __float__(self) -> float:
        return 0.10000000149011612


def test_a_number_of_another_library_has_its_own_digits() -> None:
    assert number_text(Float32()) == "0.1"  # type: ignore[arg-type]
