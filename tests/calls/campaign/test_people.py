"""From rows to people: one person a number, one call a person. The error of a bad row names its field."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spelled_numbers import NUMBERS, PHONES_AS_SIP, SIP_NUMBERS, in_any_case, spelled

from airflow_provider_callapi.calls.campaign.people import (
    CallTemplate,
    Plan,
    external_id,
    fingerprint,
    read_people,
    read_shard,
)
from airflow_provider_callapi.calls.lists.problems import ListUnreadable
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.phone_numbers.strict import read_contact as normalise
from airflow_provider_callapi.calls.phone_numbers.strict import read_destination

CALL: dict[str, Any] = {
    "method": "start.informer_call",
    "virtual_phone_number": "74993720692",
    "contact_message": {"type": "tts", "value": "Hello {{ contact.name }}"},
}


def template_of(call: dict[str, Any], values: dict[str, Any] | None = None) -> CallTemplate:
    return CallTemplate(call, values, region="RU")


def plan_of(rows: list[Any], *, shard: tuple[int, int] = (1, 1), **call: Any) -> Plan:
    return read_people(
        rows,
        template_of({**CALL, **call}),
        key_of=str,
        timezone="Europe/Moscow",
        shard=shard,
    )


def anna(phone: str = "79260000011", **row: Any) -> dict[str, Any]:
    return {"phone": phone, "name": "Anna", **row}


def why(plan: Plan) -> str:
    (skipped,) = plan.invalid
    assert not plan.people
    return skipped.why


@pytest.mark.parametrize("text", ["8 926 000-00-11", "+7 (926) 000 00 11", "79260000011", " 89260000011 "])
def test_every_spelling_of_a_number_is_the_same_person(text: str) -> None:
    plan = plan_of([anna(), anna(text)])
    assert [person.contact for person in plan.people] == ["79260000011"]
    assert len(plan.duplicates) == 1


@pytest.mark.parametrize("sip", ["sip25", "0100@pbx.example.com", "79260000011@pbx.example.com", "0100a"])
def test_a_sip_number_is_used_unchanged(sip: str) -> None:
    assert normalise(sip, "RU") == sip


@settings(max_examples=60)
@given(in_any_case(SIP_NUMBERS))
def test_a_sip_number_in_another_case_is_the_same_person(sip: str) -> None:
    other = sip.swapcase()
    plan = plan_of([anna(sip), anna(other)])
    (person,), (duplicate,) = plan.people, plan.duplicates
    assert person.contact == sip, "the campaign dials the written SIP number"
    assert person.key == plan_of([anna(other)]).people[0].key
    assert (duplicate.contact, duplicate.why) == (other, "the number of row 1")
    assert fingerprint("a", sip) == fingerprint("a", other)
    assert external_id("a", sip, 1) == external_id("a", other, 1)
    shards = [plan_of([anna(text)], shard=(1, 2)).people != [] for text in (sip, other)]
    assert shards[0] == shards[1]
    assert person.is_excluded_by({other.lower()})


@settings(max_examples=30)
@given(
    st.from_regex("7926[0-9]{7}", fullmatch=True),
    st.permutations(["{}", "{}@example.com", "{}@pbx.example.org"]),
)
def test_a_phone_number_and_sip_addresses_with_it_as_their_name_are_one_person(number, contacts) -> None:
    rows = [anna(contact.format(number)) for contact in contacts]

    plan = plan_of(rows)
    (person,) = plan.people
    assert person.contact == rows[0]["phone"], "the campaign dials the contact of the first row"
    assert [duplicate.why for duplicate in plan.duplicates] == ["the number of row 1"] * 2
    assert sum(len(plan_of(rows, shard=(which, 2)).people) for which in (1, 2)) == 1
    (contradicted,) = plan_of([*rows, anna(number, timezone="Asia/Omsk")]).invalid
    assert contradicted.line == 1


def test_sip_addresses_with_a_short_name_are_people_of_their_domains() -> None:
    assert len(plan_of([anna("sip25@example.com"), anna("sip25@example.org")]).people) == 2
    assert len(plan_of([anna("100@example.com"), anna("100@example.org")]).people) == 2


@settings(max_examples=30)
@given(PHONES_AS_SIP)
def test_a_sip_address_with_a_phone_number_is_excluded_by_this_number(sip: str) -> None:
    (person,) = plan_of([anna(sip)]).people
    assert person.contact == sip
    assert person.is_excluded_by({"79260000001"})
    assert not person.is_excluded_by({"79260000002", "sip79260000001"})


@pytest.mark.parametrize(
    "text",
    ["", "12-34", "7926000001", "+7 926 000 00 11 доб. 5", "99999999999999", "Anna", "call 89260000011 x"],
)
def test_a_text_that_is_no_number_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(NotANumber) as refusal:
        normalise(text, "RU")
    assert not text or text not in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["79260000011x5", "89260000011a", "8-926-000-00-11x5", "8.926.000.00.11a", "79260000011доб5"]
)
def test_a_phone_number_with_letters_behind_it_is_not_read_as_a_sip_number(text: str) -> None:
    """With its letters, it would be another person than the number, also on the do-not-call list."""
    with pytest.raises(NotANumber):
        normalise(text, "RU")


def test_a_row_that_lacks_a_value_of_the_call_is_invalid_and_the_other_rows_are_valid() -> None:
    plan = plan_of([{"phone": "79260000012", "surname": "Secret"}, anna()])
    (skipped,) = plan.invalid
    assert skipped.line == 1
    assert "call.contact_message" in skipped.why
    assert "name" in skipped.why
    assert "Secret" not in skipped.why
    assert [person.line for person in plan.people] == [2]


def test_a_valid_row_of_a_person_is_called_after_an_invalid_row_of_the_same_person() -> None:
    plan = plan_of([{"phone": "79260000011"}, anna()])
    assert [person.line for person in plan.people] == [2]
    assert (len(plan.invalid), plan.duplicates) == (1, [])


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
        "virtual_phone_number": "74993720692",
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
    call = {"virtual_phone_number": "74993720692", **TWO_SIDED[field]}
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
    try:
        number = read_destination(text, "RU")
        is_sent = len(number) >= 10 or field == "employee.phone_number"  # the other fields take no extension
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
    template = template_of(call, {"params": {"number": "74993720692"}})
    assert "virtual_phone_number" not in template.personal
    request = template.request(plan_of([anna()]).people[0], "x")
    assert request.model_dump()["virtual_phone_number"] == "74993720692"


def test_a_common_parameter_that_cannot_be_rendered_makes_each_row_invalid() -> None:
    assert why(plan_of([anna()], virtual_phone_number="{{ params.number }}")).startswith(
        "call.virtual_phone_number"
    )


def test_the_time_zone_of_a_row_overrides_the_default_and_must_exist() -> None:
    rows = [anna(), anna("79260000012", timezone="Asia/Omsk"), anna("79260000013", timezone="Omsk")]
    plan = plan_of(rows)
    assert [person.zone for person in plan.people] == ["Europe/Moscow", "Asia/Omsk"]
    assert [skipped.why.partition(":")[0] for skipped in plan.invalid] == ["timezone"]


def test_a_time_zone_in_a_column_with_another_name_is_refused_in_any_row() -> None:
    rows = [anna(f"7926000{n:04d}", region=None) for n in range(150)]
    with pytest.raises(ListUnreadable, match="the column 'region' holds time zones, see row 151"):
        plan_of([*rows, anna("79260000999", region="Asia/Vladivostok")])
    assert plan_of([*rows, anna("79260000999", region="Asia/Vladivostok", timezone=None)]).people


SIGNED = st.builds("{}{}".format, st.sampled_from("+-\u2212"), st.integers(0, 14)) | st.sampled_from(
    ["+07", "+7 ч", "+0730", "+1000", " +3 "]
)


@given(offsets=st.permutations(["0", None, "+7"]), signed=st.lists(SIGNED, max_size=3))
def test_a_column_with_only_signed_small_numbers_holds_time_zones(
    offsets: list[str | None], signed: list[str]
) -> None:
    """Whatever the column is named: the people would be rung by the zone of the campaign."""
    rows = [anna(f"7926000{n:04d}", ЧП=value) for n, value in enumerate([*signed, *offsets])]
    with pytest.raises(ListUnreadable, match="the column 'ЧП' holds time zones, see row"):
        plan_of(rows)
    assert plan_of([row | {"timezone": None} for row in rows]).people


@given(
    signed=st.lists(SIGNED, max_size=3),
    other=st.sampled_from(["7", "+15", "+7.5", "-100", "+79260000001", "a", "+7 штук", 7, 0.5, True]),
    after=st.lists(SIGNED, max_size=3),
)
def test_a_column_with_another_value_is_no_column_of_time_zones(
    signed: list[str], other: Any, after: list[str]
) -> None:
    rows = [anna(f"7926000{n:04d}", balance=value) for n, value in enumerate([*signed, other, *after])]
    assert len(plan_of(rows).people) == len(rows)
    zeros = [anna(balance=0), anna("79260000012", balance="0")]
    assert len(plan_of(zeros).people) == 2


def test_the_authors_external_id_may_be_empty_for_a_person() -> None:
    template = template_of({**CALL, "external_id": "{{ contact.order }}"})
    plan = plan_of([anna(order="o-1"), anna("79260000012", order="")], external_id="{{ contact.order }}")

    assert [template.own_external_id(person) for person in plan.people] == ["o-1", None]
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
        "call.external_id: holds the phone number; logs show ids unmasked"
    )


def test_the_first_attempt_has_the_authors_id_and_each_redial_a_numbered_one() -> None:
    ids = [external_id("a", "79260000011", attempt, "order 7") for attempt in (1, 2, 3)]
    assert ids == ["order 7", "order 7-2", "order 7-3"]


def test_ids_and_keys_hold_no_number_and_differ_between_campaigns_people_and_attempts() -> None:
    ids = {
        external_id(name, who, n) for name in "ab" for who in ("79260000011", "79260000012") for n in (1, 2)
    }
    assert len(ids) == 8
    assert not any("9260000" in one for one in ids)
    assert fingerprint("a", "79260000011") != fingerprint("b", "79260000011")


@settings(max_examples=40)
@given(numbers=st.lists(st.integers(0, 60), max_size=40), shards=st.integers(1, 6))
def test_shards_divide_a_list_without_gaps_or_overlaps(numbers: list[int], shards: int) -> None:
    """Each person is in one shard, even with several rows. Each bad row is reported by one shard."""
    rows = [anna(f"792600000{n:02d}") if n < 50 else {"phone": f"bad {n}"} for n in numbers]
    whole = plan_of(rows)
    parts = [plan_of(rows, shard=(which, shards)) for which in range(1, shards + 1)]

    assert sorted(p.contact for part in parts for p in part.people) == sorted(p.contact for p in whole.people)
    assert sorted(s.line for part in parts for s in part.invalid) == [s.line for s in whole.invalid]
    assert sum(len(part.duplicates) for part in parts) == len(whole.duplicates)


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "a/b", "1/2/3"])
def test_a_shard_is_written_as_its_number_and_the_number_of_shards(text: str) -> None:
    assert read_shard("2/4") == (2, 4)
    assert read_shard(None) == (1, 1)
    with pytest.raises(ValueError, match="shard"):
        read_shard(text)


@pytest.mark.parametrize("error", ["#N/A", "#ССЫЛКА!", "####"])
def test_a_failed_formula_is_neither_spoken_nor_taken_for_a_missing_time_zone(error: str) -> None:
    assert why(plan_of([anna(name=error)])).startswith("call.contact_message.value: a value is empty")
    assert why(plan_of([anna(timezone=error)])).startswith("timezone: ")
    assert len(plan_of([anna(name=error)], contact_message={"type": "tts", "value": "Hello"}).people) == 1


def test_a_row_of_failed_formulas_is_blank() -> None:
    plan = plan_of([anna(), {"phone": "#Н/Д", "name": "#ЗНАЧ!"}, "#N/A"])
    assert (len(plan.people), plan.rows, plan.invalid) == (1, 1, [])


@pytest.mark.parametrize("first", ["Europe/Moscow", "", None])
def test_a_person_whose_rows_name_different_time_zones_is_not_called(first: str | None) -> None:
    rows = [
        anna(timezone=first),
        anna(timezone="Asia/Vladivostok"),
        anna("79260000012", timezone="Asia/Omsk"),
    ]
    plan = plan_of(rows)
    assert [person.contact for person in plan.people] == ["79260000012"]
    assert [(skipped.line, skipped.why) for skipped in plan.invalid] == [
        (1, "timezone: row 2 names another time zone for the same number; write one zone")
    ]
    assert [duplicate.line for duplicate in plan.duplicates] == [2]


@pytest.mark.parametrize("second", ["Asia/Vladivostok", "", None, "Владивосток"])
def test_a_second_row_without_another_time_zone_is_only_a_duplicate(second: str | None) -> None:
    plan = plan_of([anna(timezone="Asia/Vladivostok"), anna(timezone=second)])
    (person,) = plan.people
    assert person.zone == "Asia/Vladivostok"
    assert not plan.invalid
