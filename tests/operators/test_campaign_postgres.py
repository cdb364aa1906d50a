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
    """The connections ``dwh`` and ``limited`` lead to a new database. Return a function that runs SQL.

    The user of ``limited`` is the role ``limited``, which has no rights.
    """
    name = f"d{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name};")
    url = sqlalchemy.engine.make_url(str(postgres.get_uri(database=name, driver="psycopg2")))
    fields = {"conn_type": "postgres", "host": url.query.get("host") or url.host, "schema": name}
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({**fields, "login": url.username}))
    monkeypatch.setenv("AIRFLOW_CONN_LIMITED", json.dumps({**fields, "login": "limited"}))
    engine = sqlalchemy.create_engine(url)

    def run(sql: str) -> None:
        with engine.begin() as db:
            db.execute(sqlalchemy.text(sql))

    run("DO $$ BEGIN CREATE ROLE limited LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
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


@pytest.mark.parametrize("min_gap", [None, 3600])
@pytest.mark.parametrize("missing", ["INSERT", "UPDATE", None])
def test_a_campaign_whose_ledger_cannot_be_changed_fails_before_it_dials(desk, dwh, missing, min_gap):
    campaign(desk, contacts=PEOPLE[:1], ledger_conn_id="dwh", min_gap=min_gap).run()
    rights = ", ".join(right for right in ("SELECT", "INSERT", "UPDATE") if right != missing)
    dwh(f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO limited")
    second = campaign(
        desk, campaign="second", contacts=PEOPLE[1:3], ledger_conn_id="limited", min_gap=min_gap
    )

    if missing is None:
        second.run()
        assert rung(desk) == PEOPLE[:3]
        return
    with pytest.raises(CallApiFailure, match=r"ledger_conn_id: connection 'limited': .*permission denied"):
        second.run()
    assert rung(desk) == PEOPLE[:1]
