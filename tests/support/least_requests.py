"""A smallest valid request of each method of the Call API, and what a request class refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from known_numbers import VNUMBER

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.api.request import Request

CALL: dict[str, Any] = {"virtual_phone_number": VNUMBER, "contact": "79260000000"}
TTS = {"type": "tts", "value": "Привет"}
LEAST: dict[str, dict[str, Any]] = {
    "login.user": {"login": "me", "password": "secret"},
    "logout.user": {},
    "start.employee_call": {**CALL, "first_call": "employee", "employee": {"id": 25}},
    "start.scenario_call": {**CALL, "first_call": "contact", "scenario_id": 5},
    "start.vnumber_call": {**CALL, "first_call": "contact"},
    "start.informer_call": {**CALL, "contact_message": TTS},
    "start.simple_call": {**CALL, "first_call": "operator", "operator": "79260000001"},
    "make.call": {"call_session_id": 1, "to": "79260000000"},
    "transfer.talk": {"call_session_id": 1},
    "restore.talk": {"call_session_id": 1},
    "hold.call": {"call_session_id": 1, "contact_message": TTS},
    "unhold.call": {"call_session_id": 1},
    "add.coach": {"call_session_id": 1},
    "tag.call": {"call_session_id": 1, "tag_id": 36},
    "record.call": {"call_session_id": 1, "action": "on"},
    "disconnect.leg": {"call_session_id": 1, "leg_id": 2},
    "send.dtmf": {"call_session_id": 1, "dtmf_string": "4"},
    "block.contact": {"call_session_id": 1},
    "list.calls": {},
    "list.talk_options": {},
    "call.talk_option": {"call_session_id": 1, "button": "1"},
    "release.call": {"call_session_id": 1},
}
"""The required parameters of every method, from the vendor's document."""


def refused_field(request_type: type[Request[Any]], values: Mapping[str, Any]) -> str | None:
    with pytest.raises(InvalidParameters) as caught:
        request_type.from_values(values)
    error = caught.value
    assert error.permanent
    assert not error.maybe_done
    assert error.method == request_type.method
    assert error.__cause__ is None
    assert error.__context__ is None  # pydantic's own error would repeat the input
    return error.field


def informer(**values: Any) -> StartInformerCall:
    return StartInformerCall.from_values({**LEAST["start.informer_call"], **values})
