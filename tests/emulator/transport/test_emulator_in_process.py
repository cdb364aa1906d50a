"""The exchange without a port."""

from __future__ import annotations

import pytest
from emulator_client import CONTACT, informer_call

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.errors import NotSent
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.emulator import Fault


def test_a_refused_connection_sends_no_request(exchange):
    rpc = JsonRpc("https://callapi.comagic.ru/v4.0", new_session=exchange.session)
    client = Client(rpc, AccessKey("demo-key"), clock=exchange.clock)
    exchange.fault(Fault.REFUSE, method="start.informer_call")
    assert client.call(ListCalls()) == []
    with pytest.raises(NotSent):
        client.call(informer_call())
    assert exchange.rings(CONTACT) == 0
    client.call(informer_call())
