"""A row is not called if a column of it forbids the call, or contains an extension."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_callapi.calls.lists.contradicting_columns import find_ban, find_extension

EXTENSIONS = pytest.mark.parametrize(
    "name",
    [
        *("доб.", "добав.", "Добавочный номер", "доп.", "вн.", "внутр.", "Внутренний номер", "тел. вн."),
        *("ext", "extn", "Extension", "phone ext", "dob_nomer", "tel_ext", "office ext", "номер доб"),
        *("добавочн.", "добавочный (если есть)", "№ доб.", "internal number", "Durchwahl"),
    ],
)
BANS = pytest.mark.parametrize(
    "name",
    [
        *("не звонить", "Не звонить?", "не звонить (да/нет)", "Не звонить!", "не звонить 1", "Не беспокоить"),
        *("Клиент просил не звонить", "не набирать", "не обзванивать", "не зв\u006fнить", "ne_zvonit"),
        *("Do not call", "do_not_call", "do_not_call_flag", "Don't call", "do not contact", "no calls"),
        *("do-not-call (Y/N)", "doNotCall", "no_phone_calls", "dont dial", "dnd"),
        *("DNC", "is_dnc", "DNC flag", "DNC status", "client_dnc", "added to dnc", "dnc since"),
        *("opt-out", "opted_out", "opt_out_date", "call_opt_out", "optOut", "unsubscribed", "blacklisted"),
        *(
            "Стоп-лист",
            "стоп",
            "В стоп-листе",
            "Чёрный список",
            "в черном списке",
            "ЧС",
            "отписан",
            "отписался",
        ),
        *("запрет звонков", "нельзя звонить", "Запрет на обзвон", "звонки запрещены", "отказ от звонков"),
    ],
)
PERMISSIONS = pytest.mark.parametrize(
    "name",
    [
        *(
            "call_allowed",
            "can be called",
            "Consent",
            "call_consent",
            "consent to calls",
            "opt-in",
            "opted_in",
        ),
        *("Согласие", "согласие на звонки", "Согласие на обзвон (да/нет)", "можно звонить", "soglasie"),
        *("разрешено звонить", "согласен", "marketing_consent", "permission_to_call", "contactable"),
    ],
)
OTHERS = [
    *(
        "stop",
        "Stop 1",
        "No. calls",
        "Unsubscribe",
        "Не звонить с",
        "не звонили",
        "call ok",
        "VN",
        "доп",
        "text",
        "next call",
        "дата добавления",
        "May",
    ),
    *("do not call before", "comment", "next", "stops", "consent date", "внутренний код", "contact"),
    *("Согласие на обработку персональных данных", "email consent", "номер согласия", "канонический адрес"),
]
"""The names of columns that say nothing of a call."""
NOTHING = (
    None,
    "",
    " ",
    0,
    0.0,
    "0",
    "00",
    Decimal("0.00"),
    False,
    "Нет",
    "нет.",
    "no",
    "-",
    "--",
    [],
    {},
    "none",
    "N/A",
    "unknown",
)


WORDS = ("доб. 12", "ext 12", "x12", "*12", "№12", "12,13", "12 или 13", "12 (после 10)", "p12", ["12"])
"""Values that name an extension with further signs or words."""


def row(name: str, value: Any) -> dict[str, Any]:
    return {"phone": "79260000001", name: value}


@EXTENSIONS
@pytest.mark.parametrize("value", ["12", 12, 123456.0, " 1234 ", "#7", "012", *WORDS])
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


@PERMISSIONS
@pytest.mark.parametrize(
    "value",
    [
        *(
            "нет",
            "Нет.",
            "Нет!",
            "нет, отозвано",
            "no (2020)",
            "no",
            "N",
            "off",
            "отсутствует",
            "отказ",
            "✗",
            "☐",
        ),
        *(0, 0.0, "0", "0,0", False, "false"),
    ],
)
def test_a_row_that_does_not_permit_the_call_is_not_called(name: str, value: Any) -> None:
    assert "forbid" in str(find_ban(row(name, value)))


@PERMISSIONS
@pytest.mark.parametrize(
    "value", ["да", "yes", 1, True, "2026-01-01", "норма", "nothing is known", None, "", "-"]
)
def test_a_row_that_permits_the_call_or_says_nothing_may_be_called(name: str, value: Any) -> None:
    assert find_ban(row(name, value)) is None


@pytest.mark.parametrize("value", NOTHING)
def test_a_value_that_means_nothing_forbids_nothing(value: Any) -> None:
    assert find_ban(row("не звонить", value)) is None
    assert find_extension(row("доб.", value), used=()) is None


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("value", ["да", "1", "12", "нет", 3, 0])
def test_other_columns_contradict_nothing(name: str, value: Any) -> None:
    assert find_ban(row(name, value)) is None
    assert find_extension(row(name, value), used=()) is None


def test_an_extension_has_few_digits() -> None:
    for name, value in (("ext", "a-long-reference"), ("доп. тел.", "79260000002"), ("comment", "не звонить")):
        assert find_ban(row(name, value)) is None
        assert find_extension(row(name, value), used=()) is None


@pytest.mark.parametrize(
    "value", ["не звонить", "не беспокоить", "no calls please", "нет звонков", "off-limits"]
)
def test_a_value_that_begins_with_no_may_forbid_the_call(value: str) -> None:
    assert find_ban(row("примечание: не звонить", value)) is not None
