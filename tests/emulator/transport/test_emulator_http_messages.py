"""HTTP status and content type of responses."""

from __future__ import annotations

import json

import pytest
import requests
from emulator_client import CONTACT, TTS, VNUMBER, post

from airflow_provider_callapi.emulator import Emulator, Fault, Profile

HEADERS = {"Content-Type": "application/json; charset=UTF-8"}

INFORMER = {"virtual_phone_number": VNUMBER, "contact": CONTACT, "contact_message": TTS}


def test_only_a_post_with_a_version_and_a_length_reaches_a_service(callapi_emulator):
    url = callapi_emulator.url
    assert requests.get(f"{url}/v4.0", timeout=5).status_code == 404
    assert requests.post(f"{url}/other", data="{}", timeout=5).status_code == 404
    chunked = requests.post(f"{url}/v4.0", data=iter([b"{}"]), headers=HEADERS, timeout=5)
    assert chunked.status_code == 411


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.BAD_GATEWAY, 502),
        (Fault.GATEWAY_TIMEOUT_AFTER, 504),
        (Fault.TOO_MANY_REQUESTS, 429),
        (Fault.REDIRECT, 307),
        (Fault.HTML, 200),
    ],
)
def test_a_gateway_fault_answers_with_a_web_page(exchange, fault, status):
    with Emulator(exchange) as emulator:
        exchange.fault(fault)
        answer = post(emulator, "list.calls", allow_redirects=False)
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            status,
            "text/html; charset=UTF-8",
        )


def test_the_fault_internal_error_carries_the_request_out(exchange):
    exchange.fault(Fault.INTERNAL_ERROR)
    params = {"access_token": "demo-key", **INFORMER}
    answer = (
        exchange.session()
        .post(
            "https://callapi.comagic.ru/v4.0",
            data=json.dumps({"jsonrpc": "2.0", "id": 1, "method": "start.informer_call", "params": params}),
            headers={"Content-Type": "application/json; charset=UTF-8"},
        )
        .json()
    )
    assert answer["error"]["code"] == -32603
    assert exchange.rings(CONTACT) == 1


@pytest.mark.parametrize("callapi_profile", [Profile(error_http_status=403)])
def test_the_profile_states_the_http_status_of_an_error(callapi_emulator):
    assert post(callapi_emulator, "list.calls").status_code == 200
    assert post(callapi_emulator, "no.such").status_code == 403
