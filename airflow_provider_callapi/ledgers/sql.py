"""The ledger of campaigns in a SQL database: PostgreSQL, MySQL or SQLite.

A unique key per (campaign, person, attempt) decides who dials, so that shards, a cleared task and two
runs by mistake never dial the same attempt; and whoever writes late does not destroy what is known by
then, see `KNOWLEDGE`. The tables are made to be queried; they hold the people's numbers:

``callapi_campaign_call``
    One row a dialled attempt: what `Attempt` says, and what `Outcome` says of its call. Times are points
    in time to the microsecond: ``timestamptz`` in PostgreSQL, in UTC where the type knows no zone.
``callapi_campaign_lock``
    A fixed number of rows, one for every so many people: whoever claims with a ``min_gap`` locks theirs.
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
"""Characters of a campaign's name, and of a person's number: the key has to fit into MySQL's 3072 bytes."""

_CHUNK = 500
_MICROSECOND = 1e-6
_STRIPES = 64


class Moment(_TypeDecorator):
    """Epoch seconds here; in the database a point in time, in UTC, to the microsecond."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        # MySQL's plain DATETIME rounds to seconds, and its TIMESTAMP moves with the session's zone
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
"""Transactions, and "Sale" is not "sale"."""

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
"""Columns that are fields of `Outcome` by the same name."""
_CALL_COLUMNS = ("call_session_id", "call_status", "observed", "tags", *_OF_THE_CALL)
_SETTLED_COLUMNS = ("status", "result", "result_known_at", "refused_with")
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
"""From the least that can be known of an attempt to the most: status and result; ``...`` is any other result.

What is written does not replace what is more. Up to `Status.NOT_PLACED` it is about one intent to dial,
and says nothing of the intent of somebody else who has taken the attempt over since.
"""
_ABOUT_AN_INTENT = KNOWLEDGE.index((Status.NOT_PLACED, ...))


class SqlLedger:
    """A `Ledger` in a database. Creates its tables when it is made, where they are missing.

    :param engine: of PostgreSQL, MySQL (InnoDB) or SQLite. ``hide_parameters`` keeps numbers out of its log.
    :param campaign: its name; whoever uses the same name shares the ledger.
    :param min_gap: seconds between two calls to a person, by whatever campaign of this database: this one
        calls nobody earlier. Calls that rang no phone do not count.
    :raises CallApiTrouble: as every method: the database does not answer. The methods wait some minutes
        for it.
    """

    def __init__(self, engine: Engine, campaign: str, *, min_gap: float | None = None) -> None:
        if not 0 < len(campaign) <= LONGEST_NAME:
            raise ValueError(f"campaign: a name of 1 to {LONGEST_NAME} characters is needed")
        self._engine = engine
        self._campaign = campaign
        self._min_gap = min_gap
        _no_numbers_told(lambda: create_tables(engine))

    def load(self, people: Iterable[str]) -> Iterable[Attempt]:
        """Every attempt to call these people, each person's in their order."""
        for rows in self._rows(people):
            yield from map(_attempt, rows)

    def claim(self, intents: Sequence[Attempt]) -> list[ClaimResult]:
        """Store intents, each in a transaction of its own, and only if nobody else has.

        Not granted, besides: while an earlier attempt is open, and within ``min_gap`` (``not_before``).
        """
        claims: list[ClaimResult] = []
        for intent in intents:
            # who is granted a call must be told so, and soon: an intent nobody dials is never dialled again
            somebody_waits = any(claim.granted for claim in claims)
            try:
                claims.append(self._claimed(intent, _AGAIN if somebody_waits else _UNTIL_BACK))
            except CallApiTrouble:
                if not somebody_waits:
                    raise
                claims += [ClaimResult(granted=False)] * (len(intents) - len(claims))
                break
        return claims

    def record(self, attempts: Sequence[Attempt]) -> None:
        """Store what is newly known of claimed attempts, each where no more is known, see `KNOWLEDGE`."""
        in_one_order = sorted(attempts, key=lambda attempt: (attempt.person, attempt.attempt))
        values = [
            {
                "known": _knowledge(attempt),
                **{f"new_{name}": value for name, value in self._row(attempt).items()},
            }
            for attempt in in_one_order  # or two writers would wait for each other
        ]
        for chunk in _chunks(values):
            self._retried(_store, chunk)

    def _claimed(self, intent: Attempt, again: tenacity.Retrying) -> ClaimResult:
        tries = itertools.count()

        def claim(db: Connection, intent: Attempt) -> ClaimResult:
            return self._claim(db, intent, repeated=next(tries) > 0)

        return self._retried(claim, intent, again)

    def _claim(self, db: Connection, intent: Attempt, *, repeated: bool) -> ClaimResult:
        """Within a transaction.

        :param repeated: the transaction before may have been committed unheard. Whoever does not repeat one
            finds somebody else's, though the ids of an attempt are the same in every process.
        """
        if self._min_gap is not None:
            # before anything is read; and a write, with which SQLite begins a transaction
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
                raise _OvertakenError
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
        """Every column: a takeover forgets what was known before."""
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
        """The rows of these people, some hundred people at a time, by person and attempt."""
        query = select(calls).where(calls.c.campaign == self._campaign)
        for some in _chunks(list(dict.fromkeys(people))):
            theirs = query.where(calls.c.person.in_(some)).order_by(calls.c.person, calls.c.attempt)
            yield self._retried(_read, theirs)

    def _retried(
        self, work: Callable[[Connection, A], T], what: A, again: tenacity.Retrying | None = None
    ) -> T:
        """A transaction, and again after a deadlock, a lost race, a lock or a connection lost.

        :param again: how often; until the database is back, where nothing is said.
        """

        def transaction() -> T:
            with self._engine.begin() as db:
                return work(db, what)

        return _no_numbers_told(lambda: (again or _UNTIL_BACK)(transaction))


