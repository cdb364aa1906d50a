"""The column types and table options of this package's tables in PostgreSQL, MySQL and SQLite.

Times are stored in UTC with microseconds. In PostgreSQL, the column type is ``timestamptz``. In MySQL and
SQLite, the column type has no time zone.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    _TypeDecorator = TypeDecorator[float]
else:
    _TypeDecorator = TypeDecorator

DIALECTS = ("postgresql", "mysql", "mariadb", "sqlite")
LONGEST_NAME = 250
"""How many characters a campaign's name or a person's key may have. A MySQL index has at most 3072 bytes."""
LONGEST_TEXT = 255
"""How many characters a finish reason, an id or the name of an error may have in a table."""


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

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], float | None]:
        kind: Any = self.impl  # `impl_instance` is new in SQLAlchemy 2
        read = kind.result_processor(dialect, coltype)
        return _epoch if read is None else lambda value: _epoch(read(value))


def _epoch(value: datetime.datetime | None) -> float | None:
    if value is None:
        return None
    return (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)).timestamp()


IN_MYSQL: Any = {
    f"{name}_{option}": value
    for name in ("mysql", "mariadb")
    for option, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
}
"""Table options for MySQL and MariaDB: an engine with transactions, and a case-sensitive collation."""
