"""A failed transaction is repeated for as long as a repetition may succeed."""

from __future__ import annotations

import pymysql
import pytest
from sqlalchemy.exc import OperationalError

from airflow_provider_callapi.databases.retries import RETRY_OUTAGE


@pytest.mark.parametrize("number", [1054, 1364])
def test_a_statement_that_mysql_always_refuses_is_no_outage(number: int) -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        raise OperationalError("INSERT", {}, pymysql.err.OperationalError(number, "Unknown column"))

    with pytest.raises(OperationalError):
        RETRY_OUTAGE.copy(sleep=lambda _: None)(work)
    assert len(tries) == 6
