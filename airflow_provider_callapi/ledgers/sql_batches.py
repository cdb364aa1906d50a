"""The PostgreSQL statements that claim or store a whole batch of attempts with one request and one commit.

To claim an attempt means to reserve the attempt: to store its intent before the start request is sent. Each
statement gets the attempts of the batch in its parameter ``rows``, a JSON list of objects: column → value.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    Column,
    Integer,
    bindparam,
    cast,
    exists,
    extract,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, insert

from airflow_provider_callapi.calls.campaign.ledger import OPEN, Attempt
from airflow_provider_callapi.databases.attempt_columns import KEY
from airflow_provider_callapi.databases.attempt_rows import row_of_attempt
from airflow_provider_callapi.databases.column_types import Moment
from airflow_provider_callapi.ledgers.sql_statements import RANG, knowledge_index, record_statement
from airflow_provider_callapi.ledgers.sql_tables import calls, locks, stripe_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection
    from sqlalchemy.sql.selectable import CTE

COLUMNS_OF_A_BATCH = [
    cast(extract("epoch", column), DOUBLE_PRECISION).label(column.name)
    if isinstance(column.type, Moment)
    else column
    for column in calls.columns
]
"""The columns of the call table, with times as epoch seconds. Python reads a number faster than a time."""
_OF_AN_INTENT = [column for column in calls.columns if not column.nullable]


def claim_batch(campaign: str, intents: Sequence[Attempt], min_gap: float | None, db: Connection) -> set[str]:
    """Store those intents that are clearly allowed, with one fast statement.

    In three cases, the statement does not store an intent. The caller must then let `claim_in_turn` decide
    about the intent:

    - The ledger contains a reason to refuse the intent, such as an earlier attempt without a result.
    - The intent repeats a stored attempt whose call was not placed.
    - With ``min_gap``: another process has just claimed an attempt with the same stripe (row of the lock
      table).

    :param campaign: the campaign's name.
    :param intents: intents to call different people, in the order of the people's keys.
    :param min_gap: seconds between two calls to a person. None: no minimum.
    :param db: a connection that commits each statement.
    :return: the keys of the people whose intent is stored.
    """
    rows = [
        {
            **_as_json(row_of_attempt(intent, campaign)),
            "stripe": stripe_of(intent.person),
            "last_before": _iso(intent.intended_at - (min_gap or 0.0)),
        }
        for intent in intents
    ]
    if min_gap is None:
        return set(db.execute(_CLAIM, {"rows": rows}).scalars())
    return set(db.execute(_CLAIM_WITH_GAP, {"rows": rows, "claim": uuid.uuid4().hex}).scalars())


def record_batch(campaign: str, attempts: Sequence[Attempt], db: Connection) -> None:
    """Store new versions of attempts in the ledger's call table with one statement.

    If a row already contains more knowledge of its attempt than the new version, the row stays unchanged.
    `airflow_provider_callapi.ledgers.sql_statements.record_statement` describes the rules.

    :param campaign: the campaign's name.
    :param attempts: one version of each attempt.
    :param db: a connection that commits each statement.
    """
    rows = [
        {**_as_json(row_of_attempt(attempt, campaign)), "known": knowledge_index(attempt)}
        for attempt in attempts
    ]
    db.execute(_RECORD, {"rows": rows})


def _as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the ledger's call table as plain JSON: column → value.

    The JSON omits null values. Times become ISO 8601 texts.
    """
    return {
        name: _iso(value) if isinstance(calls.c[name].type, Moment) else value
        for name, value in row.items()
        if value is not None
    }


def _iso(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()


def _table_of(name: str, *columns: Column[Any]) -> CTE:
    """Return a SQL expression that reads the statement's parameter ``rows`` (a JSON list) as a table."""
    rows = cast(bindparam("rows", type_=JSON), JSON)
    # If an object lacks a column, the value is null.
    typed = (Column(column.name, column.type) for column in columns)
    table = func.json_to_recordset(rows).table_valued(*typed).render_derived(with_types=True)
    return select(table).cte(name)


def _claim_statement(*, has_gap: bool) -> Any:
    intent = _table_of("intent", *_OF_AN_INTENT, Column("stripe", Integer), Column("last_before", Moment))
    may_be_taken = exists().where(
        calls.c.campaign == intent.c.campaign,
        calls.c.person == intent.c.person,
        or_(calls.c.attempt >= intent.c.attempt, calls.c.status.in_([status.value for status in OPEN])),
    )
    granted = select(*(intent.c[column.name] for column in _OF_AN_INTENT)).where(~may_be_taken)
    if has_gap:
        was_called = exists().where(
            calls.c.person == intent.c.person, calls.c.intended_at > intent.c.last_before, RANG
        )
        locked = _lock(intent)
        granted = granted.where(~was_called, intent.c.stripe.in_(select(locked.c.stripe)))
    return (
        insert(calls)
        .from_select([column.name for column in _OF_AN_INTENT], granted.order_by(intent.c.person))
        .on_conflict_do_nothing()
        .returning(calls.c.person)
    )


def _lock(intent: CTE) -> CTE:
    """Return the SQL expression that locks the rows of all people of a batch in the lock table."""
    # Several people share a row. `intent`: the SQL expression for the batch.
    # Until the statement is committed, all other claims with `min_gap` for these people wait.
    stripes = locks.c.stripe.in_(select(intent.c.stripe))
    # `before`: the rows when the statement began. `held`: the same rows after the wait for other claims.
    before = select(locks).where(stripes).cte("before")
    held = select(locks).where(stripes).order_by(locks.c.stripe).with_for_update().cte("held")
    # Leave out a row that another claim has changed in between: this statement cannot see the attempts
    # of that claim.
    return (
        update(locks)
        .where(
            locks.c.stripe == held.c.stripe,
            held.c.stripe == before.c.stripe,
            held.c.locked_by.is_not_distinct_from(before.c.locked_by),
        )
        .values(locked_by=bindparam("claim"))
        .returning(locks.c.stripe)
        .cte("locked")
    )


def _record_statement() -> Any:
    new = _table_of("new", *calls.columns, Column("known", Integer))
    # All writers lock the rows in one order. With different orders, two writers could wait for each other.
    held = (
        select(*(calls.c[name] for name in KEY))
        .where(*(calls.c[name] == new.c[name] for name in KEY))
        .order_by(calls.c.person, calls.c.attempt)
        .with_for_update(of=calls)
        .cte("held")
    )
    return record_statement(lambda name: new.c[name]).where(*(calls.c[name] == held.c[name] for name in KEY))


_CLAIM = _claim_statement(has_gap=False)
_CLAIM_WITH_GAP = _claim_statement(has_gap=True)
_RECORD = _record_statement()
