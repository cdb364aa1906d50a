"""From a row to a start request. The error of a bad row names its field."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from contact_rows import anna, plan_of, template_of, why
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from known_numbers import CALL, VNUMBER
from spelled_numbers import NUMBERS, spelled

from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.people_reader import read_people
from airflow_provider_callapi.calls.campaign.contact_list.row_templates import InvalidRow
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.phone_numbers.strict import (
    read_contact,
    read_destination,
    read_destination_or_extension,
)
from airflow_provider_callapi.calls.texts.shown_values import LongNumber, shown_as


def test_a_row_that_lacks_a_value_of_the_call_is_invalid_and_the_other_rows_are_valid() -> None:
    plan = plan_of([{"phone": "79260000012", "surname": "Secret"}, anna()])
    (skipped,) = plan.invalid
    assert skipped.line == 1
    assert "call.contact_message" in skipped.why
    assert "name" in skipped.why
    assert "Secret" not in skipped.why
    assert [person.line for person in plan.people] == [2]


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ({"name": None}, "Hello {{ contact.name }}"),
        ({}, "Hello {{ contact.items }}"),
        ({"name": None}, "{% if True %}{{ contact.name }}{% endif %}"),
    ],
    ids=["null", "a method", "null within a statement"],
)
def test_a_message_with_a_value_that_the_row_lacks_makes_the_row_invalid(
    row: dict[str, Any], value: str
) -> None:
    error = why(plan_of([anna(**row)], contact_message={"type": "tts", "value": value}))
    assert error.startswith("call.contact_message")


def test_a_column_may_have_the_name_of_a_method() -> None:
    template = template_of(
        {**CALL, "contact_message": {"type": "tts", "value": "{{ contact.items }} things"}}
    )
    request = template.request(plan_of([anna(items=3)]).people[0], "x")
    assert request.model_dump()["contact_message"]["value"] == "3 things"


@pytest.mark.parametrize(
    "expression",
    [
        "contact.__class__",
        "contact.__class__.__mro__",
        "contact.update(phone='1')",
        "''.__class__",
        "contact.pop('name')",
    ],
)
def test_a_template_cannot_leave_its_sandbox_or_change_a_row(expression: str) -> None:
    row = anna()
    error = why(plan_of([row], contact_message={"type": "tts", "value": f"{{{{ {expression} }}}}"}))
    assert error.startswith("call.contact_message")
    assert row == anna()


@pytest.mark.parametrize(
    "value", ["{{ 1 / 0 }}", "{{ contact.name + 1 }}", "{{ contact.name.missing.more }}"]
)
def test_an_expression_that_fails_makes_only_the_row_invalid(value: str) -> None:
    error = why(plan_of([anna(name="Secret")], contact_message={"type": "tts", "value": value}))
    assert error.startswith("call.contact_message")
    assert "Secret" not in error


def test_a_parameter_of_the_wrong_kind_makes_the_row_invalid_and_its_value_is_hidden() -> None:
    call = {
        "method": "start.scenario_call",
        "virtual_phone_number": VNUMBER,
        "first_call": "contact",
        "scenario_id": "{{ contact.name }}",
    }
    plan = read_people(
        [anna(name="Secret"), anna("79260000012", name="23456")],
        template_of(call),
        key_of=str,
        timezone="UTC",
    )
    assert [skipped.why.partition(":")[0] for skipped in plan.invalid] == ["start.scenario_call"]
    assert "scenario_id" in plan.invalid[0].why
    assert "Secret" not in plan.invalid[0].why
    assert len(plan.people) == 1, "text of a template becomes a number where one is needed"


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ({"method": "list.calls"}, "call.method"),
        ({}, "call.method"),
        ({**CALL, "scenario": 1}, "call.scenario"),
        ({**CALL, "contact_message": {"type": "tts", "value": "{{ contact."}}, "call.contact_message.value"),
    ],
)
def test_a_call_template_that_no_row_can_fill_is_refused_at_once(call: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        template_of(call)


TWO_SIDED: dict[str, dict[str, Any]] = {
    "virtual_phone_number": {"method": "start.informer_call", "contact_message": CALL["contact_message"]},
    "operator": {"method": "start.simple_call", "first_call": "contact"},
    "operator.phone_number": {"method": "start.simple_call", "first_call": "operator"},
    "employee.phone_number": {"method": "start.employee_call", "first_call": "employee"},
}
"""Each field of a call with a number of our own side → a call that has it."""


def number_in_call(field: str, text: str) -> str | None:
    """Return a field's number in the request that a campaign sends, or None if the row is invalid."""
    name, _, inner = field.partition(".")
    value = {"phone_number": "{{ contact.own }}", **({"id": 25} if name == "employee" else {})}
    call = {"virtual_phone_number": VNUMBER, **TWO_SIDED[field]}
    template = template_of({**call, name: value if inner else "{{ contact.own }}"})
    plan = read_people([anna(own=text)], template, key_of=str, timezone="UTC")
    if plan.invalid:
        assert f": {name}" in plan.invalid[0].why
        assert not re.search(r"\d{4}", plan.invalid[0].why)
        return None
    sent = template.request(plan.people[0], "id").params[name]
    return str(sent["phone_number"] if isinstance(sent, dict) else sent)


