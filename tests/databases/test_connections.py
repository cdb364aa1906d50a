"""Which errors of a database are transient. The tests of queries and tables use real servers."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from lone_surrogates import HALF
from sqlalchemy.exc import IdentifierError, NoSuchTableError

from airflow_provider_callapi.databases.connections import database_error
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble


def test_a_locked_sqlite_file_is_a_transient_error(tmp_path):
    file = tmp_path / "dwh.sqlite"
    with closing(sqlite3.connect(file)) as other, closing(sqlite3.connect(file, timeout=0)) as db:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as locked:
            db.execute("SELECT * FROM people")

    error = database_error(locked.value, "contacts")

    assert type(error) is CallApiTrouble
    assert str(error) == "contacts: OperationalError: database is locked"


@pytest.mark.parametrize("value", [10**30, HALF], ids=["a large number", "half of a character"])
def test_a_value_that_a_driver_cannot_send_is_a_lasting_error(value):
    with closing(sqlite3.connect(":memory:")) as db, pytest.raises(Exception) as refused:  # noqa: PT011
        db.execute("SELECT ?", [value])

    error = database_error(refused.value, "contacts")

    assert type(error) is CallApiFailure
    assert str(error).startswith(f"contacts: {type(refused.value).__name__}: ")


@pytest.mark.parametrize("kind", [IdentifierError, NoSuchTableError])
def test_a_wrong_name_of_a_table_is_a_lasting_error(kind):
    assert type(database_error(kind("calls"), "results")) is CallApiFailure


@pytest.mark.parametrize(("number", "kind"), [(1054, CallApiFailure), (2013, CallApiTrouble)])
def test_the_number_of_a_mysql_error_decides_whether_it_is_transient(number, kind):
    class OperationalError(Exception):
        """The class of PyMySQL for most errors of the server."""

    assert type(database_error(OperationalError(number, "a text"), "contacts")) is kind
