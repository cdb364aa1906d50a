"""A template of a call gives the text that Jinja gives, whether or not Jinja fills it in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.calls.campaign import row_templates
from airflow_provider_callapi.calls.campaign.row_templates import (
    InvalidRow,
    RowTemplate,
    compile_templates,
    fill_in,
    has_template,
)

PIECES = (
    "Hello ",
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
    return str(template._jinja.render({**VALUES, "contact": row}))


def _text_or_error(work: Any) -> tuple[str, str]:
    try:
        return "text", work()
    except Exception as error:
        return type(error).__name__, str(error)


@settings(max_examples=500, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=4), row=ROWS)
def test_a_template_renders_the_same_text_or_error_as_jinja(pieces: list[str], row: dict[str, Any]) -> None:
    template = RowTemplate(row_templates._Sandbox(), "".join(pieces), VALUES)
    assert _text_or_error(lambda: template.render(row)) == _text_or_error(lambda: _by_jinja(template, row))


def test_a_template_that_only_inserts_values_is_rendered_without_jinja(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value = compile_templates({"message": "Hello {{ contact.name }} on {{ ds }}"}, VALUES, "call")
    monkeypatch.setattr(value["message"], "_jinja", None)
    assert fill_in(value, {"name": "Anna"}, "call") == {"message": "Hello Anna on 2026-03-02"}


def test_a_template_without_the_persons_row_is_filled_in_once() -> None:
    value = compile_templates({"message": "Hello on {{ ds }}", "number": 7}, VALUES, "call")
    assert value == {"message": "Hello on 2026-03-02", "number": 7}
    assert not has_template(value)


def test_a_column_that_is_missing_makes_the_row_invalid() -> None:
    value = compile_templates({"message": "Hello {{ contact.name }}"}, VALUES, "call")
    with pytest.raises(InvalidRow, match=r"call\.message: the row has no column 'name'"):
        fill_in(value, {"phone": "79260000011"}, "call")


WRITTEN_BY_PYTHON = ("nan", "inf", "None", "[", "{", "b'", "<")
CLEAN_VALUES = st.recursive(
    st.none() | st.floats() | st.decimals() | st.integers() | st.binary() | st.text("abc"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
)


@settings(deadline=None)
@given(value=CLEAN_VALUES)
def test_a_template_inserts_no_value_as_only_python_writes_it(value: Any) -> None:
    call = compile_templates({"message": "{{ contact.value }}"}, VALUES, "call")
    try:
        text = fill_in(call, {"value": value}, "call")["message"]
    except InvalidRow as error:
        assert str(error).startswith("call.message: a value is ")  # noqa: PT017
    else:
        assert not [sign for sign in WRITTEN_BY_PYTHON if sign in text.replace("Infinity", "inf")]


@pytest.mark.parametrize(
    "template", ["{{ contact.names }}", "{{ contact.names | map('upper') }}", "{{ (contact.name, 1) }}"]
)
def test_the_error_about_an_inserted_list_names_the_remedy(template: str) -> None:
    call = compile_templates({"message": template}, VALUES, "call")
    with pytest.raises(InvalidRow, match=r"call\.message: a value is a list or a dict; .*join"):
        fill_in(call, {"names": ["Anna"], "name": "Anna"}, "call")


def test_a_comment_in_a_template_is_not_part_of_the_text() -> None:
    value = compile_templates({"message": "{# for the morning #}Hello"}, VALUES, "call")
    assert value == {"message": "Hello"}
