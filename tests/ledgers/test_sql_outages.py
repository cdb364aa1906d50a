"""The SQL ledger while its database is locked, away, or commits without an answer."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy
import tenacity
from known_numbers import ANNA, BORIS
from ledger_contract import HOUR, INTENT, NOW, active, an_intent
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from airflow_provider_callapi.calls.campaign.ledger import ClaimResult, Status
from airflow_provider_callapi.databases.retries import RETRY_BRIEFLY, RETRY_OUTAGE
from airflow_provider_callapi.emulator import ManualClock
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.ledgers.sql import SqlLedger


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


def test_a_claim_is_repeated_if_the_database_is_locked_for_a_moment(tmp_path):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/ledger.db", connect_args={"timeout": 0.01})
    ledger = SqlLedger(engine, "autumn")
    with closing(sqlite3.connect(tmp_path / "ledger.db", check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.1, other.rollback).start()

        assert ledger.claim([INTENT]) == [ClaimResult(granted=True)]


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

    assert str(failure.value) == "the ledger's database: Exception: server gone; (7926…0011)"
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
