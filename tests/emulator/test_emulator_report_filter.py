"""Filters of reports: comparisons and trees of comparisons."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.data_api import (
    GetCallsReport,
    equals,
    report_time,
)
from airflow_provider_callapi.api.jsonrpc import JsonRpc


def client_of(exchange, credentials=None, url="https://dataapi.comagic.ru/v2.0"):
    rpc = JsonRpc(url, new_session=exchange.session)
    return Client(rpc, credentials or AccessKey("demo-key"), clock=exchange.clock)


@pytest.fixture
def client(exchange):
    return client_of(exchange)


@pytest.fixture
def dates(clock):
    zone = "Europe/Moscow"
    return {
        "date_from": report_time(clock() - 3600, zone),
        "date_till": report_time(clock() + 3600, zone),
    }


def test_filters_are_comparisons_and_trees_of_them(api, clock, client, dates):
    ids = [api.start("start.informer_call", external_id=f"e{n}").call_session_id for n in range(4)]
    clock.advance(60)

    def found(tree):
        return [report.id for report in client.call(GetCallsReport(**dates, filter=tree))]

    assert found({"field": "id", "operator": "in", "value": ids[:2]}) == ids[:2]
    either = {"filters": [equals("id", ids[3]), equals("call_api_external_id", "e0")]}
    assert found({**either, "condition": "or"}) == [ids[0], ids[3]]
    assert found({**either, "condition": "and"}) == []
    page = client.call(GetCallsReport(**dates, limit=2, offset=1))
    assert [report.id for report in page] == ids[1:3]
