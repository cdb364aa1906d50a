"""Values are spoken as people write them, and nothing is calculated from a text."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from itertools import product
from typing import Any

import pytest
from filled_in_templates import filled_in
from hypothesis import given
from hypothesis import strategies as st
from inserted_texts import EXPRESSIONS, SPOKEN_NUMBERS

from airflow_provider_callapi.calls.campaign.contact_list.row_templates import (
    InvalidRow,
    compile_templates,
    fill_in,
)


class _Greeting(str, Enum):  # noqa: UP042 - authors write both forms, and Python 3.11 writes this one as its name
    BY_NAME = "Hello {{ contact.name }}"


class _Tier(Enum):
    GOLD = "gold"


def test_a_member_of_an_enum_is_spoken_as_its_value() -> None:
    row = {"name": "Anna", "tier": _Tier.GOLD, "all": [_Tier.GOLD]}
    assert filled_in(_Greeting.BY_NAME, row) == "Hello Anna"
    assert (
        filled_in("{{ contact.tier }} {{ contact.tier ~ '!' }} {{ contact.all | join }}", row)
        == "gold gold! gold"
    )


@pytest.mark.parametrize("name", ["int", "float"])
@pytest.mark.parametrize(
    "text", ["1,500", "1.500,00", "7.92612E+10", "abc", "1_000", "٣", "0x1F", "-", "nan"]
)
def test_the_filters_int_and_float_make_no_number_of_another_text(name: str, text: str | None) -> None:
    with pytest.raises(InvalidRow, match=r"with {{ … \| (int|float)\(0\) }}|uses an empty value"):
        filled_in("{{ contact.name | " + name + " }}", {"name": text})
    assert filled_in("{{ contact.name | " + name + "(7) }}", {"name": "abc"}) == "7"


@pytest.mark.parametrize(
    ("template", "value", "expected"),
    [
        *(("{{ contact.n | int }}", value, "12") for value in ("12", " 12 ", "12.0", 12.0, 12.7, "+12")),
        *(("{{ contact.n | float }}", value, "15.5") for value in ("15.5", 15.5, "+15.50")),
        ("{{ contact.n | int + 1 }}", "12", "13"),
        ("{{ contact.n | int(base=16) }}", "1F", "31"),
    ],
)
def test_the_filters_int_and_float_convert_numbers(template: str, value: Any, expected: str) -> None:
    assert filled_in(template, {"n": value}) == expected


def test_the_fraction_of_a_text_is_not_cut_off() -> None:
    """It may be the fraction of a phone number that a program has damaged."""
    with pytest.raises(InvalidRow, match="no whole number"):
        filled_in("{{ contact.phone | int }}", {"phone": "79260000001.7"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1234.0, "1234"), (1e-05, "0.00001"), (Decimal("1E+3"), "1000"), (0.1 + 0.2, "0.3"), (15.5, "15.5")],
)
def test_a_number_is_spoken_as_people_write_it(value: Any, expected: str) -> None:
    assert filled_in("{{ contact.n }}", {"n": value}) == expected


@pytest.mark.parametrize(("template", "spoken"), SPOKEN_NUMBERS)
@pytest.mark.parametrize("value", [1234.0, Decimal("1234.0")])
def test_a_campaign_speaks_a_number_inside_an_expression_as_a_single_call_does(
    template: str, spoken: str, value: Any
) -> None:
    assert filled_in(template.replace("params.x", "contact.x"), {"x": value}) == spoken


TAKE_ITEMS = ("urlencode", "tojson", "join(params.x)")
"""The expressions with a filter that takes the items of a list or dict."""


@pytest.mark.parametrize(
    ("template", "value"),
    [
        *product(EXPRESSIONS, (None, b"Anna", len)),
        *product(
            [each for each in EXPRESSIONS if not any(map(each.count, TAKE_ITEMS))], (["Anna"], {"a": 1})
        ),
    ],
)
def test_a_campaign_refuses_inside_an_expression_what_a_single_call_refuses(
    template: str, value: Any
) -> None:
    with pytest.raises(InvalidRow):
        filled_in(template.replace("params.x", "contact.x"), {"x": value})


def test_an_object_without_a_text_of_its_own_is_not_spoken() -> None:
    with pytest.raises(InvalidRow, match="no text of its own"):
        filled_in("{{ contact.n }}", {"n": object()})


def test_a_value_with_codes_instead_of_letters_makes_the_row_invalid() -> None:
    with pytest.raises(InvalidRow, match="codes instead of letters"):
        filled_in("Hello {{ contact.name }}", {"name": "ООО &quot;Ромашка&quot;"})
    assert filled_in("A &amp; {{ contact.name }}", {"name": "B"}) == "A &amp; B"


@pytest.mark.parametrize(
    ("template", "value"),
    [
        *(("{{ contact.n * 2 }}", value) for value in ("1500", "1 500,00", "Анна")),
        *(("{{ 2 * contact.n }}", value) for value in ("1500", "x")),
        *(("{{ contact.n + contact.n }}", value) for value in ("1500", "1 500,00")),
        *(("{{ contact.n + 1 }}", value) for value in ("1500", "x")),
        *(("{{ 'yes' if contact.n else 'no' }}", value) for value in ("False", "0", "нет", "no")),
        ("{{ 'yes' if 1 == 1 and not contact.n else 'no' }}", "no"),
        ("{% if 1 == 2 %}a{% elif contact.n or 1 == 1 %}b{% endif %}", "ложь"),
    ],
)
def test_a_spoken_text_is_not_calculated_from_a_text(template: str, value: str) -> None:
    call = compile_templates({"contact_message": {"value": template}, "external_id": template}, {}, "call")
    with pytest.raises(InvalidRow, match=r"call\.contact_message\.value: .*(\| float|compare it)"):
        fill_in({"contact_message": call["contact_message"]}, {"n": value})


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("{{ contact.n * 2 }}", 1500, "3000"),
        ("{{ contact.n | int * 2 + 1 }}", "1500", "3001"),
        ("{{ '-' * 3 }}{{ contact.n }}", "5", "---5"),
        ("{{ contact.n + ' ' + contact.n }}", "5", "5 5"),
        ("{{ contact.n ~ contact.n }}", "5", "55"),
        ("{{ contact.n + contact.n }}", "Анна", "АннаАнна"),
        ("{{ 'yes' if contact.n == 'да' else 'no' }}", "нет", "no"),
        ("{{ 'yes' if contact.n else 'no' }}", False, "no"),
        ("{{ 'yes' if contact.n else 'no' }}", None, "no"),
        ("{{ contact.n or 'x' }}", "0", "0"),
    ],
)
def test_a_spoken_text_is_calculated_from_numbers_and_joined_from_texts(
    template: str, value: Any, text: str
) -> None:
    assert filled_in(template, {"n": value}) == text


AWARE = datetime(2026, 12, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "template", ["{{ contact.at }}", "{{ contact.at ~ '' }}", "{{ contact.at | string }}"]
)
def test_only_a_spoken_text_has_dates_as_people_write_them(template: str) -> None:
    call = compile_templates({"external_id": template, "contact_message": {"value": template}}, {}, "call")
    for value, text in (
        (datetime(2026, 12, 1), "01.12.2026"),
        (datetime(2026, 12, 1, 9), "01.12.2026 09:00"),
    ):
        filled = fill_in(call, {"at": value})
        assert filled == {"external_id": str(value), "contact_message": {"value": text}}
    assert fill_in(call["external_id"], {"at": AWARE}) == str(AWARE)
    for value in (AWARE, AWARE.isoformat(), str(AWARE)):
        with pytest.raises(InvalidRow, match=r"call\.contact_message\.value: .*(time zone|for programs)"):
            fill_in(call["contact_message"], {"at": value})


def test_an_id_of_an_author_may_have_the_time_of_the_run() -> None:
    values = {"ts": "2026-12-01T07:00:00+00:00"}
    call = compile_templates({"external_id": "{{ ts }}-{{ contact.n }}"}, values, "call")
    assert fill_in(call, {"n": "5"}) == {"external_id": "2026-12-01T07:00:00+00:00-5"}


def test_a_control_character_is_not_spoken() -> None:
    with pytest.raises(InvalidRow, match="column 'name': a value contains a control character"):
        filled_in("Hello {{ contact.name }}", {"name": "Anna\x1b[0m"})


NAME_COLUMNS = ("name", "Имя", "ФИО", "first_name", "Client Name", "Имя клиента", "Клиент")


@given(
    column=st.sampled_from(NAME_COLUMNS),
    digits=st.from_regex(r"\A[1-9][0-9]{9,13}\Z"),
    gaps=st.lists(st.sampled_from(["", "", " ", "-", ") ", " ("]), min_size=14, max_size=14),
    written=st.sampled_from(["{}", "+{}", "Анна {}", "Анна;{}", "{} WhatsApp"]),
)
def test_a_phone_number_in_place_of_a_name_is_not_spoken(
    column: str, digits: str, gaps: list[str], written: str
) -> None:
    number = "".join(gap + digit for gap, digit in zip(["", *gaps], digits, strict=False))
    template = "Здравствуйте, {{ contact['" + column + "'] }}!"
    for value in (written.format(number), int(digits)):
        with pytest.raises(
            InvalidRow, match=r"^call\.message: column '.*': a phone number in place of"
        ) as caught:
            filled_in(template, {"phone": "79260000001", column: value})
        assert digits[:6] not in str(caught.value)


@pytest.mark.parametrize(
    ("template", "row"),
    [
        ("Перезвоните {{ contact.manager_phone }}", {"manager_phone": "79260000009"}),
        ("{{ contact.name }}, перезвоните {{ contact.tel }}", {"name": "Анна", "tel": "+7 926 000-00-09"}),
        ("{{ contact.product_name }}", {"product_name": "Чайник 4601234567893"}),
        ("Здравствуйте, {{ contact.name }}", {"name": "Анна 2"}),
        ("Здравствуйте, {{ contact.name }}", {"name": "Анна, 2026-12-01 10:05"}),
        ("Здравствуйте, {{ contact.name }}", {"name": "Анна 01.12.2026 10:05"}),
        ("Здравствуйте, {{ contact.first_name }}", {"first_name": "Анна", "name": "79260000009"}),
    ],
)
def test_a_phone_number_that_is_no_name_may_be_spoken(template: str, row: dict[str, Any]) -> None:
    filled_in(template, row)


def test_a_name_that_no_person_hears_may_be_a_number() -> None:
    call = compile_templates({"external_id": "{{ contact.name }}"}, {}, "call")
    assert fill_in(call, {"name": "79260000009"}) == {"external_id": "79260000009"}
