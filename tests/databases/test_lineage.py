"""The reports of queries and tables to Airflow's lineage."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy

from airflow_provider_callapi.databases import lineage
from airflow_provider_callapi.databases.lineage import report_query, report_table, table_uri
from airflow_provider_callapi.databases.query import Query
from airflow_provider_callapi.databases.table_name import TableName

CALLS = TableName("dwh", "calls")


class Collector:
    """Records what is reported."""

    def __init__(self) -> None:
        self.outputs: list[str] = []
        self.extras: list[dict[str, Any]] = []

    def add_output_asset(self, *, context: Any, uri: str) -> None:
        self.outputs.append(uri)

    def add_extra(self, *, context: Any, key: str, value: dict[str, Any]) -> None:
        self.extras.append(value)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Collector:
    found = Collector()
    for module in ("common.compat.lineage.hook", "common.sql.hooks.lineage"):
        with suppress(ModuleNotFoundError):  # older providers have not both
            name = f"airflow.providers.{module}"
            monkeypatch.setattr(importlib.import_module(name), "get_hook_lineage_collector", lambda: found)
    return found


@pytest.mark.parametrize(
    ("url", "name", "uri"),
    [
        ("postgresql://me:S3cret@db/shop", CALLS, "postgres://db:5432/shop/public/calls"),
        (
            "postgresql+psycopg2://db:99/shop",
            TableName("dwh", "calls", "crm"),
            "postgres://db:99/shop/crm/calls",
        ),
        ("mysql+pymysql://me:S3cret@db/shop", CALLS, "mysql://db:3306/shop/calls"),
        ("sqlite:////tmp/shop.db", CALLS, None),
        ("postgresql:///shop?host=/run/postgresql", CALLS, None),
    ],
)
def test_a_table_has_the_uri_of_airflows_providers_without_a_password(url, name, uri):
    assert table_uri(sqlalchemy.engine.make_url(url), name) == uri


def test_a_table_is_reported_as_an_output(collector):
    report_table(object(), sqlalchemy.engine.make_url("postgresql://db/shop"), CALLS)

    assert collector.outputs == ["postgres://db:5432/shop/public/calls"]


def test_a_query_is_reported_without_its_parameters(collector, tmp_path, monkeypatch):
    pytest.importorskip(
        "airflow.providers.common.sql.hooks.lineage", reason="older providers have no such report"
    )
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({"conn_type": "sqlite", "host": f"{tmp_path}/dwh"}))

    list(Query("dwh", "SELECT :phone AS phone", {"phone": "79160000001"}).rows("contacts"))

    assert collector.extras == [{"sql": "SELECT :phone AS phone"}]


def test_a_report_that_fails_is_in_the_debug_log_and_fails_no_task(monkeypatch, caplog):
    monkeypatch.setattr(lineage, "table_uri", lambda *_: 1 / 0)
    caplog.set_level(logging.DEBUG, logger="airflow_provider_callapi")

    report_table(object(), sqlalchemy.engine.make_url("postgresql://me:S3cret@db/shop"), CALLS)

    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert "the lineage of a table" in record.getMessage()
    assert "ZeroDivisionError" in caplog.text
    assert "S3cret" not in caplog.text


def test_a_provider_without_reports_of_queries_is_no_failure(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "airflow.providers.common.sql.hooks.lineage", None)
    caplog.set_level(logging.DEBUG, logger="airflow_provider_callapi")

    report_query(object(), "SELECT 1")

    assert caplog.records == []
