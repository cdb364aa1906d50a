"""All attempts of a campaign are read in pages: with few statements, in order, and past a lost connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy
from ledger_contract import NOW, an_intent, finished
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from airflow_provider_callapi.ledgers.sql import SqlLedger

PEOPLE = [f"7926{number:07d}" for number in range(300)]
ATTEMPTS = [(person, attempt) for person in PEOPLE for attempt in (1, 2)]


@pytest.fixture
def engine(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Return the engine of a database with two attempts to call each person; a page has fifty rows."""
    monkeypatch.setattr("airflow_provider_callapi.ledgers.sql_pages._PAGE", 50)
    monkeypatch.setattr("airflow_provider_callapi.ledgers.sql._CHUNK", 10)
    engine = sqlalchemy.create_engine(url)
    ledger = SqlLedger(engine, "autumn")
    for attempt in (1, 2):
        intents = [an_intent(person, attempt, at=NOW + attempt) for person in PEOPLE]
        assert all(claim.granted for claim in ledger.claim(intents))
        ledger.record([finished(intent) for intent in intents])
    yield engine
    engine.dispose()


def statements_of(engine: Engine) -> list[str]:
    sent: list[str] = []
    sqlalchemy.event.listen(engine, "before_cursor_execute", lambda *event: sent.append(event[2]))
    return sent


def test_the_attempts_of_many_people_are_read_in_order_and_if_possible_with_one_statement(
    engine,
):
    ledger, sent = SqlLedger(engine, "autumn"), statements_of(engine)

    assert [(attempt.person, attempt.attempt) for attempt in ledger.load(PEOPLE)] == ATTEMPTS

    assert len(sent) == (1 if engine.dialect.name == "postgresql" else 13)


def test_a_small_shard_reads_only_its_own_attempts_after_the_first_page(engine):
    ledger, sent = SqlLedger(engine, "autumn"), statements_of(engine)
    few = PEOPLE[5::25]

    loaded = [(attempt.person, attempt.attempt) for attempt in ledger.load(few)]

    assert loaded == [(person, attempt) for person in few for attempt in (1, 2)]
    assert len(sent) == 3


def test_a_lost_connection_between_two_pages_loses_and_repeats_no_attempt(engine):
    ledger = SqlLedger(engine, "autumn")
    loaded = []
    for number, attempt in enumerate(ledger.load(PEOPLE)):
        loaded.append((attempt.person, attempt.attempt))
        if number % 130 == 0:
            end_connections_of(engine)
    assert loaded == ATTEMPTS


def test_the_reading_of_attempts_does_not_block_writers(engine):
    ledger = SqlLedger(engine, "autumn")
    written = 0
    for number, attempt in enumerate(ledger.load(PEOPLE)):
        if number % 130 == 0:
            intent = an_intent(f"{attempt.person}9", at=NOW)
            written += sum(claim.granted for claim in ledger.claim([intent]))
    assert written == len(range(0, len(ATTEMPTS), 130))


def end_connections_of(engine: Engine) -> None:
    """End the other connections to the database, as a restarted server does."""
    if engine.dialect.name != "postgresql":
        engine.dispose()
        return
    other = sqlalchemy.create_engine(engine.url, poolclass=NullPool)
    with other.begin() as db:
        db.execute(
            sqlalchemy.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        )
    other.dispose()
