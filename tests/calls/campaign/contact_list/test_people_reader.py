"""From rows to people: one person a number. The error of a bad row names its field."""

from __future__ import annotations

from typing import Any

import pytest
from contact_rows import anna, plan_of, why
from hypothesis import given, settings
from hypothesis import strategies as st
from spelled_numbers import PHONES_AS_SIP, SIP_NUMBERS, in_any_case

from airflow_provider_callapi.calls.campaign.attempt_ids import external_id, fingerprint
from airflow_provider_callapi.calls.campaign.contact_list.shard import Shard
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable


@pytest.mark.parametrize("text", ["8 926 000-00-11", "+7 (926) 000 00 11", "79260000011", " 89260000011 "])
def test_every_spelling_of_a_number_is_the_same_person(text: str) -> None:
    plan = plan_of([anna(), anna(text)])
    assert [person.contact for person in plan.people] == ["79260000011"]
    assert len(plan.duplicates) == 1


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
    shards = [plan_of([anna(text)], shard=Shard(1, 2)).people != [] for text in (sip, other)]
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
    assert person.key == plan_of([anna(number)]).people[0].key, "later lists have the same person"
    assert [duplicate.why for duplicate in plan.duplicates] == ["the number of row 1"] * 2
    assert sum(len(plan_of(rows, shard=Shard(which, 2)).people) for which in (1, 2)) == 1
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


def test_a_valid_row_of_a_person_is_called_after_an_invalid_row_of_the_same_person() -> None:
    plan = plan_of([{"phone": "79260000011"}, anna()])
    assert [person.line for person in plan.people] == [2]
    assert (len(plan.invalid), plan.duplicates) == (1, [])


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


def test_a_flag_that_the_whole_list_shows_protects_the_person_in_every_row() -> None:
    rows = [
        anna(accepts_calls=None),
        anna(accepts_calls="no", second="8 926 000-00-13"),
        anna("79260000012", accepts_calls="no"),
        anna("79260000013", accepts_calls="yes"),
        anna("79260000014", accepts_calls="yes"),
        anna("x", accepts_calls="no", second="79260000015"),
        anna("79260000015", accepts_calls=None),
    ]
    plan = plan_of(rows)
    assert [person.contact for person in plan.people] == ["79260000014"]
    assert [skipped.line for skipped in plan.invalid] == [6, 3, 1, 4, 7]
    assert "column 'accepts_calls': the row seems to forbid the call" in plan.invalid[1].why
    assert plan.invalid[2].why == "row 2 with the same number seems to forbid the call"
    with_counts = plan_of([*rows, anna("79260000016", accepts_calls=3)])
    assert len(with_counts.people) == 6, "the column is no flag"


def test_a_number_without_plus_beside_another_country_is_invalid() -> None:
    column = "Country/Region"
    rows = [
        anna("9162345600", **{column: "United States"}),
        anna("+1 916 234-56-01", **{column: "United States"}),
        anna("9162345602", **{column: "Russia"}),
        anna("9162345603", **{column: None}),
    ]
    plan = plan_of(rows)
    assert [person.contact for person in plan.people] == ["19162345601", "79162345602", "79162345603"]
    assert [skipped.line for skipped in plan.invalid] == [1]
    assert "column 'Country/Region': not the country of the region RU" in plan.invalid[0].why
    others = [anna(f"791623457{n:02}", **{column: "Moscow"}) for n in range(3)]
    assert not plan_of([*rows, *others]).invalid, "most values are no countries"


@pytest.mark.parametrize("first", [True, False])
def test_one_row_that_forbids_the_call_protects_the_person_in_every_row(first: bool) -> None:
    rows = [
        anna(**{"do not call": "yes" if first else None}),
        anna(**{"do not call": None if first else "x"}),
    ]
    plan = plan_of([*rows, anna("79260000012", **{"do not call": "no"})])
    assert [person.contact for person in plan.people] == ["79260000012"]
    assert all("forbid" in skipped.why for skipped in plan.invalid)
    assert {skipped.line for skipped in plan.invalid} == {1, 2}


UNREAD = ["моб. 79260000011", "8 926 000-00-11 доб. 5", "79260000011, 79260000019", "79260000011 ч/б", "x"]
"""Cells from which no number is called. All but the last contain the number of Anna."""


@pytest.mark.parametrize("cell", UNREAD)
@pytest.mark.parametrize("column", ["phone", "phone2", "comment"])
def test_a_row_that_forbids_the_call_protects_each_number_in_it(cell: str, column: str) -> None:
    other = {"phone": "79260000012" if column == "comment" else None, "phone2": None, "comment": None}
    banned = {**other, column: cell, "do not call": "yes"}
    for rows in ([anna(), banned], [banned, anna()]):
        plan = plan_of(rows)
        assert [person.contact for person in plan.people] == (["79260000011"] if cell == "x" else [])


@pytest.mark.parametrize("cell", UNREAD)
def test_the_time_zone_of_a_row_whose_number_is_not_called_contradicts_that_of_another_row(cell: str) -> None:
    plan = plan_of([anna(timezone="Europe/Moscow"), anna(cell, timezone="Asia/Vladivostok")])
    assert len(plan.people) == (cell == "x")
    assert len(plan.invalid) == 2 - (cell == "x")


def test_a_person_with_two_reasons_against_the_call_is_one_invalid_row() -> None:
    zones = ("Asia/Omsk", "Europe/Moscow")
    rows = [anna(timezone=zone, **{"do not call": None}) for zone in zones]
    plan = plan_of([*rows, anna(timezone=zones[0], **{"do not call": "yes"})])
    assert not plan.people
    assert sorted(skipped.line for skipped in plan.invalid) == [1, 3]


