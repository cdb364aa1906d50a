"""The table of results: created where it is missing, checked before a call, idempotent by its key."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy
from known_numbers import ANNA, BORIS

from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.databases.results_table import open_results_table, row_of_result
from airflow_provider_callapi.databases.retries import RETRY_BRIEFLY
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble

CALLS = TableName("dwh", "calls")


def a_row(person: str = ANNA, attempt: int = 1, **values: Any) -> dict[str, Any]:
    return {"campaign": "autumn", "person": person, "attempt": attempt, **values}


def test_a_missing_table_is_created_and_rows_are_replaced_by_their_key(select):
    table = open_results_table(CALLS)
    table.write(
        [a_row(result="busy"), a_row(attempt=2), a_row(BORIS, contact={"name": "Борис"})], patient=True
    )
    table.write([a_row(attempt=2, result="answered", talk_seconds=7, tags=[36])], patient=True)

    assert select("SELECT person, attempt, result, talk_seconds FROM calls ORDER BY person, attempt") == [
        (ANNA, 1, "busy", None),
        (ANNA, 2, "answered", 7),
        (BORIS, 1, None, None),
    ]


def test_a_row_with_a_text_that_is_too_long_for_its_column_is_shortened_and_loses_the_character_nul(select):
    call = Outcome(7, "o" * 300, finish_reason="\0" + "r" * 300, operations=("Yes\0",))
    attempt = Attempt(ANNA, 1, Status.ENDED, "o" * 300, 1.8e9, call=call)
    assert row_of_result(attempt, "autumn", ANNA)["operations"] == ["Yes"]
    open_results_table(CALLS).write([row_of_result(attempt, "autumn", ANNA)], patient=True)

    assert select("SELECT external_id, finish_reason FROM calls") == [("o" * 255, "r" * 255)]


def test_only_the_task_that_wrote_a_row_without_a_call_replaces_and_removes_it(select):
    first, second = (open_results_table(CALLS, task=task) for task in ("dag.task.run", "t" * 300))
    for table in (first, second):
        table.write(
            [a_row(attempt=0, result="do_not_call"), a_row("row 2", 0, result="invalid")], patient=True
        )
    second.write([a_row(attempt=0, result="not_called")], patient=True)
    assert select("SELECT person, result FROM calls ORDER BY person, result") == [
        (ANNA, "do_not_call"),
        (ANNA, "not_called"),
        ("row 2", "invalid"),
        ("row 2", "invalid"),
    ]

    second.write([a_row(), a_row(BORIS, list_row=2)], patient=True)

    assert select("SELECT person, attempt, task FROM calls ORDER BY person, attempt") == [
        (ANNA, 0, "dag.task.run"),
        (ANNA, 1, ""),
        (BORIS, 1, ""),
        ("row 2", 0, "dag.task.run"),
    ]


@pytest.mark.parametrize("letter", ["t", "т", "表", "😀"])
def test_a_name_that_the_database_cannot_keep_is_refused_and_leaves_no_table(dwh, letter):
    backend = sqlalchemy.engine.make_url(dwh).get_backend_name()
    longest = {"postgresql": 63 // len(letter.encode()), "mysql": 64}.get(backend, 100)
    # MySQL takes no emoji in a name, and no name whose file would have a longer name than the disk keeps.
    if backend != "mysql" or letter in "tт":
        open_results_table(TableName("dwh", letter * longest)).close()
        open_results_table(TableName("dwh", letter * longest)).close()
    before = sqlalchemy.inspect(sqlalchemy.create_engine(dwh)).get_table_names()

    if backend != "sqlite":
        with pytest.raises(CallApiFailure, match="the name of the table is longer than 6"):
            open_results_table(TableName("dwh", letter * (longest + 1)))
        with pytest.raises(CallApiFailure, match="the name of the schema is longer than 6"):
            open_results_table(TableName("dwh", "calls", letter * (longest + 1)))
    assert sqlalchemy.inspect(sqlalchemy.create_engine(dwh)).get_table_names() == before


def test_an_existing_table_is_used_again(select):
    open_results_table(CALLS).write([a_row()], patient=True)
    open_results_table(CALLS).write([a_row(result="busy")], patient=True)

    assert select("SELECT result FROM calls") == [("busy",)]


@pytest.mark.parametrize("campaign", ["autumn", "autumn " * 60])
def test_the_ids_of_the_calls_of_one_campaign_are_read(select, campaign):
    table = open_results_table(CALLS)
    rows = [a_row(external_id="a"), a_row(attempt=2, external_id="b"), a_row(BORIS, 0)]
    table.write([{**row, "campaign": campaign} for row in rows], patient=True)
    table.write([{**a_row(external_id="c"), "campaign": "spring"}], patient=True)

    assert table.read_ids(campaign) == {(ANNA, 1): "a", (ANNA, 2): "b"}


def test_the_test_of_a_table_leaves_no_row(select):
    open_results_table(CALLS)

    assert select("SELECT * FROM calls") == []


def test_the_first_call_replaces_the_row_of_a_person_who_was_not_called(select):
    table = open_results_table(CALLS)
    table.write([a_row(attempt=0, result="not_called"), a_row(BORIS, 0, result="not_called")], patient=True)
    table.write([a_row(result="busy")], patient=True)

    assert select("SELECT person, attempt FROM calls ORDER BY person") == [(ANNA, 1), (BORIS, 0)]


def test_the_table_may_have_additional_columns_of_the_author(select):
    open_results_table(CALLS)
    select("ALTER TABLE calls ADD COLUMN note VARCHAR(20)")
    open_results_table(CALLS).write([a_row()], patient=True)

    assert select("SELECT person, note FROM calls") == [(ANNA, None)]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("CREATE TABLE calls (campaign VARCHAR(99) PRIMARY KEY)", "has no column person"),
        ("CREATE TABLE calls AS SELECT * FROM model", "needs the primary key"),
        ("CREATE VIEW calls AS SELECT * FROM model", "needs the primary key"),
    ],
)
def test_another_table_with_the_name_is_refused_before_a_row_is_written(select, statement, problem):
    open_results_table(TableName("dwh", "model"))
    select(statement)

    with pytest.raises(CallApiFailure, match=f"results: connection 'dwh', table calls {problem}"):
        open_results_table(CALLS)


def test_an_additional_column_that_needs_a_value_is_refused(select, dwh):
    if dwh.startswith("sqlite"):
        pytest.skip("SQLite cannot add a column that needs a value")
    open_results_table(CALLS)
    select("ALTER TABLE calls ADD COLUMN note DATE NOT NULL")

    with pytest.raises(CallApiFailure, match="results: connection 'dwh', table calls: "):
        open_results_table(CALLS)


def test_a_schema_that_is_missing_is_refused(select, dwh):
    with pytest.raises(
        (CallApiFailure, CallApiTrouble), match=r"results: connection 'dwh', table no\.calls: "
    ):
        open_results_table(TableName("dwh", "calls", "no"))


def test_a_database_that_does_not_answer_is_a_transient_error(monkeypatch):
    monkeypatch.setattr(RETRY_BRIEFLY, "sleep", lambda _: None)
    monkeypatch.setenv("AIRFLOW_CONN_DWH", '{"conn_type": "postgres", "host": "127.0.0.1", "port": 1}')

    with pytest.raises(CallApiTrouble, match="results: connection 'dwh', table calls: OperationalError"):
        open_results_table(CALLS)


@pytest.mark.parametrize(
    "value",
    [
        "calls",
        {},
        {"conn_id": "dwh"},
        {"conn_id": "dwh", "table": ""},
        {"conn_id": "dwh", "table": "public.calls"},
        {"conn_id": "dwh", "table": "calls", "schema": 5},
        {"conn_id": "dwh", "table": "calls", "if_exists": "append"},
    ],
)
def test_a_value_of_another_form_is_no_table_name(value):
    with pytest.raises(ValueError, match=r"needed|key"):
        TableName.of(value)


def test_a_schema_of_none_is_the_default_schema():
    assert TableName.of({"conn_id": "dwh", "table": "calls", "schema": None}) == CALLS
