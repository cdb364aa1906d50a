"""Wrong bodies of the remote control."""

from __future__ import annotations

import pytest
import requests
from emulator_client import CONTACT, EmulatorClient


@pytest.mark.parametrize(
    ("action", "body", "field", "expected"),
    [
        ("script", {"scripts": {CONTACT: {"ringing": 2}}}, f"scripts.{CONTACT}.ringing", "no such field"),
        ("script", {CONTACT: {"answer": "busy"}}, CONTACT, "no such field"),
        ("script", {"default": {"answer": "maybe"}}, "default.answer", "'busy'"),
        ("script", {"default": {"rings": "long"}}, "default.rings", "number"),
        ("script", [], "the JSON", "object"),
        ("script", {"scripts": {"89161234567": {}}}, "scripts.89161234567.[key]", "the country code first"),
        ("inbound", {"contact": ""}, "contact", "the country code first"),
        ("fault", {"fault": "earthquake"}, "fault", "drop_before, drop_after"),
        ("fault", {}, "fault", "required"),
        ("fault", {"fault": "hang", "metod": "list.calls"}, "metod", "no such field"),
        ("fault", {"fault": "hang", "method": "list.call"}, "method", "list.calls is similar"),
        ("inbound", {"contact": CONTACT, "employee_id": 4711}, "employee_id", "25"),
        ("clock", {}, "advance", "required"),
        ("clock", {"advance": -1}, "advance", "greater than or equal to 0"),
    ],
)
def test_an_error_of_the_remote_control_names_the_field(emulator, action, body, field, expected):
    answer = requests.post(f"{emulator.url}/emulator/{action}", json=body, timeout=5)

    assert answer.status_code == 400
    named_field, _, sentence = answer.json()["error"].partition(": ")
    assert named_field == field
    assert expected in sentence


def test_a_script_with_phone_keys_is_set_by_http(emulator):
    body = {"scripts": {CONTACT: {"keys": "12"}}}

    answer = requests.post(f"{emulator.url}/emulator/script", json=body, timeout=5)
    EmulatorClient(emulator.exchange, emulator.exchange.clock).start()

    assert answer.status_code == 200
    assert emulator.exchange.calls[0].script.keys == "12"


def test_a_body_that_is_not_json_is_an_error(emulator):
    answer = requests.post(f"{emulator.url}/emulator/script", data="{rings: 2}", timeout=5)

    assert (answer.status_code, answer.json()["error"][:23]) == (400, "the JSON: Invalid JSON:")
