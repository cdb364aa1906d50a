"""A template of a call gives the text that Jinja gives, whether or not Jinja fills it in."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from inserted_texts import EXPRESSIONS, SPOKEN_NUMBERS

from airflow_provider_callapi.calls.campaign.contact_list import row_templates
from airflow_provider_callapi.calls.campaign.contact_list.row_templates import (
    InvalidRow,
    RowTemplate,
    compile_templates,
    fill_in,
    has_template,
)
from airflow_provider_callapi.calls.campaign.contact_list.row_values import EMPTY_CELL_USED
from airflow_provider_callapi.calls.texts.inserted_values import spoken_value

PIECES = (
    "Hello ",
    "100 % %s",
    " \n",
    "{{ contact.name }}",
    "{{contact.Name}}",
    "{{ contact.time_zone }}",
    "{{- contact.name -}}",
    "{{ contact.items }}",
    "{{ contact['name'] }}",
    "{{ contact.name | upper }}",
    "{{ contact.nothing or 'you' }}",
    "{{ contact }}",
    "{{ ds }}",
    "{{ number }}",
    "{{ unknown }}",
    "{% if contact.name %}yes{% endif %}",
    "{# a remark #}",
    "{% raw %}{{ raw }}{% endraw %}",
)
VALUES = {"ds": "2026-03-02", "number": 7, "contact": "no row"}
CELLS = st.one_of(st.text(max_size=5), st.sampled_from(["<b>", "{{ ds }}", "", None, 0, 1.5, True, ["a"]]))
ROWS = st.dictionaries(st.sampled_from(["name", "NAME", "Time Zone", "items", "phone"]), CELLS)


def _by_jinja(template: RowTemplate, row: dict[str, Any]) -> str:
    slow = copy(template)
    slow._plain = None
    return slow.render(row)


def _text_or_error(work: Any) -> tuple[str, str]:
    try:
        return "text", work()
    except Exception as error:
        return type(error).__name__, str(error)


@settings(max_examples=500)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=4), row=ROWS)
@example(
    pieces=["{{ contact.time_zone }}", "{{contact.Name}}"], row={"name": "", "NAME": "", "Time Zone": None}
)
def test_a_template_renders_the_same_text_or_error_as_jinja(pieces: list[str], row: dict[str, Any]) -> None:
    template = RowTemplate(row_templates._Sandbox(spoken_value), "".join(pieces), VALUES, "call")
    assert _text_or_error(lambda: template.render(row)) == _text_or_error(lambda: _by_jinja(template, row))


def test_a_template_that_only_inserts_values_is_rendered_without_jinja(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value = compile_templates({"message": "Hello {{ contact.name }} on {{ ds }}"}, VALUES, "call")
    monkeypatch.setattr(value["message"], "_jinja", None)
    assert fill_in(value, {"name": "Anna"}) == {"message": "Hello Anna on 2026-03-02"}


def test_a_template_without_the_persons_row_is_filled_in_once() -> None:
    value = compile_templates({"message": "Hello on {{ ds }}", "number": 7}, VALUES, "call")
    assert value == {"message": "Hello on 2026-03-02", "number": 7}
    assert not has_template(value)


def test_a_column_that_is_missing_makes_the_row_invalid() -> None:
    value = compile_templates({"message": "Hello {{ contact.name }}"}, VALUES, "call")
    with pytest.raises(
        InvalidRow, match=r"call\.message: the row has no column 'name'; its columns are"
    ) as caught:
        fill_in(value, {"phone": "79260000011", "город": "Омск"})
    assert str(caught.value).endswith("'phone', 'город'")


def test_the_first_row_of_a_list_without_a_heading_is_not_shown() -> None:
    value = compile_templates({"message": "Hello {{ contact.name }}"}, VALUES, "call")
    with pytest.raises(InvalidRow, match="the list seems to have no heading") as caught:
        fill_in(value, {"Anna Petrova": "Boris", "376312345": "376312346"})
    assert not any(shown in str(caught.value) for shown in ("Anna", "3763"))


def test_a_missing_value_of_a_dict_is_no_missing_column() -> None:
    value = compile_templates({"message": "{{ contact.name }}, {{ params.nix }}"}, {"params": {}}, "call")
    with pytest.raises(
        InvalidRow, match=r"call\.message: the template uses 'nix' of a dict that has no such"
    ):
        fill_in(value, {"name": "Anna"})


def test_the_error_of_lost_letters_names_the_column() -> None:
    value = compile_templates({"message": "Hello {{ contact.Name }}"}, VALUES, "call")
    with pytest.raises(InvalidRow, match=r"^call\.message: column 'name': the letters of a value are lost"):
        fill_in(value, {"phone": "79260000011", "name": "ÐÐ½Ð½Ð°"})


WRITTEN_BY_PYTHON = ("nan", "inf", "None", "[", "{", "b'", "<")
CLEAN_VALUES = st.recursive(
    st.none() | st.floats() | st.decimals() | st.integers() | st.binary() | st.text("abc"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
)


@given(value=CLEAN_VALUES)
def test_a_template_inserts_no_value_as_only_python_writes_it(value: Any) -> None:
    call = compile_templates({"message": "{{ contact.value }}"}, VALUES, "call")
    try:
        text = fill_in(call, {"value": value})["message"]
    except InvalidRow as error:
        assert str(error).startswith("call.message: the template uses ")  # noqa: PT017
    else:
        assert not [sign for sign in WRITTEN_BY_PYTHON if sign in text.replace("Infinity", "inf")]


@pytest.mark.parametrize(
    "template", ["{{ contact.names }}", "{{ contact.names | map('upper') }}", "{{ (contact.name, 1) }}"]
)
def test_the_error_about_an_inserted_list_names_the_remedy(template: str) -> None:
    call = compile_templates({"message": template}, VALUES, "call")
    with pytest.raises(InvalidRow, match=r"call\.message: the template uses a whole list or dict; .*join"):
        fill_in(call, {"names": ["Anna"], "name": "Anna"})


def test_a_comment_in_a_template_is_not_part_of_the_text() -> None:
    value = compile_templates({"message": "{# for the morning #}Hello"}, VALUES, "call")
    assert value == {"message": "Hello"}


def _filled_in(template: str, row: dict[str, Any]) -> str:
    return str(fill_in(compile_templates(template, {}, "call.message"), row))


EMPTY = (None, float("nan"), float("inf"), Decimal("sNaN"), type("NaTType", (), {})())
PLACES = ("contact.name", "contact['name']", "contact.address.city", "contact.orders[0]['price']")
FILTERS = sorted(row_templates._Sandbox(spoken_value).filters.keys() - {"default", "d"})
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
            text = _filled_in(use.replace("CELL", place), _row_with(empty))
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
        _filled_in(use.replace("CELL", place), _row_with(None))
    column = "; empty in this row: 'name'" if "name" in place else ""
    assert str(error.value) == f"call.message: {EMPTY_CELL_USED}{column}"


@pytest.mark.parametrize(
    ("template", "name"),
    [
        *(
            ("{{ contact.phone }} {{ name }}", "name"),
            ("{{ name }}", "name"),
            ("{{ ti.xcom_pull('a') }}", "ti"),
        ),
        *(
            ("{{ conn.a.password }}", "conn"),
            ("{{ var.value.a }}", "var"),
            ("{% if town %}x{% endif %}", "town"),
        ),
    ],
)
def test_the_error_about_an_unknown_name_says_which_names_a_template_knows(template: str, name: str) -> None:
    known = r"a template knows contact \(the person's row\), params, ds, run_id, and not"
    with pytest.raises(
        ValueError, match=rf"^call\.message\.value: {known} {name}\. .* write contact\.{name}\."
    ):
        compile_templates({"message": {"value": template}}, {}, "call")


@pytest.mark.parametrize(
    "template",
    [
        "{% set x = contact.phone %}{{ x }}",
        "{% if contact.sex == 'f' %}{% set x = 'Mrs' %}{% else %}{% set x = 'Mr' %}{% endif %}{{ x }}",
        "{% for part in contact.parts %}{{ loop.index }} {{ part }}{% endfor %}",
        "{{ range(3) | list | length }} {{ params.a }} {{ ds }} {{ run_id }} {{ own }}",
        "{% macro say(x) %}{{ x }}{% endmacro %}{{ say(contact.name) }}",
    ],
)
def test_names_that_a_template_defines_are_known(template: str) -> None:
    compile_templates(template, {"own": "x"}, "call")


def test_the_output_of_another_task_is_no_value_of_a_call() -> None:
    class Output:
        def resolve(self) -> str:
            return "x"

    with pytest.raises(
        ValueError, match=r"^call\.message\.value: the output of another task\. Put the results"
    ):
        compile_templates({"message": {"value": Output()}}, {}, "call")


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
        _filled_in(template, _row_with(None))


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
    assert _filled_in(template, _row_with(None)) == "yes"


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
        _filled_in(template, row)


def test_the_items_of_a_list_or_dict_are_inserted_as_before() -> None:
    row = {"names": ["Anna", "Boris"], "address": {"city": "Omsk"}, "pair": ("Anna", 2), "ids": {7}}
    assert _filled_in("{{ contact.names | join(', ') }}", row) == "Anna, Boris"
    assert _filled_in("{{ contact.address.values() | join }}", row) == "Omsk"
    assert _filled_in("{{ '%s %s' % contact.pair }}", row) == "Anna 2"
    assert _filled_in("{{ contact.ids | first }}, {{ contact.names | length }}", row) == "7, 2"
    assert _filled_in("{{ contact.address | tojson }}", row) == '{"city": "Omsk"}'


class _Greeting(str, Enum):  # noqa: UP042 - authors write both forms, and Python 3.11 writes this one as its name
    BY_NAME = "Hello {{ contact.name }}"


class _Tier(Enum):
    GOLD = "gold"


def test_a_member_of_an_enum_is_spoken_as_its_value() -> None:
    row = {"name": "Anna", "tier": _Tier.GOLD, "all": [_Tier.GOLD]}
    assert _filled_in(_Greeting.BY_NAME, row) == "Hello Anna"
    assert (
        _filled_in("{{ contact.tier }} {{ contact.tier ~ '!' }} {{ contact.all | join }}", row)
        == "gold gold! gold"
    )


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


@pytest.mark.parametrize("name", ["int", "float"])
@pytest.mark.parametrize(
    "text", ["1,500", "1.500,00", "7.92612E+10", "abc", "1_000", "٣", "0x1F", "-", "nan"]
)
def test_the_filters_int_and_float_make_no_number_of_another_text(name: str, text: str | None) -> None:
    with pytest.raises(InvalidRow, match=r"with {{ … \| (int|float)\(0\) }}|uses an empty value"):
        _filled_in("{{ contact.name | " + name + " }}", {"name": text})
    assert _filled_in("{{ contact.name | " + name + "(7) }}", {"name": "abc"}) == "7"


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
    assert _filled_in(template, {"n": value}) == expected


def test_the_fraction_of_a_text_is_not_cut_off() -> None:
    """It may be the fraction of a phone number that a program has damaged."""
    with pytest.raises(InvalidRow, match="no whole number"):
        _filled_in("{{ contact.phone | int }}", {"phone": "79260000001.7"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1234.0, "1234"), (1e-05, "0.00001"), (Decimal("1E+3"), "1000"), (0.1 + 0.2, "0.3"), (15.5, "15.5")],
)
def test_a_number_is_spoken_as_people_write_it(value: Any, expected: str) -> None:
    assert _filled_in("{{ contact.n }}", {"n": value}) == expected


@pytest.mark.parametrize(("template", "spoken"), SPOKEN_NUMBERS)
@pytest.mark.parametrize("value", [1234.0, Decimal("1234.0")])
def test_a_campaign_speaks_a_number_inside_an_expression_as_a_single_call_does(
    template: str, spoken: str, value: Any
) -> None:
    assert _filled_in(template.replace("params.x", "contact.x"), {"x": value}) == spoken


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
        _filled_in(template.replace("params.x", "contact.x"), {"x": value})


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
    assert _filled_in(template, row) == "Hi Anna"
    with pytest.raises(InvalidRow):
        _filled_in(template, {**row, "name": None})


def test_json_of_a_nested_dict_is_inserted_as_its_author_says() -> None:
    row = {"about": {"city": {"name": "Omsk"}, "ids": [1, 2]}}
    assert _filled_in("{{ contact.about | tojson }}", row) == '{"city": {"name": "Omsk"}, "ids": [1, 2]}'


@pytest.mark.parametrize(
    "template",
    [
        "Привет, {{ contact['имя'] }}",
        "{% if contact['имя'] != None %}Привет, {{ contact['имя'] }}{% endif %}",
    ],
)
@pytest.mark.parametrize("value", ["['Анна']", "Анна nan"])
def test_a_check_of_values_is_not_switched_off_by_the_code_of_a_template(template: str, value: str) -> None:
    with pytest.raises(InvalidRow):
        _filled_in(template, {"имя": value})


def test_an_object_without_a_text_of_its_own_is_not_spoken() -> None:
    with pytest.raises(InvalidRow, match="no text of its own"):
        _filled_in("{{ contact.n }}", {"n": object()})


def test_a_value_with_codes_instead_of_letters_makes_the_row_invalid() -> None:
    with pytest.raises(InvalidRow, match="codes instead of letters"):
        _filled_in("Hello {{ contact.name }}", {"name": "ООО &quot;Ромашка&quot;"})
    assert _filled_in("A &amp; {{ contact.name }}", {"name": "B"}) == "A &amp; B"


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
    assert _filled_in(template, {"n": value}) == text


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
        _filled_in("Hello {{ contact.name }}", {"name": "Anna\x1b[0m"})
