"""The objects that a start request names must exist in the account and be on, as far as its lists show."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from known_numbers import VNUMBER

from airflow_provider_callapi.api.account import (
    GetEmployees,
    GetMediaFiles,
    GetScenarios,
    GetSipLines,
    GetTags,
    GetVirtualNumbers,
)
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import AccessDenied, LimitExceeded, Unanswered
from airflow_provider_callapi.api.methods import (
    StartEmployeeCall,
    StartInformerCall,
    StartScenarioCall,
    StartSimpleCall,
)
from airflow_provider_callapi.calls.named_objects import (
    AccountLists,
    NamedObjects,
    fetch_account_lists,
    find_mistakes,
)

CONTACT = "79161234567"
NUMBERS = {"virtual_phone_number": VNUMBER, "contact": CONTACT}
MEDIA = {"type": "media", "value": "2034"}
ANNAS_PHONE = {"phone_number": "79260000001", "status": "active"}
EMPLOYEE = {"id": 25, "phone_numbers": [ANNAS_PHONE]}
LINE = {"phone_number": "sip25", "billing_state": "active", "status": "active", "employee_id": 25}
ANSWERS: dict[str, list[Any]] = {
    "virtual_numbers": [{"virtual_phone_number": VNUMBER, "status": "active"}],
    "scenarios": [{"id": 23456}],
    "employees": [EMPLOYEE],
    "media_files": [{"id": 2034}, {"id": 2701}],
    "tags": [{"id": 36}],
    "sip_lines": [LINE],
}
READERS: dict[str, Any] = {
    "virtual_numbers": GetVirtualNumbers,
    "scenarios": GetScenarios,
    "employees": GetEmployees,
    "media_files": GetMediaFiles,
    "tags": GetTags,
    "sip_lines": GetSipLines,
}
EVERYTHING = NamedObjects(
    virtual_numbers=frozenset({VNUMBER}),
    scenarios=frozenset({23456}),
    employees=frozenset({(25, None), (25, "79260000001")}),
    media_files=frozenset({"2034"}),
    tags=frozenset({36}),
    sip_lines=frozenset({"sip25"}),
)


def lists(**changes: Any) -> AccountLists:
    answers = {**ANSWERS, **changes}
    return AccountLists(**{name: READERS[name].read_answer(entries) for name, entries in answers.items()})


def mistakes(named: NamedObjects = EVERYTHING, **changes: Any) -> list[str]:
    return find_mistakes(named, lists(**changes))


# --- what requests name ---


@pytest.mark.parametrize(
    ("request_type", "values", "named"),
    [
        (StartInformerCall, {"contact_message": MEDIA}, {"media_files": {"2034"}}),
        (StartInformerCall, {"contact_message": {"type": "tts", "value": "2034"}}, {}),
        (
            StartScenarioCall,
            {"first_call": "contact", "scenario_id": 23456, "employee_message": MEDIA},
            {"scenarios": {23456}, "media_files": {"2034"}},
        ),
        (
            StartEmployeeCall,
            {"first_call": "contact", "employee": {"id": 25}, "media_file_id": 2701},
            {"employees": {(25, None)}, "media_files": {"2701"}},
        ),
        (
            StartSimpleCall,
            {"first_call": "contact", "operator": "79260000055", "operator_message": MEDIA},
            {"media_files": {"2034"}},
        ),
        (
            StartInformerCall,
            {"contact_message": MEDIA, "contact": "sip25"},
            {"media_files": {"2034"}, "sip_lines": {"sip25"}},
        ),
    ],
)
def test_a_request_names_the_objects_of_its_fields(request_type, values, named):
    request = request_type.from_values({**NUMBERS, **values})
    expected = {name: frozenset(ids) for name, ids in named.items()}
    assert NamedObjects.of([request], tags=[36]) == NamedObjects(
        virtual_numbers=frozenset({VNUMBER}), tags=frozenset({36}), **expected
    )


# --- mistakes ---


def test_the_check_of_a_complete_account_finds_no_mistake():
    assert mistakes() == []


@pytest.mark.parametrize(
    ("empty", "sentence"),
    [
        (
            "virtual_numbers",
            "The account has no virtual number 7499…0692: `airflow callapi numbers` lists its numbers.",
        ),
        ("scenarios", "The account has no scenario 23456."),
        ("employees", "The account has no employee 25."),
        ("media_files", "The account has no media file 2034."),
        ("tags", "The account has no tag 36."),
        ("sip_lines", "The account has no SIP line sip25."),
    ],
)
def test_the_check_names_an_object_that_the_account_lacks(empty, sentence):
    assert mistakes(**{empty: []}) == [sentence]


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        (
            {"virtual_numbers": [{"virtual_phone_number": VNUMBER, "status": "limit_lock"}]},
            ["The virtual number 7499…0692 is off (limit_lock)."],
        ),
        (
            {"sip_lines": [{**LINE, "billing_state": "manual_lock"}]},
            ["The SIP line sip25 is off (manual_lock)."],
        ),
        ({"sip_lines": [{**LINE, "status": "inactive"}]}, ["The SIP line sip25 is off (inactive)."]),
        (
            {
                "employees": [
                    {"id": 25, "phone_numbers": [{"phone_number": "79260000001", "status": "inactive"}]}
                ]
            },
            ["The telephone 7926…0001 of employee 25 does not exist or is off."],
        ),
    ],
)
def test_the_check_names_an_object_that_is_switched_off(changes, sentences):
    assert mistakes(**changes) == sentences


def test_the_check_names_an_employee_without_an_active_telephone():
    employee = {"id": 25, "phone_numbers": [], "extension": {"extension_phone_number": "125"}}
    named = NamedObjects(employees=frozenset({(25, None), (25, "125")}))
    sentence = "Employee 25 has no telephone that is switched on."

    assert mistakes(named, employees=[employee], sip_lines=[]) == [sentence]
    assert mistakes(named, employees=[employee]) == []


def test_a_number_that_is_listed_twice_is_on_if_one_entry_is_active():
    entries = [
        {"virtual_phone_number": VNUMBER, "status": "cleaning"},
        {"virtual_phone_number": VNUMBER, "status": "active"},
    ]
    assert mistakes(virtual_numbers=entries) == []


def test_an_employees_number_may_have_an_extension_of_another_company():
    employee = {"id": 25, "phone_numbers": [{"phone_number": "74955140578...2345", "status": "active"}]}
    named = NamedObjects(employees=frozenset({(25, "74955140578")}))
    assert mistakes(named, employees=[employee]) == []


@given(st.sampled_from(sorted(ANSWERS)), st.sampled_from([None, 5, "x", [], {}, {"id": None}]))
def test_an_entry_that_cannot_be_read_proves_no_absence(name, entry):
    assert mistakes(**{name: [entry]}) == []


KNOWN_OFF = {"waiting", "cleaning", "prereserved", "reserved", "manual_lock", "limit_lock", "inactive"}


@given(st.sampled_from(["virtual_numbers", "sip_lines"]), st.text(max_size=12) | st.none())
def test_an_unknown_status_does_not_count_as_off(name, status):
    assume(status not in KNOWN_OFF)
    (entry,) = ANSWERS[name]
    assert mistakes(**{name: [{**entry, "status": status}]}) == []


def test_a_list_that_was_not_read_proves_nothing():
    assert find_mistakes(EVERYTHING, AccountLists()) == []


# --- reading ---


def test_only_the_needed_lists_are_read():
    sent = []

    def call(request):
        sent.append(request.method)
        return Entries()

    fetch_account_lists(call, NamedObjects(virtual_numbers=frozenset({VNUMBER}), tags=frozenset({36})))
    assert sent == ["get.virtual_numbers", "get.tags"]


def test_a_refused_list_is_reported_and_does_not_hide_the_other_lists():
    def call(request):
        if request.method == "get.employees":
            raise AccessDenied("Permission denied", method=request.method)
        return Entries()

    found = fetch_account_lists(call, EVERYTHING)

    assert found.employees is None
    assert found.scenarios == []
    (sentence,) = found.unread
    assert sentence.startswith("The account's employees were not checked: ")


@pytest.mark.parametrize(
    "error", [Unanswered("timeout"), LimitExceeded("points", code=-32029, mnemonic="limit_exceeded")]
)
def test_a_data_api_that_does_not_answer_is_asked_once(error):
    sent = []

    def call(request):
        sent.append(request.method)
        raise error

    found = fetch_account_lists(call, EVERYTHING)

    assert len(sent) == 1
    assert len(found.unread) == 6
    assert find_mistakes(EVERYTHING, found) == []
