"""Read a list of people, such as a contact list, with a SQL query.

A task fetches the rows from the database in portions of 1000, and never stores the rows in an XCom.
"""

from __future__ import annotations

import importlib
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Self

from airflow_provider_callapi.api.values.value_parts import check_keys, invalid_part
from airflow_provider_callapi.calls.lists.rounded_numbers import SinglePrecision
from airflow_provider_callapi.calls.lists.table import CheckNames, Table, accept_names
from airflow_provider_callapi.calls.texts.empty_values import clean
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable
from airflow_provider_callapi.databases.connections import database_error, open_hook
from airflow_provider_callapi.databases.lineage import report_query
from airflow_provider_callapi.exceptions import CallApiFailure

_PORTION = 1000
"""The number of rows that one request fetches from the database."""
_KEYS = frozenset({"conn_id", "sql", "parameters"})
_SINGLE_PRECISION: Mapping[str, Any] = {
    **dict.fromkeys(("psycopg2", "psycopg", "redshift_connector"), (700, 1021)),
    **dict.fromkeys(("pymysql", "MySQLdb", "mysql"), (4,)),
}
"""Driver → its numbers of the types of 32-bit floats and their arrays, in the description of a column."""
_NAMED_SINGLE_PRECISION = re.compile(r"\breal\b|\bfloat32\b|binary_float", re.IGNORECASE)
"""Matches the type of 32-bit floats of a driver that names the types: Trino, ClickHouse, Oracle."""
_NAMED = re.compile(r"%\((\w+)\)s")
"""A placeholder with a name, in the form of most drivers."""


@dataclass(frozen=True)
class Query:
    """A SQL query that returns a list of people: the contacts or the do-not-call list of a campaign.

    :ivar conn_id: id of an Airflow connection to a SQL database.
    :ivar sql: one SELECT statement. For PostgreSQL, MySQL and SQLite, its placeholders look like ``%(day)s``.
        For another database, they have the form of the database's driver.
    :ivar parameters: the values of the placeholders: a dict by name, or a list in order. None: no
        placeholders.
    """

    conn_id: str
    sql: str = field(repr=False)
    parameters: Mapping[str, Any] | Sequence[Any] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Return the query that a dict describes: ``{"conn_id": …, "sql": …, "parameters": …}``.

        :raises InvalidPart: the dict does not describe a query.
        """
        check_keys(value, known=_KEYS, required=("conn_id", "sql"))
        for name in ("conn_id", "sql"):
            if not isinstance(value[name], str) or not value[name].strip():
                raise invalid_part(name, "a text that is not empty", value[name])
        parameters = value.get("parameters")
        if isinstance(parameters, str | bytes) or not isinstance(parameters, Mapping | Sequence | None):
            raise invalid_part("parameters", "a dict or a list", parameters)
        return cls(value["conn_id"], value["sql"], parameters)

    def rows(self, parameter: str, check_empty: CheckNames = accept_names) -> Iterator[Mapping[str, Any]]:
        """Run the query, and yield each row as a dict: column → value. The value of an empty cell is None.

        A float of a column with 32-bit floats becomes a `SinglePrecision`. The method never commits.

        :param parameter: the operator's parameter that contains the query, such as ``contacts``, for error
            messages.
        :param check_empty: a function that is called with the column names if there are no rows. It may raise
            `ListUnreadable`.
        :raises CallApiFailure: the connection, the query or a row cannot be used. A retry would fail too.
        :raises CallApiTrouble: a later try may succeed, e.g. the database did not answer.
        """
        named = f"{parameter}: connection {self.conn_id!r}"
        hook = open_hook(self.conn_id, parameter)
        try:
            with closing(hook.get_conn()) as connection:
                yield from _rows_of(connection, self, check_empty)
                report_query(hook, self.sql)
        except ListUnreadable as error:
            raise CallApiFailure(f"{named}: {error}") from None
        except Exception as error:  # each driver has its own exception classes
            raise database_error(error, named) from None


def statements_of(value: Any) -> Iterator[str]:
    """Yield the SQL statement in the value of the parameter ``contacts`` or ``do_not_call``.

    - For a query ``{"conn_id": …, "sql": …}``: the statement of the query.
    - For a dict with a query under the key ``list``: the statement of this query.
    - For any other value, such as the path of a file: nothing.
    """
    if isinstance(value, Mapping):
        if isinstance(value.get("sql"), str):
            yield value["sql"]
        yield from statements_of(value.get("list"))


def has_query(value: Any) -> bool:
    """Return whether the value of the parameter ``contacts`` or ``do_not_call`` contains a SQL query.

    :param value: a query ``{"conn_id": …, "sql": …}``, a dict with a query under the key ``list``, or another
        value, such as the path of a file.
    """
    return any(True for _ in statements_of(value))


def _rows_of(connection: Any, query: Query, check_empty: CheckNames) -> Iterator[Mapping[str, Any]]:
    with closing(_open_cursor(connection)) as cursor:
        if query.parameters is None:
            cursor.execute(query.sql)
        else:
            cursor.execute(_statement_for(connection, query), query.parameters)
        portion = cursor.fetchmany(_PORTION)
        if cursor.description is None:
            raise ListUnreadable("the query returns no rows; one SELECT statement is needed")
        table = Table([column[0] for column in cursor.description])
        single = [
            name
            for name, column in zip(table.names, cursor.description, strict=True)
            if _is_single_precision(connection, column[1])
        ]
        if not portion:
            check_empty(table.names)
        while portion:
            for row in portion:
                values = list(row.values()) if isinstance(row, Mapping) else row
                cells = table.row(values, clean)
                for name in single:
                    cells[name] = _as_single_precision(cells[name])
                yield cells
            portion = cursor.fetchmany(_PORTION)


def _is_single_precision(connection: Any, type_code: Any) -> bool:
    """Return whether a column has 32-bit floats, judged by the driver's description of the column."""
    if isinstance(type_code, int):
        return type_code in _SINGLE_PRECISION.get(_driver_of(connection), ())
    return type_code is not None and _NAMED_SINGLE_PRECISION.search(str(type_code)) is not None


def _as_single_precision(value: Any) -> Any:
    """Return a float, or the floats of an array, as `SinglePrecision`. Other values stay unchanged."""
    if isinstance(value, list):
        return [_as_single_precision(part) for part in value]
    return SinglePrecision(value) if isinstance(value, float) else value


def _driver_of(connection: Any) -> str:
    """Return the name of the Python package to which a database connection belongs, e.g. ``psycopg2``."""
    return type(connection).__module__.partition(".")[0]


def _statement_for(connection: Any, query: Query) -> str:
    """Return the SQL statement with placeholders for the database's driver.

    For SQLite, ``:day`` replaces ``%(day)s``.
    """
    if isinstance(connection, sqlite3.Connection) and isinstance(query.parameters, Mapping):
        return _NAMED.sub(r":\1", query.sql)
    return query.sql


def _open_cursor(connection: Any) -> Any:
    """Return a cursor for a query.

    In PostgreSQL and MySQL, the server keeps the rows, so a long list need not fit into the worker's memory.
    """
    driver = _driver_of(connection)
    if driver in ("psycopg2", "psycopg"):
        return connection.cursor(name="callapi_list")
    if driver in ("pymysql", "MySQLdb"):
        return connection.cursor(importlib.import_module(f"{driver}.cursors").SSCursor)
    return connection.cursor()
