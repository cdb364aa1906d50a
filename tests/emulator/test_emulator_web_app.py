"""The web page and the remote control."""

from __future__ import annotations

import json

import pytest
import requests
from emulator_client import CONTACT, http_client, informer_call

from airflow_provider_callapi.emulator import Emulator, Script

HEADERS = {"Content-Type": "application/json; charset=UTF-8"}


def control(emulator, action, body=None):
    url = f"{emulator.url}/emulator/{action}"
    answer = requests.get(url, timeout=5) if body is None else requests.post(url, json=body, timeout=5)
    return answer.json()


def test_the_page_loads_no_other_files_and_shows_the_calls(emulator):
    page = requests.get(emulator.url, timeout=5)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "http://" not in page.text
    assert "https://" not in page.text
    http_client(emulator).call(informer_call())
    http_client(emulator).call(informer_call("79161230000"))
    emulator.exchange.script("79161230000", Script())
    shown = requests.get(f"{emulator.url}/calls.json", timeout=5).json()
    assert [call["contact_phone_number"] for call in shown["active"]] == ["79161230000", CONTACT]
    assert shown["limits"]["minute_remaining"] == 998
    emulator.exchange.clock.advance(20)
    shown = requests.get(f"{emulator.url}/calls.json", timeout=5).json()
    assert shown["active"] == []
    assert shown["finished"][0]["finish_reason"] == "success_finish"


def test_another_process_sets_scripts_moves_the_clock_and_reads_the_journal(emulator):
    scripts = {"scripts": {CONTACT: {"answer": "busy", "rings": 2}}, "default": {"rings": 7}}
    control(emulator, "script", scripts)
    assert emulator.exchange.default_script == Script(rings=7)
    http_client(emulator).call(informer_call())
    now = control(emulator, "clock", {"advance": 2})["now"]
    assert now == emulator.exchange.clock()
    assert control(emulator, "calls")[0]["finish_reason"] == "subscriber_busy"
    assert [entry["kind"] for entry in control(emulator, "journal")] == [
        "start",
        "ring",
        "request",
        "end",
    ]
    fault = {"fault": "HTML", "method": "start.informer_call", "times": 1}
    control(emulator, "fault", fault)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "start.informer_call", "params": {}})
    url = f"{emulator.url}/v4.0"
    assert "Technical works" in requests.post(url, data=body, headers=HEADERS, timeout=5).text
    session = control(emulator, "inbound", {"contact": CONTACT})["call_session_id"]
    assert emulator.exchange.call(session).method == "inbound"
    control(emulator, "reset", {})
    assert control(emulator, "calls") == []


def test_another_process_plans_a_refused_connection(exchange):
    with Emulator(exchange) as emulator:
        plan = {"fault": "refuse", "seconds": 0.3}
        assert requests.post(f"{emulator.url}/emulator/fault", json=plan, timeout=5).ok
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{emulator.url}/calls.json", timeout=60)
