"""A campaign and PostgreSQL: what SQLite has not, such as columns of single precision and rights."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy
from campaign_desk import PEOPLE, campaign, rung
from real_databases import postgres

from airflow_provider_callapi.exceptions import CallApiFailure

__all__ = ["postgres"]

pytest_plugins = ["airflow_desk", "campaign_desk", "open_connections"]


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


@pytest.fixture
def dwh(postgres: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The connection ``dwh`` leads to a new database. Return a function that runs a statement there."""
    name = f"d{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name};")
    url = sqlalchemy.engine.make_url(str(postgres.get_uri(database=name, driver="psycopg2")))
    fields = {"conn_type": "postgres", "host": url.query.get("host") or url.host, "schema": name}
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({**fields, "login": url.username}))
    monkeypatch.setenv("AIRFLOW_CONN_LIMITED", json.dumps({**fields, "login": f"user_{name}"}))
    engine = sqlalchemy.create_engine(url)

    def run(sql: str) -> None:
        with engine.begin() as db:
            db.execute(sqlalchemy.text(sql))

    run(f"CREATE ROLE user_{name} LOGIN")
    return run


@pytest.mark.parametrize("count", [1, 50])
def test_a_query_with_numbers_of_single_precision_calls_no_one(desk, dwh, count):
    numbers = f"SELECT (79161234567 + 7777777 * n)::real AS phone FROM generate_series(1, {count}) n"
    dwh(f"CREATE TABLE due AS {numbers}")
    query = {"conn_id": "dwh", "sql": "SELECT phone FROM due"}

    with pytest.raises(CallApiFailure, match="contacts: the column 'phone' has 32-bit floats"):
        campaign(desk, contacts=query).run()
    with pytest.raises(CallApiFailure, match="do_not_call, row 1: the column 'phone' has 32-bit floats"):
        campaign(desk, campaign="autumn", contacts=PEOPLE, do_not_call=query).run()
    assert rung(desk) == []
