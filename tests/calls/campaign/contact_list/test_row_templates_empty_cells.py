"""No template speaks an empty cell, or a list or dict as a whole."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from filled_in_templates import filled_in

from airflow_provider_callapi.calls.campaign.contact_list.row_sandbox import RowSandbox
from airflow_provider_callapi.calls.campaign.contact_list.row_templates import (
    InvalidRow,
    compile_templates,
    fill_in,
)
from airflow_provider_callapi.calls.campaign.contact_list.row_values import EMPTY_CELL_USED
from airflow_provider_callapi.calls.texts.inserted_values import spoken_value

EMPTY = (None, float("nan"), float("inf"), Decimal("sNaN"), type("NaTType", (), {})())
PLACES = ("contact.name", "contact['name']", "contact.address.city", "contact.orders[0]['price']")
FILTERS = sorted(RowSandbox(spoken_value).filters.keys() - {"default", "d"})
USES = (
    *("{{ CELL | " + name + " }}" for name in FILTERS),
    *("{{ [CELL] | " + name + " }}" for name in FILTERS if name not in {"float", "int"}),
    *(
        "{{ CELL ~ '!' }}",
        "{{ 'x' ~ CELL }}",
        "{{ CELL + 1 }}",
        "{{ 2 * CELL }}",
        "{{ -CELL }}",
    ),
    *("{{ 'Hi {}'.format(CELL) }}", "{{ 'Hi {:>9}'.format(CELL) }}", "{{ '%s' % CELL }}"),
    *("{{ '%r' % CELL }}", "{{ '%d' % CELL }}", "{{ '%s, %s' % (1, CELL) }}"),
    *("{{ '-'.join([CELL]) }}", "{{ CELL.title() }}", "{{ CELL[:3] }}", "{{ {'a': CELL} }}"),
    *("{{ CELL < 3 }}", "{{ 'a' in CELL }}", "{{ range(CELL) | list | length }}"),
    *("{% for c in CELL %}{{ c }}{% endfor %}", "{% set n = CELL %}{{ n ~ n }}"),
    *("{{ CELL | default('') }}", "{{ {'a': CELL} | tojson }}", "{{ CELL | replace('a', 'b') }}"),
)


def _row_with(empty: Any) -> dict[str, Any]:
    return {"name": empty, "address": {"city": empty}, "orders": [{"price": empty}]}


@pytest.mark.parametrize("use", USES)
def test_an_empty_cell_is_never_spoken_whatever_a_template_does(use: str) -> None:
    for place, empty in product(PLACES, EMPTY):
        with suppress(InvalidRow):
            text = filled_in(use.replace("CELL", place), _row_with(empty))
            assert text in ("", "1")  # nothing is said, or the length of a list


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "use",
    [
        *("{{ CELL | " + name + " }}" for name in ("upper", "lower", "title", "trim", "string", "e", "int")),
        *("{{ CELL | tojson }}", "{{ CELL | float }}", "{{ [CELL] | join(' ') }}"),
        *("{{ CELL ~ '' }}", "{{ '{}'.format(CELL) }}", "{{ '%s' % CELL }}"),
        *("{{ CELL }}", "{{ CELL.title() }}"),
    ],
)
def test_the_error_about_an_empty_cell_names_the_remedy(use: str, place: str) -> None:
    with pytest.raises(InvalidRow) as error:
        filled_in(use.replace("CELL", place), _row_with(None))
    column = "; empty in this row: 'name'" if "name" in place else ""
    assert str(error.value) == f"call.message: {EMPTY_CELL_USED}{column}"


@pytest.mark.parametrize(
    "template",
    [
        "{{ contact.get('nme') ~ '' }}",
        "{{ contact.address.get('nme') | string }}",
        "{{ contact.values() | map('string') | join }}",
        "{% for name, value in contact.items() %}{{ value ~ '' }}{% endfor %}",
        "{{ contact.orders | map(attribute='price') | join(', ') }}",
    ],
)
def test_an_empty_cell_that_a_method_or_a_loop_returns_is_refused(template: str) -> None:
    with pytest.raises(InvalidRow, match="the template uses an empty value"):
        filled_in(template, _row_with(None))


@pytest.mark.parametrize(
    "condition",
    [
        *(
            "not CELL",
            "CELL is none",
            "CELL is defined",
            "CELL == none",
            "none == CELL",
            "CELL in [none, '']",
        ),
        *("CELL is sameas none", "CELL is not string", "CELL is not iterable", "CELL is not number"),
        *(
            "CELL == ''",
            "'' == CELL",
            "not CELL != ''",
            "CELL != 0",
            "(CELL or 'you') == 'you'",
            "CELL | default('you', true) == 'you'",
        ),
        *("not (CELL and CELL.title())", "('a' if CELL else 'b') == 'b'", "CELL is in [none]"),
        *(
            "[CELL] | select('none') | list | length == 1",
            "[CELL] | select | list == []",
            "CELL.x is not defined",
        ),
        *("[CELL, 1] | reject('none') | join == '1'", "6 is divisibleby(num=3)"),
    ],
)
@pytest.mark.parametrize("place", PLACES)
def test_a_template_can_ask_whether_a_cell_is_empty(condition: str, place: str) -> None:
    template = "{% if " + condition.replace("CELL", place) + " %}yes{% endif %}"
    assert filled_in(template, _row_with(None)) == "yes"


@pytest.mark.parametrize(
    "template",
    [
        *("{{ contact | join(',') }}", "{{ contact.address | join }}", "{{ [contact] | join }}"),
        *("{{ contact ~ '' }}", "{{ contact.names ~ '!' }}", "{{ contact.pair | string }}"),
        *("{{ '{}'.format(contact.names) }}", "{{ '%s' % contact.address }}", "{{ contact.names | upper }}"),
    ],
)
def test_no_list_or_dict_of_a_row_is_inserted_as_a_whole(template: str) -> None:
    row = {"names": ["Anna"], "address": {"city": "Omsk"}, "pair": ("Anna", "Boris")}
    with pytest.raises(InvalidRow, match=r"call\.message: the template uses a whole (list or )?dict"):
        filled_in(template, row)


def test_the_items_of_a_list_or_dict_are_inserted_as_before() -> None:
    row = {"names": ["Anna", "Boris"], "address": {"city": "Omsk"}, "pair": ("Anna", 2), "ids": {7}}
    assert filled_in("{{ contact.names | join(', ') }}", row) == "Anna, Boris"
    assert filled_in("{{ contact.address.values() | join }}", row) == "Omsk"
    assert filled_in("{{ '%s %s' % contact.pair }}", row) == "Anna 2"
    assert filled_in("{{ contact.ids | first }}, {{ contact.names | length }}", row) == "7, 2"
    assert filled_in("{{ contact.address | tojson }}", row) == '{"city": "Omsk"}'


@pytest.mark.parametrize(
    "template",
    [
        *("{{ params.city | upper }}", "{{ 'in ' ~ params.city }}", "{{ params.city | trim }}"),
        *("{{ params.city | int }}", "{{ '%s' % params.city }}", "{{ '{}'.format(params.city) }}"),
        *("{{ contact.name ~ params.city }}", "{{ contact.name }} {{ params.city | title }}"),
        *("{{ params.names | join(', ') }}", "{{ params.names ~ '' }}", "{{ params['city'] | striptags }}"),
    ],
)
def test_a_template_inserts_no_gap_of_the_values_that_are_the_same_for_all_people(template: str) -> None:
    values = {"params": {"city": None, "names": ["a", None]}}
    call = compile_templates({"message": template}, values, "call")
    with pytest.raises(InvalidRow, match=r"^call\.message: the template uses an? "):
        fill_in(call, {"name": "Anna"})


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'Hi {name}'.format(**contact) }}",
        "{{ 'Hi %(name)s' % contact }}",
        "{{ 'Hi {name}'.format_map(contact) }}",
        "{{ 'Hi %(name)s' | format(**contact) }}",
    ],
)
def test_only_the_used_values_of_a_row_must_have_a_text(template: str) -> None:
    row = {"name": "Anna", "debt": None, "orders": [1], "about": {"a": 1}}
    assert filled_in(template, row) == "Hi Anna"
    with pytest.raises(InvalidRow):
        filled_in(template, {**row, "name": None})


def test_json_of_a_nested_dict_is_inserted_as_its_author_says() -> None:
    row = {"about": {"city": {"name": "Omsk"}, "ids": [1, 2]}}
    assert filled_in("{{ contact.about | tojson }}", row) == '{"city": {"name": "Omsk"}, "ids": [1, 2]}'


PLACEHOLDERS = ("-", "—", "?", "не указано", "Без имени", "Unknown")


@pytest.mark.parametrize("text", PLACEHOLDERS)
@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("{{ contact.name or 'клиент' }}", "клиент"),
        ("{{ contact.name | default('клиент', true) }}", "клиент"),
        ("{{ contact.name if contact.name else 'клиент' }}", "клиент"),
        ("{{ 'a' if contact.name == TEXT or contact.name is eq TEXT else 'b' }}", "a"),
        ("{{ 'a' if contact.name != TEXT or contact.name not in ('x', TEXT) else 'b' }}", "b"),
        ("{{ 'a' if contact.name is in [TEXT] else 'b' }}", "a"),
        ("{{ 'a' if contact.name is none else 'b' }}", "a"),
        ("{{ contact.name | int(7) }}", "7"),
        ("{{ contact.name | float(7) }}", "7"),
    ],
)
def test_a_default_replaces_a_text_for_no_value_and_a_template_can_compare_it(
    template: str, result: str, text: str
) -> None:
    assert filled_in(template.replace("TEXT", repr(text)), {"name": text}) == result


@pytest.mark.parametrize("text", PLACEHOLDERS)
@pytest.mark.parametrize("template", ["Hello {{ contact.name }}", "{{ 'Hello ' ~ contact.name }}"])
def test_a_text_for_no_value_is_not_spoken(template: str, text: str) -> None:
    with pytest.raises(InvalidRow, match=r"an empty value .* give a default .*; empty in this row: 'name'"):
        filled_in(template, {"name": text})
