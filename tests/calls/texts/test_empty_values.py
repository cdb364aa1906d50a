"""Missing values, failed formulas and bytes in a list: what a reader makes of them, at any depth of a row."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phrases import phrases

from airflow_provider_callapi.calls.lists.json_rows import read_row
from airflow_provider_callapi.calls.texts import empty_values
from airflow_provider_callapi.calls.texts.empty_values import (
    clean,
    is_empty,
    is_empty_text,
    is_failed_formula,
    is_placeholder,
    says_nothing,
    without_failed_formulas,
)
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

MISSING = phrases(
    """
    Неопределено | <Неопределено> | <Не указано> | <Не указан> | <Не задано> | <Объект не найден>
    <Пустая ссылка> | <Объект не найден> (125:8a2f00155d01020311ebf4c3a1b2c3d4) | () | [] | {} | <>
    '' | "" | «» | nan | NaN | NAN | -nan | +NaN | -NaN | sNaN | -nan(ind) | 1.#QNAN | -1.#IND | NaT
    <NA> | None | null | NULL | <null> | [NULL] | (null) | \\N | N/A | n/a | Н/Д | н/д | inf | -inf
    Inf | -Infinity | undefined | none | NONE | nil | <nil> | (none) | <None> | [NA] | nan nan
    None None | null, null | undefined undefined undefined | NaN; N/A | <NA> <NA> | 0000-00-00
    0000-00-00 00:00:00 | 00.00.0000 | 01.01.0001 0:00:00 | 0001-01-01T00:00:00Z
    1/1/0001 12:00:00 AM | 0001-01-01T00:00:00.0000000+02:30 | /Date(-62135596800000)/ | 00.01.1900
    <no value> | [object Object] | (blank) | (пусто) | <missing> | <undefined> | N.A. | n.a.
    """
)
FAILED = phrases(
    """
    #REF! | #NAME? | #VALUE! | #DIV/0! | #NULL! | #NUM! | #SPILL! | #CALC! | #FIELD! | #N/A | #Н/Д
    #ИМЯ? | #ДЕЛ/0! | #ЗНАЧ! | #ССЫЛКА! | #ПУСТО! | #ЧИСЛО! | #ПЕРЕНОС! | #ВЫЧИСЛ! | #WERT!
    #ÜBERLAUF! | #¡DIV/0! | #¿NOMBRE? | #NV | #N/D | #ERROR! | #GETTING_DATA | ######## | Err:502
    Ошибка:508 | #N/A N/A
    """
)
VALUES = phrases(
    """
    Null | Nan | Na | NA | Infinity | 0 | - | + | 1 | #1 | #1/2 | №7 | #акция! | #Sale! | #ДЕЛО | Err:
    Ошибка | Nil | None Such | nila | blank | (Anna) | <Anna> | [Нил] | Anna nan | nan Anna | 0042
    00:00 | 01.01.2001 | 1/0 | 01.01.0001 Anna | 000-00-00
    """
)
SPACES = st.text(st.sampled_from(" \t\n\u00a0\u200b\ufeff"), max_size=3)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.sampled_from([*MISSING, *FAILED, *VALUES]),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for inner in value for leaf in leaves(inner)] if isinstance(value, list) else [value]


@given(st.sampled_from(MISSING), SPACES, SPACES)
def test_a_mark_of_a_missing_value_is_empty_with_any_blanks_around_it(mark, before, after):
    assert clean(f"{before}{mark}{after}") is None


@given(st.text(max_size=4) | st.from_regex(empty_values._EMPTY_TEXT) | st.from_regex(r"\A[\wЁё]+"))
def test_the_quick_answer_for_a_text_is_that_of_the_whole_search(text: str) -> None:
    quick = is_empty_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(empty_values, "_BEGIN_NO_EMPTY_TEXT", frozenset())
        assert is_empty_text(text) is quick


PLACEHOLDERS = [
    *("-", "—", "--", "- -", "?", "???", ".", "...", "…", "_", "не указано", "Не указан", "не задано"),
    *(
        "Без имени",
        "нет данных",
        "Неизвестно",
        "пусто",
        "Имя не указано",
        "Unknown",
        "no name",
        "Not specified",
    ),
]


@given(st.sampled_from(PLACEHOLDERS), st.sampled_from(["", " ", "\u00a0"]))
def test_what_a_person_writes_for_no_value_is_a_placeholder_but_stays_in_its_cell(text, blank):
    """A do-not-call list or the column `consent` reads such a text in its own way."""
    assert is_placeholder(f"{blank}{text}{blank}")
    assert is_placeholder(text.upper())
    assert clean(text) == text


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8).filter(
        lambda text: text.casefold() not in ("пусто", "unknown", "noname", "неизвестно", "неизвестен")
    )
    | st.sampled_from(
        ["+", "*", "#", "$", "€", "№", "%", "-5", "a-b", "нет", "да", "Неизвестный солдат", "no"]
    )
)
def test_a_word_a_number_or_a_sign_is_no_placeholder(text):
    assert not is_placeholder(text)


@given(st.sampled_from(FAILED), SPACES, SPACES)
def test_a_failed_formula_of_any_language_is_recognised_and_is_not_an_empty_cell(error, before, after):
    text = f"{before}{error}{after}"
    assert is_failed_formula(text)
    assert clean(text) == text


@pytest.mark.parametrize(
    "value", [*VALUES, 0, 0.0, False, "Анна", "Здравствуйте!", "Итого: 5", "Дом #7, кв. 2"]
)
def test_a_text_that_may_be_meant_stays_as_it_is(value):
    assert without_failed_formulas(clean(value)) is value


@given(TREES)
def test_nothing_empty_is_left_at_any_depth_of_a_row(tree):
    row = without_failed_formulas(clean({"inner": tree}))
    assert not [
        leaf for leaf in leaves(row) if leaf is not None and (is_empty(leaf) or is_failed_formula(leaf))
    ]


@given(st.recursive(st.text("abc", min_size=4, max_size=6) | st.integers(), st.lists))
def test_a_row_without_such_values_is_the_same_object(tree):
    row = {"inner": tree}
    assert without_failed_formulas(clean(row)) is row


@pytest.mark.parametrize("value", [float("nan"), Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")])
def test_a_number_that_is_no_number_is_empty(value):
    assert clean(value) is None


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_become_their_text_if_they_are_one(kind):
    assert clean(kind("Анна".encode())) == "Анна"
    assert clean(kind(b" ")) is None
    for data in (b"\xc0\xed\xed\xe0", b"\x01", b"\0\0"):  # cp1251, a bit, binary zeros
        assert clean(kind(data)) == data


def test_a_row_that_is_nested_too_deeply_is_refused():
    with pytest.raises(ListUnreadable, match="nested too deeply"):
        read_row({"name": json.loads("[" * 900 + "]" * 900)})


@given(st.dates(), st.times() | st.none())
def test_only_the_first_year_stands_for_no_date(day: date, hour: time | None) -> None:
    value = day if hour is None else datetime.combine(day, hour)
    assert is_empty(value) == (day.year == 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('="79260000001"', "79260000001"),
        (' ="0042" ', "0042"),
        ('="Анна"', "Анна"),
        ('="NaN"', None),
        ('=""', None),
        ('="7926"&"1"', '="7926"&"1"'),
        ('x="5"', 'x="5"'),
    ],
)
def test_a_text_that_an_export_protects_from_excel_is_read(text: str, value: str | None) -> None:
    assert clean(text) == value


ANSWERS = ("yes", "no", "да", "нет", "0", "1", "+", "x", "Anna", "2026-12-01", "do not call", "не звонить")


@given(
    st.sampled_from(["NA", "n/a", "N.A.", "н/д", "None", "null", "nan", "undefined", "unknown", "не указано"])
    | st.sampled_from(["не установлен", "нет данных", "no data", "пусто", "-", "?", "…", ""]),
    st.sampled_from(["{}", "({})", "«{}»", "[{}]", " {} ", '"{}"']),
    st.sampled_from([str, str.upper, str.lower]),
)
def test_a_text_for_a_missing_answer_says_nothing_in_each_form(text: str, form: str, spell: Any) -> None:
    assert says_nothing(form.format(spell(text)))


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_says_something(answer: str) -> None:
    assert not says_nothing(answer)
