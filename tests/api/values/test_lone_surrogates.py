"""Halves of characters (lone surrogates): found, joined and replaced, in any text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lone_surrogates import HALF, TEXTS

from airflow_provider_callapi.api.values.lone_surrogates import (
    has_lone_surrogate,
    join_surrogate_pairs,
    replace_lone_surrogates,
)
from airflow_provider_callapi.api.values.value_kinds import kind_of


def is_encodable(text: str) -> bool:
    try:
        return bool(text.encode() or True)
    except UnicodeEncodeError:
        return False


@given(TEXTS)
def test_a_text_is_refused_or_can_be_encoded_and_a_right_text_stays_the_same(text: str) -> None:
    if has_lone_surrogate(text):
        with pytest.raises(ValueError, match=r"^a text of whole characters is needed$"):
            join_surrogate_pairs(text)
        assert not is_encodable(text)
    else:
        assert is_encodable(join_surrogate_pairs(text))
        assert join_surrogate_pairs(text) == text or not is_encodable(text)


@given(TEXTS)
def test_a_replaced_text_can_be_encoded_and_loses_only_lone_surrogates(text: str) -> None:
    assert is_encodable(replace_lone_surrogates(text))
    if not has_lone_surrogate(text):
        assert replace_lone_surrogates(text) == join_surrogate_pairs(text)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert join_surrogate_pairs("\ufeffПривет \ud83d\ude00") == replace_lone_surrogates(
        "\ufeffПривет \ud83d\ude00"
    )
    assert join_surrogate_pairs("\ufeffПривет \ud83d\ude00") == "\ufeffПривет \U0001f600"


VALUES = st.recursive(
    TEXTS | st.none() | st.integers(), lambda v: st.lists(v) | st.dictionaries(TEXTS, v), max_leaves=10
)


@given(VALUES)
def test_all_texts_in_a_value_are_replaced_and_all_other_values_stay(value: Any) -> None:
    replaced = replace_lone_surrogates(value)

    assert is_encodable(repr(replaced))
    assert replace_lone_surrogates(replaced) == replaced
    if not isinstance(value, str | list | dict):
        assert replaced is value


def test_an_error_text_names_the_half_without_the_text() -> None:
    assert kind_of(f"secret{HALF}") == "a text with half of a character (a lone surrogate)"
