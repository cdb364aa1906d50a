"""Names in single braces: which texts of a DAG file contain a template that a mistake has disabled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.texts.single_braces import find_single_braces, has_single_braces

NAMES = st.from_regex(r"[a-z_]\w{0,6}(\.\w{1,6}|\[['\"]?\w{1,4}['\"]?\]){0,2}", fullmatch=True)
TEXTS = st.text(st.characters(blacklist_characters="{}", blacklist_categories=["Cs"]), max_size=9)
PARTS = st.lists(st.tuples(TEXTS, st.sampled_from(["", " "]), NAMES), min_size=1, max_size=3)


@given(PARTS)
def test_a_template_is_found_after_an_f_string_has_taken_a_brace_and_not_before(parts):
    template = "".join(f"{text}{{{{{gap}{name}{gap}}}}}" for text, gap, name in parts)

    assert not has_single_braces(template)
    assert has_single_braces(template.replace("{{", "{").replace("}}", "}"))


@pytest.mark.parametrize(
    "text",
    [
        "Hello { contact.name }",
        "Hello {name}",
        "Hello { contact.name | upper }",
        "Hello { contact.name or 'customer' }",
        "{{ contact.name }}, your order { contact.order } is ready",
    ],
)
def test_a_name_in_single_braces_is_found(text):
    assert has_single_braces(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hello {{ contact.name }}",
        "{{ {'a': 1}['a'] }}",
        "{% if contact.name %}{{ contact.name }}{% endif %}{# {note} #}",
        "{% set words = {a: 1} %}",
        "a {, a }, {} and {1}",
        '{"type": "tts"}',
    ],
)
def test_other_braces_are_no_disabled_template(text):
    assert not has_single_braces(text)


def test_each_field_of_a_value_is_named():
    value = {"type": "tts", "value": "{ name }", "more": ["{ ds }", 7, None]}

    assert list(find_single_braces(value, "message")) == ["message.value", "message.more"]
