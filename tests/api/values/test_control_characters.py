"""Control characters are noticed, and the gaps of a text are none of them."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.api.values.control_characters import has_control_character


@pytest.mark.parametrize("sign", "\x00\x07\x1b\x7f\x80\x9b")
def test_a_control_character_is_noticed(sign: str) -> None:
    assert has_control_character(f"Анна{sign}")


@pytest.mark.parametrize(
    "text", ["Анна\nИвановна", "a\tb\r\n", "a\u00a0b", "a\u200bb", "soft\x0bline", "next\x85line", "Ёлка 🎄"]
)
def test_a_gap_in_a_text_is_no_control_character(text: str) -> None:
    assert not has_control_character(text)
