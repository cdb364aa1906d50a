"""Limits how long a process waits for a database that is silent: while it connects, and during a statement.

Without limits, a process waits for hours if a firewall drops all packets: the driver raises no error, so
nothing is repeated. The PostgreSQL drivers have no limit for a server that hangs while its computer confirms
the packets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_CONNECTS_WITHIN = 10
"""Seconds for a new connection."""
_LONGEST_SILENCE = 60
"""Seconds without an answer of the database after which a connection counts as lost."""
_OF_LIBPQ: Mapping[str, Any] = {
    "connect_timeout": _CONNECTS_WITHIN,
    # The other computer is lost: two more probes follow the first.
    "keepalives": 1,
    "keepalives_idle": _LONGEST_SILENCE // 2,
    "keepalives_interval": _LONGEST_SILENCE // 6,
    "keepalives_count": 3,
    "tcp_user_timeout": _LONGEST_SILENCE * 1000,
}
_OF_MYSQL: Mapping[str, Any] = {
    "connect_timeout": _CONNECTS_WITHIN,
    "read_timeout": _LONGEST_SILENCE,
    "write_timeout": _LONGEST_SILENCE,
}
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(("psycopg2", "psycopg"), _OF_LIBPQ),
    **dict.fromkeys(("pymysql", "mysqldb"), _OF_MYSQL),
}
"""SQLAlchemy's name of a driver → the driver's options of a connection."""


def limit_silence(engine: Engine, own_options: Mapping[str, Any]) -> None:
    """Let the connections of an SQLAlchemy engine fail if their database is silent.

    A new connection fails after 10 seconds. A statement fails after 60 seconds in which the database's
    computer confirms no packet (PostgreSQL), or sends nothing (MySQL).

    :param own_options: the author's options in the Airflow connection. These options, and those in the
        engine's URL, have precedence.
    """
    options = _OPTIONS.get(engine.dialect.driver, {})

    def add_options(dialect: Any, record: Any, arguments: Any, given: dict[str, Any]) -> None:
        for name, value in options.items():
            given.setdefault(name, own_options.get(name, value))

    event.listen(engine, "do_connect", add_options)
