"""Each number that digits with gaps can mean is excluded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.phone_numbers.generous import find_numbers


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
