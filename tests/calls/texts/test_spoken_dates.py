"""A date and a time have one text for people, from whatever source they come."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.texts.shown_values import shown_as
from airflow_provider_callapi.calls.texts.spoken_dates import is_date, spoken_date


class Numpy:
    """Stands for a date or duration of numpy, which gives Python's value in microseconds."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def astype(self, precision: str) -> Numpy:
        assert precision == f"{type(self).__name__}[us]"
        return self

    def item(self) -> Any:
        return self._value


NumpyDate, NumpyDuration = (type(name, (Numpy,), {}) for name in ("datetime64", "timedelta64"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2026, 12, 1), "01.12.2026"),
        (datetime(2026, 12, 1), "01.12.2026"),
        (datetime(2026, 12, 1, 10, 5), "01.12.2026 10:05"),
        (datetime(2026, 12, 1, 0, 0, 7, 250000), "01.12.2026 00:00:07"),
        (time(18, 30), "18:30"),
        (pendulum.naive(2026, 12, 1, 9), "01.12.2026 09:00"),
        (pendulum.date(2026, 12, 1), "01.12.2026"),
        (NumpyDate(datetime(2026, 12, 1, 10)), "01.12.2026 10:00"),
        (NumpyDate(date(2026, 12, 1)), "01.12.2026"),
        (shown_as(datetime(2026, 12, 1), "1.12.26"), "1.12.26"),
        (shown_as(datetime(2026, 12, 1), "1.12.26") + timedelta(1), "02.12.2026"),
        (shown_as(timedelta(hours=30), "30:00"), "30:00"),
    ],
)
def test_a_date_has_the_text_that_people_write(value: Any, text: str) -> None:
    assert is_date(value)
    assert spoken_date(value) == text


@pytest.mark.parametrize(
    "value",
    [
        *(timedelta(1), pendulum.duration(hours=1), NumpyDuration(timedelta(1))),
        *(datetime(2026, 12, 1, tzinfo=UTC), time(9, tzinfo=UTC), pendulum.datetime(2026, 12, 1)),
    ],
)
def test_a_duration_and_a_time_with_a_zone_have_no_text(value: Any) -> None:
    assert is_date(value)
    with pytest.raises(ValueError, match=r"\{\{ .* \}\}"):
        spoken_date(value)


@given(st.integers() | st.floats() | st.text() | st.none() | st.booleans() | st.decimals())
def test_another_value_is_no_date(value: Any) -> None:
    assert not is_date(value)


@given(st.datetimes() | st.dates() | st.times())
def test_the_text_of_a_date_has_only_digits_and_the_signs_of_a_date(value: Any) -> None:
    assert set(spoken_date(value)) <= set("0123456789.: ")
