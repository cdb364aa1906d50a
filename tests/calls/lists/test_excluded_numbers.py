"""Excluded numbers: each phone number of a do-not-call list counts, whatever its column is named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phrases import phrases
from spelled_numbers import NUMBERS, SIP_NUMBERS, in_any_case, spelled

from airflow_provider_callapi.calls.lists.excluded_numbers import ExcludedNumbers, sip_domain
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.phone_numbers.strict import read_contact
from airflow_provider_callapi.calls.texts.shown_values import shown_as

A, B = "79260000001", "79260000002"


def read(*rows: Mapping[str, Any] | str, region: str = "RU") -> tuple[set[str], dict[int, str]]:
    """Return the numbers in the rows, and the rows that cannot be read."""
    excluded = ExcludedNumbers(region)
    numbers = {number for line, row in enumerate(rows, start=1) for number in excluded.read(line, row)}
    return numbers, excluded.unreadable()


@pytest.mark.parametrize(
    "name",
    phrases(
        """
        моб. тел. | раб. тел | сот. | моб. | cell | номер | номер 2 | contact | WhatsApp | домашний
        дополнительный | comment | \u200b
        """
    ),
)
@pytest.mark.parametrize("value", [B, int(B), float(B), "8 926 000-00-02 Анна", f"счёт 12345678, тел. {B}"])
def test_a_phone_number_in_any_column_counts(name: str, value: Any) -> None:
    assert read({"phone": A, name: value})[0] == {A, B}


@pytest.mark.parametrize(
    "name", ["phone_to", "Phone end", "number_last", "Номер по", "тел. до", "телефон_по"]
)
@pytest.mark.parametrize("value", ["79260000009", 79260000009, "8 926 000-00-09", "0009"])
def test_a_column_with_the_last_number_of_a_range_is_unreadable(name: str, value: Any) -> None:
    assert "range" in read({"phone": A, name: value})[1][1]
    assert read({"phone": A, name: None}, {"phone": B, name: ""}) == ({A, B}, {})


@pytest.mark.parametrize(
    "name", ["reply_to", "valid until", "comment to", "to", "Срок до", "phone_total", "по"]
)
def test_a_column_whose_name_only_ends_like_the_end_of_a_range_is_no_range(name: str) -> None:
    assert read({"phone": A, name: B}) == ({A, B}, {})


@settings(max_examples=200)
@given(spelled(NUMBERS), st.text(max_size=12))
@example(("79260000002", "RU", "79260000002"), "моб. тел.")
def test_a_number_that_a_contact_list_reads_counts_in_any_column(
    case: tuple[str, str, str], name: str
) -> None:
    text, region, _ = case
    try:
        number = read_contact(text, region)
    except NotANumber:
        return
    assert number in read({"phone": None, "x": "y"} | {name: text}, region=region)[0]


@pytest.mark.parametrize("name", ["моб. тел.", "раб. тел", "сот.", "Сот 2", "cell", "mobile"])
@pytest.mark.parametrize("value", ["7926000002", "7,926E+10", "12-34"])
def test_a_value_that_is_no_number_is_unreadable_in_a_column_named_like_a_phone(
    name: str, value: str
) -> None:
    assert list(read({"phone": A, name: value})[1]) == [1]


@pytest.mark.parametrize("value", ["7926000002", "7,926E+10"])
def test_a_mistyped_number_is_unreadable_in_a_column_of_phone_numbers_with_any_name(value: str) -> None:
    rows = [{"phone": A, "WhatsApp": text} for text in (B, "нет", value, None, B, "нет")]
    numbers, unreadable = read(*rows)
    assert numbers == {A, B}
    assert list(unreadable) == [3]
    assert unreadable[3].startswith("column 'WhatsApp': ")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ИНН", ["7707083893", "7728168971", "5003052454", "773412345678", "7,70708E+11"]),
        ("created_at", ["2026-03-02 09:00:00", "02.03.2026", "2026-03-02T09:00:00+03:00", "1700000000"]),
        ("comment", ["просил не звонить", "заказ 12345678", f"звонить на {B}", "2026"]),
        ("сумма", ["1000000", "12 345 678,90", "1E+6"]),
        ("mobile", ["нет", "-", "см. выше"]),
        ("Телеграм", ["@anna1", "нет"]),
        ("получатель", ["Анна 2", "дом 5"]),
    ],
)
def test_other_columns_of_a_do_not_call_list_need_no_numbers(name: str, values: list[str]) -> None:
    assert read(*({"phone": A, name: value} for value in values))[1] == {}


def test_a_row_without_a_number_in_a_column_named_like_a_phone_is_unreadable() -> None:
    rows = (
        {"phone": None, "name": "Anna"},
        {"phone": None, "note": B},
        {"phone": "нет", "mobile": B},
        "12-34",
    )
    numbers, unreadable = read(*rows)
    assert numbers == {B}
    assert list(unreadable) == [1, 2, 4]


FAILED = ("########", "#N/A", "#REF!", "#Н/Д", "#ДЕЛ/0!", "Err:502", "#ИМЯ?")


@pytest.mark.parametrize("error", FAILED)
@pytest.mark.parametrize("name", ["phone", "mobile", "Телефон 2"])
def test_an_error_of_a_spreadsheet_beside_a_number_is_unreadable(error: str, name: str) -> None:
    row = {"phone": "79260000001", "mobile": "79260000002"} | {name: error}
    numbers, problems = read(row)
    assert numbers
    assert "error of a spreadsheet" in problems[1]


@pytest.mark.parametrize("error", FAILED)
def test_an_error_of_a_spreadsheet_counts_in_any_column_of_numbers(error: str) -> None:
    rows = [{"phone": f"7926000000{n}", "second": f"7926000001{n}"} for n in range(3)]
    _, problems = read(*rows, {"phone": "79260000009", "second": error})
    assert "column 'second': an error of a spreadsheet" in problems[4]
    assert not read({"phone": A, "comment": "no"}, {"phone": B, "comment": error})[1]


def test_an_unreadable_value_does_not_hide_the_numbers_of_its_row() -> None:
    assert read({"phone": f"{A}, 12345678", "mobile": B}) == (
        {A, B},
        {1: "digits that are not a phone number"},
    )


@pytest.mark.parametrize(
    "text",
    phrases(
        """
        Анна 8 926 000-00-01, Борис 02 | 8 926 000-00-01 Анна, 02 Борис
        Anna +79260000001 / Boris - 02 | 8 926 000-00-01 и последние 02 | 8 926 000-00-01, жена ...02
        8 926 000-00-01 жена *02 | 8 926 000-00-01 (Анна) и 000-02 (Борис)
        8 926 000-00-01 Анна, 00-00-02 Борис | 8 926 000-00-01 Анна, 00002
        Анна 79260000001; Борис 0002 | 8 926 000-00-01, жена 02 | 8 926 000-00-01 муж, 2 жена
        8 926 000-00-01, last 2 | 8 926 000-00-01 Анна/2 Борис | 8 926 000-00-01 моб, 2 дом
        8 926 000-00-01; раб. 2 | Анна 9260000001, Борис 2 | Анна (926) 000-00-01, Борис 2
        926 000-00-01 Анна, 2 Борис
        """
    ),
)
def test_a_second_number_without_its_first_digits_counts_between_words(text: str) -> None:
    numbers, unreadable = read(text)
    assert unreadable or numbers >= {A, B}


@pytest.mark.parametrize("form", ["{}, 65-43-21 Анна", "тел. {} или 65-43-21", "{} Анна, 654321 Борис"])
def test_a_second_number_without_its_area_code_counts(form: str) -> None:
    assert read(form.format("8 (3812) 12-34-56"))[0] >= {"73812123456", "73812654321"}


@pytest.mark.parametrize("gap", [*"_:,;'’*=|\"`´\\&!?<>^%$@", "。"])
@pytest.mark.parametrize("digits", [("8", "926", "000", "00", "02"), ("79", "260", "000", "002")])
def test_a_number_with_other_signs_between_its_digits_counts_beside_words(
    gap: str, digits: tuple[str, ...]
) -> None:
    text = f"Анна {A}; Борис {gap.join(digits)}"
    for row in (text, {"phone": A, "comment": f"Борис {gap.join(digits)}"}):
        numbers, unreadable = read(row)
        assert unreadable or numbers >= {A, B}


def test_a_number_with_mixed_signs_counts_beside_other_numbers() -> None:
    assert read(f"7 945 854-84-49 {A} 8 926 000_00_02 в 10:00")[0] >= {A, B}


@pytest.mark.parametrize(
    "text",
    [
        *(f"{A} от 12.03.26", f"Анна {A} с 10:00 до 18:00", f"{A}, дом 12", f"{A} с 9 до 18, 12 марта"),
        *(f"{A} муж, 25 лет", f"{A} моб, заказ № 12", f"{A} после 5, 2 раза", f"{A} sip25"),
    ],
)
def test_a_date_or_a_time_beside_a_number_excludes_no_one_else(text: str) -> None:
    assert read(text) in (({A}, {}), ({A, "sip25"}, {}))


@pytest.mark.parametrize("value", [79260000000.0, "79260000000.0", "79261200000.00", " 9260000000.0"])
@pytest.mark.parametrize("beside", [[], [A, B] * 10])
def test_a_float_that_may_be_a_rounded_number_is_unreadable(value: Any, beside: list[str]) -> None:
    for row in ({"phone": value}, {"phone": A, "mobile": value}):
        numbers, unreadable = read(*beside, row)
        assert list(unreadable) == [len(beside) + 1]
        assert any(number.endswith("00000") for number in numbers), "the number itself is not called either"


def test_the_problem_of_a_column_shows_no_phone_number() -> None:
    _, unreadable = read({"phone": A, B: B}, {"phone": A, B: B}, {"phone": A, B: "7926000002"})
    assert B not in unreadable[3]


MISTYPED = ["8926OOO0002", "8926000000З", "+7926ООО-00-02", "с 79260000001 по 79260000003", "моб. 000-00-02"]


@pytest.mark.parametrize("text", [*MISTYPED, "8926000002 Вера", "8926***00-02", "926ООООО-О2"])
@pytest.mark.parametrize("name", ["mobile", "WhatsApp", "Второй номер"])
def test_a_mistyped_number_is_unreadable_in_each_column_of_numbers_also_beside_letters(
    name: str, text: str
) -> None:
    row = {"phone": "79160000004", name: text}
    assert list(read({"phone": A, name: B}, {"phone": A, name: B}, row)[1]) == [3]


@pytest.mark.parametrize(
    "text", ["договор 1234567 от 2020", "ООО Зооолоогия", "заказ 7926000", "клиент 12345678"]
)
def test_a_text_with_many_letters_is_no_mistyped_number(text: str) -> None:
    row = {"phone": "79160000004", "comment": text}
    assert not read({"phone": A, "comment": B}, {"phone": A, "comment": B}, row)[1]


@pytest.mark.parametrize("text", ["Анна 8 926 000-00-01, Борис 02", "8 926 000-00-01 или 02"])
def test_a_shortened_second_number_is_excluded_in_every_column(text: str) -> None:
    assert read({"phone": "79160000004", "whatsapp": text})[0] >= {"79260000001", "79260000002"}


@settings(max_examples=200)
@given(
    in_any_case(SIP_NUMBERS),
    st.sampled_from(["sip", "WhatsApp", "mobile", "comment", "phone 2", "e-mail"]),
    st.sampled_from(["{}", "sip:{}", f"{B}, {{}}", f"{{}} / {B}", "Анна <{}>, 2 этаж", "12345678 {}"]),
)
@example("sip25@x.ru", "sip", "{}")
@example("sip25", "sip", "{}")
def test_a_sip_number_counts_in_every_cell(sip: str, name: str, form: str) -> None:
    if "@" in sip or form == "{}":
        assert sip.lower() in read({"phone": A, name: form.format(sip)})[0]


@pytest.mark.parametrize(
    "row",
    [
        {"phone": A, "sip": "sip25@x.ru"},
        {"phone": f"{A} / sip25@x.ru"},
        f"{A}, <sip:Sip25@X.ru>",
    ],
)
def test_a_row_with_a_sip_address_and_a_phone_number_is_readable(row: Mapping[str, Any] | str) -> None:
    assert read(row) == ({A, "sip25@x.ru"}, {})


@pytest.mark.parametrize(
    ("region", "elsewhere", "entry", "contact"),
    [
        ("RU", "US", "(415) 555-2671", "14155552671"),
        ("DE", "RU", "8 926 000-00-01", A),
        ("US", "RU", "9260000001", A),
        ("RU", "DE", "089 1234567890", "49891234567890"),
    ],
)
def test_a_number_without_a_country_code_excludes_a_person_in_each_country_that_the_campaign_calls(
    region: str, elsewhere: str, entry: str, contact: str
) -> None:
    for other_regions in (set(), {elsewhere}):
        excluded = ExcludedNumbers(region, other_regions=other_regions)
        assert (contact in list(excluded.read(1, entry))) == bool(other_regions)


@pytest.mark.parametrize("entry", ["sip25@x.ru", {"phone": "sip25@x.ru", "sip": A}])
def test_an_entry_that_is_only_a_sip_number_needs_a_contact_of_its_domain(entry: Any) -> None:
    for domains in (set(), {""}, {"y.ru"}):
        excluded = ExcludedNumbers("RU", sip_domains=domains)
        assert "sip25@x.ru" in list(excluded.read(1, entry))
        assert list(excluded.unreadable()) == [1]
    excluded = ExcludedNumbers("RU", sip_domains={sip_domain("Sip7@X.RU")})
    assert "sip25@x.ru" in list(excluded.read(1, entry))
    assert not excluded.unreadable()


@pytest.mark.parametrize("text", ["anna@x.ru", "нет, anna@x.ru", "12-34, sip25@x.ru", "7926000001, i80@x.ru"])
def test_an_email_does_not_make_a_row_without_a_number_readable(text: str) -> None:
    assert list(read({"phone": text, "name": "Anna"})[1]) == [1]


def test_a_date_of_a_workbook_in_the_place_of_a_number_is_unreadable() -> None:
    """In Denmark, 31122026 is a phone number."""
    day = shown_as(datetime(2026, 12, 31), "31.12.2026")

    assert read({"phone": day}, region="DK")[1] == {1: "digits that are not a phone number"}
