"""A number without + is not called if a column names another country than the region."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phrases import phrases

from airflow_provider_callapi.calls.lists import countries
from airflow_provider_callapi.calls.lists.column_names import fold_name
from airflow_provider_callapi.calls.lists.contradicting_columns import find_contradictions
from airflow_provider_callapi.calls.lists.countries import (
    CountryColumn,
    CountryColumns,
    country_column,
    read_country,
)
from airflow_provider_callapi.calls.lists.unnamed_zones import SignedColumns
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import is_country_code


def country(name: str, value: Any, region: str = "RU", used: Set[str] = frozenset()) -> str | None:
    return find_contradictions({"phone": "9123456789", name: value}, region, used).country


COUNTRIES = pytest.mark.parametrize(
    "name",
    ["country", "Country Code", "Код страны", "Страна", "phone_country", "Страна клиента", "country iso"],
)


@COUNTRIES
def test_a_number_of_another_country_needs_a_plus(name: str) -> None:
    for value in (
        "UA",
        "ua",
        "+380",
        "380",
        380,
        380.0,
        "00380",
        "Украина",
        "Ukraine",
        "UKR",
        "UA (+380)",
        "+1",
        "US",
    ):
        assert "the country of the region RU" in str(country(name, value)), value
        assert not country(name, value, used=frozenset({fold_name(name)}))
    for value in (
        "RU",
        "ru",
        "+7",
        7,
        "7",
        "Россия",
        "Russia",
        "РФ",
        "RUS",
        "KZ",
        None,
        "",
        "Narnia",
        "643",
        0,
    ):
        assert not country(name, value), value
    assert not country(name, "Germany", region="DE")
    assert country(name, "RU", region="DE")


def test_a_single_digit_is_a_country_only_in_a_column_of_codes() -> None:
    assert country("country_code", 1)
    assert not country("country", 1)


@pytest.mark.parametrize("name", ["phone_prefix", "Phone Code", "код телефона", "dial code"])
def test_a_prefix_is_a_country_only_with_a_plus(name: str) -> None:
    assert country(name, "+49")
    for area in ("495", 351, "383", "8", "+7", "(812)"):
        assert not country(name, area), area


@pytest.mark.parametrize(
    "name", ["country name", "country of the client", "customer country", "Country of user"]
)
def test_words_beside_the_word_country_change_nothing(name: str) -> None:
    assert country_column(name) is CountryColumn.COUNTRY


@pytest.mark.parametrize(
    "name", ["название страны", "страна абонента", "Страна контакта", "Страна проживания", "contact country"]
)
def test_words_beside_the_russian_word_for_country_change_nothing(name: str) -> None:
    assert country_column(name) is CountryColumn.COUNTRY


@pytest.mark.parametrize(
    "name", ["tel code", "telephone prefix", "mobile code", "number prefix", "dialing code"]
)
def test_a_code_of_phone_numbers_is_a_prefix(name: str) -> None:
    assert country_column(name) is CountryColumn.PREFIX


@pytest.mark.parametrize(
    "name", ["dialling prefix", "calling code", "код тел.", "префикс номера", "countrycode"]
)
def test_a_code_of_calls_is_a_prefix_or_a_code(name: str) -> None:
    assert country_column(name) in (CountryColumn.PREFIX, CountryColumn.CODE)


@pytest.mark.parametrize(("name", "code"), countries._CODES.items())
def test_each_name_of_a_country_gives_its_country_code(name: str, code: str) -> None:
    assert is_country_code(code)
    for spelling in (name, name.upper().lower(), name.replace(" ", "-")):
        assert read_country(spelling, CountryColumn.COUNTRY) == code


def abroad(region: str, *rows: dict[str, Any], used: Set[str] = frozenset()) -> list[list[str]]:
    """Return for each row the columns that name another country."""
    columns = CountryColumns(region, used)
    found = [columns.add({"phone": "9162345600", "name": "Anna", **row}) for row in rows]
    return [list(filter(columns.is_country, names)) for names in found]


FURTHER = phrases(
    """
    Country/Region | Mailing Country | BillingCountry | Address Country | Home Country/Region
    Страна/регион | Адрес: страна | Land | Staat | Ülke | Країна | phone_region | country
    """
)
HERE = ["Россия", "RU", "Russia", "Russland", "俄罗斯", None, "", "-", "н/д", "unknown"]
THERE = phrases(
    """
    США | United States | US | USA | Österreich | AUT | Türkiye | Almanya | Польща | 中国 | +49
    """
)


@given(
    st.sampled_from(FURTHER),
    st.lists(st.sampled_from(HERE), max_size=3),
    st.sampled_from(THERE),
    st.sampled_from([lambda name, value: {name: value}, lambda name, value: {"a": {name: [value]}}]),
)
def test_a_column_whose_values_are_countries_names_the_country(name, here, there, form) -> None:
    rows = [form(name, value) for value in [*here, there]]
    assert list(map(bool, abroad("RU", *rows))) == [False] * len(here) + [True]
    assert not any(abroad("RU", *rows, used=frozenset(map(fold_name, rows[0]))))


@given(
    st.sampled_from(FURTHER[:-1]),
    st.lists(st.sampled_from(["Москва", "California", "12", "US of x"]), min_size=1),
)
def test_a_column_of_other_places_names_no_country(name: str, others: list[str]) -> None:
    assert not any(abroad("RU", {name: "US"}, *({name: other} for other in others)))


@pytest.mark.parametrize(
    "name",
    [
        *("Страна тура", "Country of origin", "destination country", "Страна рождения", "City", "name"),
        *(
            "Country of citizenship",
            "Landline",
            "Islands",
            "country_id",
            "visa_country",
            "Страна производства",
        ),
    ],
)
def test_a_country_in_which_the_person_has_no_phone_says_nothing(name: str) -> None:
    assert not any(abroad("RU", {name: "Türkiye"}, {name: "US"}))


@given(st.sampled_from(FURTHER), st.sampled_from(["7", "12", "49", "007", 49]))
def test_digits_without_a_plus_are_no_country_by_their_values(name: str, value: Any) -> None:
    assert not any(abroad("RU", {name: value}, {name: "RU"}))


def test_a_column_of_country_codes_is_no_column_of_time_zones() -> None:
    zones = SignedColumns()
    for code in ("+1", "+7", None):
        zones.add({"phone_country_code": code, "country": code}, 1)
    zones.refuse()
