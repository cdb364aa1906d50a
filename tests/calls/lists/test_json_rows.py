"""JSON Lines: a rounded number stays recognisable, and all other values stay as JSON defines them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.lists.excluded_numbers import ExcludedNumbers
from airflow_provider_callapi.calls.lists.json_rows import read_json_lines
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import ROUNDED, NotANumber
from airflow_provider_callapi.calls.phone_numbers.strict import read_contact
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

DIGITS = st.text("0123456789", min_size=1, max_size=5)


@st.composite
def rounded_numbers(draw: st.DrawFn) -> str:
    """Return a JSON number with an exponent that has the length of a Russian phone number."""
    first, more = draw(st.integers(1, 9)), draw(DIGITS)
    fraction = draw(st.sampled_from([f".{more}", ""]))
    return f"{first}{fraction}{draw(st.sampled_from(['e', 'E', 'e+', 'E+']))}10"


def rows(*lines: str) -> list[Any]:
    return list(read_json_lines(lines))


@given(rounded_numbers())
def test_a_rounded_number_is_refused_in_a_list_of_contacts(literal: str) -> None:
    for text in (rows(literal)[0], rows(f'{{"phone": {literal}}}')[0]["phone"]):
        assert text == literal
        with pytest.raises(NotANumber) as refusal:
            read_contact(text, "RU")
        assert str(refusal.value) == ROUNDED


@given(rounded_numbers())
def test_a_rounded_number_is_an_unreadable_entry_of_a_do_not_call_list(literal: str) -> None:
    lines = [literal, f'{{"phone": {literal}}}', f'{{"phone": "79260000001", "mobile": {literal}}}']
    excluded = ExcludedNumbers("RU")
    numbers = {number for line, row in enumerate(rows(*lines)) for number in excluded.read(line, row)}

    assert numbers == {"79260000001"}
    assert excluded.unreadable() == dict.fromkeys(range(3), ROUNDED)


@given(st.recursive(st.from_regex(r"-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,6})?", fullmatch=True), st.lists))
def test_a_number_without_an_exponent_is_read_as_before(literals: Any) -> None:
    line = json.dumps({"value": literals}).replace('"', "").replace("value", '"value"')

    assert rows(line) == [json.loads(line)]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("79260000001.0", "79260000001.0"),
        ('{"phone": 79260000001.0}', {"phone": 79260000001.0}),
        ('{"phone": "79260000001", "price": 12.5}', {"phone": "79260000001", "price": 12.5}),
        ('{"phone": 79260000001, "price": NaN}', {"phone": 79260000001, "price": None}),
        ('{"prices": [1e3, {"least": -2.5E-1}]}', {"prices": ["1e3", {"least": "-2.5E-1"}]}),
    ],
)
def test_only_a_number_with_an_exponent_keeps_its_written_text(line: str, row: Any) -> None:
    assert rows(line) == [row]


@pytest.mark.parametrize("line", ['[{"phone": "79260000001"}]', '["79260000001", "79260000002"]', "[]"])
def test_the_error_of_a_json_array_tells_how_to_write_the_file(line: str) -> None:
    with pytest.raises(ListUnreadable, match="line 1: a JSON array; write each row as an object on a line"):
        rows(line)