def open_sql_ledger(ledger_conn_id: str, campaign: str, *, min_gap: float | None = None) -> SqlLedger:
    """The ledger in the database behind an Airflow connection of a SQL provider.

    :param campaign, min_gap: see `SqlLedger`.
    :raises CallApiFailure: names ``ledger_conn_id``: it leads to no database that can be used.
    :raises CallApiTrouble: names it too: the database does not answer.
    """
    named = f"ledger_conn_id: connection {ledger_conn_id!r}"
    try:
        hook = BaseHook.get_hook(ledger_conn_id)
        if not hasattr(hook, "get_sqlalchemy_engine"):
            raise CallApiFailure(f"{named} is not one of a SQL database")
        # a campaign sleeps for a night: by then the server may have closed its connections
        engine: Engine = hook.get_sqlalchemy_engine({"pool_pre_ping": True, "hide_parameters": True})
    except CallApiFailure:
        raise
    except (AirflowException, ImportError, SQLAlchemyError) as error:
        raise CallApiFailure(f"{named} cannot be used; is its provider installed? {error}") from None
    if engine.dialect.name not in DIALECTS:
        raise CallApiFailure(f"{named} leads to {engine.dialect.name}, not to one of {', '.join(DIALECTS)}")
    try:
        return SqlLedger(engine, campaign, min_gap=min_gap)
    except CallApiTrouble as trouble:
        raise CallApiTrouble(f"{named}: {trouble}") from None


def create_tables(engine: Engine) -> None:
    """Create what is missing of the tables; whoever is overtaken by another process looks again."""

    def create() -> None:
        metadata.create_all(engine)
        with engine.begin() as db:
            if db.execute(select(func.count()).select_from(locks)).scalar() == 0:
                db.execute(insert(locks), [{"stripe": stripe} for stripe in range(_STRIPES)])

    _AGAIN(create)


class _OvertakenError(Exception):
    """Somebody else took the attempt over between our look and our update."""


