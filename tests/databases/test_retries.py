"""A failed transaction is repeated for as long as a repetition may succeed."""

from __future__ import annotations

import pymysql
import pytest
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from airflow_provider_callapi.databases.retries import (
    RETRY_BRIEFLY,
    RETRY_OUTAGE,
    LostRaceError,
    in_transaction,
)
from airflow_provider_callapi.exceptions import CallApiTrouble


@pytest.mark.parametrize("number", [1054, 1364])
def test_a_statement_that_mysql_always_refuses_is_no_outage(number: int) -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        raise OperationalError("INSERT", {}, pymysql.err.OperationalError(number, "Unknown column"))

    with pytest.raises(OperationalError):
        RETRY_OUTAGE.copy(sleep=lambda _: None)(work)
    assert len(tries) == 6


def test_a_repeated_transaction_leaves_the_rows_of_its_last_repeat_only(url: str) -> None:
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as db:
        db.execute(text("CREATE TABLE tries (number INTEGER)"))
    tries = []

    def work(db: Connection) -> int:
        tries.append(len(tries))
        db.execute(text("INSERT INTO tries VALUES (:number)"), {"number": tries[-1]})
        if len(tries) < 3:
            raise LostRaceError
        return tries[-1]

    retrying = RETRY_BRIEFLY.copy(sleep=lambda _: None)
    assert in_transaction(engine, work, retrying=retrying, named="dwh") == 2

    with engine.begin() as db:
        assert list(db.execute(text("SELECT number FROM tries")).scalars()) == [2]
    engine.dispose()


def test_the_error_of_the_last_repeat_shows_no_phone_number() -> None:
    engine = sqlalchemy.create_engine("sqlite://")

    def work(db: Connection) -> None:
        db.execute(text("SELECT * FROM calls_79160000001"))

    retrying = RETRY_BRIEFLY.copy(sleep=lambda _: None)
    with pytest.raises(CallApiTrouble, match="dwh: OperationalError: no such table") as error:
        in_transaction(engine, work, retrying=retrying, named="dwh")
    assert "79160000001" not in str(error.value)
