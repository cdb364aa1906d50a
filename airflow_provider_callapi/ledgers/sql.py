"""The ledger of campaigns in a SQL database: PostgreSQL, MySQL or SQLite.

A unique key of (campaign, person, attempt) decides which process dials. Shards, a cleared task and two
accidental runs therefore never dial the same attempt. A late write does not replace newer knowledge, see
`KNOWLEDGE`. The tables are made for queries. They hold the people's phone numbers:

``callapi_campaign_call``
    One row a dialled attempt, with the fields of `Attempt` and those of its call's `Outcome`. Times have
    microseconds: ``timestamptz`` in PostgreSQL, UTC in databases whose type has no time zone.
``callapi_campaign_lock``
    A fixed number of rows, each for a part of the people. A claim with ``min_gap`` locks one of them.
"""

from __future__ import annotations

import datetime
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import tenacity
from airflow.providers.common.compat.sdk import AirflowException, BaseHook
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
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.types import TypeDecorator

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status, is_taken
from airflow_provider_callapi.calls.campaign.outcomes import RANG_NO_PHONE, Result
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection, Dialect, Engine

    _TypeDecorator = TypeDecorator[float]
else:
    _TypeDecorator = TypeDecorator

A = TypeVar("A")
T = TypeVar("T")

DIALECTS = ("postgresql", "mysql", "mariadb", "sqlite")
LONGEST_NAME = 250
"""Characters of a campaign's name, and of a person's key: a MySQL index holds at most 3072 bytes."""

_CHUNK = 500
_MICROSECOND = 1e-6
_STRIPES = 64


class Moment(_TypeDecorator):
    """Converts epoch seconds to a database time in UTC with microseconds, and back."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        # MySQL's plain DATETIME rounds to seconds, and its TIMESTAMP depends on the session's zone
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
"""Options for MySQL: an engine with transactions, and a collation in which "Sale" is not "sale"."""

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

_OF_THE_CALL = (
    "answered",
    "started_at",
    "answered_at",
    "ended_at",
    "finish_reason",
    "talk_seconds",
    "communication_id",
    "source",
)
"""Columns with the names of fields of `Outcome`."""
_CALL_COLUMNS = ("call_session_id", "call_status", "observed", "tags", *_OF_THE_CALL)
_RESULT_COLUMNS = ("status", "result", "result_known_at", "refused_with")
_NAMES = tuple(column.name for column in calls.columns)

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


class SqlLedger:
    """A `Ledger` in a database. The constructor creates missing tables.

    :param engine: of PostgreSQL, MySQL (InnoDB) or SQLite. Its option ``hide_parameters`` keeps phone numbers
        out of its log.
    :param campaign: the campaign's name. Processes with the same name share the ledger.
    :param min_gap: seconds that must pass between two calls to a person, counting the calls of all campaigns
        in the database; None: no rule. Calls that rang no phone do not count.
    :raises CallApiTrouble: the database does not answer. Every method waits up to five minutes and then
        raises it, too.
    """

    def __init__(self, engine: Engine, campaign: str, *, min_gap: float | None = None) -> None:
        if not 0 < len(campaign) <= LONGEST_NAME:
            raise ValueError(f"campaign: give a name of 1 to {LONGEST_NAME} characters")
        self._engine = engine
        self._campaign = campaign
        self._min_gap = min_gap
        _mask_errors(lambda: create_tables(engine))

    def load(self, people: Iterable[str]) -> Iterable[Attempt]:
        """Yield every attempt to call these people, each person's oldest first."""
        for rows in self._rows(people):
            yield from map(_attempt, rows)

    def claim(self, intents: Sequence[Attempt]) -> list[ClaimResult]:
        """Store each intent that is not taken, in its own transaction; return the answers in the same order.

        An intent within ``min_gap`` of the last call is not granted either: ``not_before`` is its time.
        """
        claims: list[ClaimResult] = []
        for intent in intents:
            # an intent that is stored but not returned is never dialled, so do not wait long after the first
            some_granted = any(claim.granted for claim in claims)
            try:
                claims.append(self._claim_retried(intent, _RETRY_BRIEFLY if some_granted else _RETRY_OUTAGE))
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
                "known": _knowledge_index(attempt),
                **{f"new_{name}": value for name, value in self._row(attempt).items()},
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
            stripe = zlib.crc32(intent.person.encode()) % _STRIPES
            db.execute(update(locks).where(locks.c.stripe == stripe).values(locked_by=self._campaign))
        newest = self._newest(db, intent.person)
        if is_taken(newest, intent):
            is_own = repeated and newest is not None and _is_same(newest, intent)
            return ClaimResult(granted=True) if is_own else ClaimResult(granted=False, held=newest)
        not_before = self._not_before(db, intent.person)
        if not_before is not None and intent.intended_at < not_before:
            return ClaimResult(granted=False, not_before=not_before)
        row = self._row(intent)
        if newest is not None and newest.attempt == intent.attempt:
            taken_over = db.execute(_TAKE_OVER.values(row), {f"of_{name}": row[name] for name in _KEY})
            if taken_over.rowcount != 1:
                raise _LostRaceError
        else:
            db.execute(insert(calls).values(row))
        return ClaimResult(granted=True)

    def _newest(self, db: Connection, person: str) -> Attempt | None:
        query = select(calls).where(calls.c.campaign == self._campaign, calls.c.person == person)
        row = db.execute(query.order_by(calls.c.attempt.desc()).limit(1)).first()
        return None if row is None else _attempt(row)

    def _not_before(self, db: Connection, person: str) -> float | None:
        if self._min_gap is None:
            return None
        query = select(func.max(calls.c.intended_at)).where(calls.c.person == person, _RANG)
        last = db.execute(query).scalar()
        return None if last is None else float(last) + self._min_gap

    def _row(self, attempt: Attempt) -> dict[str, Any]:
        """Return the value of every column: a takeover replaces the whole row."""
        call = attempt.call
        return {
            "campaign": self._campaign,
            "person": attempt.person,
            "attempt": attempt.attempt,
            "status": attempt.status.value,
            "result": attempt.result and attempt.result.value,
            "external_id": attempt.external_id,
            "unrung": attempt.unrung,
            "intended_at": attempt.intended_at,
            "result_known_at": attempt.result_known_at,
            "refused_with": attempt.refused_with,
            "call_session_id": call and call.call_session_id,
            "call_status": call and call.status,
            "observed": call and call.observed,
            "tags": list(call.tags) or None if call else None,
            **{name: call and getattr(call, name) for name in _OF_THE_CALL},
        }

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

        return _mask_errors(lambda: (retrying or _RETRY_OUTAGE)(transaction))


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


