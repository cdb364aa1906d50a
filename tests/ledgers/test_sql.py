"""The ledger in a SQL database: the contract of every ledger, and the rules for several processes."""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy
import tenacity
from airflow.providers.common.compat.sdk import AirflowFailException
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from ledger_contract import (
    ANNA,
    BORIS,
    NOW,
    LedgerContract,
    SharedLedgerContract,
    active,
    an_intent,
    finished,
    no_line,
    unresolved,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.schema import CreateTable

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status, is_same_intent
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.databases.attempt_rows import row_of_attempt
from airflow_provider_callapi.databases.retries import RETRY_BRIEFLY, RETRY_OUTAGE
from airflow_provider_callapi.emulator import ManualClock
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.ledgers.sql import SqlLedger, open_sql_ledger
from airflow_provider_callapi.ledgers.sql_statements import KNOWLEDGE, knowledge_index
from airflow_provider_callapi.ledgers.sql_supervision import open_sql_supervision
from airflow_provider_callapi.ledgers.sql_tables import STRIPES, calls, locks

pytest_plugins = ["open_connections"]

HOUR = 3600.0


@pytest.fixture
def engine(connect: Callable[[], Engine]) -> Engine:
    return connect()


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run these functions in one thread each, at the same time; return what they return."""
    begin = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        begin.wait(60)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


class TestSqlLedger(SharedLedgerContract):
    @pytest.fixture
    def ledger(self, engine: Engine) -> SqlLedger:
        return SqlLedger(engine, "autumn")


class TestSqlLedgerWithGap(LedgerContract):
    @pytest.fixture
    def ledger(self, engine: Engine) -> SqlLedger:
        return SqlLedger(engine, "autumn", min_gap=60.0)


def test_a_text_that_is_too_long_for_its_column_is_shortened(engine):
    ledger = SqlLedger(engine, "autumn")
    long = {"finish_reason": "r" * 300, "contact_finish_reason": "c" * 300}
    ledger.claim([an_intent(ANNA), an_intent(BORIS)])
    ledger.record(
        [
            finished(an_intent(ANNA), Result.UNKNOWN, **long),
            an_intent(BORIS).with_status(Status.FINISHED, result=Result.REFUSED, refused_with="m" * 300),
        ]
    )

    anna, boris = sorted(ledger.load([ANNA, BORIS]), key=lambda attempt: attempt.person)
    assert (anna.call.finish_reason, anna.call.contact_finish_reason) == ("r" * 255, "c" * 255)
    assert (boris.result, boris.refused_with) == (Result.REFUSED, "m" * 255)


# --- several processes ---


def test_processes_may_create_the_tables_at_the_same_time(connect):
    ledgers = at_once(*(lambda: SqlLedger(connect(), "autumn", min_gap=1.0),) * 6)

    with connect().connect() as db:
        assert len(db.execute(sqlalchemy.select(locks)).all()) == STRIPES
    assert [ledger.claim([an_intent()])[0].granted for ledger in ledgers] == [True] + [False] * 5


def test_a_process_adds_no_lock_that_another_process_added_between_its_two_reads(connect):
    engine, another = connect(), connect()

    def add_all_locks(db: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT callapi_campaign_lock.stripe"):
            SqlLedger(another, "autumn", min_gap=1.0)

    sqlalchemy.event.listen(engine, "before_cursor_execute", add_all_locks)
    SqlLedger(engine, "autumn", min_gap=1.0)

    with engine.connect() as db:
        assert len(db.execute(sqlalchemy.select(locks)).all()) == STRIPES


def test_the_table_of_an_older_version_gets_the_new_column_and_keeps_its_rows(connect):
    engine = connect()
    older = SqlLedger(engine, "spring")
    older.claim([an_intent()])
    older.record([finished(an_intent(), Result.ANSWERED, answered=True)])
    with engine.begin() as db:
        db.execute(sqlalchemy.text(f"ALTER TABLE {calls.name} DROP COLUMN operations"))

    ledgers = at_once(*(lambda: SqlLedger(connect(), "spring"),) * 4)

    assert list(ledgers[0].load([ANNA])) == [finished(an_intent(), Result.ANSWERED, answered=True)]
    told = finished(an_intent(BORIS), answered=True, operations=("Later",))
    ledgers[1].claim([an_intent(BORIS)])
    ledgers[1].record([told])
    assert list(ledgers[2].load([BORIS])) == [told]


@pytest.mark.parametrize("min_gap", [None, 60.0])
def test_exactly_one_of_several_processes_that_claim_an_attempt_at_once_dials_it(connect, min_gap):
    people = [f"7926{number:07d}" for number in range(40)]
    ledgers = [SqlLedger(connect(), "autumn", min_gap=min_gap) for _ in range(4)]
    intents = [[an_intent(person, at=NOW + who / 8) for person in people] for who in range(4)]

    answers = at_once(*(lambda who=who: ledgers[who].claim(intents[who]) for who in range(4)))

    for person, claims in zip(people, zip(*answers, strict=True), strict=True):
        winner = [intents[who][people.index(person)] for who in range(4) if claims[who].granted]
        assert len(winner) == 1, person
        assert [claim.held for claim in claims if not claim.granted] == winner * 3


def test_exactly_one_of_several_processes_dials_an_attempt_that_was_not_placed(connect):
    people = [f"7926{number:07d}" for number in range(40)]
    ledgers = [SqlLedger(connect(), "autumn") for _ in range(4)]
    ledgers[0].claim([an_intent(person) for person in people])
    ledgers[0].record([an_intent(person).with_status(Status.NOT_PLACED) for person in people])

    answers = at_once(
        *(
            lambda who=who: ledgers[who].claim([an_intent(p, at=NOW + 60 + who) for p in people])
            for who in range(4)
        )
    )

    assert [sum(claim.granted for claim in claims) for claims in zip(*answers, strict=True)] == [1] * 40


def test_one_of_several_campaigns_that_claim_a_person_at_once_calls_and_the_others_wait(connect):
    people = [f"7926{number:07d}" for number in range(40)]
    ledgers = [SqlLedger(connect(), f"campaign {who}", min_gap=HOUR) for who in range(4)]

    answers = at_once(
        *(lambda who=who: ledgers[who].claim([an_intent(p, at=NOW) for p in people]) for who in range(4))
    )

    for claims in zip(*answers, strict=True):
        refused = [ClaimResult(granted=False, not_before=NOW + HOUR)] * 3
        assert sorted(claims, key=lambda claim: claim.granted) == [*refused, ClaimResult(granted=True)]


def test_writers_of_the_same_people_cause_no_deadlock(connect, monkeypatch):
    people = [f"7926{number:07d}" for number in range(200)]
    ledgers = [SqlLedger(connect(), "autumn") for _ in range(2)]
    ledgers[0].claim([an_intent(person) for person in people])
    ended = [finished(an_intent(person)) for person in people]
    monkeypatch.setattr(RETRY_OUTAGE, "stop", tenacity.stop_after_attempt(1))

    at_once(
        *(lambda who=who: ledgers[who].record(ended[:: 1 if who else -1]) for who in range(2)),
    )

    assert sorted(ledgers[0].load(people), key=lambda attempt: attempt.person) == ended


# --- what a late write must not replace ---

INTENT = an_intent()
KNOWN_ATTEMPTS = [
    INTENT,
    unresolved(INTENT),
    INTENT.with_status(Status.NOT_PLACED),
    active(INTENT),
    finished(INTENT).with_status(Status.ENDED, result=None, result_known_at=None),
    finished(INTENT, Result.UNKNOWN).with_status(Status.ENDED),
    finished(INTENT, Result.UNKNOWN),
    finished(INTENT, Result.BUSY).with_status(Status.ENDED),
    finished(INTENT, Result.BUSY),
]
"""One for each line of `KNOWLEDGE`."""


def refused(intent: Attempt, result: Result) -> Attempt:
    """The service refused it before dialling: there is no session, and no phone rang."""
    return intent.with_status(
        Status.FINISHED, result=result, result_known_at=intent.intended_at, refused_with="why_not"
    )


def words(attempt: Attempt) -> tuple[str, str | None]:
    return attempt.status.value, attempt.result and attempt.result.value


def test_the_examples_cover_each_line_of_the_knowledge_table():
    assert [knowledge_index(attempt) for attempt in KNOWN_ATTEMPTS] == list(range(len(KNOWLEDGE)))


def test_a_late_write_does_not_replace_more_complete_knowledge(engine):
    for before, stored in enumerate(KNOWN_ATTEMPTS):
        for after, written in enumerate(KNOWN_ATTEMPTS):
            ledger = SqlLedger(engine, f"{before} {after}")
            ledger.claim([INTENT])
            ledger.record([stored])
            ledger.record([written])

            (left,) = ledger.load([ANNA])
            assert words(left) == words(KNOWN_ATTEMPTS[max(before, after)]), (
                f"{words(stored)}, {words(written)}"
            )


@pytest.mark.parametrize("late", KNOWN_ATTEMPTS[1:3], ids=["unresolved", "not placed"])
def test_a_late_write_about_an_intent_does_not_change_a_newer_intent_of_the_attempt(engine, late):
    """A write that is repeated, because its answer was lost, must not let a third process dial."""
    ledger, again = SqlLedger(engine, "autumn"), an_intent(at=NOW + 60)
    ledger.claim([INTENT])
    ledger.record([INTENT.with_status(Status.NOT_PLACED)])
    ledger.claim([again])

    ledger.record([late])

    assert list(ledger.load([ANNA])) == [again]
    assert ledger.claim([an_intent(at=NOW + 120)]) == [ClaimResult(granted=False, held=again)]


def test_a_call_that_was_found_belongs_to_the_attempt_although_a_newer_intent_exists(engine):
    ledger, again = SqlLedger(engine, "autumn"), an_intent(at=NOW + 60)
    ledger.claim([INTENT])
    ledger.record([INTENT.with_status(Status.NOT_PLACED)])
    ledger.claim([again])

    ledger.record([active(INTENT)])

    assert list(ledger.load([ANNA])) == [again.with_status(Status.ACTIVE, call=active(INTENT).call)]


def test_a_process_that_observed_less_does_not_erase_the_observations_of_another(engine):
    ledger = SqlLedger(engine, "autumn")
    seen = active(INTENT, answered=True, answered_at=NOW + 9, observed=True, tags=(36,))
    ledger.claim([INTENT])
    ledger.record([seen])

    ledger.record([active(INTENT)])

    assert list(ledger.load([ANNA])) == [seen]


# --- the gap ---


def test_the_gap_separates_a_call_from_the_last_call_of_any_campaign(engine):
    careless, polite = SqlLedger(engine, "careless"), SqlLedger(engine, "polite", min_gap=HOUR)
    careless.claim([an_intent(at=NOW)])

    assert polite.claim([an_intent(at=NOW + HOUR - 1), an_intent(BORIS)]) == [
        ClaimResult(granted=False, not_before=NOW + HOUR),
        ClaimResult(granted=True),
    ]
    assert polite.claim([an_intent(at=NOW + HOUR)]) == [ClaimResult(granted=True)]


def test_the_gap_applies_to_the_redials_of_the_same_campaign(engine):
    ledger = SqlLedger(engine, "autumn", min_gap=HOUR)
    ledger.claim([INTENT])
    ledger.record([finished(INTENT)])

    assert ledger.claim([an_intent(attempt=2, at=NOW + 600)]) == [
        ClaimResult(granted=False, not_before=NOW + HOUR)
    ]
    assert ledger.claim([an_intent(attempt=2, at=NOW + HOUR)]) == [ClaimResult(granted=True)]


@pytest.mark.parametrize(
    "nothing",
    [
        INTENT.with_status(Status.NOT_PLACED),
        no_line(INTENT),
        finished(INTENT, Result.ACCOUNT, answered=False),
        refused(INTENT, Result.ACCOUNT),
        refused(INTENT, Result.REFUSED),
        refused(INTENT, Result.INVALID),
    ],
    ids=["not placed", "no free line", "no money", "no money at the start", "refused", "invalid"],
)
def test_the_gap_counts_from_the_last_call_that_rang_a_phone(engine, nothing):
    before, ledger = SqlLedger(engine, "before"), SqlLedger(engine, "autumn", min_gap=HOUR)
    other = SqlLedger(engine, "other", min_gap=2 * HOUR)
    before.claim([an_intent(at=NOW - HOUR)])
    ledger.claim([INTENT])
    ledger.record([nothing])

    assert other.claim([an_intent(at=NOW + 1)]) == [ClaimResult(granted=False, not_before=NOW + HOUR)]
    assert other.claim([an_intent(at=NOW + HOUR)]) == [ClaimResult(granted=True)]


@pytest.mark.parametrize("result", [Result.CAPACITY, Result.ACCOUNT])
def test_the_gap_counts_from_a_call_without_a_line_if_the_contact_may_have_answered(engine, result):
    ledger, other = SqlLedger(engine, "autumn"), SqlLedger(engine, "other", min_gap=HOUR)
    ledger.claim([INTENT])
    ledger.record([finished(INTENT, result, answered=None)])

    assert other.claim([an_intent(at=NOW + 1)]) == [ClaimResult(granted=False, not_before=NOW + HOUR)]


def test_the_gap_counts_from_a_refused_call_and_from_an_unresolved_call(engine):
    ledger, other = SqlLedger(engine, "autumn"), SqlLedger(engine, "other", min_gap=HOUR)
    ledger.claim([INTENT, an_intent(BORIS)])
    ledger.record([finished(INTENT, Result.REFUSED), unresolved(an_intent(BORIS))])

    later = [an_intent(at=NOW + 60), an_intent(BORIS, at=NOW + 60)]
    assert other.claim(later) == [ClaimResult(granted=False, not_before=NOW + HOUR)] * 2


def test_a_claim_of_an_attempt_that_another_process_holds_is_refused_without_a_wait(engine):
    ledger = SqlLedger(engine, "autumn", min_gap=HOUR)
    ledger.claim([INTENT])

    assert ledger.claim([an_intent(at=NOW + 1)]) == [ClaimResult(granted=False, held=INTENT)]


def test_campaigns_have_separate_attempts(engine):
    ledger, other = SqlLedger(engine, "autumn"), SqlLedger(engine, "Autumn")
    ledger.claim([INTENT])

    assert list(other.load([ANNA])) == []
    assert other.claim([INTENT]) == [ClaimResult(granted=True)]


# --- errors of the database ---


def test_a_claim_is_repeated_if_the_database_is_locked_for_a_moment(tmp_path):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/ledger.db", connect_args={"timeout": 0.01})
    ledger = SqlLedger(engine, "autumn")
    with closing(sqlite3.connect(tmp_path / "ledger.db", check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.1, other.rollback).start()

        assert ledger.claim([INTENT]) == [ClaimResult(granted=True)]


class Outage:
    """A database with an outage. Only waiting moves its clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
        self.clock = ManualClock(1_760_000_000.0)
        self.until = 0.0
        self.error: type[DBAPIError] = OperationalError
        self.unheard = False
        """Whether the next transaction is committed without an answer."""
        moved = SimpleNamespace(monotonic=self.clock, sleep=self.clock.advance)
        monkeypatch.setattr(tenacity, "time", moved)
        for again in (RETRY_BRIEFLY, RETRY_OUTAGE):
            monkeypatch.setattr(again, "sleep", self.clock.advance)
        sqlalchemy.event.listen(engine, "begin", self._begin)
        sqlalchemy.event.listen(engine, "commit", self._commit)

    def begins(self, *, seconds: float = float("inf")) -> None:
        self.until = self.clock() + seconds

    def _begin(self, _: Any) -> None:
        if self.clock() < self.until:
            raise self._gone()

    def _commit(self, connection: Any) -> None:
        if self.unheard:
            self.unheard = False
            connection.connection.dbapi_connection.commit()
            raise self._gone()

    def _gone(self) -> DBAPIError:
        return self.error("UPDATE", {"person": ANNA}, Exception(f"server gone; ({ANNA})\nDETAIL"))


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> Outage:
    return Outage(monkeypatch, engine)


def test_a_record_is_written_once_the_database_is_back_after_an_outage_of_minutes(engine, outage):
    ledger = SqlLedger(engine, "autumn")
    ledger.claim([INTENT])
    outage.begins(seconds=240)

    ledger.record([active(INTENT)])

    assert list(ledger.load([ANNA])) == [active(INTENT)]
    assert outage.clock() < outage.until + 10


def test_a_claim_and_a_load_succeed_once_the_database_is_back(engine, outage):
    ledger = SqlLedger(engine, "autumn")
    outage.begins(seconds=60)
    assert ledger.claim([INTENT]) == [ClaimResult(granted=True)]
    outage.begins(seconds=60)
    assert list(ledger.load([ANNA])) == [INTENT]


def test_a_database_that_does_not_come_back_within_minutes_ends_the_try(engine, outage):
    ledger = SqlLedger(engine, "autumn")
    ledger.claim([INTENT])
    began = outage.clock()
    outage.begins()

    with pytest.raises(CallApiTrouble):
        ledger.record([active(INTENT)])

    assert 300 <= outage.clock() - began < 320


def test_an_error_that_a_wait_cannot_repair_is_raised_at_once(engine, outage):
    ledger = SqlLedger(engine, "autumn")
    ledger.claim([INTENT])
    outage.error = ProgrammingError
    began = outage.clock()
    outage.begins()

    with pytest.raises(CallApiTrouble):
        ledger.record([active(INTENT)])

    assert outage.clock() - began < 5


def test_an_error_of_the_database_shows_no_complete_number(engine, outage):
    ledger = SqlLedger(engine, "autumn")
    outage.begins()

    with pytest.raises(CallApiTrouble) as failure:
        ledger.claim([INTENT])

    assert str(failure.value) == "the ledger's database: Exception: server gone; (7926…0001)"
    assert failure.value.__suppress_context__


def test_a_granted_claim_returns_at_once_even_if_the_database_fails_afterwards(engine, outage):
    """PostgreSQL needs a second transaction for the attempt of Boris, while Anna waits to be dialled."""
    ledger = SqlLedger(engine, "autumn")
    ledger.claim([an_intent(BORIS)])
    sqlalchemy.event.listen(engine, "commit", lambda _: outage.begins())
    began = outage.clock()

    anna, boris = ledger.claim([INTENT, an_intent(BORIS, at=NOW + 1)])

    assert anna == ClaimResult(granted=True)
    assert not boris.granted
    assert outage.clock() - began < 5, "somebody waits to be dialled"
    with pytest.raises(CallApiTrouble):
        ledger.claim([an_intent(BORIS)])


@pytest.mark.parametrize("before", [None, INTENT.with_status(Status.NOT_PLACED)], ids=["first", "taken over"])
def test_a_repeated_claim_recognises_its_own_intent_whose_commit_got_no_answer(engine, outage, before):
    ledger = SqlLedger(engine, "autumn", min_gap=HOUR)
    if before:
        ledger.claim([INTENT])
        ledger.record([before])
    intent = an_intent(at=NOW + 0.123_456_7)
    outage.unheard = True

    assert ledger.claim([intent]) == [ClaimResult(granted=True)]
    ledger.record([active(intent)])
    assert [attempt.status for attempt in ledger.load([ANNA])] == [Status.ACTIVE]


def test_only_one_of_two_processes_with_the_same_intent_gets_the_claim(engine):
    """Only a repeated claim may take a stored intent to be its own."""
    ledger, other = SqlLedger(engine, "autumn"), SqlLedger(engine, "autumn")

    assert ledger.claim([INTENT]) == [ClaimResult(granted=True)]
    assert other.claim([INTENT]) == [ClaimResult(granted=False, held=INTENT)]


@pytest.mark.parametrize("name", ["", "x" * 251])
def test_a_name_that_does_not_fit_the_key_is_refused(engine, name):
    with pytest.raises(ValueError, match="campaign: give a name of 1 to 250 characters"):
        SqlLedger(engine, name)


@pytest.mark.parametrize("column", ["status", "result"])
@pytest.mark.parametrize("read", [lambda its: list(its.load([ANNA])), lambda its: its.claim([INTENT])])
def test_an_unknown_status_or_result_fails_with_its_table_and_column_and_what_to_do(engine, column, read):
    """A newer version may have stored the value, or a person has edited the row."""
    ledger = SqlLedger(engine, "autumn")
    ledger.claim([INTENT])
    ledger.record([finished(INTENT)])
    with engine.begin() as db:
        db.execute(calls.update().values({column: "of " + ANNA}))

    with pytest.raises(CallApiFailure) as failure:
        read(ledger)

    text = str(failure.value)
    assert f"table callapi_campaign_call: 'of 7926…0001' in the column {column} is unknown" in text
    assert "newer version" in text
    assert "correct the row" in text


@pytest.mark.parametrize(
    ("status", "missing"),
    [(Status.FINISHED, "result"), (Status.ACTIVE, "call_session_id"), (Status.ENDED, "call_session_id")],
)
def test_a_row_without_the_value_that_its_status_needs_fails_with_the_column(engine, status, missing):
    ledger = SqlLedger(engine, "autumn")
    ledger.claim([INTENT])
    with engine.begin() as db:  # a person marks somebody as done
        db.execute(calls.update().values(status=status.value))

    with pytest.raises(CallApiFailure, match=f"the status is {status}, but the column {missing} is null"):
        list(ledger.load([ANNA]))


@pytest.mark.parametrize("column", ["tags", "operations"])
@pytest.mark.parametrize("value", [5, ANNA, {"vip": True}])
def test_a_row_with_another_value_instead_of_a_list_fails_with_the_column(engine, column, value):
    ledger = SqlLedger(engine, "autumn")
    ledger.claim([INTENT])
    ledger.record([active(INTENT)])
    with engine.begin() as db:  # a person writes one tag, and not a list with one tag
        db.execute(calls.update().values({column: value}))

    with pytest.raises(CallApiFailure, match=f"in the column {column} is not a list") as failure:
        list(ledger.load([ANNA]))

    assert ANNA not in str(failure.value)


# --- the tables ---


def test_times_can_be_queried_as_times_in_utc(engine):
    ledger = SqlLedger(engine, "autumn")
    ledger.claim([INTENT])
    hour = {
        "sqlite": "SELECT strftime('%Y-%m-%d %H:%M', intended_at)",
        "mysql": "SELECT date_format(intended_at, '%Y-%m-%d %H:%i')",
        "postgresql": "SELECT to_char(intended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')",
    }[engine.dialect.name]
    with engine.connect() as db:
        found = db.execute(sqlalchemy.text(f"{hour} FROM callapi_campaign_call")).scalar()
    assert found == "2027-01-15 08:00"


def test_a_time_of_the_clock_is_kept_to_the_microsecond(engine):
    ledger = SqlLedger(engine, "autumn")
    intent = an_intent(at=1_800_000_000.123_456_7)
    ledger.claim([intent])
    (stored,) = ledger.load([ANNA])

    assert stored.intended_at == pytest.approx(1_800_000_000.123_456_7, abs=1e-6)
    assert is_same_intent(stored, intent)
    ledger.record([intent.with_status(Status.NOT_PLACED)])
    assert [attempt.status for attempt in ledger.load([ANNA])] == [Status.NOT_PLACED]


def test_the_mysql_table_keeps_microseconds_case_and_transactions_and_its_keys_fit():
    table = str(CreateTable(calls).compile(dialect=mysql.dialect()))

    assert "intended_at DATETIME(6) NOT NULL" in table
    assert "utf8mb4_bin" in table
    assert "ENGINE=InnoDB" in table
    for key in [calls.primary_key, *calls.indexes]:
        columns = [column for column in key.columns if isinstance(column.type, sqlalchemy.String)]
        assert sum(column.type.length for column in columns) * 4 + 16 <= 3072, key


def test_more_people_than_fit_into_a_statement_are_loaded_in_portions(engine):
    ledger = SqlLedger(engine, "autumn")
    rows = [row_of_attempt(an_intent(f"7926{number:07d}"), "autumn") for number in range(1201)]
    with engine.begin() as db:
        db.execute(calls.insert(), rows)

    people = [row["person"] for row in rows]
    statements: list[str] = []
    sqlalchemy.event.listen(engine, "before_cursor_execute", lambda *event: statements.append(event[2]))
    loaded = iter(ledger.load(iter(people)))
    first = next(loaded)
    assert len(statements) == 1, "a hundred thousand people are not in memory at once"
    assert sorted([first.person, *(attempt.person for attempt in loaded)]) == people


# --- through Airflow's connections ---


def set_connection(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps(fields))


def test_a_sqlite_connection_leads_to_the_ledger(monkeypatch, tmp_path):
    set_connection(monkeypatch, conn_type="sqlite", host=f"{tmp_path}/ledger.db")

    assert open_sql_ledger("ledger", "autumn").claim([INTENT]) == [ClaimResult(granted=True)]
    assert open_sql_ledger("ledger", "autumn").claim([INTENT]) == [ClaimResult(granted=False, held=INTENT)]


def test_a_postgres_connection_leads_to_the_ledger(monkeypatch, postgres):
    url = sqlalchemy.engine.make_url(postgres.get_uri())
    host = url.query.get("host") or url.host
    fields = {"host": host, "login": url.username, "password": url.password, "schema": url.database}
    set_connection(monkeypatch, conn_type="postgres", port=url.port, **fields)
    campaign = uuid.uuid4().hex

    assert open_sql_ledger("ledger", campaign, min_gap=1.0).claim([INTENT]) == [ClaimResult(granted=True)]
    assert list(open_sql_ledger("ledger", campaign).load([ANNA])) == [INTENT]


@pytest.mark.parametrize("conn_type", ["http", "no_such_type", "mysql"])
def test_a_connection_to_no_database_is_refused_by_name_and_not_retried(monkeypatch, conn_type):
    set_connection(monkeypatch, conn_type=conn_type, host="127.0.0.1", password="S3cret")

    with pytest.raises(CallApiFailure, match="ledger_conn_id: connection 'ledger' ") as failure:
        open_sql_ledger("ledger", "autumn")
    assert isinstance(failure.value, AirflowFailException)
    assert "S3cret" not in str(failure.value)


def test_a_missing_connection_is_refused_by_name(airflow_db):
    with pytest.raises(CallApiFailure, match="ledger_conn_id: connection 'nowhere' "):
        open_sql_ledger("nowhere", "autumn")


def test_a_database_that_does_not_answer_is_a_transient_error(monkeypatch):
    monkeypatch.setattr(RETRY_BRIEFLY, "sleep", lambda _: None)
    set_connection(monkeypatch, conn_type="postgres", host="127.0.0.1", port=1, login="me", password="S3cret")

    with pytest.raises(CallApiTrouble, match="ledger_conn_id: connection 'ledger': ") as failure:
        open_sql_ledger("ledger", "autumn")
    assert not isinstance(failure.value, AirflowFailException)
    assert "S3cret" not in str(failure.value)


def test_a_closed_ledger_has_no_connection(monkeypatch, tmp_path, open_connections):
    set_connection(monkeypatch, conn_type="sqlite", host=f"{tmp_path}/ledger.db")
    with closing(open_sql_ledger("ledger", "autumn")) as ledger:
        ledger.claim([INTENT])

    assert open_connections.opened
    assert open_connections.open == []


@pytest.mark.parametrize(
    "open_store", [lambda: open_sql_ledger("ledger", "autumn"), lambda: open_sql_supervision("ledger")]
)
def test_a_database_that_cannot_be_used_leaves_no_connection(
    monkeypatch, tmp_path, open_connections, open_store
):
    monkeypatch.setattr(RETRY_BRIEFLY, "sleep", lambda _: None)
    (tmp_path / "ledger.db").write_text("This is no database. " * 99)
    set_connection(monkeypatch, conn_type="sqlite", host=f"{tmp_path}/ledger.db")

    with pytest.raises(CallApiTrouble, match="file is not a database"):
        open_store()

    assert open_connections.opened
    assert open_connections.open == []


# --- anything, in any order ---

ATTEMPTS = st.tuples(st.sampled_from([ANNA, BORIS]), st.integers(1, 3))
SAID: list[Callable[[Attempt], Attempt]] = [
    lambda intent: intent.with_status(Status.NOT_PLACED),
    lambda intent: intent.with_status(Status.NOT_PLACED),
    unresolved,
    active,
    lambda intent: finished(intent).with_status(Status.ENDED, result=None, result_known_at=None),
    lambda intent: finished(intent, Result.UNKNOWN),
    finished,
]


class Processes(RuleBasedStateMachine):
    """Three processes of a campaign, each with its own knowledge, and writes that are repeated late."""

    engines: list[Engine]

    @initialize()
    def begin(self) -> None:
        campaign = uuid.uuid4().hex
        self.ledgers = [SqlLedger(engine, campaign) for engine in self.engines]
        self.written: list[Attempt] = []
        self.granted: dict[tuple[str, int], Attempt] = {}
        self.free: set[tuple[str, int]] = set()
        self.results: dict[tuple[str, int], Result] = {}
        self.clock = NOW
        self.is_asked = True

    @rule(who=st.integers(0, 2), key=ATTEMPTS)
    def claim(self, who: int, key: tuple[str, int]) -> None:
        self.clock += 1
        self.is_asked = True
        intent = an_intent(*key, at=self.clock)
        (claim,) = self.ledgers[who].claim([intent])
        if claim.granted:
            assert key not in self.granted or key in self.free, f"{key} is dialled twice"
            self.free.discard(key)
            self.granted[key] = intent
        else:
            assert claim.held is not None
            assert claim.held.attempt >= 1

    @rule(who=st.integers(0, 2), key=ATTEMPTS, say=st.sampled_from(SAID))
    def write(self, who: int, key: tuple[str, int], say: Callable[[Attempt], Attempt]) -> None:
        if key in self.granted:
            self._write(who, say(self.granted[key]))

    @rule(who=st.integers(0, 2), data=st.data())
    def write_again(self, who: int, data: st.DataObject) -> None:
        if self.written:
            self._write(who, data.draw(st.sampled_from(self.written)))

    def _write(self, who: int, attempt: Attempt) -> None:
        key = (attempt.person, attempt.attempt)
        if attempt.status is Status.NOT_PLACED and attempt.intended_at == self.granted[key].intended_at:
            self.free.add(key)
        if attempt.status is Status.FINISHED and attempt.result is Result.BUSY:
            self.results[key] = Result.BUSY
        self.written.append(attempt)
        self.is_asked = True
        self.ledgers[who].record([attempt])

    @invariant()
    def every_process_reads_the_same_and_results_stay(self) -> None:
        if not getattr(self, "is_asked", False):
            return  # before the first step, and after a step that asked nothing of the database
        self.is_asked = False
        first, *others = ([*ledger.load([ANNA, BORIS])] for ledger in self.ledgers)
        assert all(other == first for other in others)
        read = {(attempt.person, attempt.attempt): attempt for attempt in first}
        assert read.keys() == self.granted.keys()
        for key, result in self.results.items():
            assert (read[key].status, read[key].result) == (Status.FINISHED, result)


def test_no_attempt_is_granted_twice_unless_it_was_proven_not_to_be_placed_in_between(connect):
    class Here(Processes):
        engines = [connect() for _ in range(3)]  # noqa: RUF012

    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    few = settings(max_examples=40, stateful_step_count=30, suppress_health_check=checks)
    run_state_machine_as_test(Here, settings=few)
