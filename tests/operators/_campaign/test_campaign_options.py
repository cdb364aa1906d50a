"""The options of the campaign operator that templates may render."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._campaign.options import read_flag


@pytest.mark.parametrize(
    ("value", "flag"),
    [(True, True), (False, False), ("True", True), ("False", False), (" true ", True), ("false", False)],
)
def test_a_flag_may_be_a_boolean_or_its_text(value: Any, flag: bool) -> None:
    assert read_flag(value, "dry_run") is flag


@pytest.mark.parametrize("value", [None, "", "no", "0", 1, 0, "None", [], "{{ params.dry }}"])
def test_anything_else_fails_and_names_the_parameter(value: Any) -> None:
    with pytest.raises(CallApiFailure, match="dry_run: true or false is needed"):
        read_flag(value, "dry_run")
