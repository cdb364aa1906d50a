"""An ``external_id`` shows the number of no person in the call."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.methods import StartCall, StartEmployeeCall, StartSimpleCall
from airflow_provider_callapi.calls.phone_numbers.request_numbers import shows_number

CONTACT, OTHER, VIRTUAL = "79160000001", "79260000002", "74993720692"
BASE: dict[str, Any] = {"virtual_phone_number": VIRTUAL, "contact": CONTACT, "first_call": "contact"}
numbers = st.sampled_from([CONTACT, OTHER, OTHER[1:], f"8 ({OTHER[1:4]}) {OTHER[4:7]}-{OTHER[7:]}"])


def calls(external_id: str | None) -> list[StartCall]:
    return [
        StartSimpleCall.from_values({**BASE, "operator": OTHER, "external_id": external_id}),
        StartEmployeeCall.from_values(
            {**BASE, "employee": {"id": 25, "phone_number": OTHER}, "external_id": external_id}
        ),
    ]


@given(numbers, st.sampled_from(["", "order ", "№"]), st.sampled_from(["", "/1", " x"]))
def test_an_id_with_the_number_of_the_contact_the_operator_or_the_employee_shows_it(
    number: str, before: str, after: str
) -> None:
    assert all(map(shows_number, calls(f"{before}{number}{after}")))


@pytest.mark.parametrize("external_id", [None, "order-7", VIRTUAL, "79990000003"])
def test_any_other_id_shows_no_number_of_a_person(external_id: Any) -> None:
    assert not any(map(shows_number, calls(external_id)))


def test_an_employee_without_a_number_shows_none() -> None:
    call = StartEmployeeCall.from_values({**BASE, "employee": {"id": 25}, "external_id": OTHER})

    assert not shows_number(call)
