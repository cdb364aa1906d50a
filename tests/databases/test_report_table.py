"""The table of calls: created where it is missing, typed columns, rows replaced by the call's id."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_callapi.databases.report_table import ReportTable
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.exceptions import CallApiFailure

pytest_plugins = ["open_connections"]

CALLS = TableName("dwh", "calls")
COLUMNS = ["id", "communication_id", "start_time", "is_lost", "finish_reason", "tags"]


def a_row(number: int, **values: Any) -> dict[str, Any]:
    return {**dict.fromkeys(COLUMNS), "id": number, **values}


def test_a_call_that_is_written_several_times_has_one_row(select):
    table = ReportTable(CALLS, COLUMNS)
    table.write([a_row(1, finish_reason="timeout"), a_row(2**62, is_lost=True)])
    ReportTable(CALLS, COLUMNS).write([a_row(1, finish_reason="subscriber_busy", is_lost=False)])

    rows = select("SELECT id, finish_reason, is_lost FROM calls ORDER BY id")
    assert [(number, reason, None if lost is None else bool(lost)) for number, reason, lost in rows] == [
        (1, "subscriber_busy", False),
        (2**62, None, True),
    ]


def test_times_are_moments_in_utc_and_lists_are_json(select, dwh):
    ReportTable(CALLS, COLUMNS).write([a_row(1, start_time="2026-03-02T09:00:00Z", tags=[{"tag_id": 36}])])

    ((start, tags),) = select("SELECT start_time, tags FROM calls")
    start = datetime.fromisoformat(start) if isinstance(start, str) else start
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    assert start == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert tags in ([{"tag_id": 36}], '[{"tag_id": 36}]', '[{"tag_id":36}]')


def test_several_thousand_rows_are_written_from_a_stream(select):
    ReportTable(CALLS, ["id"]).write({"id": number} for number in range(2300))
    ReportTable(CALLS, ["id"]).write({"id": number} for number in range(2400))

    assert select("SELECT count(*), max(id) FROM calls") == [(2400, 2399)]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("CREATE TABLE calls (id BIGINT PRIMARY KEY)", "has no column communication_id"),
        ("CREATE TABLE calls AS SELECT * FROM model", r"needs the primary key \(id\)"),
    ],
)
def test_another_table_with_the_name_is_refused(select, statement, problem):
    ReportTable(TableName("dwh", "model"), COLUMNS)
    select(statement)

    with pytest.raises(CallApiFailure, match=f"to: connection 'dwh', table calls {problem}"):
        ReportTable(CALLS, COLUMNS)


def test_a_table_with_additional_columns_of_the_author_is_used(select):
    ReportTable(CALLS, COLUMNS)
    select("ALTER TABLE calls ADD COLUMN note VARCHAR(20)")
    ReportTable(CALLS, ["id", "finish_reason"]).write([{"id": 1, "finish_reason": "timeout"}])

    assert select("SELECT id, finish_reason, note FROM calls") == [(1, "timeout", None)]


def test_a_closed_table_has_no_connection(select, open_connections):
    with closing(ReportTable(CALLS, COLUMNS)) as table:
        table.write([a_row(1)])

    assert open_connections.opened
    assert open_connections.open == []


def test_a_table_that_is_refused_leaves_no_connection(select, open_connections):
    select("CREATE TABLE calls (id BIGINT PRIMARY KEY)")
    with pytest.raises(CallApiFailure, match="has no column"):
        ReportTable(CALLS, COLUMNS)

    assert open_connections.opened
    assert open_connections.open == []
