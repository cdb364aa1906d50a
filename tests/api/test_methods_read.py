"""`read` of a request: the door for text that a template renders."""

from __future__ import annotations

from typing import Any

import pytest
from known_numbers import VNUMBER
from least_requests import LEAST, refused_field

from airflow_provider_callapi.api.methods import (
    METHODS,
    Employee,
    ListCalls,
    Message,
    StartEmployeeCall,
    StartSimpleCall,
)


def test_read_converts_what_a_template_renders() -> None:
    request = StartEmployeeCall.from_values(
        {
            "first_call": "employee",
            "virtual_phone_number": 74993720692,
            "contact": "+7 926 000-00-00",
            "employee": {"id": "25", "phone_number": 79260000001},
            "switch_at_once": "true",
            "early_switching": "False",
            "media_file_id": "2701",
            "show_virtual_phone_number": "false",
            "external_id": 334,
            "contact_message": {"type": "media", "value": 2034},
        }
    )
    assert request.params == {
        "first_call": "employee",
        "virtual_phone_number": VNUMBER,
        "contact": "79260000000",
        "employee": {"id": 25, "phone_number": "79260000001"},
        "switch_at_once": True,
        "early_switching": False,
        "media_file_id": 2701,
        "show_virtual_phone_number": False,
        "external_id": "334",
        "direction": "out",
        "contact_message": {"type": "media", "value": "2034"},
    }


def test_read_takes_nested_objects_as_well_as_mappings() -> None:
    request = StartEmployeeCall.from_values(
        {
            **LEAST["start.employee_call"],
            "employee": Employee(id=25),
            "contact_message": Message(type="tts", value="x"),
        }
    )
    assert request.params["employee"] == {"id": 25}
    assert request.params["contact_message"] == {"type": "tts", "value": "x"}


def test_read_omits_a_nested_none() -> None:
    values = {**LEAST["start.employee_call"], "employee": {"id": 25, "phone_number": None}}
    assert StartEmployeeCall.from_values(values).params["employee"] == {"id": 25}


@pytest.mark.parametrize(
    ("method", "values", "field"),
    [
        ("start.employee_call", {"employee": {"id": "x"}}, "employee.id"),
        ("start.employee_call", {"employee": {"phone_number": "1"}}, "employee.id"),
        ("start.employee_call", {"employee": {"id": 25, "sip": "1"}}, "employee.sip"),
        ("start.employee_call", {"employee": "25"}, "employee"),
        ("start.employee_call", {"employee": {"id": 0}}, "employee.id"),
        (
            "start.informer_call",
            {"contact_message": {"type": "mp3", "value": "1"}},
            "contact_message.type",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": ""}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": " "}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": "\u00a0\t"}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": "\u200b\ufeff"}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": "...!"}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": "\U0001f600"}},
            "contact_message.value",
        ),
        (
            "start.informer_call",
            {"contact_message": {"type": "tts", "value": True}},
            "contact_message.value",
        ),
        ("start.informer_call", {"contact_message": "Привет"}, "contact_message"),
        ("start.informer_call", {"direction": "sideways"}, "direction"),
        ("start.informer_call", {"external_id": ""}, "external_id"),
        ("start.vnumber_call", {"switch_at_once": "perhaps"}, "switch_at_once"),
        ("start.vnumber_call", {"first_call": "operator"}, "first_call"),
        ("start.simple_call", {"first_call": "employee"}, "first_call"),
        ("start.simple_call", {"operator": {"id": 25}}, "operator"),
        ("start.scenario_call", {"scenario_id": "5.5"}, "scenario_id"),
        ("tag.call", {"call_session_id": "0"}, "call_session_id"),
        ("tag.call", {"call_session_id": "-1"}, "call_session_id"),
        ("tag.call", {"tag_id": ""}, "tag_id"),
        ("record.call", {"action": "true"}, "action"),
        ("hold.call", {"contact_message": {"value": "1"}}, "contact_message.type"),
    ],
)
def test_read_names_the_field_it_refuses(method: str, values: dict[str, Any], field: str) -> None:
    assert refused_field(METHODS[method], {**LEAST[method], **values}) == field


def test_list_calls_filters_by_a_number_that_starts_with_seven() -> None:
    assert ListCalls.from_values({"virtual_phone_number": "+74951045771"}).params == {
        "virtual_phone_number": "74951045771"
    }
    filters = {"virtual_phone_number": "442079460958"}
    assert refused_field(ListCalls, filters) == "virtual_phone_number"


def test_an_operator_of_any_type_is_sent_as_a_string() -> None:
    for operator in ("79260000001", {"id": 25, "phone_number": "79260000001"}, 79260000001):
        request = StartSimpleCall.from_values({**LEAST["start.simple_call"], "operator": operator})
        assert request.params["operator"] == "79260000001"