@pytest.mark.parametrize("field", TWO_SIDED)
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("84951234567", "74951234567"),
        ("88632345678", "78632345678"),
        ("8 (495) 123-45-67", "74951234567"),
        ("84951234567.0", "74951234567"),
        ("+84 95 1234567", "84951234567"),
        ("998901234567", "998901234567"),
        ("+84951234567", None),
        ("+8 495 123-45-67", None),
        ("+7 926 000-00-0", None),
        ("7926000000", None),
        ("+79260000001 +79260000002", None),
    ],
)
def test_a_number_of_our_own_side_is_read_or_the_row_is_invalid(
    field: str, text: str, number: str | None
) -> None:
    assert number_in_call(field, text) == number


@settings(max_examples=200)
@given(
    field=st.sampled_from(sorted(TWO_SIDED)),
    text=st.from_regex(r"\+?[0-9 ().-]{7,16}", fullmatch=True) | spelled(NUMBERS).map(lambda case: case[0]),
)
def test_a_campaign_sends_each_number_of_our_own_side_as_a_start_operator_does(field: str, text: str) -> None:
    may_be_extension = field == "employee.phone_number"
    try:
        number = (read_destination_or_extension if may_be_extension else read_destination)(text, "RU")
        is_sent = len(number) >= 10 or may_be_extension
    except NotANumber:
        is_sent = False
    assert number_in_call(field, text) == (number if is_sent else None)


def test_the_number_to_call_is_read_only_once() -> None:
    """Read again without its +, it would be the number of somebody in Russia."""
    template = template_of(CALL)
    (person,) = plan_of([anna("+84 95 1234567")]).people
    assert template.request(person, "id").contact == "84951234567"


def test_the_template_names_the_parameters_that_differ_between_people() -> None:
    assert template_of(CALL).personal == {"contact", "contact_message"}
    assert (
        "virtual_phone_number" in template_of({**CALL, "virtual_phone_number": "{{ contact.own }}"}).personal
    )


def test_a_parameter_with_the_same_value_for_all_people_is_not_personal() -> None:
    """If the service refuses such a parameter, the campaign stops, whether it is a constant or a template."""
    call = {**CALL, "virtual_phone_number": "{{ params.number }}"}
    template = template_of(call, {"params": {"number": VNUMBER}})
    assert "virtual_phone_number" not in template.personal
    request = template.request(plan_of([anna()]).people[0], "x")
    assert request.model_dump()["virtual_phone_number"] == VNUMBER


def test_a_common_parameter_that_cannot_be_rendered_makes_each_row_invalid() -> None:
    assert why(plan_of([anna()], virtual_phone_number="{{ params.number }}")).startswith(
        "call.virtual_phone_number"
    )


def test_the_authors_external_id_may_be_empty_for_a_person() -> None:
    template = template_of({**CALL, "external_id": "{{ contact.order }}"})
    rows = [anna(order="o-1"), anna("79260000012", order=""), anna("79260000013", order=" \t")]
    plan = plan_of(rows, external_id="{{ contact.order }}")

    assert [template.own_external_id(person) for person in plan.people] == ["o-1", None, None]
    assert template_of(CALL).own_external_id(plan.people[0]) is None
    assert template.request(plan.people[0], "o-1-2").external_id == "o-1-2"


