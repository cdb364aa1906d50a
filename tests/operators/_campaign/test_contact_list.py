"""Contact lists: every accepted form, and the errors about other forms."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._campaign import contact_list
from airflow_provider_callapi.operators._campaign.contact_list import csv_form, read_rows

A, B, C = "79160000001", "79160000002", "79160000003"


def written(path: Path, text: str, encoding: str = "utf-8") -> str:
    path.write_text(text, encoding, newline="")
    return f"file://{path}"


def rows(contacts: Any) -> list[Any]:
    return [row for row in read_rows(contacts, "contacts") if row]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("phone,name\n79160000001,Anna\n", "utf-8"),
        ("phone;name\r\n79160000001;Anna\r\n", "utf-8-sig"),
        (' phone ; name \n"79160000001";"Anna"\n\n', "utf-8-sig"),
        ('"phone","name"\n79160000001,Anna', "utf-8"),
    ],
    ids=[
        "commas",
        "Excel's semicolons, byte order mark and line ends",
        "spaces and quotes",
        "no last line end",
    ],
)
def test_a_csv_file_of_every_spreadsheet_program_is_read(tmp_path, text, encoding):
    assert rows(written(tmp_path / "people.CSV", text, encoding)) == [{"phone": A, "name": "Anna"}]


def test_a_quoted_value_may_hold_separators_and_lines(tmp_path):
    path = written(tmp_path / "people.csv", 'phone,text\n79160000001,"one, two;\nthree"\n')

    assert rows(path) == [{"phone": A, "text": "one, two;\nthree"}]


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".json"])
def test_json_lines_hold_objects_or_numbers_and_empty_lines_do_not_count(tmp_path, suffix):
    text = f'{{"phone": "{A}", "debt": 12.5}}\n\n"{B}"\n79160000003\n'

    assert rows(written(tmp_path / f"people{suffix}", text)) == [{"phone": A, "debt": 12.5}, B, "79160000003"]


def test_a_list_may_contain_mappings_numbers_and_numbers_as_text():
    assert rows([{"phone": A}, B, 79160000003]) == [{"phone": A}, B, "79160000003"]


def test_a_local_path_needs_no_scheme(tmp_path):
    assert rows(written(tmp_path / "people.csv", "phone\n1\n").removeprefix("file://")) == [{"phone": "1"}]


def test_a_file_is_read_only_as_far_as_needed(tmp_path):
    people = read_rows(written(tmp_path / "people.jsonl", f'"{A}"\n"{B}"\nnonsense\n'), "contacts")

    assert [next(people), next(people)] == [A, B]
    with pytest.raises(CallApiFailure, match="contacts, line 3: not JSON"):
        next(people)


@pytest.mark.parametrize(
    ("contacts", "said"),
    [
        (
            "file:///tmp/people.xls",
            r"contacts: the path of a file is needed, \.csv or .* or \.xlsx or \.jsonl",
        ),
        ("file:///tmp/nobody/people.csv", r"contacts: .*people\.csv cannot be read"),
        (f"['{A}']", "contacts: the list is written as text; pass the list itself"),
        (f"{A}, {B}", "contacts: the path of a file is needed"),
        ("nostorage://bucket/people.csv", "contacts: nostorage://bucket/people.csv cannot be used"),
        ({"phone": A}, "contacts: a list of rows, or the path of a file is needed"),
        (79160000001, "contacts: a list of rows, or the path of a file is needed"),
        (None, "contacts: a list of rows, or the path of a file is needed"),
        ([A, [B]], "contacts, row 2: a row without column names"),
        ([True], "contacts, row 1: a mapping"),
    ],
)
def test_a_value_that_is_no_list_is_a_permanent_error(contacts, said):
    with pytest.raises(CallApiFailure, match=said) as caught:
        rows(contacts)

    assert A not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("people.jsonl", f'["{A}"]\n', "contacts, line 1: "),
        ("people.csv", f"{A}\n{B}\n", "contacts, line 1: this line must name the columns"),
        ("people.csv", f"+7 916 000-00-01;Anna\n{B};Boris\n", "contacts, line 1: this line must name"),
    ],
)
def test_no_error_shows_a_row(tmp_path, name, text, said):
    with pytest.raises(CallApiFailure, match=said) as caught:
        rows(written(tmp_path / name, text))

    assert A not in str(caught.value)
    assert "916" not in str(caught.value)


def test_a_line_that_ends_early_is_refused_because_its_time_zone_may_be_missing(tmp_path):
    with pytest.raises(CallApiFailure, match="line 2: fewer values than columns") as caught:
        rows(written(tmp_path / "people.csv", f"phone,name,timezone\n{A},Anna\n"))
    assert A not in str(caught.value)


@pytest.mark.parametrize("encoding", ["cp866", "koi8-r", "iso8859-5", "mac-cyrillic", "utf-16-le"])
def test_a_file_in_another_encoding_is_refused_without_a_guess(tmp_path, encoding):
    path = written(tmp_path / "people.csv", "phone,name\n79160000001,Анна\n", encoding)

    with pytest.raises(CallApiFailure, match='save the file as "CSV UTF-8"'):
        rows(path)


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16", "utf-32", "utf-8-sig"])
def test_the_encodings_of_spreadsheets_are_read_and_a_guess_is_logged(tmp_path, encoding, caplog):
    path = written(tmp_path / "people.csv", "sep=;\r\nphone;name\r\n79160000001;Анна\r\n", encoding)

    assert rows(path) == [{"phone": A, "name": "Анна"}]
    assert csv_form(path) == (";", True)
    assert ("read as cp1251" in caplog.text) == (encoding == "cp1251")


def test_a_storage_that_is_away_is_a_transient_error(monkeypatch):
    def away(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionResetError("the storage went away")

    monkeypatch.setattr(contact_list, "open_path", lambda *_: SimpleNamespace(suffix=".csv", open=away))

    with pytest.raises(CallApiTrouble, match="cannot be read now"):
        rows("s3://bucket/people.csv")


@pytest.mark.parametrize(("name", "row"), [("people.csv", "Anna\n"), ("people.jsonl", '"79160000001"\n')])
def test_a_file_that_changes_while_it_is_read_is_a_transient_error(tmp_path, name, row):
    path = written(tmp_path / name, row * 3)
    reading = read_rows(path, "do_not_call")
    next(reading)
    written(tmp_path / name, row * 2)

    with pytest.raises(CallApiTrouble, match=r"do_not_call: .* has changed while it was read"):
        list(reading)