def create_tables(engine: Engine) -> None:
    """Create the missing tables. If another process creates them at the same time, check again."""

    def create() -> None:
        metadata.create_all(engine)
        with engine.begin() as db:
            if db.execute(select(func.count()).select_from(locks)).scalar() == 0:
                db.execute(insert(locks), [{"stripe": stripe} for stripe in range(_STRIPES)])

    _RETRY_BRIEFLY(create)


class _LostRaceError(Exception):
    """Another process took the attempt over between the read and the update."""


def _is_hopeless(state: tenacity.RetryCallState) -> bool:
    """Return whether to stop repeating: after minutes of an outage, or after some tries of anything else."""
    outage = isinstance(state.outcome and state.outcome.exception(), _OUTAGES)
    if outage:
        return (state.seconds_since_start or 0.0) >= _LONGEST_OUTAGE
    return state.attempt_number >= _TRIES


_TRIES = 6
_LONGEST_OUTAGE = 300.0
"""Seconds for which an outage is waited out: a restart takes less, and the results of calls are precious."""
_OUTAGES = (OperationalError, InterfaceError, InternalError)
_RETRY_BRIEFLY = tenacity.Retrying(
    retry=tenacity.retry_if_exception_type((DBAPIError, _LostRaceError)),
    stop=tenacity.stop_after_attempt(_TRIES),
    wait=tenacity.wait_random_exponential(multiplier=0.05, max=2.0),
    reraise=True,
)
_RETRY_OUTAGE = _RETRY_BRIEFLY.copy(
    stop=_is_hopeless, wait=tenacity.wait_random_exponential(multiplier=0.05, max=10.0)
)


