"""A number without + is not called if a column names another country than the region."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import pytest

from airflow_provider_callapi.calls.lists import countries
from airflow_provider_callapi.calls.lists.columns import fold_name
from airflow_provider_callapi.calls.lists.contradicting_columns import find_contradictions
from airflow_provider_callapi.calls.lists.countries import CountryColumn, country_column, read_country
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