def test_an_external_id_that_cannot_be_rendered_or_used_makes_the_row_invalid() -> None:
    assert why(plan_of([anna()], external_id="{{ contact.order }}")).startswith("call.external_id")
    assert "external_id" in why(plan_of([anna()], external_id={"order": "{{ contact.name }}"}))
    assert "240 characters" in why(plan_of([anna(order="x" * 241)], external_id="{{ contact.order }}"))
    assert plan_of([anna(order="x" * 240)], external_id="{{ contact.order }}").people


@pytest.mark.parametrize("own", ["{{ contact.phone }}", "call to {{ contact.phone }}", "8 926 000-00-11/a"])
def test_an_external_id_that_contains_the_phone_number_is_refused(own: str) -> None:
    assert why(plan_of([anna()], external_id=own)) == (
        "call.external_id: contains the phone number, which logs would then show"
    )


def test_an_external_id_that_contains_the_number_of_the_operator_is_refused() -> None:
    call = {"method": "start.simple_call", "virtual_phone_number": "74993720692", "first_call": "operator"}
    template = template_of({**call, "operator": "79160000002", "external_id": "{{ contact.order }}"})
    (person,) = plan_of([anna(order="1")]).people

    with pytest.raises(InvalidRow, match=r"call\.external_id: contains the phone number"):
        template.request(person, "order 916 000 00 02")


def test_a_row_with_a_number_that_has_lost_digits_is_invalid_only_if_the_call_uses_the_number() -> None:
    row = anna(order=LongNumber(1234567890123456), phone="79260000001")

    for text in ("Order {{ contact.order }}", "{{ 'Order ' ~ contact.order }}"):
        spoken = {**CALL, "contact_message": {"type": "tts", "value": text}}
        plan = read_people([row], template_of(spoken), key_of=str, timezone="UTC")
        (skipped,) = plan.invalid
        assert skipped.why.startswith("call.contact_message")
        assert skipped.why.endswith("so its last digits are lost; store the cell as text")
    assert "store the cell as text" in why(plan_of([{"phone": LongNumber(7926000000112345), "name": "Anna"}]))
    assert plan_of([row]).invalid == []


def test_a_date_of_a_workbook_is_no_phone_number() -> None:
    """In Denmark, 31122026 is a phone number."""
    rows = [
        {"phone": day, "name": "Anna"} for day in ("31122026", shown_as(date(2026, 12, 31), "31.12.2026"))
    ]
    template = CallTemplate(CALL, region="DK")

    plan = read_people(rows, template, key_of=str, timezone="UTC")

    assert [person.contact for person in plan.people] == ["4531122026"]
    assert "call.contact: a date or another value" in plan.invalid[0].why


FLOATS = st.sampled_from([float, Decimal, lambda number: Decimal(f"{number}.00")])


@pytest.mark.parametrize(
    "contact",
    [
        "{{ contact.code }}{{ contact.number }}",
        "0{{ contact.code }}/{{ contact.number }}",
        "+43 {{ contact.code }} {{ contact.number }}",
        "+43{{ contact.code ~ contact.number }}",
        "{{ [contact.code, contact.number] | join }}",
        "{{ '%s%s' % (contact.code, contact.number) }}",
        "{{ (contact.code | string | replace('.', '')) ~ contact.number | string | replace('.', '') }}",
    ],
)
@given(number=st.integers(1_000_001, 9_999_999), kinds=st.tuples(FLOATS, FLOATS))
def test_the_fraction_of_a_number_never_becomes_a_digit_of_the_phone_number(
    contact: str, number: int, kinds: Any
) -> None:
    """A data frame turns whole numbers into floats, and 664.0 beside 1234567 is not 664 0 1234567."""
    assume(number % 100_000)
    template = CallTemplate({**CALL, "contact": contact}, region="AT")
    row = {"code": kinds[0](664), "number": kinds[1](number)}
    assert read_contact(template.written_number(row), "AT") == f"43664{number}"
