"""The account's lists: tolerant entries, and pages until the last one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_numbers import VNUMBER

from airflow_provider_callapi.api.account import (
    ACCOUNT_METHODS,
    GetAccount,
    GetEmployees,
    GetSipLines,
    GetVirtualNumbers,
)
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.list_request import fetch_list
from airflow_provider_callapi.api.request import Repeat

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("id", "virtual_phone_number", "phone_number", "phone_numbers", "status", "extension", "timezone")
ANY_ENTRY = ANY_JSON | st.dictionaries(st.sampled_from(FIELDS), ANY_JSON)
LISTS = [method for method in ACCOUNT_METHODS if method != "get.account"]


@pytest.mark.parametrize("method", ACCOUNT_METHODS)
def test_a_request_about_the_account_may_be_repeated(method):
    assert ACCOUNT_METHODS[method].repeat is Repeat.SAFE


@pytest.mark.parametrize("method", LISTS)
@given(entries=st.lists(ANY_ENTRY, max_size=4))
def test_an_entry_of_any_form_raises_no_error_and_is_counted(method: str, entries: list[Any]) -> None:
    read = ACCOUNT_METHODS[method].read_answer(entries)
    assert read.sent == len(entries)
    assert read.complete == (len(read) == len(entries))


@given(answer=st.dictionaries(st.sampled_from(FIELDS), ANY_JSON) | st.lists(ANY_ENTRY, max_size=2))
def test_an_account_of_any_form_is_read(answer: Any) -> None:
    assert isinstance(GetAccount.read_answer(answer).timezone, str | None)


def test_the_account_is_the_one_entry_of_a_list():
    account = GetAccount.read_answer([{"app_id": 5, "name": "Demo", "timezone": "Asia/Yekaterinburg"}])
    assert (account.app_id, account.name, account.timezone) == (5, "Demo", "Asia/Yekaterinburg")


def test_readable_fields_survive_an_unreadable_neighbour():
    (number,) = GetVirtualNumbers.read_answer(
        [{"id": "x", "virtual_phone_number": 74993720692, "status": ["active"], "name": "Shop", "new": 1}]
    )
    assert (number.id, number.virtual_phone_number) == (None, VNUMBER)
    assert (number.status, number.name) == (None, "Shop")


def test_an_employees_telephones_may_be_one_object():
    phone = {"phone_number": "79260000001", "status": "active"}
    (employee,) = GetEmployees.read_answer([{"id": 25, "phone_numbers": phone, "extension": ""}])
    assert employee.phone_numbers is not None
    assert [each.phone_number for each in employee.phone_numbers] == ["79260000001"]
    assert employee.extension is None


@pytest.mark.parametrize("phones", [["79260000001"], [None], "79260000001", 5])
def test_the_telephones_of_an_employee_are_unknown_if_one_of_them_cannot_be_read(phones):
    (employee,) = GetEmployees.read_answer([{"id": 25, "phone_numbers": phones}])
    assert employee.phone_numbers is None


@pytest.mark.parametrize("request_type", [GetVirtualNumbers, GetEmployees, GetSipLines])
def test_no_number_is_in_a_representation(request_type):
    entry = {
        "virtual_phone_number": VNUMBER,
        "phone_number": VNUMBER,
        "phone_numbers": [{"phone_number": VNUMBER}],
        "extension": {"extension_phone_number": VNUMBER},
    }
    known = {name: value for name, value in entry.items() if name in _fields_of(request_type)}
    assert known
    known["id"] = 1
    assert VNUMBER not in repr(request_type.read_answer([known]))


def _fields_of(request_type: Any) -> set[str]:
    return set(request_type.entry_type.model_fields)


@pytest.mark.parametrize(("entries", "requests"), [(0, 1), (999, 1), (1000, 2), (2500, 3)])
def test_a_list_is_read_to_its_last_page(entries, requests):
    sent = []

    def call(request):
        sent.append(request.params)
        start = request.offset or 0
        return Entries(list(range(entries))[start : start + request.limit])

    found = fetch_list(call, GetEmployees())

    assert found == list(range(entries))
    assert found.complete
    assert len(sent) == requests


def test_entries_that_cannot_be_read_count_for_the_length_of_a_page():
    pages = [Entries([0] * 998, left_out=1, left_out_ids=[5]), Entries([1], left_out=2)]

    found = fetch_list(lambda request: pages.pop(0), GetEmployees())

    assert (len(found), found.left_out, found.left_out_ids) == (999, 3, [5])


def test_a_list_without_an_end_is_not_complete():
    found = fetch_list(lambda request: Entries([0] * request.limit), GetEmployees())
    assert not found.complete
