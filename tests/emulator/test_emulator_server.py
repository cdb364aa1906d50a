"""The exchange on a port: connection, clock, closed port, shutdown."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack

import pytest
import requests
from emulator_client import http_client, informer_call, post

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey, LoginSession
from airflow_provider_callapi.api.errors import NotSent
from airflow_provider_callapi.api.methods import ListCalls, ReleaseCall
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.emulator import Emulator, Exchange, Fault


def test_an_emulator_uses_the_clock_of_its_exchange(emulator, clock):
    client = http_client(emulator, LoginSession("demo", "demo-password"))
    client.call(informer_call())
    clock.advance(3)
    (session,) = client.call(ListCalls())
    assert session.legs[0].state == "Разговор"
    assert client.limits is not None
    assert client.limits.minute_remaining == 999


def test_the_connection_has_the_fields_that_airflow_reads(callapi_emulator):
    connection = callapi_emulator.connection()
    assert connection == {
        "conn_type": "callapi",
        "host": "http://127.0.0.1",
        "port": callapi_emulator.port,
        "password": "demo-key",
        "extra": {
            "timezone": "Europe/Moscow",
            "data_api": True,
            "data_api_host": callapi_emulator.url,
        },
    }
    assert callapi_emulator.connection(login=True)["login"] == "demo"
    assert json.loads(json.dumps(connection)) == connection
    callapi_emulator.exchange.account.version = "v4.1"
    assert callapi_emulator.connection()["extra"]["api_version"] == "v4.1"


def test_two_emulators_share_an_exchange(exchange):
    with Emulator(exchange) as one, Emulator(exchange) as other:
        http_client(one).call(informer_call())
        assert len(http_client(other).call(ListCalls())) == 1


def test_no_emulator_knows_a_call_of_another_emulator_that_runs_at_the_same_time():
    with Emulator() as one, Emulator() as other, Emulator() as third:
        clients = [http_client(each) for each in (one, other, third)]
        sessions = {client.call(informer_call()).call_session_id for client in clients}
        (first,) = one.exchange.calls
        clients[1].call(ReleaseCall(call_session_id=first.call_session_id))
        assert all(call.active for each in (one, other, third) for call in each.exchange.calls)
        other.exchange.reset()
        sessions.add(clients[1].call(informer_call()).call_session_id)

    assert len(sessions) == 3


def test_an_exchange_that_is_served_again_repeats_no_session_id():
    exchange = Exchange()
    for others in (0, 1, 2, 0):
        with ExitStack() as stack:
            for _ in range(others):
                stack.enter_context(Emulator())
            emulator = stack.enter_context(Emulator(exchange))
            http_client(emulator).call(informer_call())

    assert len({call.call_session_id for call in exchange.calls}) == 4


def test_connections_are_refused_inside_the_block(exchange):
    with Emulator(exchange) as emulator:
        rpc = JsonRpc(f"{emulator.url}/v4.0", timeout=60)
        client = Client(rpc, AccessKey("demo-key"), clock=exchange.clock)
        assert client.call(ListCalls()) == []
        with emulator.refusing():
            for request in (informer_call(), ListCalls()):
                rpc.close()
                with pytest.raises(NotSent):
                    client.call(request)
        assert client.call(ListCalls()) == []
        assert exchange.requests("start.informer_call") == 0


def test_the_port_stays_closed_until_the_last_refusal_has_ended(exchange):
    with Emulator(exchange) as emulator:
        with emulator.refusing():
            with emulator.refusing():
                pass
            with pytest.raises(requests.ConnectionError):
                requests.get(f"{emulator.url}/calls.json", timeout=60)
        assert requests.get(f"{emulator.url}/calls.json", timeout=60).ok


def test_a_planned_refusal_closes_the_port_for_its_seconds(exchange):
    with Emulator(exchange) as emulator:
        exchange.fault(Fault.REFUSE, seconds=0.3)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{emulator.url}/calls.json", timeout=60)
        deadline = time.monotonic() + 60
        while True:
            try:
                assert requests.get(f"{emulator.url}/calls.json", timeout=60).ok
                break
            except requests.ConnectionError:
                assert time.monotonic() < deadline, "the port was never opened again"


def test_the_emulator_ends_while_its_port_is_closed(exchange):
    with Emulator(exchange) as emulator:
        exchange.fault(Fault.REFUSE, seconds=5)
    with Emulator(exchange, port=emulator.port) as again:
        assert requests.get(f"{again.url}/calls.json", timeout=60).ok


def test_the_emulator_ends_while_a_connection_hangs(exchange):
    with Emulator(exchange) as emulator:
        exchange.fault(Fault.HANG, seconds=60)
        with pytest.raises(requests.ReadTimeout):
            post(emulator, "list.calls", timeout=0.2)
        exchange.fault(Fault.HANG, seconds=60)
        started = time.monotonic()
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("host", ["::1", "::"])
def test_the_connection_leads_to_an_ipv6_address(exchange, host):
    connection = Emulator(exchange, host=host, port=8080).connection()

    assert (connection["host"], connection["port"]) == ("http://[::1]", 8080)
    assert connection["extra"]["data_api_host"] == "http://[::1]:8080"
