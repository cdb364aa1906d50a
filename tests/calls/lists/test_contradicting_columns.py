"""A row is not called if a column of it contradicts the call."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.calls.lists.contradicting_columns import find_contradiction


@pytest.mark.parametrize(
    "name", ["доб.", "Добавочный номер", "ext", "Extension", "phone ext", "внутр. номер"]
)
@pytest.mark.parametrize("value", ["12", 12, 12.0, " 1234 ", "#7"])
def test_a_number_with_an_extension_in_another_column_is_not_called(name: str, value: Any) -> None:
    assert "extension" in str(find_contradiction({"phone": "79260000001", name: value}))


@pytest.mark.parametrize(
    "name", ["не звонить", "Do not call", "do_not_call", "DNC", "opt-out", "Стоп-лист", "стоп"]
)
@pytest.mark.parametrize("value", ["да", "yes", 1, True, "x", "по просьбе клиента", "2026-01-01"])
def test_a_row_that_forbids_the_call_is_not_called(name: str, value: Any) -> None:
    reason = str(find_contradiction({"phone": "79260000001", name: value}))
    assert "forbid" in reason
    assert str(value) not in reason.replace(name, "")


@pytest.mark.parametrize(
    "row",
    [
        *(
            {"phone": "79260000001", "не звонить": no}
            for no in (None, "", " ", 0, 0.0, False, "Нет", "no", "-")
        ),
        *({"phone": "79260000001", "доб.": no} for no in (None, "", "-", "нет")),
        {"phone": "79260000001", "ext": "a-long-reference"},
        {"phone": "79260000001", "name": "да", "comment": "не звонить", "next": 12, "stops": 3},
    ],
)
def test_another_row_is_called(row: dict[str, Any]) -> None:
    assert find_contradiction(row) is None