def _in_vain(state: tenacity.RetryCallState) -> bool:
    """An outage is waited out, for minutes; a race is won soon, and a wrong statement stays wrong."""
    outage = isinstance(state.outcome and state.outcome.exception(), _OUTAGES)
    if outage:
        return (state.seconds_since_start or 0.0) >= _LONGEST_OUTAGE
    return state.attempt_number >= _TRIES


_TRIES = 6
_LONGEST_OUTAGE = 300.0
"""Seconds. A restart of the database takes less, and what is known of calls that are made is worth it."""
_OUTAGES = (OperationalError, InterfaceError, InternalError)
_AGAIN = tenacity.Retrying(
    retry=tenacity.retry_if_exception_type((DBAPIError, _OvertakenError)),
    stop=tenacity.stop_after_attempt(_TRIES),
    wait=tenacity.wait_random_exponential(multiplier=0.05, max=2.0),
    reraise=True,
)
_UNTIL_BACK = _AGAIN.copy(stop=_in_vain, wait=tenacity.wait_random_exponential(multiplier=0.05, max=10.0))


def _no_numbers_told(work: Callable[[], T]) -> T:
    """Turn an error of the database, which tells its statement's values, into one that a log may show."""
    try:
        return work()
    except (SQLAlchemyError, _OvertakenError) as error:
        cause = getattr(error, "orig", None) or error
        first_line = mask_phones(str(cause)).partition("\n")[0]
        raise CallApiTrouble(f"the ledger's database: {type(cause).__name__}: {first_line}") from None


def _is_same(newest: Attempt, intent: Attempt) -> bool:
    """Whether a row is this very intent: the database keeps its time to the microsecond."""
    return (newest.attempt, newest.status, newest.external_id) == (
        intent.attempt,
        Status.DIALLING,
        intent.external_id,
    ) and abs(newest.intended_at - intent.intended_at) < _MICROSECOND


def _attempt(row: Any) -> Attempt:
    known = dict(zip(_NAMES, row, strict=True))  # a row's own attributes take twice as long
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


def _knowledge(attempt: Attempt) -> int:
    """The place in `KNOWLEDGE` of what is known of an attempt."""
    said = (attempt.status, attempt.result)
    return KNOWLEDGE.index(said if said in KNOWLEDGE else (attempt.status, ...))


def _is_said(status: Status, result: Any) -> ColumnElement[bool]:
    """Whether a row says this."""
    about_it = calls.c.status == status.value
    return about_it if result is ... else and_(about_it, calls.c.result == result)


def _merged(column: Column[Any]) -> Any:
    """What becomes of a column of the call: what was known of it is never forgotten."""
    if column.name == "observed":
        return case((column.is_(True), True), else_=_new("observed"))
    return func.coalesce(_new(column.name), column)


def _new(name: str) -> Any:
    return bindparam(f"new_{name}", type_=calls.c[name].type)


def _store(db: Connection, values: list[dict[str, Any]]) -> None:
    db.execute(_WRITE, values)


def _read(db: Connection, query: Any) -> Sequence[Any]:
    return db.execute(query).all()


def _chunks(items: list[T]) -> Iterator[list[T]]:
    for first in range(0, len(items), _CHUNK):
        yield items[first : first + _CHUNK]


_KEY = ("campaign", "person", "attempt")
_REFUSED_AT_THE_START = (Result.REFUSED, Result.INVALID)
"""Where there is no session either: the same may be said of a call that was placed."""
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
        case(*((_is_said(*said), place) for place, said in enumerate(KNOWLEDGE))) <= _KNOWN,
        or_(_KNOWN > _ABOUT_AN_INTENT, calls.c.intended_at == _new("intended_at")),
    )
    .values({name: _new(name) for name in _SETTLED_COLUMNS})
    .values({name: _merged(calls.c[name]) for name in _CALL_COLUMNS})
)
