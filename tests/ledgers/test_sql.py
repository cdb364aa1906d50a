"""The ledger in a SQL database: the contract of every ledger, and what it does with its rows."""

from __future__ import annotations

import json
import uuid
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy
from airflow.providers.common.compat.sdk import AirflowFailException
from known_numbers import ANNA, BORIS
from ledger_contract import (
    HOUR,
    INTENT,
    NOW,
    LedgerContract,
    SharedLedgerContract,
    active,
    an_intent,
    finished,
)
from sqlalchemy.engine import Engine

from airflow_provider_callapi.calls.campaign.ledger import ClaimResult, Status, is_same_intent
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.databases.attempt_rows import row_of_attempt
from airflow_provider_callapi.databases.retries import RETRY_BRIEFLY
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.ledgers.sql import SqlLedger, open_sql_ledger
from airflow_provider_callapi.ledgers.sql_supervision import open_sql_supervision
from airflow_provider_callapi.ledgers.sql_tables import calls

pytest_plugins = ["open_connections"]


def set_connection(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps(fields))


class TestSqlLedger(SharedLedgerContract):
    @pytest.fixture
    def ledger(self, engine: Engine) -> SqlLedger:
        return SqlLedger(engine, "autumn")


class TestSqlLedgerWithGap(LedgerContract):
    @pytest.fixture
    def ledger(self, engine: Engine) -> SqlLedger:
        return SqlLedger(engine, "autumn", min_gap=60.0)


def test_campaigns_have_separate_attempts(engine):
    ledger, other = SqlLedger(engine, "autumn"), SqlLedger(engine, "Autumn")
    ledger.claim([INTENT])

    assert list(other.load([ANNA])) == []
    assert other.claim([INTENT]) == [ClaimResult(granted=True)]


@pytest.mark.parametrize("name", ["", "x" * 251])
def test_a_name_that_does_not_fit_the_key_is_refused(engine, name):
    with pytest.raises(ValueError, match="campaign: give a name of 1 to 250 characters"):
        SqlLedger(engine, name)


def test_a_claim_of_an_attempt_that_another_process_holds_is_refused_without_a_wait(engine):
    ledger = SqlLedger(engine, "autumn", min_gap=HOUR)
    ledger.claim([INTENT])

    assert ledger.claim([an_intent(at=NOW + 1)]) == [ClaimResult(granted=False, held=INTENT)]


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


def test_a_time_of_the_clock_is_kept_to_the_microsecond(engine):
    ledger = SqlLedger(engine, "autumn")
    intent = an_intent(at=1_800_000_000.123_456_7)
    ledger.claim([intent])
    (stored,) = ledger.load([ANNA])

    assert stored.intended_at == pytest.approx(1_800_000_000.123_456_7, abs=1e-6)
    assert is_same_intent(stored, intent)
    ledger.record([intent.with_status(Status.NOT_PLACED)])
    assert [attempt.status for attempt in ledger.load([ANNA])] == [Status.NOT_PLACED]


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


@pytest.mark.parametrize("column", ["status", "result"])
@pytest.mark.parametrize("read", [lambda its: list(its.load([ANNA])), lambda its: its.claim([INTENT])])
def test_an_unknown_status_or_result_fails_with_its_table_and_column_and_what_to_do(engine, column, read):
    """Another version may have stored the value, or a person has edited the row."""
    ledger = SqlLedger(engine, "autumn")
    ledger.claim([INTENT])
    ledger.record([finished(INTENT)])
    with engine.begin() as db:
        db.execute(calls.update().values({column: "of " + ANNA}))

    with pytest.raises(CallApiFailure) as failure:
        read(ledger)

    text = str(failure.value)
    assert f"table callapi_campaign_call: 'of 7926…0011' in the column {column} is unknown" in text
    assert "another version" in text
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
