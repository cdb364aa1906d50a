"""A count has its noun in the right number."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.calls.texts.count_texts import count_text


@pytest.mark.parametrize(("number", "text"), [(0, "0 calls"), (1, "1 call"), (2, "2 calls")])
def test_a_noun_follows_its_number(number: int, text: str) -> None:
    assert count_text(number, "call") == text


def test_an_irregular_noun_is_given_in_both_forms() -> None:
    assert [count_text(number, "person", "people") for number in (1, 3)] == ["1 person", "3 people"]
