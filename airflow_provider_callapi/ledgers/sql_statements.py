"""The statements of the SQL ledger: which write may replace a row, and which calls have rung a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, and_, bindparam, case, func, or_, update

from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import RANG_NO_PHONE, Result
from airflow_provider_callapi.ledgers.sql_rows import CALL_COLUMNS
from airflow_provider_callapi.ledgers.sql_tables import calls

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

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
"""(status, result) from the least to the most that can be known of an attempt; ``...``: any other result.

A write never replaces a row with more knowledge. Up to `Status.NOT_PLACED`, a write concerns one intent only.
It does not change the intent of another process that has taken the attempt over since.
"""
_ABOUT_AN_INTENT = KNOWLEDGE.index((Status.NOT_PLACED, ...))


def knowledge_index(attempt: Attempt) -> int:
    """Return the index in `KNOWLEDGE` of an attempt's status and result."""
    known = (attempt.status, attempt.result)
    return KNOWLEDGE.index(known if known in KNOWLEDGE else (attempt.status, ...))


def _row_has(status: Status, result: Any) -> ColumnElement[bool]:
    """Return the condition that a row has this status and result; ``...``: any result."""
    has_status = calls.c.status == status.value
    return has_status if result is ... else and_(has_status, calls.c.result == result)


def _merged_value(column: Column[Any]) -> Any:
    """Return the new value of a column of the call: an unknown value never replaces a known one."""
    if column.name == "observed":
        return case((column.is_(True), True), else_=_new_value("observed"))
    return func.coalesce(_new_value(column.name), column)


def _new_value(name: str) -> Any:
    """Return the parameter with the new value of a column."""
    return bindparam(f"new_{name}", type_=calls.c[name].type)


KEY = ("campaign", "person", "attempt")
"""The columns of the primary key."""
_REFUSED_AT_THE_START = (Result.REFUSED, Result.INVALID)
"""Rejected before dialling only if call_session_id is null; placed calls can carry these results too."""
RANG = and_(
    calls.c.status != Status.NOT_PLACED.value,
    or_(calls.c.result.is_(None), calls.c.result.not_in([result.value for result in RANG_NO_PHONE])),
    or_(
        calls.c.result.is_(None),
        calls.c.result.not_in([result.value for result in _REFUSED_AT_THE_START]),
        calls.c.call_session_id.is_not(None),
    ),
)
"""The condition that a call may have rung a phone: such calls count for ``min_gap``."""
TAKE_OVER = update(calls).where(
    *(calls.c[name] == bindparam(f"of_{name}") for name in KEY),
    calls.c.status == Status.NOT_PLACED.value,
)
"""Replaces an attempt that was not placed. Parameters: each column of `KEY` with ``of_`` before its name."""
_KNOWN = bindparam("known", type_=Integer)
RECORD = (
    update(calls)
    .where(
        *(calls.c[name] == _new_value(name) for name in KEY),
        case(*((_row_has(*known), index) for index, known in enumerate(KNOWLEDGE))) <= _KNOWN,
        or_(_KNOWN > _ABOUT_AN_INTENT, calls.c.intended_at == _new_value("intended_at")),
    )
    .values({name: _new_value(name) for name in _RESULT_COLUMNS})
    .values({name: _merged_value(calls.c[name]) for name in CALL_COLUMNS})
)
"""Stores what is newly known of an attempt, unless the row has more knowledge.

Parameters: ``known``, an index of `KNOWLEDGE`, and each column with ``new_`` before its name.
"""
