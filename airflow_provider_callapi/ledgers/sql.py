"""The ledger of campaigns in a SQL database: PostgreSQL, MySQL or SQLite.

A unique key of (campaign, person, attempt) decides which process dials. Shards, a cleared task and two
accidental runs therefore never dial the same attempt. A late write does not replace newer knowledge, see
`airflow_provider_callapi.ledgers.sql_statements.KNOWLEDGE`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import tenacity
from airflow.providers.common.compat.sdk import AirflowException, BaseHook
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status, is_taken
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.ledgers.sql_retries import (
    RETRY_BRIEFLY,
    RETRY_OUTAGE,
    LostRaceError,
    mask_errors,
)
from airflow_provider_callapi.ledgers.sql_rows import attempt_of_row, row_of_attempt
from airflow_provider_callapi.ledgers.sql_statements import KEY, RANG, RECORD, TAKE_OVER, knowledge_index
from airflow_provider_callapi.ledgers.sql_tables import (
    DIALECTS,
    LONGEST_NAME,
    calls,
    create_tables,
    locks,
    stripe_of,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

A = TypeVar("A")
T = TypeVar("T")

_CHUNK = 500
"""How many rows or people one SQL statement names at most."""
_MICROSECOND = 1e-6


class SqlLedger:
    """A `Ledger` in a database. The constructor creates missing tables.

    :param engine: of PostgreSQL, MySQL (InnoDB) or SQLite. Its option ``hide_parameters`` keeps phone numbers
        out of its log.
    :param campaign: the campaign's name. Processes with the same name share the ledger.
    :param min_gap: seconds that must pass between two calls to a person, counting the calls of all campaigns
        in the database; None: no minimum. Calls that rang no phone do not count.
    :raises CallApiTrouble: the database does not answer. Every method waits up to five minutes and then
        raises it, too.
    """

    def __init__(self, engine: Engine, campaign: str, *, min_gap: float | None = None) -> None:
        if not 0 < len(campaign) <= LONGEST_NAME:
            raise ValueError(f"campaign: give a name of 1 to {LONGEST_NAME} characters")
        self._engine = engine
        self._campaign = campaign
        self._min_gap = min_gap
        # if another process creates the tables at the same time, check again
        mask_errors(lambda: RETRY_BRIEFLY(create_tables, engine))

    def load(self, people: Iterable[str]) -> Iterable[Attempt]:
        """Yield every attempt to call these people, each person's oldest first."""
        for rows in self._rows(people):
            yield from map(attempt_of_row, rows)

    def claim(self, intents: Sequence[Attempt]) -> list[ClaimResult]:
        """Store each intent that is not taken, in its own transaction; return the answers in the same order.

        An intent within ``min_gap`` of the last call is not granted either: ``not_before`` is its time.
        """
        claims: list[ClaimResult] = []
        for intent in intents:
            # an intent that is stored but not returned is never dialled, so do not wait long after the first
            some_granted = any(claim.granted for claim in claims)
            try:
                claims.append(self._claim_retried(intent, RETRY_BRIEFLY if some_granted else RETRY_OUTAGE))
            except CallApiTrouble:
                if not some_granted:
                    raise
                claims += [ClaimResult(granted=False)] * (len(intents) - len(claims))
                break
        return claims

    def record(self, attempts: Sequence[Attempt]) -> None:
        """Store what is newly known of claimed attempts. A row with more `KNOWLEDGE` stays unchanged."""
        # two writers with different orders could wait for each other: a deadlock
        in_one_order = sorted(attempts, key=lambda attempt: (attempt.person, attempt.attempt))
        values = [
            {
                "known": knowledge_index(attempt),
                **{f"new_{name}": value for name, value in row_of_attempt(attempt, self._campaign).items()},
            }
            for attempt in in_one_order
        ]
        for chunk in _chunks(values):
            self._retried(_store, chunk)

    def _claim_retried(self, intent: Attempt, retrying: tenacity.Retrying) -> ClaimResult:
        tries = itertools.count()

        def claim(db: Connection, intent: Attempt) -> ClaimResult:
            return self._claim(db, intent, repeated=next(tries) > 0)

        return self._retried(claim, intent, retrying)

    def _claim(self, db: Connection, intent: Attempt, *, repeated: bool) -> ClaimResult:
        """Claim one intent within a transaction.

        :param repeated: an earlier transaction with the same intent may have been committed, although its
            answer was lost. Only then can the stored intent be this process's own: the external_id of an
            attempt is the same in every process.
        """
        if self._min_gap is not None:
            # lock before the first read; SQLite needs a write to begin its transaction
            stripe = stripe_of(intent.person)
            db.execute(update(locks).where(locks.c.stripe == stripe).values(locked_by=self._campaign))
        newest = self._newest(db, intent.person)
        if is_taken(newest, intent):
            is_own = repeated and newest is not None and _is_same(newest, intent)
            return ClaimResult(granted=True) if is_own else ClaimResult(granted=False, held=newest)
        not_before = self._not_before(db, intent.person)
        if not_before is not None and intent.intended_at < not_before:
            return ClaimResult(granted=False, not_before=not_before)
        row = row_of_attempt(intent, self._campaign)
        if newest is not None and newest.attempt == intent.attempt:
            taken_over = db.execute(TAKE_OVER.values(row), {f"of_{name}": row[name] for name in KEY})
            if taken_over.rowcount != 1:
                raise LostRaceError
        else:
            db.execute(insert(calls).values(row))
        return ClaimResult(granted=True)

    def _newest(self, db: Connection, person: str) -> Attempt | None:
        query = select(calls).where(calls.c.campaign == self._campaign, calls.c.person == person)
        row = db.execute(query.order_by(calls.c.attempt.desc()).limit(1)).first()
        return None if row is None else attempt_of_row(row)

    def _not_before(self, db: Connection, person: str) -> float | None:
        if self._min_gap is None:
            return None
        query = select(func.max(calls.c.intended_at)).where(calls.c.person == person, RANG)
        last = db.execute(query).scalar()
        return None if last is None else float(last) + self._min_gap

    def _rows(self, people: Iterable[str]) -> Iterator[Sequence[Any]]:
        """Yield the rows of these people in portions, ordered by person and attempt."""
        query = select(calls).where(calls.c.campaign == self._campaign)
        for some in _chunks(list(dict.fromkeys(people))):
            theirs = query.where(calls.c.person.in_(some)).order_by(calls.c.person, calls.c.attempt)
            yield self._retried(_fetch_rows, theirs)

    def _retried(
        self, work: Callable[[Connection, A], T], argument: A, retrying: tenacity.Retrying | None = None
    ) -> T:
        """Run a transaction; repeat it after a deadlock, a lost race, a lock or a lost connection.

        :param retrying: when to repeat it; None: also through an outage of some minutes.
        """

        def transaction() -> T:
            with self._engine.begin() as db:
                return work(db, argument)

        return mask_errors(lambda: (retrying or RETRY_OUTAGE)(transaction))


