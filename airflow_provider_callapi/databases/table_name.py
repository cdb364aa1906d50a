"""The name of a SQL table to which a task writes. DAGs name the table as ``{"conn_id": …, "table": …}``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_KEYS = frozenset({"conn_id", "table", "schema"})


@dataclass(frozen=True)
class TableName:
    """The name of a SQL table, and the Airflow connection that leads to its database.

    :ivar conn_id: id of an Airflow connection to PostgreSQL, MySQL, MariaDB or SQLite.
    :ivar table: the table's name without the schema.
    :ivar schema: the table's schema in the database. None: the default schema of the connection's user.
    """

    conn_id: str
    table: str
    schema: str | None = None

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return the table that a dict names: ``{"conn_id": …, "table": …, "schema": …}``.

        The key ``schema`` is optional.

        :raises ValueError: the value is not a dict of this form. The error message names what is wrong.
        """
        if not isinstance(value, Mapping) or not {"conn_id", "table"} <= value.keys() <= _KEYS:
            raise ValueError("a table has the keys conn_id, table and schema")
        names = {name: part for name, part in value.items() if not (name == "schema" and part is None)}
        if not all(isinstance(part, str) and part.strip() for part in names.values()):
            raise ValueError("conn_id, table and schema: a text is needed")
        if "." in names["table"]:
            raise ValueError("table: a name without a dot is needed; the schema has a key of its own")
        return cls(**names)

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}" if self.schema else self.table