def _mask_errors(work: Callable[[], T]) -> T:
    """Run something; convert a database error, whose text has phone numbers, to one that a log may show."""
    try:
        return work()
    except (SQLAlchemyError, _LostRaceError) as error:
        cause = getattr(error, "orig", None) or error
        first_line = mask_phones(str(cause)).partition("\n")[0]
        raise CallApiTrouble(f"the ledger's database: {type(cause).__name__}: {first_line}") from None


def _is_same(newest: Attempt, intent: Attempt) -> bool:
    """Return whether a row is exactly this intent: the database keeps its time to the microsecond."""
    return (newest.attempt, newest.status, newest.external_id) == (
        intent.attempt,
        Status.DIALLING,
        intent.external_id,
    ) and abs(newest.intended_at - intent.intended_at) < _MICROSECOND


def _attempt(row: Any) -> Attempt:
    known = dict(zip(_NAMES, row, strict=True))  # reading a row's attributes takes twice as long
    call = None
    if known["call_session_id"] is not None:
        call = Outcome(
            call_session_id=known["call_session_id"],
            external_id=known["external_id"],
            attempt=known["attempt"],
            status=known["call_status"],
            observed=known["observed"],
            tags=tuple(known["tags"] or ()),
            **{name: known[name] for name in _OF_THE_CALL},
        )
    return Attempt(
        person=known["person"],
        attempt=known["attempt"],
        status=Status(known["status"]),
        external_id=known["external_id"],
        intended_at=known["intended_at"],
        unrung=known["unrung"],
        result=None if known["result"] is None else Result(known["result"]),
        result_known_at=known["result_known_at"],
        refused_with=known["refused_with"],
        call=call,
    )


def _knowledge_index(attempt: Attempt) -> int:
    """Return the index in `KNOWLEDGE` of an attempt's status and result."""
    known = (attempt.status, attempt.result)
    return KNOWLEDGE.index(known if known in KNOWLEDGE else (attempt.status, ...))


def _row_has(status: Status, result: Any) -> ColumnElement[bool]:
    """Return the condition that a row has this status and result; ``...``: any result."""
    has_status = calls.c.status == status.value
    return has_status if result is ... else and_(has_status, calls.c.result == result)


def _merged(column: Column[Any]) -> Any:
    """Return the new value of a column of the call: an unknown value never replaces a known one."""
    if column.name == "observed":
        return case((column.is_(True), True), else_=_new("observed"))
    return func.coalesce(_new(column.name), column)


def _new(name: str) -> Any:
    return bindparam(f"new_{name}", type_=calls.c[name].type)


def _store(db: Connection, values: list[dict[str, Any]]) -> None:
    db.execute(_WRITE, values)


def _fetch_rows(db: Connection, query: Any) -> Sequence[Any]:
    return db.execute(query).all()


def _chunks(items: list[T]) -> Iterator[list[T]]:
    for first in range(0, len(items), _CHUNK):
        yield items[first : first + _CHUNK]


_KEY = ("campaign", "person", "attempt")
_REFUSED_AT_THE_START = (Result.REFUSED, Result.INVALID)
"""Rejected before dialling only if call_session_id is null; placed calls can carry these results too."""
_RANG = and_(
    calls.c.status != Status.NOT_PLACED.value,
    or_(calls.c.result.is_(None), calls.c.result.not_in([result.value for result in RANG_NO_PHONE])),
    or_(
        calls.c.result.is_(None),
        calls.c.result.not_in([result.value for result in _REFUSED_AT_THE_START]),
        calls.c.call_session_id.is_not(None),
    ),
)
_TAKE_OVER = update(calls).where(
    *(calls.c[name] == bindparam(f"of_{name}") for name in _KEY),
    calls.c.status == Status.NOT_PLACED.value,
)
_KNOWN = bindparam("known", type_=Integer)
_WRITE = (
    update(calls)
    .where(
        *(calls.c[name] == _new(name) for name in _KEY),
        case(*((_row_has(*known), index) for index, known in enumerate(KNOWLEDGE))) <= _KNOWN,
        or_(_KNOWN > _ABOUT_AN_INTENT, calls.c.intended_at == _new("intended_at")),
    )
    .values({name: _new(name) for name in _RESULT_COLUMNS})
    .values({name: _merged(calls.c[name]) for name in _CALL_COLUMNS})
)