def open_sql_ledger(ledger_conn_id: str, campaign: str, *, min_gap: float | None = None) -> SqlLedger:
    """Return the ledger in the database of an Airflow connection.

    :param ledger_conn_id: id of a connection whose provider has SQLAlchemy engines.
    :param campaign: see `SqlLedger`.
    :param min_gap: see `SqlLedger`.
    :raises CallApiFailure: the connection leads to no usable database. The text names ``ledger_conn_id``.
    :raises CallApiTrouble: the database did not answer. The text names ``ledger_conn_id``.
    """
    named = f"ledger_conn_id: connection {ledger_conn_id!r}"
    try:
        hook = BaseHook.get_hook(ledger_conn_id)
        if not hasattr(hook, "get_sqlalchemy_engine"):
            raise CallApiFailure(f"{named} is not a connection to a SQL database")
        # a campaign may pause for a night, in which the server closes idle connections
        engine: Engine = hook.get_sqlalchemy_engine({"pool_pre_ping": True, "hide_parameters": True})
    except CallApiFailure:
        raise
    except (AirflowException, ImportError, SQLAlchemyError) as error:
        raise CallApiFailure(f"{named} cannot be used; install its provider or correct it: {error}") from None
    if engine.dialect.name not in DIALECTS:
        raise CallApiFailure(f"{named} leads to {engine.dialect.name}, not to one of {', '.join(DIALECTS)}")
    try:
        return SqlLedger(engine, campaign, min_gap=min_gap)
    except CallApiTrouble as trouble:
        raise CallApiTrouble(f"{named}: {trouble}") from None


def _is_same(newest: Attempt, intent: Attempt) -> bool:
    """Return whether a row is exactly this intent: the database keeps its time to the microsecond."""
    return (newest.attempt, newest.status, newest.external_id) == (
        intent.attempt,
        Status.DIALLING,
        intent.external_id,
    ) and abs(newest.intended_at - intent.intended_at) < _MICROSECOND


def _store(db: Connection, values: list[dict[str, Any]]) -> None:
    db.execute(RECORD, values)


def _fetch_rows(db: Connection, query: Any) -> Sequence[Any]:
    return db.execute(query).all()


def _chunks(items: list[T]) -> Iterator[list[T]]:
    for first in range(0, len(items), _CHUNK):
        yield items[first : first + _CHUNK]
