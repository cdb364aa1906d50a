"""The tables of the SQL ledger. Users may query the tables. The call table contains phone numbers.

``callapi_campaign_call``
    The call table: one row for each attempt to call a person, with the columns of `attempt_columns`.
``callapi_campaign_lock``
    The lock table: 4096 rows, the stripes. Several people share a stripe. With ``min_gap``, a process locks
    the stripe of a person while it reserves an attempt to call this person.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.schema import CreateColumn

from airflow_provider_callapi.databases.attempt_columns import attempt_columns
from airflow_provider_callapi.databases.column_types import IN_MYSQL, LONGEST_NAME

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

DATABASE = "the ledger's database"
"""The name of the database in error messages."""
STRIPES = 4096
"""How many rows the lock table has. With many rows, two batches of people rarely need the same row."""

metadata = MetaData()
calls = Table(
    "callapi_campaign_call",
    metadata,
    *attempt_columns(),
    Index("callapi_campaign_call_external_id", "external_id"),
    Index("callapi_campaign_call_person", "person", "intended_at"),
    **IN_MYSQL,
)
locks = Table(
    "callapi_campaign_lock",
    metadata,
    Column("stripe", Integer, primary_key=True, autoincrement=False),
    Column("locked_by", String(LONGEST_NAME)),
    **IN_MYSQL,
)


def create_tables(engine: Engine) -> None:
    """Create the tables, columns and lock rows of the SQL ledger that are missing in the database.

    :raises SQLAlchemyError: a statement failed, for example because another process creates the same tables
        at the same time.
    """
    metadata.create_all(engine)
    _add_missing_columns(engine)
    with engine.begin() as db:
        if db.execute(select(func.count()).select_from(locks)).scalar_one() < STRIPES:
            existing = set(db.execute(select(locks.c.stripe)).scalars())
            missing = [{"stripe": one} for one in range(STRIPES) if one not in existing]
            if missing:  # for an empty list, SQLAlchemy would insert one row of default values
                db.execute(insert(locks), missing)


def _add_missing_columns(engine: Engine) -> None:
    """Add the columns that the ledger's table lacks because an older version of this package created it."""
    existing = {column["name"] for column in inspect(engine).get_columns(calls.name)}
    for column in calls.columns:
        if column.name not in existing:
            definition = CreateColumn(column).compile(dialect=engine.dialect)
            with engine.begin() as db:
                db.execute(text(f"ALTER TABLE {calls.name} ADD COLUMN {definition}"))


def stripe_of(key: str) -> int:
    """Return the number (0 to 4095) of a person's row in the SQL ledger's lock table.

    A claim with ``min_gap`` locks the row of its person. A person always has the same row. Several people
    can share a row.

    :param key: the person's key, as in `Attempt.person`.
    """
    return zlib.crc32(key.encode()) % STRIPES
