"""The SQL statements with which the SQL ledger updates attempts.

The module contains two rules: when a write may change the row of an attempt, and which calls may have rung a
phone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, and_, bindparam, case, func, or_, update

from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import RANG_NO_PHONE, Result
from airflow_provider_callapi.databases.attempt_columns import KEY
from airflow_provider_callapi.databases.attempt_rows import CALL_COLUMNS
from airflow_provider_callapi.ledgers.sql_tables import calls

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Update

_RESULT_COLUMNS = ("status", "result", "result_known_at", "refused_with")

KNOWLEDGE: tuple[tuple[Status, Any], ...] = (
    (Status.DIALLING, ...),
    (Status.FINISHED, Result.UNRESOLVED),
    (Status.NOT_PLACED, ...),
    (Status.ACTIVE, ...),
    (Status.ENDED, None),
    (Status.ENDED, Result.UNKNOWN),
    (Status.FINISHED, Result.UNKNOWN),
    (Status.ENDED, ...),
    (Status.FINISHED, ...),
)
"""What can be known of an attempt, from the least to the most: (status, result). ``...`` is any other result.

A write never replaces a row that has a later entry of this list. A write with one of the first entries, up to
`Status.NOT_PLACED`, changes only the row of its own intent. If another process has taken over the attempt
since, the row has the other process's intent and stays unchanged.
"""
_ABOUT_AN_INTENT = KNOWLEDGE.index((Status.NOT_PLACED, ...))


def knowledge_index(attempt: Attempt) -> int:
    """Return a number from 0 to 8 that states how much is known of an attempt: an index in `KNOWLEDGE`.

    With a higher number, more is known. Example: 0 for an attempt with the status ``dialling``, 3 for
    ``active``, and 8 for ``finished`` with the result ``answered``.
    """
    known = (attempt.status, attempt.result)
    return KNOWLEDGE.index(known if known in KNOWLEDGE else (attempt.status, ...))


def _row_has(status: Status, result: Any) -> ColumnElement[bool]:
    """Return the SQL condition that a row has the given status and result. ``...`` stands for any result."""
    has_status = calls.c.status == status.value
    return has_status if result is ... else and_(has_status, calls.c.result == result)


def record_statement(new: Callable[[str], Any]) -> Update:
    """Return the SQL statement that stores new versions of attempts in the ledger's call table.

    The statement leaves a row unchanged in two cases:

    - The row contains more knowledge of its attempt than the new version, see `KNOWLEDGE`.
    - Another process has written its own intent into the row, and the new version contains no call.

    :param new: function from a name to the SQL expression for a value of the new version. The name is a
        column of the call table, or ``known``: the result of `knowledge_index` for the new version.
    """
    return (
        update(calls)
        .where(
            *(calls.c[name] == new(name) for name in KEY),
            case(*((_row_has(*known), index) for index, known in enumerate(KNOWLEDGE))) <= new("known"),
            or_(new("known") > _ABOUT_AN_INTENT, calls.c.intended_at == new("intended_at")),
        )
        .values({name: new(name) for name in _RESULT_COLUMNS})
        .values({name: _merged_value(calls.c[name], new(name)) for name in CALL_COLUMNS})
    )


def _merged_value(column: Column[Any], new: Any) -> Any:
    """Return the SQL for a column's next value: the new value, or the old value if the new value is null.

    Exception: a true ``observed`` stays true.
    """
    if column.name == "observed":  # once true, always true
        return case((column.is_(True), True), else_=new)
    return func.coalesce(new, column)  # null means unknown, and does not replace a known value


_REFUSED_AT_THE_START = (Result.REFUSED, Result.INVALID)
"""Results of a start request that was refused. Such a row has no ``call_session_id``.

A placed call can have the same results, but its row has a ``call_session_id``.
"""
RANG = and_(
    calls.c.status != Status.NOT_PLACED.value,
    or_(
        calls.c.result.is_(None),
        calls.c.result.not_in([result.value for result in RANG_NO_PHONE]),
        and_(calls.c.call_session_id.is_not(None), calls.c.answered.is_not(False)),  # Attempt.rang_no_phone
    ),
    or_(
        calls.c.result.is_(None),
        calls.c.result.not_in([result.value for result in _REFUSED_AT_THE_START]),
        calls.c.call_session_id.is_not(None),
    ),
)
"""The SQL condition that a call may have rung a phone. Only such calls count for ``min_gap``."""
TAKE_OVER = update(calls).where(
    *(calls.c[name] == bindparam(f"of_{name}") for name in KEY),
    calls.c.status == Status.NOT_PLACED.value,
)
"""The SQL statement that replaces an attempt that was not placed.

Its parameters are the columns of `KEY`, each with ``of_`` before the column's name.
"""
RECORD = record_statement(
    lambda name: bindparam(f"new_{name}", type_=Integer() if name == "known" else calls.c[name].type)
)
"""The SQL statement that stores a new version of one attempt, unless the row has more knowledge already.

Its parameters are the names that `record_statement` uses, each with ``new_`` before the name.
"""
