"""A ledger of campaigns in a SQL database: PostgreSQL, MySQL or SQLite.

The ledger has one row for each attempt, with the primary key (campaign, person, attempt). Only the process
that inserts the row dials the attempt. Two shards, two tries of a task, or two runs of a campaign therefore
never dial the same attempt twice.

A late write never replaces a result by an earlier status, such as ``answered`` by ``active``. The list
`airflow_provider_callapi.ledgers.sql_statements.KNOWLEDGE` defines which status or result comes later.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import tenacity
from sqlalchemy import func, insert, select, update

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status, is_taken
from airflow_provider_callapi.databases.attempt_rows import attempt_of_row, row_of_attempt
from airflow_provider_callapi.databases.columns import KEY, LONGEST_NAME
from airflow_provider_callapi.databases.connections import open_engine
from airflow_provider_callapi.databases.retries import (
    RETRY_BRIEFLY,
    RETRY_OUTAGE,
    LostRaceError,
    mask_errors,
)
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.ledgers.sql_statements import RANG, RECORD, TAKE_OVER, knowledge_index
from airflow_provider_callapi.ledgers.sql_tables import (
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
"""How many rows or people one SQL statement contains at most."""
_MICROSECOND = 1e-6
_DATABASE = "the ledger's database"


class SqlLedger:
    """Stores a campaign's attempts in a SQL database that several tasks can share.

    The class has the methods of `airflow_provider_callapi.calls.campaign.ledger.Ledger`. The constructor
    creates missing tables.

    :param engine: an SQLAlchemy engine for PostgreSQL, MySQL (InnoDB) or SQLite. Create the engine with
        the option ``hide_parameters``, which keeps phone numbers out of the engine's log.
    :param campaign: the campaign's name. Processes with the same name share the attempts.
    :param min_gap: seconds that must pass between two calls to a person. The calls of all campaigns in the
        database count, except calls that rang no phone. None: no minimum.
    :raises ValueError: the campaign's name is empty or too long.
    :raises CallApiTrouble: the database does not answer. The other methods raise this error too, after they
        have tried again for up to five minutes.
    """

    def __init__(self, engine: Engine, campaign: str, *, min_gap: float | None = None) -> None:
        if not 0 < len(campaign) <= LONGEST_NAME:
            raise ValueError(f"campaign: give a name of 1 to {LONGEST_NAME} characters")
        self._engine = engine
        self._campaign = campaign
        self._min_gap = min_gap
        # The statement fails if another process creates the tables at the same time. A repeat then succeeds.
        mask_errors(lambda: RETRY_BRIEFLY(create_tables, engine), _DATABASE)

    def load(self, people: Iterable[str]) -> Iterable[Attempt]:
        """Yield the campaign's stored attempts to call the given people.

        The attempts to call one person are in order, oldest attempt first.

        :param people: the keys of the people, as in `Attempt.person`.
        """
        for rows in self._rows(people):
            yield from map(attempt_of_row, rows)

    def claim(self, intents: Sequence[Attempt]) -> list[ClaimResult]:
        """Reserve attempts: store each intent, except the intents that the ledger refuses.

        Each intent has its own transaction. The ledger refuses an intent in three cases:

        - the same or a later attempt to call the person was dialled already;
        - the person's previous attempt is still open (its result is not yet known);
        - ``min_gap`` has not passed since the last call to the person. In this case,
          `ClaimResult.not_before` is the time at which ``min_gap`` has passed.

        :return: for each intent, in the same order: whether the ledger has stored the intent, or why not.
        """
        claims: list[ClaimResult] = []
        for intent in intents:
            # A stored intent is dialled only after this method returns, so do not wait long after the first.
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
        """Replace stored attempts by newer versions, for example by versions with a result.

        A row stays unchanged if it already contains more knowledge of the attempt, for example the result
        ``answered`` when a late version is still ``active``. The list
        `airflow_provider_callapi.ledgers.sql_statements.KNOWLEDGE` defines what counts as more knowledge.

        :param attempts: new versions of attempts that `claim` has reserved before.
        """
        # All writers use one order. With different orders, two writers could wait for each other: a deadlock.
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
        """Reserve one attempt within a transaction: store the intent, unless the ledger must refuse it.

        :param repeated: whether this process has tried to store the same intent before. The row alone does
            not show which process stored the row, because every process gives an attempt the same
            ``external_id``. True: this process stored an equal intent in the database, because its earlier
            transaction was committed and only the answer was lost. False: another process stored it.
        """
        if self._min_gap is not None:
            # Lock before the first read. In SQLite, only a write begins a transaction.
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
        """Yield the database rows of the attempts to call the given people, in lists.

        Each list contains all rows of up to 500 people, in the order of person and attempt.

        :param people: the keys of the people, as in `Attempt.person`.
        """
        query = select(calls).where(calls.c.campaign == self._campaign)
        for some in _chunks(list(dict.fromkeys(people))):
            theirs = query.where(calls.c.person.in_(some)).order_by(calls.c.person, calls.c.attempt)
            yield self._retried(_fetch_rows, theirs)

    def _retried(
        self, work: Callable[[Connection, A], T], argument: A, retrying: tenacity.Retrying | None = None
    ) -> T:
        """Run a database transaction, repeat it after a temporary error, and return its result.

        Temporary errors are, for example, a deadlock, a lost connection, and another process that changes the
        same row.

        :param work: a function that carries out the transaction. Its arguments are a database connection and
            ``argument``.
        :param retrying: how often to repeat the transaction. None: for up to five minutes if the database is
            not available.
        """

        def transaction() -> T:
            with self._engine.begin() as db:
                return work(db, argument)

        return mask_errors(lambda: (retrying or RETRY_OUTAGE)(transaction), _DATABASE)


def open_sql_ledger(ledger_conn_id: str, campaign: str, *, min_gap: float | None = None) -> SqlLedger:
    """Open a campaign's SQL ledger in the database to which an Airflow connection leads.

    :param ledger_conn_id: id of an Airflow connection to PostgreSQL, MySQL or SQLite. Its provider must offer
        an SQLAlchemy engine.
    :param campaign: the campaign's name. Processes with the same name share the attempts.
    :param min_gap: seconds that must pass between two calls to a person, see `SqlLedger`. None: no minimum.
    :raises CallApiFailure: the connection does not lead to a usable database. The text names
        ``ledger_conn_id``.
    :raises CallApiTrouble: the database did not answer. The text names ``ledger_conn_id``.
    """
    engine = open_engine(ledger_conn_id, "ledger_conn_id")
    try:
        return SqlLedger(engine, campaign, min_gap=min_gap)
    except CallApiTrouble as trouble:
        raise CallApiTrouble(f"ledger_conn_id: connection {ledger_conn_id!r}: {trouble}") from None


def _is_same(newest: Attempt, intent: Attempt) -> bool:
    """Return whether the database already contains an intent: as the newest attempt, with the same time.

    The two times may differ by less than a microsecond, because the database rounds times.

    :param newest: the person's newest attempt in the database.
    :param intent: the intent that a process wants to store.
    """
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
