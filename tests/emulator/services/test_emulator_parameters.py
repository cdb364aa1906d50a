"""Wrong parameters: mnemonic, field and value of the error."""

from __future__ import annotations

import pytest
from emulator_client import CONTACT, TTS, VNUMBER, start_params

INFORMER = {"virtual_phone_number": VNUMBER, "contact": CONTACT, "contact_message": TTS}


@pytest.mark.parametrize(
    ("changes", "mnemonic", "field", "value"),
    [
        ({"contact": 79161234567}, "data_type_error", "contact", 79161234567),
        ({"contact": "номер"}, "invalid_parameter_value", "contact", "номер"),
        ({"contact": "+79161234567"}, "invalid_parameter_value", "contact", "+79161234567"),
        ({"contact": "125"}, "invalid_parameter_value", "contact", "125"),
        ({"external_id": None}, "data_type_error", "external_id", None),
        ({"direction": "up"}, "invalid_parameter_value", "direction", "up"),
        ({"direction": 1}, "data_type_error", "direction", 1),
        ({"dtmf_string": "1a"}, "invalid_parameter_value", "dtmf_string", "1a"),
        ({"dialing_timeout": 121}, "invalid_parameter_value", "dialing_timeout", 121),
        ({"dialing_timeout": "25"}, "data_type_error", "dialing_timeout", "25"),
        ({"dialing_timeout": True}, "data_type_error", "dialing_timeout", True),
        ({"colour": "red"}, "unexpected_parameters", "colour", "red"),
        (
            {"contact_message": {"type": "media", "value": 237}},
            "data_type_error",
            "contact_message.value",
            237,
        ),
        (
            {"contact_message": {"type": "tts"}},
            "required_parameter_missed",
            "contact_message.value",
            None,
        ),
        ({"contact_message": "Привет"}, "data_type_error", "contact_message", "Привет"),
    ],
)
def test_parameters_are_checked_strictly(api, changes, mnemonic, field, value):
    data = api.error("start.informer_call", **{**INFORMER, **changes})["data"]
    assert (data["mnemonic"], data["field"], data["value"]) == (mnemonic, field, value)


def test_the_vendors_example_of_an_error_is_reproduced(api):
    error = api.error("start.informer_call", **{**INFORMER, "contact": 5})
    del error["data"]["metadata"]
    assert error == {
        "code": -32602,
        "message": "Data supplied is of wrong type",
        "data": {
            "mnemonic": "data_type_error",
            "field": "contact",
            "value": 5,
            "params": {"object": None},
            "extended_helper": None,
        },
    }


def test_a_missing_parameter_is_named_and_has_no_value(api):
    data = api.error("tag.call", call_session_id=1)["data"]
    assert (data["mnemonic"], data["field"], data["value"]) == (
        "required_parameter_missed",
        "tag_id",
        None,
    )


@pytest.mark.parametrize(("first_call", "switch_at_once"), [("contact", True), ("employee", False)])
def test_early_switching_needs_its_combination(api, first_call, switch_at_once):
    params = start_params("start.employee_call", first_call=first_call, early_switching=True)
    error = api.error("start.employee_call", **params, switch_at_once=switch_at_once)
    assert error["data"]["mnemonic"] == "invalid_parameters_combination"
    assert error["message"] == "The combination of parameters is not permitted"
