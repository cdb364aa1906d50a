"""The table of calls: a SQL table with one row for each call that the Data API has reported.

The primary key is the column ``id``, which contains the call session id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, MetaData, Table, Text

from airflow_provider_callapi.calls.reports.report_fields import FieldKind, kind_of_field
from airflow_provider_callapi.databases.column_types import IN_MYSQL, Moment
from airflow_provider_callapi.databases.keyed_table import KeyedTable
from airflow_provider_callapi.databases.retries import RETRY_OUTAGE

if TYPE_CHECKING:
    from airflow_provider_callapi.databases.table_name import TableName

KEY = "id"
_TYPES: Mapping[FieldKind, Any] = {
    FieldKind.INTEGER: BigInteger,
    FieldKind.MOMENT: Moment,
    FieldKind.FLAG: Boolean,
    FieldKind.TEXT: Text,
    FieldKind.JSON: JSON(none_as_null=True),
}


class ReportTable:
    """A table of calls in a SQL database: one row for each call that the Data API has reported.

    :param name: the table. The constructor creates a missing table.
    :param columns: ``id`` and other fields of the Data API's report of calls.
    :raises CallApiFailure: the connection or the table cannot be used.
    :raises CallApiTrouble: the database does not answer.
    """

    def __init__(self, name: TableName, columns: Sequence[str]) -> None:
        types = {column: kind_of_field(column) for column in columns}
        self._moments = [column for column, kind in types.items() if kind is FieldKind.MOMENT]
        table = Table(
            name.table,
            MetaData(),
            *(
                Column(column, _TYPES[kind], primary_key=column == KEY, autoincrement=False)
                for column, kind in types.items()
            ),
            schema=name.schema,
            **IN_MYSQL,
        )
        self._keyed = KeyedTable.open(name, table, "to")
        self._keyed.prepare({KEY: 0})

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows of calls. A row replaces the row with the same ``id``.

        If the database is not available, the method repeats the write for up to five minutes.

        :param rows: for each call, a dict: column → value. Each dict contains at least ``id`` and every
            column with a time. Times are ISO 8601 texts in UTC.
        :raises CallApiTrouble: the database does not answer, or refuses the rows.
        """
        self._keyed.write(map(self._with_moments, rows), self._keyed.upsert, retrying=RETRY_OUTAGE)

    def close(self) -> None:
        """Close the connections to the database."""
        self._keyed.close()

    def _with_moments(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of a row in which epoch seconds replace the times in ISO 8601."""
        return {**row, **{name: _epoch_seconds(row[name]) for name in self._moments}}


def _epoch_seconds(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()
