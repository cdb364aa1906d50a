"""The errors of a request's values say in plain English what is needed, and show no private value."""

from __future__ import annotations

from typing import Any

import pytest
from known_numbers import VNUMBER

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import (
    RecordCall,
    SendDtmf,
    StartEmployeeCall,
    StartInformerCall,
    StartSimpleCall,
)
from airflow_provider_callapi.api.request import Request

CALL = {
    "virtual_phone_number": VNUMBER,
    "contact": "79260000001",
    "contact_message": {"type": "tts", "value": "Hello"},
}
TALK = {"virtual_phone_number": VNUMBER, "contact": "79260000001", "first_call": "contact"}
SESSION = {"call_session_id": 5}


@pytest.mark.parametrize(
    ("request_type", "values", "problem"),
    [
        (
            StartInformerCall,
            {**CALL, "contact_message": "Hello"},
            'a dict such as {"type": "tts", "value": "Hello"} is needed; the value is a text',
        ),
        (
            StartInformerCall,
            {**CALL, "contact_message": {"type": "text", "value": "Hello"}},
            "contact_message.type: 'media' or 'tts' is needed; the value is 'text'",
        ),
        (
            StartInformerCall,
            {**CALL, "contact_message": {"type": "79260000001", "value": "Hello"}},
            "contact_message.type: 'media' or 'tts' is needed",
        ),
        (
            StartInformerCall,
            {**CALL, "contact_message": {"type": "tts"}},
            "contact_message.value: the value is missing",
        ),
        (
            StartInformerCall,
            {**CALL, "contact_message": {"type": "tts", "value": "Hello", "valeu": 1}},
            "contact_message.valeu: there is no such field",
        ),
        (
            StartInformerCall,
            {**CALL, "dialing_timeout": 500},
            "dialing_timeout: a number of at most 120 is needed; the value is another number",
        ),
        (StartInformerCall, {**CALL, "dialing_timeout": "long"}, "dialing_timeout: a whole number is needed"),
        (
            StartInformerCall,
            {**CALL, "external_id": ""},
            "external_id: a text that is not empty is needed; the value is an empty text",
        ),
        (StartInformerCall, {**CALL, "contact": ["79260000001"]}, "a text is needed; the value is a list"),
        (
            StartInformerCall,
            {**CALL, "dtmf_string": "key 1"},
            "dtmf_string: tones are needed: digits, * and #, and a dot for a pause of one second",
        ),
        (
            StartSimpleCall,
            {**TALK, "operator": "79260000002", "switch_at_once": "yes"},
            "switch_at_once: true or false is needed; the value is 'yes'",
        ),
        (
            StartSimpleCall,
            {**TALK, "operator": "79260000002", "operator_confirmation": 12},
            "one phone key is needed: a digit, * or #, or the word any; the value is another number",
        ),
        (StartEmployeeCall, {**TALK, "employee": 25}, 'employee: a dict such as {"id": 25} is needed'),
        (
            SendDtmf,
            {**SESSION, "dtmf_string": 123},
            "one tone is needed: a digit, * or #; the value is another",
        ),
        (RecordCall, {**SESSION, "action": "start"}, "action: 'on' or 'off' is needed; the value is 'start'"),
    ],
)
def test_an_error_says_what_is_needed_and_shows_only_a_word_of_a_fixed_set(
    request_type: type[Request[Any]], values: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidParameters) as refused:
        request_type.from_values(values)

    assert problem in str(refused.value)
    assert "7926" not in str(refused.value)


def test_an_error_of_this_package_names_the_field_once() -> None:
    with pytest.raises(InvalidParameters) as refused:
        RecordCall.from_values({"action": "on"})

    assert str(refused.value) == "record.call: call_session_id: the value is missing"
