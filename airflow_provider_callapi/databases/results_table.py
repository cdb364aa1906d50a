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

import hashlib
import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import JSON, Column, Integer, MetaData, Table, Text, inspect
from sqlalchemy.dialects import mysql, postgresql, sqlite

from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.databases.attempt_rows import row_of_attempt
from airflow_provider_callapi.databases.columns import IN_MYSQL, KEY, LONGEST_NAME, attempt_columns
from airflow_provider_callapi.databases.connections import database_error, engine_of, open_hook
from airflow_provider_callapi.databases.lineage import report_table
from airflow_provider_callapi.databases.retries import RETRY_BRIEFLY, RETRY_OUTAGE, mask_errors
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.exceptions import CallApiFailure

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_CHUNK = 500
"""How many rows one transaction writes at most."""
_PROBE = {"campaign": "", "person": "", "attempt": 0, "status": "", "external_id": ""}
"""The key of a row that is written and rolled back, to find out whether rows can be written."""
_NO_ATTEMPT = ("unrung",)
"""Columns of an attempt that only a ledger needs."""

Row = Mapping[str, Any]
"""Column of the table of results → value. Columns that are missing are null."""


class ResultsTable:
    """A table of results in a SQL database.

    :param engine: an SQLAlchemy engine for one of `DIALECTS`.
    """

    def __init__(self, engine: Engine, name: TableName) -> None:
        self._engine = engine
        self._named = f"results: connection {name.conn_id!r}, table {name}"
        columns = [column for column in attempt_columns() if column.name not in _NO_ATTEMPT]
        for column in columns:
            column.nullable = column.name not in KEY
        self._table = Table(
            name.table,
            MetaData(),
            *columns,
            Column("contact", JSON(none_as_null=True)),
            Column("list_row", Integer),
            Column("why", Text),
            schema=name.schema,
            **IN_MYSQL,
        )
        self._empty = dict.fromkeys(column.name for column in self._table.columns)

    @classmethod
    def of(cls, name: TableName) -> Self:
        """Return the table with a name, without a check whether the table exists.

        :raises CallApiFailure: the connection cannot be used.
        """
        hook = open_hook(name.conn_id, "results")
        engine = engine_of(hook, name.conn_id, "results")
        report_table(hook, engine.url, name)
        return cls(engine, name)

    def prepare(self) -> None:
        """Create the table if it is missing, and check that rows can be written.

        :raises CallApiFailure: the table has other columns or another key, or the database refuses to create
            the table or to write rows.
        :raises CallApiTrouble: the database does not answer.
        """
        try:
            # The statement fails if another process creates the table at the same time: repeat it.
            RETRY_BRIEFLY(self._table.create, self._engine, checkfirst=True)
            self._check_columns()
            with self._engine.connect() as db, db.begin() as transaction:
                db.execute(self._table.insert().values({**self._empty, **_PROBE}))
                transaction.rollback()
        except CallApiFailure:
            raise
        except Exception as error:  # each driver has its own exception classes
            raise database_error(error, self._named) from None

    def write(self, rows: Iterable[Row], *, patient: bool) -> None:
        """Write rows of one campaign, and replace rows with the same key.

        :param patient: whether to wait up to five minutes for a database that is not available.
        :raises CallApiTrouble: the database does not answer, or refuses the rows.
        """
        retrying = RETRY_OUTAGE if patient else RETRY_BRIEFLY.copy(stop=lambda state: True)
        rows = iter(rows)
        while chunk := [self._full(row) for row in itertools.islice(rows, _CHUNK)]:
            mask_errors(lambda: retrying(self._write, chunk), self._named)

    def _full(self, row: Row) -> dict[str, Any]:
        return {**self._empty, **row, "campaign": _shortened(row["campaign"])}

    def _write(self, rows: list[dict[str, Any]]) -> None:
        rows = sorted(rows, key=lambda row: [row[name] for name in KEY])  # one order prevents deadlocks
        called = [row["person"] for row in rows if row["attempt"]]
        with self._engine.begin() as db:
            if called:  # a row with the attempt 0 means that the person was not called
                db.execute(
                    self._table.delete().where(
                        self._table.c.campaign == rows[0]["campaign"],
                        self._table.c.attempt == 0,
                        self._table.c.person.in_(called),
                    )
                )
            db.execute(self._upsert(), rows)

    def _upsert(self) -> Any:
        others = [name for name in self._empty if name not in KEY]
        if self._engine.dialect.name in ("mysql", "mariadb"):
            insert = mysql.insert(self._table)
            return insert.on_duplicate_key_update({name: insert.inserted[name] for name in others})
        dialect: Any = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        insert = dialect.insert(self._table)
        return insert.on_conflict_do_update(
            index_elements=KEY, set_={name: insert.excluded[name] for name in others}
        )

    def _check_columns(self) -> None:
        inspector, where = inspect(self._engine), {"schema": self._table.schema}
        existing = {column["name"] for column in inspector.get_columns(self._table.name, **where)}
        if missing := [name for name in self._empty if name not in existing]:
            raise CallApiFailure(
                f"{self._named} has no column {', '.join(missing)}. Name a new table, which the task creates"
            )
        keys = [inspector.get_pk_constraint(self._table.name, **where)["constrained_columns"]]
        keys += [key["column_names"] for key in inspector.get_unique_constraints(self._table.name, **where)]
        if not any(set(key) == set(KEY) for key in keys):
            raise CallApiFailure(
                f"{self._named} needs the primary key ({', '.join(KEY)}). Name a new table, which the "
                "task creates"
            )


def _shortened(campaign: str) -> str:
    """Return a campaign's name that fits into its column. A hash replaces the end of a longer name."""
    if len(campaign) <= LONGEST_NAME:
        return campaign
    digest = hashlib.sha256(campaign.encode()).hexdigest()[:16]
    return f"{campaign[: LONGEST_NAME - len(digest) - 1]}-{digest}"


def row_of_result(attempt: Attempt, campaign: str, person: str) -> dict[str, Any]:
    """Return the row of an attempt in a table of results.

    :param campaign: the campaign's name.
    :param person: the number called.
    """
    row = row_of_attempt(attempt, campaign)
    return {**{name: value for name, value in row.items() if name not in _NO_ATTEMPT}, "person": person}


def open_results_table(name: TableName) -> ResultsTable:
    """Return the table of results, which exists and can be written.

    :raises CallApiFailure: the connection or the table cannot be used.
    :raises CallApiTrouble: the database does not answer.
    """
    table = ResultsTable.of(name)
    table.prepare()
    return table
