"""A row of a report as plain JSON: a kind for each field, times in UTC, no lost row for an odd value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_numbers import VNUMBER

from airflow_provider_callapi.calls.reports.report_fields import (
    CALL_NUMBERS,
    DEFAULT_FIELDS,
    LOADED_LEG_FIELDS,
    FieldKind,
    convert_row,
    kind_of_field,
)

START = datetime(2026, 3, 2, tzinfo=UTC).timestamp()


def convert(name: str, value: Any, zone: str = "Europe/Moscow", not_before: float = START) -> Any:
    unreadable: list[str] = []
    row = convert_row(
        {name: value}, [name], timezone=zone, not_before=not_before, on_unreadable=unreadable.append
    )
    return "unreadable" if unreadable else row[name]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("id", 5, 5),
        ("id", "5", 5),
        ("communication_id", 2**62 + 1, 2**62 + 1),
        ("id", 2**63, "unreadable"),
        ("id", 5.5, "unreadable"),
        ("talk_duration", True, "unreadable"),
        ("talk_duration", "", None),
        ("is_lost", "false", False),
        ("is_lost", None, None),
        ("is_lost", "perhaps", "unreadable"),
        ("start_time", "2026-03-02 12:00:00", "2026-03-02T09:00:00Z"),
        ("start_time", "2026-03-02T12:00:00.5", "2026-03-02T09:00:00Z"),
        ("start_time", "2026-03-02T12:00:00+03:00", "2026-03-02T09:00:00Z"),
        ("finish_time", "0000-00-00 00:00:00", None),
        ("start_time", "2026-03-02T 12:00:00", "2026-03-02T09:00:00Z"),
        ("finish_time", "soon", "unreadable"),
        ("finish_time", "2026-03-02", "unreadable"),
        ("finish_time", [], "unreadable"),
        ("virtual_phone_number", 74993720692, VNUMBER),
        ("virtual_phone_number", "", None),
        ("finish_reason", {"a": 1}, "unreadable"),
        ("tags", None, []),
        (
            "tags",
            [{"tag_id": 36, "tag_change_time": "2026-03-02 12:00:00"}],
            [{"tag_id": 36, "tag_change_time": "2026-03-02T09:00:00Z"}],
        ),
        ("a_new_field", {"a": [1]}, {"a": [1]}),
        ("a_new_field", None, None),
    ],
)
def test_a_value_is_converted_by_the_kind_of_its_field(name, value, wanted):
    assert convert(name, value) == wanted


@pytest.mark.parametrize("time", [5, "soon", "2026-03-02", []])
def test_one_unreadable_time_does_not_empty_the_list_that_contains_it(time):
    tags = [{"tag_id": 36, "tag_change_time": time}, {"tag_id": 37, "tag_change_time": "2026-03-02 12:00:00"}]
    unreadable: list[str] = []
    row = convert_row(
        {"tags": tags},
        ["tags"],
        timezone="Europe/Moscow",
        not_before=START,
        on_unreadable=unreadable.append,
    )

    assert row["tags"] == [
        {"tag_id": 36, "tag_change_time": None},
        {"tag_id": 37, "tag_change_time": "2026-03-02T09:00:00Z"},
    ]
    assert unreadable == ["tags"]


@pytest.mark.parametrize(("earlier_hour", "wanted"), [(True, "00:30:00Z"), (False, "01:30:00Z")])
def test_a_time_in_the_hour_that_occurs_twice_is_not_before_the_call(earlier_hour, wanted):
    not_before = datetime(2025, 10, 26, 0 if earlier_hour else 1, tzinfo=UTC).timestamp()

    assert (
        convert("finish_time", "2025-10-26 02:30:00", "Europe/Berlin", not_before) == f"2025-10-26T{wanted}"
    )


def test_no_default_field_is_a_phone_number_and_every_one_has_a_kind():
    assert not {*CALL_NUMBERS} & {*DEFAULT_FIELDS}
    fields = (*DEFAULT_FIELDS, *LOADED_LEG_FIELDS)
    assert {name for name in fields if kind_of_field(name) is FieldKind.JSON} == {"tags", "employees"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=9), inner, max_size=2),
    max_leaves=4,
)


@given(name=st.sampled_from([*DEFAULT_FIELDS, *CALL_NUMBERS, "other"]), value=JSON)
def test_any_answer_becomes_plain_json_with_the_requested_columns(name, value):
    row = convert_row(
        {name: value},
        DEFAULT_FIELDS,
        timezone="Asia/Yekaterinburg",
        not_before=START,
        on_unreadable=lambda _: None,
    )

    assert list(row) == [*DEFAULT_FIELDS]
    assert json.loads(json.dumps(row)) == row
