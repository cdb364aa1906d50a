"""The tables of the SQL ledger. An author may query these tables. The call table holds phone numbers.

``callapi_campaign_call``
    One row for each dialled attempt. Its columns are the fields of the `Attempt`, and the fields of the
    call's `Outcome`. Times have microseconds. The type of times is ``timestamptz`` in PostgreSQL. In
    databases whose time type has no time zone, times are in UTC.
``callapi_campaign_lock``
    A fixed number of rows. Each person belongs to one of these rows. A claim with ``min_gap`` locks the
    person's row, so that claims for one person wait for each other.
"""

from __future__ import annotations

import datetime
import zlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect, Engine

    _TypeDecorator = TypeDecorator[float]
else:
    _TypeDecorator = TypeDecorator

DIALECTS = ("postgresql", "mysql", "mariadb", "sqlite")
LONGEST_NAME = 250
"""How many characters a campaign's name or a person's key may have. A MySQL index has at most 3072 bytes."""
STRIPES = 64
"""How many rows the lock table has."""


class Moment(_TypeDecorator):
    """A column type for a time: epoch seconds in Python, UTC with microseconds in the database."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        # In MySQL, a plain DATETIME rounds to seconds, and a TIMESTAMP depends on the session's time zone.
        kind = DATETIME(fsp=6) if dialect.name in ("mysql", "mariadb") else DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: float | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        moment = datetime.datetime.fromtimestamp(value, datetime.UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> float | None:
        if value is None:
            return None
        moment: datetime.datetime = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return moment.timestamp()


_IN_MYSQL: Any = {
    f"{name}_{option}": value
    for name in ("mysql", "mariadb")
    for option, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
}
"""Table options for MySQL and MariaDB: an engine with transactions, and a case-sensitive collation."""

metadata = MetaData()
calls = Table(
    "callapi_campaign_call",
    metadata,
    Column("campaign", String(LONGEST_NAME), primary_key=True),
    Column("person", String(LONGEST_NAME), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("status", String(16), nullable=False),
    Column("result", String(32)),
    Column("external_id", String(255), nullable=False),
    Column("unrung", Integer, nullable=False),
    Column("intended_at", Moment, nullable=False),
    Column("result_known_at", Moment),
    Column("refused_with", String(255)),
    Column("call_session_id", BigInteger),
    Column("call_status", String(16)),
    Column("answered", Boolean),
    Column("started_at", Moment),
    Column("answered_at", Moment),
    Column("ended_at", Moment),
    Column("observed", Boolean),
    Column("finish_reason", String(255)),
    Column("contact_finish_reason", String(255)),
    Column("talk_seconds", Integer),
    Column("tags", JSON(none_as_null=True)),
    Column("communication_id", BigInteger),
    Column("source", String(16)),
    Index("callapi_campaign_call_external_id", "external_id"),
    Index("callapi_campaign_call_person", "person", "intended_at"),
    **_IN_MYSQL,
)
locks = Table(
    "callapi_campaign_lock",
    metadata,
    Column("stripe", Integer, primary_key=True, autoincrement=False),
    Column("locked_by", String(LONGEST_NAME)),
    **_IN_MYSQL,
)


def create_tables(engine: Engine) -> None:
    """Create those tables of the SQL ledger that are missing in the database.

    :raises SQLAlchemyError: a statement failed, for example because another process creates the same tables
        at the same time.
    """
    metadata.create_all(engine)
    with engine.begin() as db:
        if db.execute(select(func.count()).select_from(locks)).scalar() == 0:
            db.execute(insert(locks), [{"stripe": stripe} for stripe in range(STRIPES)])


def stripe_of(person: str) -> int:
    """Return the number of the row that a claim for a person locks in the lock table.

    :param person: the key by which the ledger knows the person.
    """
    return zlib.crc32(person.encode()) % STRIPES
