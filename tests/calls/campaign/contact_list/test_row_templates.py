"""A template of a call gives the text that Jinja gives, whether or not Jinja fills it in."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest
from filled_in_templates import filled_in
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.calls.campaign.contact_list.row_sandbox import RowSandbox
from airflow_provider_callapi.calls.campaign.contact_list.row_templates import (
    InvalidRow,
    RowTemplate,
    compile_templates,
    fill_in,
    has_template,
)
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
    template = RowTemplate(RowSandbox(spoken_value), "".join(pieces), VALUES, "call")
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
        "Привет, {{ contact['имя'] }}",
        "{% if contact['имя'] != None %}Привет, {{ contact['имя'] }}{% endif %}",
    ],
)
@pytest.mark.parametrize("value", ["['Анна']", "Анна nan"])
def test_a_check_of_values_is_not_switched_off_by_the_code_of_a_template(template: str, value: str) -> None:
    with pytest.raises(InvalidRow):
        filled_in(template, {"имя": value})
