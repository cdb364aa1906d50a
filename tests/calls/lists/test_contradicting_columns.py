"""A row is not called if a column of it forbids the call, or contains an extension."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_callapi.calls.lists.contradicting_columns import find_ban, find_extension

EXTENSIONS = pytest.mark.parametrize("name", ["доб.", "Добавочный номер", "ext", "Extension", "phone ext"])
BANS = pytest.mark.parametrize(
    "name", ["не звонить", "Do not call", "do_not_call", "DNC", "opt-out", "Стоп-лист", "стоп"]
)
NOTHING = (None, "", " ", 0, 0.0, "0", "00", Decimal("0.00"), False, "Нет", "нет.", "no", "-", "--", [], {})


def row(name: str, value: Any) -> dict[str, Any]:
    return {"phone": "79260000001", name: value}


@EXTENSIONS
@pytest.mark.parametrize("value", ["12", 12, 12.0, " 1234 ", "#7", "012"])
def test_a_number_with_an_extension_in_another_column_is_not_called(name: str, value: Any) -> None:
    assert "extension" in str(find_extension(row(name, value), used=()))


def test_an_extension_that_the_call_uses_is_another_persons() -> None:
    assert find_extension(row("Ext.", "12"), used={"ext"}) is None


@BANS
@pytest.mark.parametrize("value", ["да", "yes", 1, True, "x", "по просьбе клиента", "2026-01-01", ["mon"]])
def test_a_row_that_forbids_the_call_is_not_called(name: str, value: Any) -> None:
    reason = str(find_ban(row(name, value)))
    assert "forbid" in reason
    assert str(value) not in reason.replace(name, "")


@pytest.mark.parametrize("value", NOTHING)
def test_a_value_that_means_nothing_forbids_nothing(value: Any) -> None:
    assert find_ban(row("не звонить", value)) is None
    assert find_extension(row("доб.", value), used=()) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ext", "a-long-reference"),
        ("внутренний номер", "1234"),
        ("comment", "не звонить"),
        ("next", 12),
        ("stops", 3),
    ],
)
def test_other_columns_and_other_values_contradict_nothing(name: str, value: Any) -> None:
    assert find_ban(row(name, value)) is None
    assert find_extension(row(name, value), used=()) is None
