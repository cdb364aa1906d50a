"""Filters of reports: comparisons and trees of comparisons."""

from __future__ import annotations

from airflow_provider_callapi.api.data_api import (
    GetCallsReport,
    equals,
)


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
