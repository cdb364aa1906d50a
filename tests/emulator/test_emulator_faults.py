"""Faults look the same to a client in process and over a real connection."""

from __future__ import annotations

import json
import time

import pytest
import requests

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.errors import NotSent, ServiceFailed, Unanswered
from airflow_provider_callapi.api.jsonrpc import JsonRpc
from airflow_provider_callapi.api.methods import ListCalls, StartInformerCall
from airflow_provider_callapi.emulator import Emulator, Fault

CONTACT = "79161234567"
START = StartInformerCall(
    virtual_phone_number="74993720692",
    contact=CONTACT,
    contact_message={"type": "tts", "value": "Привет"},
)


@pytest.fixture(params=["in process", "http"])
def client(request, exchange):
    """A client by either way in, with a timeout short enough to wait for."""

    def made(url, **wire):
        rpc = JsonRpc(f"{url}/v4.0", timeout=0.5, **wire)
        return Client(rpc, AccessKey("demo-key"), clock=exchange.clock)

    if request.param == "in process":
        yield made("https://callapi.comagic.ru", new_session=exchange.session)
    else:
        with Emulator(exchange) as emulator:
            yield made(emulator.url)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.REFUSE])
def test_a_fault_leaves_the_caller_unsure_and_rings_only_where_it_was_carried_out(client, exchange, fault):
    exchange.fault(fault, method="start.informer_call", seconds=5)
    expected = ServiceFailed if fault is Fault.INTERNAL_ERROR else Unanswered
    with pytest.raises(expected) as caught:
        client.call(START)
    assert caught.value.maybe_done
    assert exchange.rings(CONTACT) == int(fault.carried_out)
    assert [e.detail for e in exchange.journal if e.kind == "fault"] == [fault.label]
    assert client.call(START).call_session_id
    assert exchange.rings(CONTACT) == 1 + int(fault.carried_out)


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.HTML])
def test_a_fault_waits_for_its_method_and_comes_as_often_as_planned(client, exchange, fault):
    exchange.fault(fault, method="start.informer_call", times=2)
    assert client.call(ListCalls()) == []
    for _ in range(2):
        with pytest.raises(Unanswered):
            client.call(START)
    client.call(START)
    assert exchange.requests("start.informer_call") == 3


def test_in_process_a_refused_connection_sends_nothing(exchange):
    rpc = JsonRpc("https://callapi.comagic.ru/v4.0", new_session=exchange.session)
    client = Client(rpc, AccessKey("demo-key"), clock=exchange.clock)
    exchange.fault(Fault.REFUSE, method="start.informer_call")
    assert client.call(ListCalls()) == []
    with pytest.raises(NotSent):
        client.call(START)
    assert exchange.rings(CONTACT) == 0
    client.call(START)


def test_over_http_the_port_is_closed_while_connections_are_refused(exchange):
    with Emulator(exchange) as emulator:
        rpc = JsonRpc(f"{emulator.url}/v4.0", timeout=2)
        client = Client(rpc, AccessKey("demo-key"), clock=exchange.clock)
        assert client.call(ListCalls()) == []
        with emulator.refusing():
            for request in (START, ListCalls()):
                rpc.close()
                with pytest.raises(NotSent):
                    client.call(request)
        assert client.call(ListCalls()) == []
        assert exchange.requests("start.informer_call") == 0


def test_over_http_a_planned_refusal_closes_the_port_for_its_seconds(exchange):
    with Emulator(exchange) as emulator:
        exchange.fault(Fault.REFUSE, seconds=0.3)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{emulator.url}/calls.json", timeout=2)
        deadline = time.monotonic() + 5
        while True:
            try:
                assert requests.get(f"{emulator.url}/calls.json", timeout=2).ok
                break
            except requests.ConnectionError:
                assert time.monotonic() < deadline, "the port was never opened again"


def test_another_process_can_have_connections_refused(exchange):
    with Emulator(exchange) as emulator:
        plan = {"fault": "refuse", "seconds": 0.3}
        assert requests.post(f"{emulator.url}/emulator/fault", json=plan, timeout=5).ok
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{emulator.url}/calls.json", timeout=2)


def test_a_port_that_is_still_closed_does_not_keep_the_emulator_from_ending(exchange):
    with Emulator(exchange) as emulator:
        exchange.fault(Fault.REFUSE, seconds=5)
    with Emulator(exchange, port=emulator.port) as again:
        assert requests.get(f"{again.url}/calls.json", timeout=2).ok


def test_a_hanging_connection_does_not_keep_the_emulator_from_ending(exchange):
    with Emulator(exchange) as emulator:
        exchange.fault(Fault.HANG, seconds=60)
        with pytest.raises(requests.ReadTimeout):
            post(emulator, "list.calls", timeout=0.2)
        exchange.fault(Fault.HANG, seconds=60)
        started = time.monotonic()
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.DROP_AFTER])
def test_a_dropped_connection_gave_no_byte_of_an_answer(exchange, fault):
    with Emulator(exchange) as emulator:
        exchange.fault(fault)
        with pytest.raises(requests.ConnectionError, match=r"aborted|reset"):
            post(emulator, "list.calls")


def test_a_truncated_answer_promises_more_than_it_sends(exchange):
    with Emulator(exchange) as emulator:
        exchange.fault(Fault.TRUNCATED)
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            post(emulator, "list.calls")


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.BAD_GATEWAY, 502),
        (Fault.GATEWAY_TIMEOUT_AFTER, 504),
        (Fault.REDIRECT, 307),
        (Fault.HTML, 200),
    ],
)
def test_gateways_answer_with_pages_of_their_own(exchange, fault, status):
    with Emulator(exchange) as emulator:
        exchange.fault(fault)
        answer = post(emulator, "list.calls", allow_redirects=False)
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            status,
            "text/html; charset=UTF-8",
        )


def post(emulator, method, **options):
    params = {"access_token": "demo-key"}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    options.setdefault("timeout", 5)
    return requests.post(f"{emulator.url}/v4.0", data=json.dumps(body), headers=headers, **options)
