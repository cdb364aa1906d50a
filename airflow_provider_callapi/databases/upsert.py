"""The SQL statement that writes rows, and replaces the rows with the same primary key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import mysql, postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy import Table


def upsert_statement(table: Table, dialect_name: str) -> Any:
    """Return the statement that inserts a row, or replaces the row with the same primary key.

    The parameters of the statement are the names of all columns of the table.

    :param table: the table. A primary or unique key of the database consists of its primary key.
    :param dialect_name: SQLAlchemy's name of the database, one of
        `airflow_provider_callapi.databases.column_types.DIALECTS`.
    """
    key = [column.name for column in table.primary_key]
    replaced = [column.name for column in table.columns if column.name not in key] or key
    if dialect_name in ("mysql", "mariadb"):
        insert = mysql.insert(table)
        return insert.on_duplicate_key_update({name: insert.inserted[name] for name in replaced})
    dialect: Any = postgresql if dialect_name == "postgresql" else sqlite
    insert = dialect.insert(table)
    return insert.on_conflict_do_update(
        index_elements=key, set_={name: insert.excluded[name] for name in replaced}
    )
