"""Errors for a part of a value: they name the part, and never contain its value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.values.value_parts import InvalidPart, check_keys, invalid_part, shown_key

KEYS = ("conn_id", "table")


@given(st.from_regex(r"[0-9]{5,15}", fullmatch=True) | st.integers(10_000) | st.text("пароль", min_size=5))
def test_the_error_for_a_part_names_its_path_and_omits_its_value(value: Any) -> None:
    text = str(invalid_part("list.sql", "a text", value))

    assert text.startswith("list.sql: a text is needed; the value is ")
    assert str(value) not in text


@given(st.sets(st.sampled_from([*KEYS, "schema", "tabel", "79260000001", 5])))
def test_a_dict_has_its_required_keys_and_no_unknown_key(keys: set[Any]) -> None:
    value = dict.fromkeys(keys)
    known = (*KEYS, "schema")
    if set(KEYS) <= keys <= set(known):
        check_keys(value, known=known, required=KEYS)
        return
    with pytest.raises(InvalidPart) as caught:
        check_keys(value, known=known, required=KEYS)
    assert "79260000001" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"conn": "dwh"}, "conn: no such key; the keys are conn_id, table"),
        ({"79260000001": "Anna"}, "(entry 1): no such key; the keys are conn_id, table"),
        ({"conn_id": "dwh"}, "table: the key is missing"),
    ],
)
def test_an_unknown_or_missing_key_is_named(value: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidPart) as caught:
        check_keys(value, known=KEYS, required=KEYS)
    assert str(caught.value) == problem


def test_a_key_is_shown_only_if_it_is_a_plain_name() -> None:
    assert shown_key("busy", 2) == "busy"
    assert shown_key("+7 926 000-00-01", 2) == shown_key(79260000001, 2) == "(entry 2)"
