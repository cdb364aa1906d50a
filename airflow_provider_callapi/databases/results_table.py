"""The table of results: one row for each attempt to call a person, written while the calls take place.

A row has the columns of `attempt_columns` and three more:

``contact``
    The person's row in the contact list, as JSON. Null: there is no contact list.
``list_row``
    The number of this row in the contact list; the first row is 1.
``why``
    Why no call could be made from a row of the contact list.

The key is (``campaign``, ``person``, ``attempt``). ``person`` is the number called, as E.164 digits. A person
who was not called has one row with the attempt 0. In a row of the contact list without a person of its own,
such as an invalid row, ``person`` is ``row 17``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Column, Integer, MetaData, Table, Text

from airflow_provider_callapi.databases.columns import IN_MYSQL, KEY, attempt_columns
from airflow_provider_callapi.databases.connections import open_engine
from airflow_provider_callapi.databases.keyed_table import CHUNK, KeyedTable
from airflow_provider_callapi.databases.retries import RETRY_BRIEFLY, RETRY_OUTAGE, mask_errors
from airflow_provider_callapi.databases.table_name import TableName

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_PROBE = {"campaign": "", "person": "", "attempt": 0, "status": "", "external_id": ""}
"""The key of a row that is written and rolled back, to find out whether rows can be written."""
_NO_ATTEMPT = ("unrung",)
"""Columns of an attempt that only a ledger needs."""

Row = Mapping[str, Any]
"""Column of the table of results → value. Columns that are missing are null."""


class ResultsTable:
    """A table of results in a SQL database.

    :param engine: an SQLAlchemy engine for one of `DIALECTS`.
    :param field: the name of the operator's parameter, for error messages.
    """

    def __init__(self, engine: Engine, name: TableName, field: str = "results") -> None:
        columns = [column for column in attempt_columns() if column.name not in _NO_ATTEMPT]
        for column in columns:
            column.nullable = column.name not in KEY
        table = Table(
            name.table,
            MetaData(),
            *columns,
            Column("contact", JSON(none_as_null=True)),
            Column("list_row", Integer),
            Column("why", Text),
            schema=name.schema,
            **IN_MYSQL,
        )
        self._keyed = KeyedTable(engine, table, f"{field}: connection {name.conn_id!r}, table {name}")

    def prepare(self) -> None:
        """Create the table if it is missing, and check that rows can be written. See `KeyedTable.prepare`."""
        self._keyed.prepare(_PROBE)

    def write(self, rows: Iterable[Row], *, patient: bool) -> None:
        """Write rows of one campaign, and replace rows with the same key.

        :param patient: whether to wait up to five minutes for a database that is not available.
        :raises CallApiTrouble: the database does not answer, or refuses the rows.
        """
        retrying = RETRY_OUTAGE if patient else RETRY_BRIEFLY.copy(stop=lambda state: True)
        rows = iter(rows)
        while chunk := list(itertools.islice(rows, CHUNK)):
            mask_errors(lambda: retrying(self._write, chunk), self._keyed.named)

    def _write(self, rows: list[Row]) -> None:
        table = self._keyed.table
        called = [row["person"] for row in rows if row["attempt"]]
        with self._keyed.engine.begin() as db:
            if called:  # a row with the attempt 0 means that the person was not called
                db.execute(
                    table.delete().where(
                        table.c.campaign == rows[0]["campaign"],
                        table.c.attempt == 0,
                        table.c.person.in_(sorted(called)),
                    )
                )
            self._keyed.upsert(db, rows)


def open_results_table(name: TableName) -> ResultsTable:
    """Return the table of results, which exists and can be written.

    :raises CallApiFailure: the connection or the table cannot be used.
    :raises CallApiTrouble: the database does not answer.
    """
    table = ResultsTable(open_engine(name.conn_id, "results"), name)
    table.prepare()
    return table
