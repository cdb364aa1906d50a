"""The rows of a table are written while calls take place, and no error ends the thread that writes them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_callapi.databases import table_writer
from airflow_provider_callapi.databases.results_table import ResultsTable, open_results_table
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.databases.table_writer import TableWriter
from airflow_provider_callapi.exceptions import CallApiTrouble

pytest_plugins = ["open_connections"]

ROW = {"campaign": "autumn", "person": "79160000001", "attempt": 1}


@pytest.fixture
def table(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, open_connections: Any) -> ResultsTable:
    monkeypatch.setenv("AIRFLOW_CONN_DWH", f"sqlite:///{tmp_path}/dwh.sqlite")
    for name in ("_PAUSE", "_PAUSE_AFTER_FAILURE"):
        monkeypatch.setattr(table_writer, name, 0.01)
    return open_results_table(TableName("dwh", "calls"))


def wait_until(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


@pytest.mark.parametrize("error", [OverflowError("too large"), KeyError("x"), CallApiTrouble("away")])
def test_a_write_that_fails_is_repeated_after_any_error(table, monkeypatch, caplog, error):
    write, written, failures = table.write, [], [error]

    def fail_once(rows: Any, *, patient: bool) -> None:
        if rows and failures:
            raise failures.pop()
        written.extend(rows)
        write(rows, patient=patient)

    monkeypatch.setattr(table, "write", fail_once)
    writer = TableWriter(table, logging.getLogger("task"))
    writer.add([ROW])

    wait_until(lambda: written == [ROW])

    assert "The task continues, and writes the rows later" in caplog.text
    writer.finish()


@pytest.mark.parametrize("value", [2**63, 10**30])
def test_a_value_that_the_database_cannot_store_is_an_error_of_the_results(table, value):
    writer = TableWriter(table, logging.getLogger("task"))

    with pytest.raises(CallApiTrouble, match=r"^results: .*OverflowError"):
        writer.finish([{**ROW, "communication_id": value}])


@pytest.mark.parametrize("end", [TableWriter.close, TableWriter.finish])
def test_the_end_of_the_writer_closes_the_table(table, open_connections, end):
    writer = TableWriter(table, logging.getLogger("task"))
    writer.add([ROW])
    assert open_connections.opened  # the SQLAlchemy of Airflow 3.0 keeps no connection to a file open

    end(writer)

    assert open_connections.open == []


def test_a_write_that_fails_at_the_end_closes_the_table(table, open_connections):
    writer = TableWriter(table, logging.getLogger("task"))

    with pytest.raises(CallApiTrouble):
        writer.finish([{**ROW, "communication_id": 2**63}])

    assert open_connections.open == []
