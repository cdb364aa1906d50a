"""A table in a SQL database in which a written row replaces the row with the same primary key."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import inspect

from airflow_provider_callapi.databases.connections import (
    database_error,
    disposed_on_error,
    engine_of,
    open_hook,
)
from airflow_provider_callapi.databases.lineage import report_table
from airflow_provider_callapi.databases.retries import RETRY_BRIEFLY, in_transaction
from airflow_provider_callapi.databases.upsert import upsert_statement
from airflow_provider_callapi.exceptions import CallApiFailure

if TYPE_CHECKING:
    import tenacity
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection, Engine

    from airflow_provider_callapi.databases.table_name import TableName

_LONGEST_NAMES = {"postgresql": (63, "bytes"), **dict.fromkeys(("mysql", "mariadb"), (64, "characters"))}
"""Database → the longest name of a table or schema, and the unit of this length."""
_CHUNK = 500
"""How many rows one transaction writes at most."""


class KeyedTable:
    """A table in a SQL database in which a written row replaces the row with the same primary key.

    :param engine: an SQLAlchemy engine for PostgreSQL, MySQL, MariaDB or SQLite.
    :param table: the name, the columns and the primary key.
    :param named: the beginning of each error message, such as ``results: connection 'dwh', table calls``.
    :ivar key: the column names of the primary key.
    """

    def __init__(self, engine: Engine, table: Table, named: str) -> None:
        self.engine = engine
        self.table = table
        self.named = named
        self.key = [column.name for column in table.primary_key]
        self.empty: dict[str, Any] = dict.fromkeys(column.name for column in table.columns)

    @classmethod
    def open(cls, name: TableName, table: Table, field: str) -> Self:
        """Open a table through an Airflow connection, and report the table to Airflow's lineage as an output.

        The table need not exist: `KeyedTable.prepare` creates it.

        :param name: the Airflow connection, the schema and the name of the table.
        :param field: the operator's parameter that names the table, such as ``results``, for error messages.
        :raises CallApiFailure: the connection cannot be used.
        """
        hook = open_hook(name.conn_id, field)
        engine = engine_of(hook, name.conn_id, field)
        report_table(hook, engine.url, name)
        return cls(engine, table, f"{field}: connection {name.conn_id!r}, table {name}")

    def prepare(self, probe: Mapping[str, Any]) -> None:
        """Create the table if it is missing, and check that rows can be written.

        If this fails, the method closes the connections to the database.

        :param probe: a row for the check: column → value. The row does not stay in the table.
        :raises CallApiFailure: the name is too long, a column is missing, no primary or unique key consists
            of the expected columns, or the database reports a permanent error, e.g. rows cannot be written.
        :raises CallApiTrouble: a transient error, e.g. the database does not answer.
        """
        with disposed_on_error(self.engine):
            try:
                self._check_names()
                # The statement fails if another process creates the table at the same time: repeat it.
                RETRY_BRIEFLY(self.table.create, self.engine, checkfirst=True)
                self._check_columns()
                with self.engine.connect() as db, db.begin() as transaction:
                    self.upsert([probe], db)
                    transaction.rollback()
            except CallApiFailure:
                raise
            except Exception as error:  # each driver has its own exception classes
                raise database_error(error, self.named) from None

    def write(
        self,
        rows: Iterable[Mapping[str, Any]],
        write_some: Callable[[list[Mapping[str, Any]], Connection], None],
        *,
        retrying: tenacity.Retrying,
    ) -> None:
        """Write rows in transactions of up to 500 rows each.

        :param rows: for each row, column → value.
        :param write_some: a function that writes some of the rows through a connection with an open
            transaction, such as `upsert`.
        :param retrying: decides about repeats of a failed transaction, such as `RETRY_OUTAGE`.
        :raises CallApiTrouble: the database does not answer, or refuses the rows.
        """
        rows = iter(rows)
        while chunk := list(itertools.islice(rows, _CHUNK)):
            in_transaction(self.engine, partial(write_some, chunk), retrying=retrying, named=self.named)

    def upsert(self, rows: Sequence[Mapping[str, Any]], db: Connection) -> None:
        """Write rows. If the table has a row with the same primary key, the new row replaces this row.

        :param rows: for each row, column → value. A column without a value becomes null.
        :param db: a connection with an open transaction. The method does not commit the transaction.
        """
        complete = [{**self.empty, **row} for row in rows]
        complete.sort(key=lambda row: [row[name] for name in self.key])  # one order prevents deadlocks
        db.execute(upsert_statement(self.table, db.dialect.name), complete)

    def close(self) -> None:
        """Close the connections to the database. A later use of the table opens a new connection."""
        self.engine.dispose()

    def _check_names(self) -> None:
        """Check that the database can keep the names. PostgreSQL silently cuts a name off.

        :raises CallApiFailure: a name is too long.
        """
        longest, unit = _LONGEST_NAMES.get(self.engine.dialect.name, (sys.maxsize, ""))
        for kind, name in (("table", self.table.name), ("schema", self.table.schema or "")):
            if len(name.encode() if unit == "bytes" else name) > longest:
                raise CallApiFailure(
                    f"{self.named}: the name of the {kind} is longer than {longest} {unit}, the maximum of "
                    "the database. Give a shorter name"
                )

    def _check_columns(self) -> None:
        inspector, where = inspect(self.engine), {"schema": self.table.schema}
        existing = {column["name"] for column in inspector.get_columns(self.table.name, **where)}
        if missing := [name for name in self.empty if name not in existing]:
            raise CallApiFailure(
                f"{self.named} has no column {', '.join(missing)}. Name a new table, which the task creates"
            )
        keys = [inspector.get_pk_constraint(self.table.name, **where)["constrained_columns"]]
        keys += [key["column_names"] for key in inspector.get_unique_constraints(self.table.name, **where)]
        if not any(set(key) == set(self.key) for key in keys):
            raise CallApiFailure(
                f"{self.named} needs the primary key ({', '.join(self.key)}). Name a new table, which the "
                "task creates"
            )
