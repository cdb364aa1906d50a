"""Bytes, content types and threads."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from emulator_client import informer_call

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc


def test_bytes_that_are_not_json_are_a_parse_error(exchange):
    for body in (b"{", b"\xff"):
        answer = exchange.handle_bytes(body, content_type="application/json; charset=UTF-8")
        assert answer["error"]["data"]["mnemonic"] == "parse_error"


@pytest.mark.parametrize(
    ("content_type", "mnemonic"),
    [
        ("application/json; charset=cp1251", "character_encoding_not_allowed"),
        ("application/json", "invalid_request"),
        ("text/plain; charset=UTF-8", "invalid_request"),
    ],
)
def test_a_wrong_content_type_is_an_error(exchange, content_type, mnemonic):
    body = {"jsonrpc": "2.0", "id": 1, "method": "list.calls", "params": {"access_token": "x"}}
    answer = exchange.handle_bytes(json.dumps(body).encode(), content_type=content_type)
    assert answer["error"]["data"]["mnemonic"] == mnemonic


def test_many_threads_each_get_their_own_sessions(exchange):
    exchange.account.minute_limit = 10_000

    def work(number):
        rpc = JsonRpc("https://x/v4.0", new_session=exchange.session)
        client = Client(rpc, AccessKey("demo-key"), clock=exchange.clock)
        for _ in range(10):
            client.call(ListCalls())
            exchange.clock.advance(0.1)
            yield client.call(informer_call(f"7916{number:07d}")).call_session_id

    with ThreadPoolExecutor(8) as pool:
        sessions = [s for part in pool.map(lambda n: list(work(n)), range(8)) for s in part]
    assert len(set(sessions)) == 80
    assert exchange.limits()["day_remaining"] == 100_000 - 80
    assert [exchange.rings(f"7916{number:07d}") for number in range(8)] == [10] * 8
    exchange.clock.advance(60)
    assert exchange.active_calls == []