@pytest.mark.parametrize(
    "text", ["Hello", "Hello {{ params.ext }} {{ contact.name }}", "{{ 'ext' ~ contact.name }}"]
)
def test_an_extension_is_refused_if_the_call_does_not_use_it(text: str) -> None:
    message = {"type": "tts", "value": text}
    assert "extension" in why(plan_of([anna(ext="12")], contact_message=message))


@pytest.mark.parametrize(
    "use",
    [
        "{{ contact.ext }}",
        "{{ contact['ext'] }}",
        "{{ contact.get('ext') }}",
        "{% set row = contact %}{{ row.Ext }}",
    ],
)
def test_an_extension_that_the_call_uses_is_somebody_elses(use: str) -> None:
    message = {"type": "tts", "value": f"Hello, your extension is {use}"}
    assert len(plan_of([anna(ext="12")], contact_message=message).people) == 1


def test_a_column_with_another_country_makes_only_a_number_without_a_plus_invalid() -> None:
    assert "the country of the region RU" in why(plan_of([anna("9123456789", country="UA")]))
    assert len(plan_of([anna("+79123456789", country="UA")]).people) == 1
    assert len(plan_of([anna("9123456789", country="RU")]).people) == 1
    assert len(plan_of([anna("sip25@example.com", country="UA")]).people) == 1
    template = "+{{ contact.country }}{{ contact.phone }}"
    assert plan_of([anna("501234567", country="380")], contact=template).people[0].contact == "380501234567"


def test_a_text_that_the_call_speaks_is_no_objection() -> None:
    message = {"type": "tts", "value": "Hello. {{ contact.note }}"}
    assert len(plan_of([anna(note="do not call")], contact_message=message).people) == 1
    assert "forbid" in why(plan_of([anna(note="do not call")]))


def test_a_person_on_the_do_not_call_list_of_an_earlier_campaign_is_not_called() -> None:
    results = [anna(call_result="answered"), anna("79260000012", call_result="do_not_call")]
    plan = plan_of(results)
    assert [person.line for person in plan.people] == [1]
    assert "call_result" in plan.invalid[0].why


@pytest.mark.parametrize("error", ["#N/A", "#ССЫЛКА!", "####"])
def test_a_failed_formula_is_neither_spoken_nor_taken_for_a_missing_time_zone(error: str) -> None:
    assert why(plan_of([anna(name=error)])).startswith(
        "call.contact_message.value: the template uses an empty value"
    )
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


def test_a_second_row_with_an_unreadable_time_zone_is_a_duplicate_also_without_a_column_phone() -> None:
    rows = [{"mobile": "79260000011", "name": "Anna", "timezone": zone} for zone in ("Asia/Omsk", "Омск")]
    plan = plan_of(rows, contact="{{ contact.mobile }}")
    assert (len(plan.people), len(plan.duplicates), plan.invalid) == (1, 1, [])


@pytest.mark.parametrize("empty", ["", None])
@pytest.mark.parametrize(
    "other",
    [
        {"name": None, "timezone": "Asia/Vladivostok"},
        {"name": "Anna", "timezone": "Владивосток"},
        {"name": "Anna", "timezone": "#REF!"},
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_the_time_zone_of_an_invalid_row_or_a_duplicate_is_not_ignored(other, empty, order) -> None:
    """The campaign's own time zone could let the person be rung at night."""
    rows = [anna("+7 926 000-00-11") | other, anna(timezone=empty)][::order]
    plan = plan_of([*rows, anna("79260000012")])

    assert [person.contact for person in plan.people] == ["79260000012"]
    assert any("names another time zone" in skipped.why for skipped in plan.invalid)


def test_an_invalid_row_with_the_same_time_zone_changes_nothing() -> None:
    plan = plan_of([anna(name=None, timezone="MSK"), anna(), anna("79260000012", name=None, timezone="x")])

    assert [person.contact for person in plan.people] == ["79260000011"]
    assert [skipped.line for skipped in plan.invalid] == [1, 3]


@pytest.mark.parametrize(
    "heading",
    [
        {"phone": "phone", "name": "name", "city": "timezone"},
        {"phone": "Phone ", "name": "City", "city": "Name"},
        {"phone": "Телефон", "name": "Имя", "city": "Часовой пояс"},
        {"phone": "tz", "name": "mobile", "city": "name"},
    ],
)
def test_a_second_heading_with_other_columns_is_refused(heading: dict[str, str]) -> None:
    """The rows behind it would be read by the wrong names: +7 in the column city is a time zone."""
    rows = [anna(city="Omsk"), heading, anna("79260000012", city="+7")]
    with pytest.raises(ListUnreadable, match="row 2: other names of columns than in the first line"):
        plan_of(rows)


@pytest.mark.parametrize("row", [anna("phone", name="Name", city="CITY"), anna("no phone", name="Fritz")])
def test_a_repeated_heading_or_a_row_without_a_number_is_only_invalid(row: dict[str, str]) -> None:
    plan = plan_of([anna(city="Omsk"), row])
    assert (len(plan.people), len(plan.invalid)) == (1, 1)


def test_a_float_that_yaml_makes_of_a_rounded_number_makes_the_row_invalid() -> None:
    plan = plan_of([anna(), {"phone": 7.926e10, "name": "Boris"}])

    assert [person.contact for person in plan.people] == ["79260000011"]
    assert "its last digits may be lost" in plan.invalid[0].why
