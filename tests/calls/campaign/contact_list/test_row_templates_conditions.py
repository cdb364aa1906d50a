"""No part of a campaign's call depends on a text in place of a boolean or number."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.calls.campaign.contact_list.row_templates import (
    InvalidRow,
    compile_templates,
    fill_in,
)

FIELDS = ("contact", "external_id", "scenario_id", "contact_message", "virtual_phone_number")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("template", "value", "said"),
    [
        *(
            ("{{ contact.wife if contact.n else contact.phone }}", no, "a condition gets")
            for no in ("нет", "0")
        ),
        ("{{ contact.phone if not contact.n else contact.wife }}", "False", "a condition gets"),
        *(
            ("{{ contact.phone if contact.n == 0 else contact.wife }}", text, "with a")
            for text in ("0", "0,00")
        ),
        ("{% if contact['n'] is not eq 1 %}{{ contact.phone }}{% endif %}", "1", "with a number"),
        (
            "{{ contact.phone if contact.n > 100 else contact.wife }}",
            "1500",
            r"with a number; write `\| float`",
        ),
        ("{{ [contact.n, 5] | max }}", "1500", r"with a number; write `\| float`"),
        ("{{ contact.n | abs }}", "1500", r"TypeError in its template; .* write `\| float`"),
    ],
)
def test_no_part_of_a_call_depends_on_a_text_that_stands_for_a_boolean_or_number(
    field: str, template: str, value: str, said: str
) -> None:
    call = compile_templates({field: {"value": template}}, {}, "call")
    with pytest.raises(InvalidRow, match=rf"^call\.{field}\.value: .*{said}"):
        fill_in(call, {"phone": "79260000001", "wife": "79260000009", "n": value})


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("{{ contact.wife if contact.wife else contact.phone }}", "x", "79260000009"),
        ("{{ contact.wife if contact.n else contact.phone }}", False, "79260000001"),
        ("{{ contact.wife if contact.n == 'да' else contact.phone }}", "нет", "79260000001"),
        ("{{ contact.wife if contact.n == 1 else contact.phone }}", 1.0, "79260000009"),
        ("{{ contact.wife if contact.n | float == 1 else contact.phone }}", "1", "79260000009"),
        ("{{ contact.wife if contact.n != 0 else contact.phone }}", None, "79260000009"),
        ("{{ contact.wife if contact.n is number else contact.phone }}", None, "79260000001"),
    ],
)
def test_a_part_of_a_call_may_depend_on_numbers_and_on_compared_texts(
    field: str, template: str, value: Any, text: str
) -> None:
    call = compile_templates({field: {"value": template}}, {}, "call")
    row = {"phone": "79260000001", "wife": "79260000009", "n": value}
    assert fill_in(call, row) == {field: {"value": text}}
