"""The words with which errors describe an invalid value."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.api.values.value_kinds import kind_of


@pytest.mark.parametrize("text", ["None", " None ", "nan", "<NA>", "null"])
def test_the_text_of_a_missing_value_is_said_to_be_one(text: str) -> None:
    assert kind_of(text).startswith(f"the text {text.strip()!r}, which a template makes of a missing value")


def test_a_class_is_called_a_class() -> None:
    assert kind_of(dict) == "a class"
