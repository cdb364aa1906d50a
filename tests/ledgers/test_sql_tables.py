"""The tables of the SQL ledger: who creates them, older versions, and what a person can query."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from known_numbers import ANNA, BORIS
from ledger_contract import INTENT, an_intent, finished
from real_databases import at_once
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.ledgers.sql import SqlLedger
from airflow_provider_callapi.ledgers.sql_tables import STRIPES, calls, locks


def test_processes_may_create_the_tables_at_the_same_time(connect):
    ledgers = at_once(*(lambda: SqlLedger(connect(), "autumn", min_gap=1.0),) * 6)

    with connect().connect() as db:
        assert len(db.execute(sqlalchemy.select(locks)).all()) == STRIPES
    assert [ledger.claim([an_intent()])[0].granted for ledger in ledgers] == [True] + [False] * 5


def test_a_process_adds_no_lock_that_another_process_added_between_its_two_reads(connect):
    engine, another = connect(), connect()

    def add_all_locks(db: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT callapi_campaign_lock.stripe"):
            SqlLedger(another, "autumn", min_gap=1.0)

    sqlalchemy.event.listen(engine, "before_cursor_execute", add_all_locks)
    SqlLedger(engine, "autumn", min_gap=1.0)

    with engine.connect() as db:
        assert len(db.execute(sqlalchemy.select(locks)).all()) == STRIPES


def test_the_table_of_an_older_version_gets_the_new_column_and_keeps_its_rows(connect):
    engine = connect()
    older = SqlLedger(engine, "spring")
    older.claim([an_intent()])
    older.record([finished(an_intent(), Result.ANSWERED, answered=True)])
    with engine.begin() as db:
        db.execute(sqlalchemy.text(f"ALTER TABLE {calls.name} DROP COLUMN operations"))

    ledgers = at_once(*(lambda: SqlLedger(connect(), "spring"),) * 4)

    assert list(ledgers[0].load([ANNA])) == [finished(an_intent(), Result.ANSWERED, answered=True)]
    told = finished(an_intent(BORIS), answered=True, operations=("Later",))
    ledgers[1].claim([an_intent(BORIS)])
    ledgers[1].record([told])
    assert list(ledgers[2].load([BORIS])) == [told]


def test_times_can_be_queried_as_times_in_utc(engine):
    ledger = SqlLedger(engine, "autumn")
    ledger.claim([INTENT])
    hour = {
        "sqlite": "SELECT strftime('%Y-%m-%d %H:%M', intended_at)",
        "mysql": "SELECT date_format(intended_at, '%Y-%m-%d %H:%i')",
        "postgresql": "SELECT to_char(intended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')",
    }[engine.dialect.name]
    with engine.connect() as db:
        found = db.execute(sqlalchemy.text(f"{hour} FROM callapi_campaign_call")).scalar()
    assert found == "2027-01-15 08:00"


def test_the_mysql_table_keeps_microseconds_case_and_transactions_and_its_keys_fit():
    table = str(CreateTable(calls).compile(dialect=mysql.dialect()))

    assert "intended_at DATETIME(6) NOT NULL" in table
    assert "utf8mb4_bin" in table
    assert "ENGINE=InnoDB" in table
    for key in [calls.primary_key, *calls.indexes]:
        columns = [column for column in key.columns if isinstance(column.type, sqlalchemy.String)]
        assert sum(column.type.length for column in columns) * 4 + 16 <= 3072, key
