"""Every example of the vendor's document, sent and read exactly as the document shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_callapi.api.errors import InvalidParameters, rejection
from airflow_provider_callapi.api.methods import METHODS, StartSimpleCall, StartVnumberCall
from airflow_provider_callapi.api.models import (
    AccessToken,
    ButtonValue,
    CallSession,
    Done,
    Leg,
    LegState,
    StartedCall,
    Tag,
    TalkOption,
)

TOKEN = "2fRN4g217ca0b4224a67988aff3e584f91964a692045415f36fa66146f5a3c1ae1f6093d"

DONE = Done(success=True)
ANSWERS: dict[str, Any] = dict.fromkeys(METHODS, DONE) | {
    "login.user": AccessToken(access_token=TOKEN, expire_at=1475853742),
    "start.employee_call": StartedCall(call_session_id=237859081),
    "start.scenario_call": StartedCall(call_session_id=234568),
    "start.vnumber_call": StartedCall(call_session_id=123467589),
    "start.informer_call": StartedCall(call_session_id=1238694),
    "start.simple_call": StartedCall(call_session_id=237859081),
    "list.talk_options": [
        TalkOption(
            button="1",
            mnemonic="tag_call",
            name="Проставить тег",
            button_value=ButtonValue(id=254, value="Целевой"),
        )
    ],
    "list.calls": [
        CallSession(
            call_session_id=206597836,
            direction="in",
            start_time="2016-10-19T12:26:48.418",
            virtual_phone_number="74951045771",
            contact_phone_number="74959268686",
            external_id=None,
            tags=(Tag(tag_id=456, tag_name="Целевой"),),
            legs=(
                Leg(
                    leg_id=287866245,
                    calling_phone_number="74951045771",
                    called_phone_number="74959268686...9.2.3.3",
                    is_operator=False,
                    employee_id=None,
                    employee_full_name=None,
                    record_call_enabled=True,
                    state=LegState.TALKING,
                ),
                Leg(
                    leg_id=287866221,
                    calling_phone_number="74959268686",
                    called_phone_number="79262444393",
                    is_operator=True,
                    employee_id=2345,
                    employee_full_name="Тест",
                    record_call_enabled=True,
                    state=LegState.TALKING,
                ),
            ),
        )
    ],
}
"""The expected answer of each example; most methods only report success."""


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def sent(examples: Path, method: str) -> dict[str, Any]:
    """Return the params of a request example, without the token."""
    request = read(examples / f"{method}.request.json")
    assert request["method"] == method
    params: dict[str, Any] = request["params"]
    assert params.pop("access_token", None) == (TOKEN if METHODS[method].needs_token else None)
    return params


def test_every_method_of_the_document_has_a_class_and_an_answer(examples: Path) -> None:
    shown = {path.name.removesuffix(".request.json") for path in examples.glob("*.request.json")}
    assert len(shown) == len(METHODS)
    assert shown == set(METHODS) == set(ANSWERS)
    assert {cls.method: cls for cls in METHODS.values()} == METHODS


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("start.vnumber_call",)])
@pytest.mark.parametrize("strictly", [True, False], ids=["constructor", "read"])
def test_a_request_example_is_rebuilt_unchanged(examples: Path, method: str, strictly: bool) -> None:
    example = sent(examples, method)
    request_type = METHODS[method]
    request = request_type(**example) if strictly else request_type.from_values(example)
    if request_type is StartSimpleCall:
        example["operator"] = example["operator"]["phone_number"]  # a string in later revisions
    assert json.loads(json.dumps(request.params)) == example


def test_start_vnumber_call_refuses_the_parameter_that_only_the_vendors_example_has(examples: Path) -> None:
    example = sent(examples, "start.vnumber_call")
    with pytest.raises(InvalidParameters) as caught:
        StartVnumberCall.from_values(example)
    assert caught.value.field == "show_virtual_phone_number"

    del example["show_virtual_phone_number"]
    assert StartVnumberCall.from_values(example).params == example


@pytest.mark.parametrize("method", METHODS)
def test_a_response_example_is_read_as_the_promised_type(examples: Path, method: str) -> None:
    response = read(examples / f"{method}.response.json")
    answer = METHODS[method].read_answer(response["result"]["data"])
    assert answer == ANSWERS[method]
    assert isinstance(answer, type(ANSWERS[method]))


def test_the_error_of_the_vendors_example_names_the_field_and_hides_the_value(examples: Path) -> None:
    error = rejection(read(examples / "error.response.json")["error"], method="start.informer_call")
    assert type(error) is InvalidParameters
    assert (error.code, error.mnemonic, error.field) == (-32602, "data_type_error", "contact")
    assert (error.value, error.params) == ("номер", {"object": None})
    assert str(error) == (
        "start.informer_call: Data supplied is of wrong type (field contact, data_type_error -32602)"
    )
    assert "номер" not in repr(error)
