"""The summary, and the row of each person: each person is counted once, and no data is altered."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from campaign_endings import BEGAN, SECRET, called, person, skipped, summary_of
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.results.result_file import write_results
from airflow_provider_callapi.calls.campaign.results.summary import Ending
from airflow_provider_callapi.calls.lists.result_columns import RESULT_COLUMNS

R = Result


def as_csv(endings: list[Ending], invalid: Any = ()) -> list[dict[str, str]]:
    file = io.StringIO()
    write_results(file, endings, invalid, file_format="csv")
    return list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))


def as_json(endings: list[Ending], invalid: Any = ()) -> list[dict[str, Any]]:
    file = io.StringIO()
    write_results(file, endings, invalid, file_format="jsonl")
    return [json.loads(line) for line in file.getvalue().split("\n")[:-1]]


def with_row(**row: Any) -> Ending:
    return Ending(Person("key", "79260000001", "Europe/Moscow", row, 1), R.NOT_CALLED)


# --- summary ---


def test_every_person_on_the_list_has_one_result() -> None:
    endings = [
        called(person(1), (0, R.BUSY), (600, R.ANSWERED)),
        called(person(2), (0, R.NOT_REACHED)),
        called(person(3), (0, R.UNKNOWN)),
        Ending(person(4), R.UNRESOLVED),
        Ending(person(5), R.DO_NOT_CALL),
        Ending(person(6), R.INVALID),
    ]
    summary = summary_of(endings, [skipped(7), skipped(8)], duplicates=3, points_per_call=2)
    assert summary.people == 8
    assert sum(summary.results.values()) == summary.people
    assert summary.results[R.INVALID] == 3
    assert summary.duplicates == 3
    assert set(summary.results) == set(R), "also those that nobody has"
    assert summary.callable == 4, "neither the invalid nor those who must not be called"
    assert summary.answered_share == 1 / 4
    assert summary.unreached_share == 3 / 4
    assert summary.unknown_share == 2 / 4
    assert summary.invalid_share == 3 / 8
    assert summary.calls == 4
    assert summary.points_used == 8


def test_an_attempt_that_the_service_did_not_accept_is_not_counted_as_a_call() -> None:
    refused = Attempt("key-1", 1, Status.NOT_PLACED, "id", BEGAN)
    lost = Attempt("key-2", 1, Status.FINISHED, "id", BEGAN, result=R.UNRESOLVED)
    endings = [Ending(person(1), R.NOT_CALLED, [refused]), Ending(person(2), R.UNRESOLVED, [lost])]
    assert summary_of(endings, []).calls == 0
    assert [row["call_attempts"] for row in as_json(endings)] == [0, 0]


def test_every_share_of_no_people_is_zero() -> None:
    summary = summary_of([], [skipped(1)])
    assert (summary.callable, summary.answered_share, summary.unreached_share) == (0, 0.0, 0.0)
    assert summary.invalid_share == 1.0


def test_a_summary_is_plain_json_without_personal_data() -> None:
    ending = called(person(1), (0, R.ANSWERED))
    value = summary_of([ending], [skipped(2)]).to_xcom()
    text = json.dumps(value)
    assert json.loads(text) == value
    assert type(next(iter(value["results"]))) is str
    assert value["started_at"] == "2023-11-14T06:00:00Z"
    assert value["ended_at"] == "2023-11-14T08:00:00Z"
    assert value["duration_seconds"] == 7200
    assert ending.person.contact not in text
    assert "Secret" not in text


# --- a row per person ---


@pytest.mark.parametrize("read", [as_csv, as_json])
def test_the_results_include_invalid_rows_in_the_order_of_the_list(read: Any) -> None:
    endings = [called(person(5), (0, R.BUSY)), called(person(1), (0, R.ANSWERED))]
    rows = read(endings, [skipped(3)])
    assert [row["call_result"] for row in rows] == ["answered", "invalid", "busy"]
    assert rows[1]["call_why"] == "contact: not a phone number"
    assert not rows[1]["call_contact"]


@pytest.mark.parametrize("read", [as_csv, as_json])
def test_the_results_have_one_row_for_each_person_and_each_invalid_row(read: Any) -> None:
    assert len(read([called(person(1))], [skipped(2)])) == 2


def test_the_calls_in_the_rows_are_those_of_the_summary() -> None:
    endings = [
        called(person(1), (0, R.BUSY), (9, R.CAPACITY), (99, R.ANSWERED)),
        called(person(2), (0, R.BUSY)),
    ]
    assert sum(row["call_attempts"] for row in as_json(endings)) == summary_of(endings, []).calls == 4


def test_a_row_describes_the_last_call() -> None:
    ending = called(
        person(1),
        (0, R.BUSY),
        (600, R.ANSWERED),
        tags=(36, 37),
        operations=("Later",),
        finish_reason="success_finish",
    )
    [row] = as_json([ending])
    assert row == {
        "phone": "+79260000001",
        "name": SECRET,
        "call_contact": "79260000001",
        "call_result": "answered",
        "call_why": None,
        "call_attempts": 2,
        "call_session_id": 102,
        "call_external_id": "id-1-2",
        "call_started_at": "2023-11-14T06:10:00Z",
        "call_answered_at": "2023-11-14T06:10:05Z",
        "call_ended_at": "2023-11-14T06:10:30Z",
        "call_talk_seconds": 25,
        "call_finish_reason": "success_finish",
        "call_tags": [36, 37],
        "call_operations": ["Later"],
    }
    [line] = as_csv([ending])
    assert list(line) == ["phone", "name", *RESULT_COLUMNS], "the row's own columns first"
    assert (line["call_tags"], line["call_operations"]) == ("[36, 37]", '["Later"]')


def test_a_row_contains_the_reason_of_a_refused_call() -> None:
    refused = Attempt(
        "key-1", 1, Status.FINISHED, "id-1-1", BEGAN, result=R.REFUSED, refused_with="contact_in_blacklist"
    )
    [row] = as_json([Ending(person(1), R.REFUSED, [refused])])
    assert (row["call_result"], row["call_why"]) == ("refused", "contact_in_blacklist")
    assert row["call_attempts"] == 0


def test_an_intent_that_was_not_placed_does_not_hide_the_call_before_it() -> None:
    busy = called(person(1), (0, R.BUSY))
    not_placed = Attempt("key-1", 2, Status.NOT_PLACED, "id-1-2", BEGAN + 600)
    [row] = as_json([Ending(busy.person, R.BUSY, [*busy.attempts, not_placed])])
    assert row["call_session_id"] == 101
    assert row["call_external_id"] == "id-1-1"


def test_the_row_of_an_unconfirmed_call_contains_its_external_id() -> None:
    lost = Attempt("key-1", 1, Status.FINISHED, "id-lost", BEGAN, result=R.UNRESOLVED)
    [row] = as_json([Ending(person(1), R.UNRESOLVED, [lost])])
    assert row["call_external_id"] == "id-lost"
    assert row["call_session_id"] is None


def test_rows_may_have_different_columns() -> None:
    endings = [called(person(1, town="Omsk")), called(person(2, age=7))]
    assert [(row["town"], row["age"]) for row in as_csv(endings)] == [("Omsk", ""), ("", "7")]
    assert [("town" in row, "age" in row) for row in as_json(endings)] == [(True, False), (False, True)]


def test_the_result_columns_of_an_earlier_campaign_are_replaced() -> None:
    ending = called(person(1, call_result="busy", call_note="kept"), (0, R.ANSWERED))
    for read in (as_csv, as_json):
        [row] = read([ending])
        assert row["call_result"] == "answered"
        assert row["call_note"] == "kept"
        assert list(row) == ["phone", "name", "call_note", *RESULT_COLUMNS]


OTHER_NAMES = st.text().filter(lambda name: name not in RESULT_COLUMNS)


@given(st.dictionaries(OTHER_NAMES, st.text() | st.integers() | st.none()))
def test_json_lines_contain_every_row_unchanged(row: dict[str, Any]) -> None:
    [read] = as_json([with_row(**row)])
    assert {name: value for name, value in read.items() if name not in RESULT_COLUMNS} == row


@pytest.mark.parametrize(
    "text",
    [
        "+79260000001",
        "+7 (926) 000-00-01",
        "-5",
        "-5.25",
        "-",
        "+",
        "8 926 000 00 01",
        "a=b",
        "me@x.ru",
        "Жанна",
        "a,b",
        'q"',
        "a\nb",
        "a\rb",
        "",
        "8 926 000-00-01, +7 926 000-00-02",
        "8 926 000-00-01; +7 (926) 000-00-02",
        "a,-5;+7",
    ],
)
def test_a_text_that_no_spreadsheet_runs_is_unchanged(text: str) -> None:
    assert as_csv([with_row(phone=text)])[0]["phone"] == text


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x")',
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "-1+A1",
        "+7-926-000-00-01",
        "+7926-000-00-01",
        "-2-3",
    ],
)
def test_a_text_that_a_spreadsheet_would_run_is_quoted_in_csv_and_unchanged_in_json(text: str) -> None:
    assert as_csv([with_row(name=text)])[0]["name"] == f"'{text}"
    assert as_json([with_row(name=text)])[0]["name"] == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Анна;=1+1;x", "Анна;'=1+1;x"),
        ("Анна,=1+1", "Анна,'=1+1"),
        ("Анна\n=1+1", "Анна\n'=1+1"),
        ("Анна\r\n@SUM(A1)", "Анна\r\n'@SUM(A1)"),
        ('Анна;"=1+1"', 'Анна;\'"=1+1"'),
        ("x;+cmd|' /C calc'!A0", "x;'+cmd|' /C calc'!A0"),
        ("x;-2+3+cmd|' /C calc'!A0", "x;'-2+3+cmd|' /C calc'!A0"),
        ('x;-2+HYPERLINK("http://x")', 'x;\'-2+HYPERLINK("http://x")'),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("=1;=2", "'=1;'=2"),
    ],
)
def test_a_formula_where_a_spreadsheet_with_another_separator_begins_a_cell_is_quoted(
    text: str, written: str
) -> None:
    """Excel in Russian splits a file with commas at each ``;``, also inside of quotation marks."""
    assert as_csv([with_row(name=text)])[0]["name"] == written
    assert as_json([with_row(name=text)])[0]["name"] == text


def test_a_list_in_a_cell_stays_json_although_its_texts_contain_formulas() -> None:
    value: list[Any] = ["a", -5, "x;=1", {"b": "-c"}]

    assert json.loads(as_csv([with_row(x=value)])[0]["x"]) == ["a", -5, "x;'=1", {"b": "-c"}]


def test_the_name_of_a_column_is_no_formula_either() -> None:
    assert "'=1+1" in as_csv([with_row(**{"=1+1": "x"})])[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (7, "7"),
        (-7, "-7"),
        ({"a": [1]}, '{"a": [1]}'),
        (["я"], '["я"]'),
        (2.5, "2.5"),
    ],
)
def test_a_value_that_is_no_text_is_written_as_json(value: Any, text: str) -> None:
    assert as_csv([with_row(x=value)])[0]["x"] == text


def test_csv_results_have_the_separator_and_the_byte_order_mark_of_the_list() -> None:
    file = io.StringIO(newline="")
    endings = [with_row(note="a;b")]
    write_results(file, endings, [], file_format="csv", separator=";", bom=True)

    assert file.getvalue().startswith("\ufeffnote;call_contact;")
    (row,) = csv.DictReader(io.StringIO(file.getvalue().removeprefix("\ufeff")), delimiter=";")
    assert row["note"] == "a;b"


def test_json_lines_have_neither_a_separator_nor_a_byte_order_mark() -> None:
    file = io.StringIO()
    write_results(file, [called(person(1))], [], file_format="jsonl", separator=";", bom=True)
    assert isinstance(json.loads(file.getvalue()), dict)
