"""Lists whose numbers a program has rounded: found by zeros at the end, and by the form of 32-bit floats."""

from __future__ import annotations

import struct

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from known_numbers import VNUMBER

from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.people_reader import read_people
from airflow_provider_callapi.calls.lists.excluded_numbers import ExcludedNumbers
from airflow_provider_callapi.calls.lists.rounded_numbers import (
    RoundedNumbers,
    SinglePrecision,
    has_lost_digits,
)
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

CALL = {
    "method": "start.informer_call",
    "virtual_phone_number": VNUMBER,
    "contact_message": {"type": "tts", "value": "Hello"},
}


def rounded_lines(texts: list[str]) -> list[int]:
    rounded = RoundedNumbers()
    for line, text in enumerate(texts, start=1):
        rounded.add(text, line)
    return rounded.lines()


@settings(max_examples=100)
@given(
    st.lists(st.integers(79_000_000_000, 79_989_999_999), min_size=2, max_size=30),
    st.sampled_from(["{}", "{}.0", " {} ", "{},00"]),
)
def test_the_numbers_of_a_rounded_list_call_and_protect_no_one(numbers: list[int], form: str) -> None:
    short = [f"{number:.5E}" for number in numbers]  # 79261234567 becomes 7.92612E+10
    if len(set(short)) < 2:
        return
    rows = [{"phone": form.format(int(float(text)))} for text in short]
    template = CallTemplate(CALL, region="RU")
    with pytest.raises(ListUnreadable, match=r"many numbers end in 00000.*original workbook"):
        read_people(rows, template, key_of=str, timezone="Europe/Moscow")
    excluded = ExcludedNumbers("RU")
    for line, row in enumerate(rows, start=1):
        list(excluded.read(line, row))
    assert list(excluded.unreadable()) == list(range(1, len(rows) + 1))


def as_float32(number: int) -> float:
    value: float = struct.unpack("f", struct.pack("f", number))[0]
    return value


@settings(max_examples=100)
@example(numbers=[79_000_100_000, 79_300_063_232], form="{:.0f}")  # the second is no phone number
@given(
    numbers=st.lists(
        st.integers(79_000_100_000, 79_989_900_000), min_size=2, max_size=30, unique_by=lambda n: n // 100_000
    ),
    form=st.sampled_from(["{:.0f}", "{:.1f}", " {:.0f}.0 "]),
)
def test_the_numbers_of_a_list_of_32_bit_floats_call_and_protect_no_one(
    numbers: list[int], form: str
) -> None:
    assume(all(as_float32(number) % 100_000 for number in numbers))  # else it is refused for its zeros alone
    rows = [{"phone": form.format(as_float32(number))} for number in numbers]
    with pytest.raises(ListUnreadable, match="32-bit floats"):
        read_people(rows, CallTemplate(CALL, region="RU"), key_of=str, timezone="Europe/Moscow")
    excluded = ExcludedNumbers("RU")
    for line, row in enumerate(rows, start=1):
        list(excluded.read(line, row))
    assert list(excluded.unreadable()) == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("digits", [7, 8])
def test_the_first_digits_of_32_bit_floats_are_found_too(digits: int) -> None:
    numbers = (79_261_234_567, 79_165_551_234, 79_031_112_233)
    texts = [str(float(f"{as_float32(number):.{digits - 1}e}")) for number in numbers]
    assert rounded_lines(texts) == [1, 2, 3]


@settings(max_examples=100)
@given(st.lists(st.integers(79_000_000_000, 79_989_999_999), min_size=2, max_size=30, unique=True))
def test_a_list_of_which_32_bit_floats_could_not_store_half_is_accepted(numbers: list[int]) -> None:
    exact = [number for number in numbers if as_float32(number) == number or number % 1000 == 0]
    if len(exact) * 2 <= len(numbers):
        others = [str(number) for number in numbers if number % 100_000]
        assert rounded_lines(others) == []


