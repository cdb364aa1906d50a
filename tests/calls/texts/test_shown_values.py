"""A value of a workbook stays a value to calculate with, and has the text of its cell."""

from __future__ import annotations

import copy
import json
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.texts.number_texts import number_text
from airflow_provider_callapi.calls.texts.shown_values import LongNumber, ShownValue, shown_as, stored_text

VALUES = st.one_of(
    *(st.integers(), st.floats(allow_nan=False), st.datetimes(), st.dates(), st.times(), st.timedeltas())
)


@given(VALUES)
def test_a_shown_value_equals_the_stored_value_but_has_the_text_of_its_cell(value: Any) -> None:
    shown = shown_as(value, "as shown")

    assert (shown, hash(shown)) == (value, hash(value))
    assert isinstance(shown, type(value))
    assert isinstance(shown, ShownValue)
    assert [str(shown), f"{shown}", "%s" % shown] == ["as shown"] * 3  # noqa: UP031 - as templates do
    assert stored_text(shown) == stored_text(value) == str(value)


@given(VALUES)
def test_a_value_without_another_text_stays_as_it_is(value: Any) -> None:
    assert shown_as(value, None) is value
    assert shown_as(value, str(value)) is value


@pytest.mark.parametrize(
    ("calculated", "text"),
    [
        (shown_as(0.15, "15%") * 100, "15.0"),
        (round(shown_as(0.15, "15%"), 1), "0.1"),
        (shown_as(1, "100%") + 1, "2"),
        (shown_as(datetime(2026, 12, 1), "01.12.2026") + timedelta(1), "2026-12-02 00:00:00"),
        (shown_as(datetime(2026, 12, 1), "01.12.2026").date(), "2026-12-01"),
        (shown_as(datetime(2026, 12, 1), "01.12.2026").strftime("%d/%m"), "01/12"),
        (shown_as(date(2026, 12, 1), "01.12.2026").replace(day=2), "2026-12-02"),
        (shown_as(time(18, 30), "18:30").replace(hour=9), "09:30:00"),
        (shown_as(timedelta(hours=30), "30:00") * 2, "2 days, 12:00:00"),
    ],
)
def test_what_is_calculated_from_a_shown_value_has_its_own_text(calculated: Any, text: str) -> None:
    assert str(calculated) == text


def test_json_contains_the_stored_number() -> None:
    values = [shown_as(0.15, "15%"), shown_as(1, "100%"), LongNumber(10**15)]
    assert json.dumps(values) == "[0.15, 1, 1000000000000000]"


def test_a_copy_of_a_number_is_shown_in_the_same_way() -> None:
    assert str(copy.deepcopy(shown_as(0.15, "15%"))) == "15%"


def test_the_text_of_a_number_is_the_shown_text() -> None:
    assert number_text(shown_as(0.15, "15%")) == "15%"
    assert number_text(shown_as(0.15, "15%") * 100) == "15"
    with pytest.raises(ValueError, match="store the cell as text"):
        number_text(LongNumber(10**15))
