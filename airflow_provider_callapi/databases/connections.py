"""Open the SQL database to which an Airflow connection leads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, BaseHook

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_CONNECTION_LASTS = 60
"""Seconds after which an engine without pings replaces a connection."""
_NEEDED = ("get_conn", "get_sqlalchemy_engine")
"""The methods of a hook for a SQL database: Airflow's `DbApiHook`."""
_LASTING = frozenset(
    {
        *("ProgrammingError", "DataError", "NotSupportedError", "IntegrityError"),
        *("IdentifierError", "NoSuchTableError"),
    }
)
"""Names of exception classes in PEP 249, and of SQLAlchemy. A statement that raises one fails again."""
_UNSENT = (OverflowError, UnicodeEncodeError)
"""The exceptions of Python for a value that a driver cannot send, such as the number 10**30 to SQLite."""
_LASTING_IN_MYSQL = frozenset({1054, 1364})
"""MySQL's numbers of errors that last: an unknown column, and a column that needs a value. PyMySQL raises an
``OperationalError`` for these errors, as for a lost connection."""


def open_hook(conn_id: str, field: str) -> Any:
    """Return the `DbApiHook` of an Airflow connection.

    :param field: the parameter of the Airflow operator that names the connection, such as ``ledger_conn_id``.
        Error messages name this parameter.
    :raises CallApiFailure: the connection does not exist, or does not lead to a SQL database.
    """
    named = f"{field}: connection {conn_id!r}"
    try:
        hook = BaseHook.get_hook(conn_id)
    except (AirflowException, ImportError) as error:
        raise CallApiFailure(f"{named} cannot be used; install its provider or correct it: {error}") from None
    if not all(hasattr(hook, name) for name in _NEEDED):
        raise CallApiFailure(f"{named} is not a connection to a SQL database")
    return hook


def open_engine(conn_id: str, field: str, *, pings: bool = True) -> Engine:
    """Return an SQLAlchemy engine for the database of an Airflow connection.

    The engine keeps the values of statements, such as phone numbers, out of its log.

    :param field: the operator's parameter whose value is ``conn_id``, such as ``ledger_conn_id``. Error
        messages name this parameter.
    :param pings: see `engine_of`.
    :raises CallApiFailure: the Airflow connection cannot be used, or its database is not supported.
    """
    return engine_of(open_hook(conn_id, field), conn_id, field, pings=pings)


def engine_of(hook: Any, conn_id: str, field: str, *, pings: bool = True) -> Engine:
    """Return an SQLAlchemy engine for the database of an Airflow hook.

    The engine keeps the values of statements, such as phone numbers, out of its log. A connection of the
    engine fails if the network to the database is silent for a minute, see `limit_silence`.

    :param field: the operator's parameter whose value is ``conn_id``, such as ``ledger_conn_id``. Error
        messages name this parameter.
    :param pings: whether the engine tests its database connection before each transaction. False: a
        transaction can fail because the database connection is lost. The caller must then repeat the
        transaction.
    :raises CallApiFailure: the Airflow connection cannot be used, or its database is not supported.
    """
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - SQLAlchemy is heavy

    from airflow_provider_callapi.databases.column_types import DIALECTS  # noqa: PLC0415
    from airflow_provider_callapi.databases.silence import limit_silence  # noqa: PLC0415

    try:
        # The server may close idle connections while a campaign pauses for a night.
        pool = {"pool_pre_ping": True} if pings else {"pool_recycle": _CONNECTION_LASTS}
        engine: Engine = hook.get_sqlalchemy_engine(
            {**pool, "hide_parameters": True, "json_serializer": _readable_json}
        )
    except (AirflowException, ImportError, SQLAlchemyError) as error:
        raise CallApiFailure(
            f"{field}: connection {conn_id!r} cannot be used; install its provider or correct it: {error}"
        ) from None
    if engine.dialect.name not in DIALECTS:
        raise CallApiFailure(
            f"{field}: connection {conn_id!r} leads to {engine.dialect.name}, not to one of "
            f"{', '.join(DIALECTS)}"
        )
    limit_silence(engine, getattr(getattr(hook, "connection", None), "extra_dejson", {}))
    return engine


@contextmanager
def disposed_on_error(engine: Engine) -> Iterator[None]:
    """Close the connections of an SQLAlchemy engine if the ``with`` block raises an error."""
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def _readable_json(value: Any) -> str:
    """Return a value as JSON text whose letters are not escaped: ``"Анна"``, and not ``"\\u0410…"``."""
    # UTF-8 cannot encode half of a surrogate pair: it becomes `?`.
    return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace").decode()


def database_error(error: Exception, named: str) -> CallApiFailure | CallApiTrouble:
    """Convert an error of a database into the exception with which the task fails.

    - If a retry would fail the same way, e.g. after a ``ProgrammingError``: `CallApiFailure`.
    - If a later try may succeed, e.g. after a lost connection: `CallApiTrouble`.

    The message contains the first line of the database's error, without phone numbers.

    :param named: the beginning of the message, such as ``contacts: connection 'dwh'``.
    """
    text = masked_text(error, named)
    return CallApiFailure(text) if lasts(error) else CallApiTrouble(text)


def lasts(error: Exception) -> bool:
    """Return whether a SQL statement that raised an error would fail again in the same way.

    :param error: the exception of the database's driver, or an SQLAlchemy exception that contains it.
    """
    cause = _cause_of(error)
    if isinstance(cause, _UNSENT) or any(kind.__name__ in _LASTING for kind in type(cause).__mro__):
        return True
    if isinstance(cause, sqlite3.OperationalError):
        # SQLite's own code for a wrong statement. A locked or unreadable database has other codes.
        return getattr(cause, "sqlite_errorname", "") == "SQLITE_ERROR"
    number = next(iter(getattr(cause, "args", ())), None)
    return type(cause).__name__ == "OperationalError" and number in _LASTING_IN_MYSQL


def masked_text(error: Exception, named: str) -> str:
    """Return an error message: ``named``, and the first line of a database's error without phone numbers.

    :param error: the exception of the database's driver, or an SQLAlchemy exception that contains it.
    :param named: the beginning of the message, such as ``contacts: connection 'dwh'``.
    """
    cause = _cause_of(error)
    first_line = mask_phones(str(cause)).partition("\n")[0]
    return f"{named}: {type(cause).__name__}: {first_line}"


def _cause_of(error: Exception) -> Any:
    """Return the driver's exception inside an SQLAlchemy exception. Return any other exception unchanged."""
    return getattr(error, "orig", None) or error