NATIONAL_MOBILES = {
    "ES": (600_000_000, 749_999_999),
    "FR": (600_000_000, 799_999_999),
    "PL": (500_000_000, 899_999_999),
    "CZ": (601_000_000, 779_999_999),
    "UZ": (901_000_000, 999_999_999),
    "BY": (255_000_000, 449_999_999),
    "US": (2_012_000_000, 9_899_999_999),
    "NO": (40_000_000, 99_999_999),
}
"""Country → the lowest and the highest mobile number without the country code."""


@settings(max_examples=100)
@given(data=st.data(), country=st.sampled_from(sorted(NATIONAL_MOBILES)))
def test_32_bit_floats_without_a_country_code_are_found_in_a_list_of_ten(data, country) -> None:
    numbers = st.integers(*NATIONAL_MOBILES[country])
    given_numbers = data.draw(st.lists(numbers, min_size=10, max_size=20, unique_by=lambda n: n // 1_000))
    floats = [str(as_float32(number)) for number in given_numbers]
    assert rounded_lines(floats) == list(range(1, len(floats) + 1))


@settings(max_examples=200)
@given(
    data=st.data(), country=st.sampled_from(sorted(NATIONAL_MOBILES)), form=st.sampled_from(["{}", "{}.0"])
)
def test_a_list_of_which_half_is_no_32_bit_float_is_accepted_in_every_country(data, country, form) -> None:
    numbers = data.draw(st.lists(st.integers(*NATIONAL_MOBILES[country]), min_size=1, max_size=30))
    kept = [number for number in numbers if as_float32(number) != number and number % 10]
    assert rounded_lines([form.format(number) for number in (*kept, *kept[:1], *numbers[: len(kept)])]) == []


def test_main_lines_that_a_data_frame_has_made_floats_are_accepted() -> None:
    assert rounded_lines([f"9{number}00.0" for number in range(123_451, 123_499, 7)]) == []


@pytest.mark.parametrize("form", ["{}", "{}.0"])
def test_small_numbers_that_a_32_bit_float_can_store_are_accepted(form: str) -> None:
    assert rounded_lines([form.format(number) for number in range(20_000_000, 20_000_040, 2)]) == []


@pytest.mark.parametrize(
    "texts",
    [
        ["79261200000"],
        ["79261200000", "79261200000"],
        ["+79261200000", "8 800 500-00-00", "8 (495) 500 00 00"],
        [*("79261200000", "88005000000"), *map(str, range(79_260_000_001, 79_260_000_031))],
        ["79260000001", "79260000010", "sip00000@example.com", "100000", ""],
    ],
)
def test_a_few_numbers_that_end_in_zeros_are_accepted(texts: list[str]) -> None:
    assert rounded_lines(texts) == []


def test_one_number_of_ten_that_ends_in_zeros_is_no_chance() -> None:
    right = [str(79_260_000_001 + index) for index in range(15)]
    assert rounded_lines(["79261200000", *right, "79161300000"]) == [1, 17]


@settings(max_examples=100)
@given(
    numbers=st.lists(
        st.integers(79_000_100_000, 79_989_900_000), min_size=2, max_size=30, unique_by=lambda n: n // 100_000
    ),
    digits=st.sampled_from([7, 8]),
    contact=st.sampled_from(
        [
            "{{ contact.phone }}",
            "+{{ contact.phone }}",
            "+{{ contact.phone | int }}",
            "{{ contact['Phone'] }}",
        ]
    ),
)
def test_a_float_counts_as_the_text_with_its_fraction_whatever_the_template_makes_of_it(
    numbers: list[int], digits: int, contact: str
) -> None:
    floats = [float(f"{as_float32(number):.{digits - 1}e}") for number in numbers]
    assume(len(set(floats)) > 1 and all(value % 100_000 for value in floats))
    name = "Phone" if "Phone" in contact else "phone"
    with pytest.raises(ListUnreadable, match="32-bit floats"):
        read_people(
            [{"debt": 79_001_234_567.0, name: value} for value in floats],
            CallTemplate({**CALL, "contact": contact}, region="RU"),
            key_of=str,
            timezone="Europe/Moscow",
        )


@settings(max_examples=100)
@given(st.integers(79_000_000_000, 79_989_999_999), st.sampled_from(["", "+", "{{ contact.name }}"]))
def test_one_number_of_a_column_of_single_precision_calls_and_protects_no_one(
    number: int, before: str
) -> None:
    row = {"name": "", "phone": SinglePrecision(as_float32(number)), "debt": SinglePrecision(12.5)}
    template = CallTemplate({**CALL, "contact": before + "{{ contact.phone }}"}, region="RU")
    with pytest.raises(ListUnreadable, match=r"the column 'phone' has 32-bit floats.*cast"):
        read_people([row], template, key_of=str, timezone="Europe/Moscow")
    with pytest.raises(ListUnreadable, match=r"the column 'phone' has 32-bit floats.*cast"):
        list(ExcludedNumbers("RU").read(1, row))


@pytest.mark.parametrize("inside", [lambda value: {"mobile": value}, lambda value: [{"mobile": value}]])
def test_a_number_inside_a_cell_is_judged_too(inside) -> None:
    path = "contact.data.mobile" if isinstance(inside(0), dict) else "contact.data[0].mobile"
    template = CallTemplate({**CALL, "contact": f"{{{{ {path} | int }}}}"}, region="RU")
    floats = [as_float32(number) for number in (79_161_234_567, 79_031_112_233, 79_265_551_234)]
    for cells, message in (
        (floats, "many numbers end in 00000, or are 32-bit floats"),
        ([SinglePrecision(floats[0])], "the column 'data' has 32-bit floats"),
    ):
        rows = [{"data": inside(cell)} for cell in cells]
        with pytest.raises(ListUnreadable, match=message):
            read_people(rows, template, key_of=str, timezone="Europe/Moscow")


@pytest.mark.parametrize("numbers", [(79_161_234_567,), (79_161_234_567, 79_031_112_233)])
@pytest.mark.parametrize("name", ["phone", "WhatsApp"])
def test_rounded_numbers_in_any_column_of_a_do_not_call_list_are_unreadable(numbers, name) -> None:
    floats = [as_float32(number) for number in numbers]
    cells: list[list[object]] = [
        [[SinglePrecision(value)] for value in floats],
        [*map(SinglePrecision, floats)],
    ]
    if len(floats) > 1:
        cells += [list(floats), [str(int(value)) for value in floats]]
    for column in cells:
        excluded = ExcludedNumbers("RU")
        rows = [{"phone": "+79260000001", name: cell} for cell in column]
        if name == "phone" and any(map(has_lost_digits, column)):
            with pytest.raises(ListUnreadable, match="the column 'phone' has 32-bit floats"):
                list(excluded.read(1, rows[0]))
            continue
        for line, row in enumerate(rows, start=1):
            list(excluded.read(line, row))
        assert list(excluded.unreadable()) == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([SinglePrecision(79_161_240_064.0)], r"the column 'manager' has 32-bit floats"),
        ([as_float32(79_161_234_567), as_float32(79_031_112_233)], r"column 'manager': many numbers end in"),
        (["79161200000", "79031100000"], r"column 'manager': many numbers end in 00000"),
    ],
)
@pytest.mark.parametrize("field", ["operator", "employee"])
def test_the_numbers_of_operators_and_employees_are_judged_too(cells, message, field) -> None:
    number = "{{ contact.manager }}"
    others = {"operator": {"operator": number}, "employee": {"employee": {"phone_number": number, "id": 1}}}
    methods = {"operator": "start.simple_call", "employee": "start.employee_call"}
    call = {"method": methods[field], "virtual_phone_number": VNUMBER, **others[field]}
    rows = [
        {"phone": str(79_260_000_011 + index), "manager": cell, "debt": cell}
        for index, cell in enumerate(cells)
    ]
    with pytest.raises(ListUnreadable, match=message):
        read_people(rows, CallTemplate(call, region="RU"), key_of=str, timezone="Europe/Moscow")


def test_a_column_of_single_precision_that_holds_no_phone_number_is_accepted() -> None:
    row = {"phone": "79260000011", "debt": SinglePrecision(79_161_240_000.0)}
    plan = read_people([row], CallTemplate(CALL, region="RU"), key_of=str, timezone="Europe/Moscow")
    assert [person.contact for person in plan.people] == ["79260000011"]
    assert "79260000011" in set(ExcludedNumbers("RU").read(1, row))
