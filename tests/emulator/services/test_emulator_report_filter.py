"""Filters of reports: comparisons and trees of comparisons."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.api.data_api import (
    GetCallsReport,
    equals,
)
from airflow_provider_callapi.api.errors import InvalidParameters


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


@pytest.mark.parametrize(
    ("tree", "field"),
    [
        ({"filters": 5}, "filter.filters"),
        ({"filters": None}, "filter.filters"),
        ({"filters": [], "condition": ["and"]}, "filter.condition"),
        ({"field": ["id"], "operator": "=", "value": 1}, "filter.field"),
        ({"field": {}, "operator": "=", "value": 1}, "filter.field"),
    ],
)
def test_a_filter_with_a_value_of_a_wrong_type_is_refused_and_breaks_no_connection(
    client, dates, tree, field
):
    with pytest.raises(InvalidParameters) as refused:
        client.call(GetCallsReport(**dates, filter=tree))
    assert refused.value.field == field
