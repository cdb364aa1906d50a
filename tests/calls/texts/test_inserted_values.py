"""A template inserts only values that have a text for people, and numbers as people write them."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.texts import inserted_values
from airflow_provider_callapi.calls.texts.inserted_values import (
    UnsuitableValue,
    check_inserted,
    exact_value,
    spoken_value,
    written_value,
)


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


@given(TEXTS | st.integers() | st.booleans() | st.dates(date(2, 1, 1)) | st.uuids())
def test_another_value_is_inserted_as_it_is(value: Any) -> None:
    assert check_inserted(value) is value
    assert written_value(value) is value
    assert exact_value(value) is value
    checks = (check for check, _ in inserted_values._NOT_SPOKEN)
    if not isinstance(value, date) and not (isinstance(value, str) and any(check(value) for check in checks)):
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


@pytest.mark.parametrize("text", ["", " ", "none", "null", "-", " - ", "не указано", "NA", "{name}", "Null"])
def test_a_text_that_an_author_may_mean_is_inserted(text: str) -> None:
    assert check_inserted(text) == text
    assert spoken_value(text) == text


@given(st.datetimes(datetime(2, 1, 1)))
def test_a_person_hears_a_date_as_people_write_it(value: datetime) -> None:
    day = f"{value.day:02}.{value.month:02}.{value.year:04}"
    assert spoken_value(value.date()) == day
    assert spoken_value(datetime.combine(value, time())) == day
    text = spoken_value(value)
    assert text.startswith(day)
    assert not text.endswith(" 00:00:00")
    assert text.removeprefix(day).strip() in ("", spoken_value(value.time()))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (datetime(2026, 12, 1, 10, tzinfo=UTC), "with a time zone, .*strftime"),
        (datetime(2026, 12, 1, tzinfo=UTC), "with a time zone"),
        (time(10, 5, tzinfo=UTC), "with a time zone"),
        (timedelta(hours=1), "a duration"),
        ("2026-12-01T10:05:00", "a form for programs"),
        ("Till 2026-12-01 07:05:00+00:00", "a form for programs"),
        ("Anna\x1b[0m", "a control character"),
        *(
            (text, "the text of a missing value")
            for text in ("NULL", "<null>", "\\N", "0000-00-00", "nan nan")
        ),
        *((text, "a spreadsheet's formula") for text in ("#REF!", "Анна #REF!", "Err:502")),
        *((text, "codes instead of letters") for text in ("<b>x</b>", "A &amp; B", "&quot;")),
        *((text, "not filled in") for text in ("Hello {{name}}", "%NAME%")),
        ("4,08178E+19", "rounded"),
    ],
)
def test_a_person_hears_no_time_of_another_zone_and_no_text_for_programs(value: Any, problem: str) -> None:
    assert exact_value(value) is value
    with pytest.raises(UnsuitableValue, match=problem):
        spoken_value(value)


@pytest.mark.parametrize("value", [date(1, 1, 1), datetime(1, 1, 1), datetime(1, 1, 1, tzinfo=UTC)])
def test_a_date_that_stands_for_no_date_is_empty(value: date) -> None:
    with pytest.raises(UnsuitableValue, match="an empty value"):
        check_inserted(value)


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
