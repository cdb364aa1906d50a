"""The name of a SQL table to which a task writes. DAGs name the table as ``{"conn_id": …, "table": …}``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from airflow_provider_callapi.api.values.value_parts import InvalidPart, check_keys, invalid_part

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

        :raises ValueError: the value is no dict.
        :raises InvalidPart: the dict has another form.
        """
        if not isinstance(value, Mapping):
            raise ValueError("a dict is needed")
        check_keys(value, known=_KEYS, required=("conn_id", "table"))
        names = {name: part for name, part in value.items() if not (name == "schema" and part is None)}
        for name, part in names.items():
            if not isinstance(part, str) or not part.strip():
                raise invalid_part(name, "a text that is not empty", part)
        if "." in names["table"]:
            raise InvalidPart("table: a name without a dot is needed; the schema has a key of its own")
        return cls(**names)

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}" if self.schema else self.table
