"""A fault looks the same to a client in process and over a real connection."""

from __future__ import annotations

from functools import partial

import pytest
import requests
from emulator_client import CONTACT, informer_call

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.errors import LimitExceeded, ServiceFailed, Unanswered
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.emulator import Emulator, Fault


@pytest.fixture(params=["in process", "http"])
def new_client(request, exchange):
    """Make a client in process, or a client over HTTP. An answer may take long on a busy machine."""

    def make(url, timeout=60.0, **options):
        rpc = JsonRpc(f"{url}/v4.0", timeout=timeout, **options)
        return Client(rpc, AccessKey("demo-key"), clock=exchange.clock)

    if request.param == "in process":
        yield partial(make, "https://callapi.comagic.ru", new_session=exchange.session)
    else:
        with Emulator(exchange) as emulator:
            yield partial(make, emulator.url)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.REFUSE])
def test_a_call_rings_after_a_fault_only_if_the_fault_carries_the_request_out(new_client, exchange, fault):
    exchange.fault(fault, method="start.informer_call", seconds=5)
    client = new_client(timeout=0.5) if fault is Fault.HANG else new_client()
    errors = {Fault.INTERNAL_ERROR: ServiceFailed, Fault.TOO_MANY_REQUESTS: LimitExceeded}
    with pytest.raises(errors.get(fault, Unanswered)) as caught:
        client.call(informer_call())
    assert caught.value.maybe_done is (fault is not Fault.TOO_MANY_REQUESTS)
    assert exchange.rings(CONTACT) == int(fault.carried_out)
    assert [e.detail for e in exchange.journal if e.kind == "fault"] == [fault.label]
    assert new_client().call(informer_call()).call_session_id
    assert exchange.rings(CONTACT) == 1 + int(fault.carried_out)


@pytest.mark.parametrize(
    ("planned", "problem"),
    [
        ({"method": "start.infomer_call"}, "method: there is no such method; start.informer_call is similar"),
        ({"times": 0}, "times: must be 1 or more"),
    ],
)
def test_a_fault_that_can_hit_no_request_is_refused(exchange, planned, problem):
    with pytest.raises(ValueError, match=problem):
        exchange.fault(Fault.DROP_AFTER, **planned)


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.HTML])
def test_a_fault_applies_to_its_method_as_often_as_planned(new_client, exchange, fault):
    client = new_client()
    exchange.fault(fault, method="start.informer_call", times=2)
    assert client.call(ListCalls()) == []
    for _ in range(2):
        with pytest.raises(Unanswered):
            client.call(informer_call())
    client.call(informer_call())
    assert exchange.requests("start.informer_call") == 3


def test_a_fault_follows_the_events_that_were_due_before_it(exchange, clock):
    session = exchange.session()
    exchange.inbound(CONTACT)
    clock.advance(600)
    exchange.fault(Fault.DROP_BEFORE)
    with pytest.raises(requests.RequestException):
        session.post("https://callapi.comagic.ru/v4.0", data=b"{}")

    assert exchange.journal[-1].kind == "fault"
    assert exchange.journal == sorted(exchange.journal, key=lambda entry: entry.time)
