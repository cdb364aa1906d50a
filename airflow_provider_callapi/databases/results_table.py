"""The table of results: a SQL table with one row for each attempt to call a person.

Campaigns write to the table, and so do start operators with the parameter ``results``. The primary key is
(``campaign``, ``person``, ``attempt``, ``task``). ``person`` is the number to call: E.164 digits, or a SIP
number. In a row that does not describe an attempt, ``attempt`` is 0, and ``task`` names the task and the run
that have written the row: several may share a campaign name, and each only knows its own list. In a row of an
attempt, ``task`` is empty. There are two kinds of rows with the attempt 0:

- A row for a person who was not called.
- A row for an invalid entry or a duplicate in the contact list. ``person`` is then the position of the
  entry, such as ``row 17``. If several tasks with different lists share a campaign name:
  ``row 17 of list 3``.

The table has the columns of an attempt, such as ``result``, and three more:

- ``contact``: the person's entry in the contact list, as JSON. Null if the task has no contact list.
- ``list_row``: the position of this entry in the list, from 1. Null if the task has no contact list.
- ``why``: what is wrong with an invalid entry or a duplicate. Null in all other rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, Text, select

from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.databases.attempt_columns import KEY, attempt_columns
from airflow_provider_callapi.databases.attempt_rows import row_of_attempt
from airflow_provider_callapi.databases.column_types import IN_MYSQL, LONGEST_NAME
from airflow_provider_callapi.databases.keyed_table import KeyedTable
from airflow_provider_callapi.databases.retries import RETRY_BRIEFLY, RETRY_OUTAGE, TRY_ONCE, in_transaction
from airflow_provider_callapi.databases.table_name import TableName

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_PROBE = {"campaign": "", "person": "", "attempt": 0, "task": "", "status": "", "external_id": ""}
"""The key of a row that is written and rolled back, to find out whether rows can be written."""
_NO_ATTEMPT = ("unrung",)
"""Columns of an attempt that only a ledger needs."""

Row = Mapping[str, Any]
"""Column of the table of results → value. Columns that are missing are null."""


class ResultsTable:
    """A table of results in a SQL database: one row for each attempt to call a person.

    :param name: the table. `ResultsTable.prepare` creates a missing table.
    :param task: the ids of the task and its run, for rows with the attempt 0. A retry has the same ids.
        Empty: the task writes no such rows.
    :param list_number: the number of the contact list among several lists with the same campaign name. None:
        the campaign has one list.
    :raises CallApiFailure: the connection cannot be used.
    """

    def __init__(self, name: TableName, *, task: str = "", list_number: int | None = None) -> None:
        self._task = _short_name(task)
        self._list_number = list_number
        columns = [column for column in attempt_columns() if column.name not in _NO_ATTEMPT]
        for column in columns:
            column.nullable = column.name not in KEY
        table = Table(
            name.table,
            MetaData(),
            *columns,
            Column("task", String(LONGEST_NAME), primary_key=True),
            Column("contact", JSON(none_as_null=True)),
            Column("list_row", Integer),
            Column("why", Text),
            schema=name.schema,
            **IN_MYSQL,
        )
        self._keyed = KeyedTable.open(name, table, "results")

    def prepare(self) -> None:
        """Create the table if it is missing, and check that rows can be written.

        :raises CallApiFailure: a column is missing, no primary or unique key consists of the expected
            columns, or the database reports a permanent error, e.g. rows cannot be written.
        :raises CallApiTrouble: a transient error, e.g. the database does not answer.
        """
        self._keyed.prepare(_PROBE)

    def write(self, rows: Iterable[Row], *, patient: bool) -> None:
        """Write rows of one campaign. A row replaces the row with the same primary key.

        Some written rows remove an older row with the attempt 0 (a row that does not describe an attempt), if
        the same task has written it:

        - An attempt to call a person removes the row which says that the person was not called.
        - The row of a person removes the row of an invalid entry or a duplicate at the same position in the
          contact list. This happens after the author has corrected the entry and cleared the task.

        :param rows: dicts: column → value.
        :param patient: whether to repeat the write for up to five minutes if the database is not available.
            False: the method tries once.
        :raises CallApiTrouble: the database does not answer, or refuses the rows.
        """
        retrying = RETRY_OUTAGE if patient else TRY_ONCE
        self._keyed.write(map(self._with_key, rows), self._write, retrying=retrying)

    def read_ids(self, campaign: str) -> dict[tuple[str, int], str | None]:
        """Return the ``external_id`` of each attempt of a campaign that the table contains.

        :return: (person, number of the attempt) → ``external_id``.
        :raises CallApiTrouble: the database does not answer.
        """
        columns = self._keyed.table.c
        query = select(columns.person, columns.attempt, columns.external_id).where(
            columns.campaign == _short_name(campaign), columns.attempt > 0
        )
        rows = in_transaction(
            self._keyed.engine,
            lambda db: db.execute(query).all(),
            retrying=RETRY_BRIEFLY,
            named=self._keyed.named,
        )
        return {(person, attempt): external_id for person, attempt, external_id in rows}

    @property
    def named(self) -> str:
        """The beginning of each error message, such as ``results: connection 'dwh', table calls``."""
        return self._keyed.named

    def close(self) -> None:
        """Close the connections to the database. A later write opens a new connection."""
        self._keyed.close()

    def _write(self, rows: list[Row], db: Connection) -> None:
        table = self._keyed.table
        removed = {row["person"] for row in rows if row["attempt"]}
        lines = {row["list_row"] for row in rows if row.get("list_row")}
        positions = {position_in_list(line, self._list_number) for line in lines}
        removed |= positions - {row["person"] for row in rows}
        if removed:
            db.execute(
                table.delete().where(
                    table.c.campaign == rows[0]["campaign"],
                    table.c.attempt == 0,
                    table.c.task == self._task,
                    table.c.person.in_(sorted(removed)),
                )
            )
        self._keyed.upsert(rows, db)

    def _with_key(self, row: Row) -> Row:
        """Return a row with the stored name of its campaign, and with the task if its attempt is 0."""
        return {**row, "campaign": _short_name(row["campaign"]), "task": "" if row["attempt"] else self._task}


def position_in_list(line: int, list_number: int | None) -> str:
    """Return the value of the column ``person`` for an invalid entry or a duplicate, e.g. ``row 7``.

    The value is the position of the entry in the contact list.

    :param line: the number of the entry in the list, from 1.
    :param list_number: the number of the list among several lists with the same campaign name. None: the
        campaign has one list.
    """
    return f"row {line}" if list_number is None else f"row {line} of list {list_number}"


def _short_name(name: str) -> str:
    """Return a name of a campaign or task that is not too long: a hash replaces the end of a longer name."""
    if len(name) <= LONGEST_NAME:  # the column takes no longer name
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{name[: LONGEST_NAME - len(digest) - 1]}-{digest}"


def row_of_result(attempt: Attempt, campaign: str, person: str) -> dict[str, Any]:
    """Convert an attempt to a row of a table of results: column → value.

    :param campaign: the campaign's name.
    :param person: the value of the column ``person``: the number that is called, as E.164 digits or as a SIP
        number. The row lacks the columns ``contact``, ``list_row`` and ``why``, which describe the list.
    """
    row = row_of_attempt(attempt, campaign)
    return {**{name: value for name, value in row.items() if name not in _NO_ATTEMPT}, "person": person}


def open_results_table(name: TableName, *, task: str = "", list_number: int | None = None) -> ResultsTable:
    """Open a table of results. Create the table if it is missing, and check that rows can be written.

    For the parameters, see `ResultsTable`.

    :raises CallApiFailure: the connection or the table cannot be used.
    :raises CallApiTrouble: the database does not answer.
    """
    table = ResultsTable(name, task=task, list_number=list_number)
    table.prepare()
    return table
