"""A ledger of campaigns in a SQL database: PostgreSQL, MySQL or SQLite.

The ledger has one row for each attempt to call a person. A process stores its intent in the row before it
sends the start request. Only one process can store the intent of an attempt. So two processes never send the
same start request.

A late write never replaces a result by an earlier status: ``active`` never replaces ``answered``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import tenacity
from sqlalchemy import bindparam, select
from sqlalchemy.exc import DBAPIError

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status
from airflow_provider_callapi.databases.attempt_columns import KEY
from airflow_provider_callapi.databases.attempt_rows import attempt_of_row
from airflow_provider_callapi.databases.column_types import LONGEST_NAME
from airflow_provider_callapi.databases.connections import database_error, disposed_on_error, open_engine
from airflow_provider_callapi.databases.retries import (
    RETRY_BRIEFLY,
    RETRY_OUTAGE,
    in_transaction,
)
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.ledgers.sql_batches import COLUMNS_OF_A_BATCH, claim_batch, record_batch
from airflow_provider_callapi.ledgers.sql_in_turn import claim_in_turn, record_in_turn
from airflow_provider_callapi.ledgers.sql_pages import AttemptPages
from airflow_provider_callapi.ledgers.sql_tables import DATABASE, calls, create_tables

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine
    from sqlalchemy.sql import Select

T = TypeVar("T")

_CHUNK = 500
"""How many attempts or people one SQL statement contains at most."""
_MANY = 0.1
"""`SqlLedger.load` reads the rows of all people of the campaign if it needs at least this share of them."""


class SqlLedger:
    """Stores a campaign's attempts in a SQL database that several tasks can share.

    The methods are those of `airflow_provider_callapi.calls.campaign.ledger.ClosableLedger`. The constructor
    creates missing tables.

    :param engine: an SQLAlchemy engine for PostgreSQL, MySQL (InnoDB) or SQLite, with the option
        ``hide_parameters``, so that its log contains no phone numbers.
    :param campaign: the campaign's name. Processes with the same name share the attempts.
    :param min_gap: seconds that must pass between two calls to a person, in all campaigns of the database.
        Calls that rang no phone do not count. None: no minimum.
    :raises ValueError: the campaign's name is empty or too long.
    :raises CallApiFailure: the tables cannot be used, for example because the database user may not change
        rows. Without this check, people would be called whose results cannot be stored.
    :raises CallApiTrouble: the database does not answer, or refuses a statement. The methods raise this error
        too.
    """

    def __init__(self, engine: Engine, campaign: str, *, min_gap: float | None = None) -> None:
        if not 0 < len(campaign) <= LONGEST_NAME:
            raise ValueError(f"campaign: give a name of 1 to {LONGEST_NAME} characters")
        self._engine = engine
        self._autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._has_batches = engine.dialect.name == "postgresql"
        self._campaign = campaign
        self._min_gap = min_gap
        # SQLAlchemy builds a statement more slowly than SQLite executes it.
        columns = COLUMNS_OF_A_BATCH if self._has_batches else tuple(calls.columns)
        in_order = select(*columns).order_by(*(calls.c[name] for name in KEY))
        self._all_attempts: Select[Any] = in_order.where(calls.c.campaign == campaign)
        self._attempts_of = self._all_attempts.where(calls.c.person.in_(bindparam("people", expanding=True)))
        try:
            # The statement fails if another process creates the tables at the same time: repeat it.
            RETRY_BRIEFLY(create_tables, engine)
            RETRY_BRIEFLY(self._check_rights)
        except Exception as error:  # each driver has its own exception classes
            raise database_error(error, DATABASE) from None

    def load(self, keys: Iterable[str]) -> Iterable[Attempt]:
        """Yield the campaign's stored attempts to call the given people.

        The attempts to call one person are in order, oldest attempt first.

        :param keys: the keys of the people, as in `Attempt.person`.
        """
        wanted = dict.fromkeys(keys)
        for rows in self._pages(wanted):
            yield from (attempt_of_row(row) for row in rows if row.person in wanted)

    def claim(self, intents: Sequence[Attempt], changed: Sequence[Attempt] = ()) -> list[ClaimResult]:
        """Reserve attempts: store each intent, except the intents that the ledger refuses.

        An intent is the record of the next attempt to call a person. The ledger refuses an intent in these
        cases:

        - The person could get a second call: the function `is_taken` returns True.
        - Fewer than ``min_gap`` seconds have passed since the last call to the person.
          `ClaimResult.not_before` states when the person may be called.
        - PostgreSQL only: the database fails after the ledger has stored other ``intents``. The ledger then
          refuses the rest and raises no error, so that the process can dial the stored intents at once.

        :param intents: the attempts that this process wants to dial.
        :param changed: newer versions of other attempts, to store first.
        :return: one `ClaimResult` for each intent, in the order of ``intents``.
        """
        self.record(changed)
        places = sorted(range(len(intents)), key=lambda place: _in_one_order(intents[place]))
        granted, is_doubtful = self._claim_batch([intents[place] for place in places])
        rest = [place for place in places if intents[place].person not in granted]
        claims = self._claim_in_turn(
            [intents[place] for place in rest], is_doubtful=is_doubtful, some_granted=bool(granted)
        )
        claim_of = dict(zip(rest, claims, strict=True))
        return [claim_of.get(place, ClaimResult(granted=True)) for place in range(len(intents))]

    def record(self, attempts: Sequence[Attempt]) -> None:
        """Replace stored attempts by newer versions, for example by versions with a result.

        A version does not replace a version with more knowledge of the attempt. For example, ``active`` does
        not replace the result ``answered``.
        `airflow_provider_callapi.ledgers.sql_statements.record_statement` describes the rules.

        :param attempts: new versions of attempts that `SqlLedger.claim` has stored before.
        """
        for chunk in _chunks(sorted(attempts, key=_in_one_order)):
            if self._has_batches:
                for batch in _one_version_each(chunk):
                    self._retried(partial(record_batch, self._campaign, batch), self._autocommit)
            else:
                self._retried(partial(record_in_turn, self._campaign, chunk))

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def _check_rights(self) -> None:
        """Reserve an attempt, record it, and roll back."""
        # No other process has the same person, and so none waits for the row.
        probe = Attempt(uuid.uuid4().hex, 1, Status.DIALLING, "", 0.0)
        with self._engine.connect() as db, db.begin() as transaction:
            claim_in_turn(self._campaign, [probe], self._min_gap, db, repeated=False)
            record_in_turn(self._campaign, [probe], db)
            transaction.rollback()

    def _claim_batch(self, intents: Sequence[Attempt]) -> tuple[Collection[str], bool]:
        """Reserve attempts with one SQL statement (PostgreSQL only).

        Return the keys of the people whose attempt is reserved, and whether the statement failed.
        """
        # `_claim_in_turn` decides about all intents that this method does not store.
        is_one_each = len({intent.person for intent in intents}) == len(intents)
        if not (self._has_batches and intents and is_one_each):
            return (), False
        try:
            with self._autocommit.begin() as db:
                return claim_batch(self._campaign, intents, self._min_gap, db), False
        except DBAPIError:  # the intents may be stored or not
            return (), True

    def _claim_in_turn(
        self, intents: Sequence[Attempt], *, is_doubtful: bool, some_granted: bool
    ) -> list[ClaimResult]:
        # Decides about those intents of a batch that `_claim_batch` has not stored, one after the other in
        # one transaction. `is_doubtful`: an earlier, failed write may have stored them. `some_granted`: the
        # campaign may already dial other intents of the batch.
        if not intents:
            return []

        def claim(db: Connection) -> list[ClaimResult]:
            nonlocal is_doubtful
            claims = claim_in_turn(self._campaign, intents, self._min_gap, db, repeated=is_doubtful)
            is_doubtful = True  # From here on, a failure leaves open whether the transaction was committed.
            return claims

        try:
            # If the process is about to dial other people, a database outage must not delay these calls.
            return self._retried(claim, retrying=RETRY_BRIEFLY if some_granted else RETRY_OUTAGE)
        except CallApiTrouble:
            if not some_granted:
                raise
            return [ClaimResult(granted=False)] * len(intents)

    def _pages(self, wanted: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
        """Yield lists of database rows: all attempts to call the people in ``wanted``.

        If ``wanted`` is long, the lists may also contain other people's rows.
        """
        if len(wanted) > _CHUNK:
            with closing(iter(AttemptPages(self._engine, self._all_attempts))) as pages:
                first = next(pages, ())
                if sum(row.person in wanted for row in first) >= len(first) * _MANY:
                    yield first
                    yield from pages
                    return
        for keys in _chunks(list(wanted)):
            yield self._retried(partial(self._fetch, keys))

    def _fetch(self, people: Sequence[str], db: Connection) -> Sequence[Any]:
        return db.execute(self._attempts_of, {"people": people}).all()

    def _retried(
        self,
        work: Callable[[Connection], T],
        engine: Engine | None = None,
        retrying: tenacity.Retrying = RETRY_OUTAGE,
    ) -> T:
        """Return the result of ``work`` in a transaction. ``retrying`` repeats a failed transaction.

        :raises CallApiTrouble: the last repeat failed.
        """
        return in_transaction(engine or self._engine, work, retrying=retrying, named=DATABASE)


def open_sql_ledger(ledger_conn_id: str, campaign: str, *, min_gap: float | None = None) -> SqlLedger:
    """Open a campaign's SQL ledger in the database to which an Airflow connection leads.

    :param ledger_conn_id: id of an Airflow connection to PostgreSQL, MySQL or SQLite.
    :param campaign: the campaign's name. Processes with the same name share the attempts.
    :param min_gap: seconds that must pass between two calls to a person, see `SqlLedger`. None: no minimum.
    :raises CallApiFailure: the connection does not lead to a usable database, see `SqlLedger`.
    :raises CallApiTrouble: the database did not answer.
    """
    engine = open_engine(ledger_conn_id, "ledger_conn_id", pings=False)
    with disposed_on_error(engine):
        try:
            return SqlLedger(engine, campaign, min_gap=min_gap)
        except (CallApiFailure, CallApiTrouble) as error:
            raise type(error)(f"ledger_conn_id: connection {ledger_conn_id!r}: {error}") from None


def _in_one_order(attempt: Attempt) -> tuple[str, int]:
    """Return the sort key of an attempt: (person, number of the attempt).

    All processes write attempts in the order of this key, so that no deadlock occurs.
    """
    return attempt.person, attempt.attempt


def _one_version_each(attempts: Sequence[Attempt]) -> Iterator[list[Attempt]]:
    """Split a list of attempts so that no list contains two versions of one attempt.

    Yield the lists, oldest versions first.
    """
    while attempts:
        batch: dict[tuple[str, int], Attempt] = {}
        later = [a for a in attempts if batch.setdefault(_in_one_order(a), a) is not a]
        yield list(batch.values())
        attempts = later


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for first in range(0, len(items), _CHUNK):
        yield items[first : first + _CHUNK]
