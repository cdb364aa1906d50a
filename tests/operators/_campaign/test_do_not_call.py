"""The do-not-call list: what it excludes, and how it is read again."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from phrases import phrases

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.databases.query import Query
from airflow_provider_callapi.emulator import ManualClock
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._campaign import do_not_call
from airflow_provider_callapi.operators._campaign.do_not_call import DoNotCall

A, B, C = "79160000001", "79160000002", "79160000003"


def written(path: Path, text: str, encoding: str = "utf-8") -> str:
    path.write_text(text, encoding, newline="")
    return f"file://{path}"


@pytest.fixture
def clock(monkeypatch) -> ManualClock:
    clock = ManualClock(1_760_000_000.0)
    monkeypatch.setattr(system_clock, "monotonic", clock)
    return clock


def test_no_one_is_excluded_without_a_list():
    assert DoNotCall(None, "RU").numbers() == frozenset()


def test_every_spelling_of_a_number_is_excluded():
    excluded = DoNotCall(["8 916 000-00-01", {"phone": "+79160000002"}, {"number": A}, None], "RU")

    assert excluded.numbers() == {A, B}


def test_every_number_of_a_row_is_excluded_in_all_columns():
    rows = [
        {"phone": f"{A}, +7 916 000-00-02", "Mobile": "8 916 000-00-03 доб. 5", "comment": "и 79160000004"}
    ]

    assert DoNotCall(rows, "RU").numbers() == {A, B, C, "79160000004"}


def test_a_warning_counts_the_entries_that_exclude_no_one(caplog):
    rows = [A, "12-34", {"phone": None}, {"phone": None, "name": "Anna"}]
    DoNotCall(rows, "RU", max_unreadable=2).numbers()

    assert "do_not_call: 2 entries cannot be read, so people could be called" in caplog.text
    assert "row 2: digits that are not a phone number; row 4: no number" in caplog.text
    assert "12-34" not in caplog.text
    with pytest.raises(
        CallApiFailure, match=r"2 entries .* row 2: .*; row 4: .*, or set max_unreadable=2 to"
    ):
        DoNotCall(rows, "RU", max_unreadable=1).numbers()


def test_a_column_of_phone_numbers_with_any_name_counts_and_its_unreadable_values_too(tmp_path):
    text = f"phone;WhatsApp\n{A};{B}\n{A};нет\n{A};{C}\n{A};7,91612E+10\n"

    with pytest.raises(CallApiFailure, match=r"stop\.csv: 1 entry .* row 4: column 'WhatsApp': .* Excel"):
        DoNotCall(written(tmp_path / "stop.csv", text), "RU").numbers()
    assert DoNotCall(written(tmp_path / "stop.csv", text), "RU", max_unreadable=1).numbers() == {A, B, C}


def test_the_error_about_unreadable_entries_gives_the_reason_of_each():
    with pytest.raises(CallApiFailure, match=r"row 2: .* Excel .*; rows 3, 4: digits .*\. Correct these"):
        DoNotCall([A, "7,91612E+10", "12-34", "12-35"], "RU").numbers()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"id,number\n1,{A}\n",
            r"do_not_call: file:.*/stop\.csv, row 1: name the column with the number `phone`",
        ),
        (f"{A}\n{B}\n", "do_not_call, line 1: this line must name the columns"),
    ],
    ids=["several columns", "no header"],
)
def test_a_list_whose_numbers_are_ambiguous_is_refused(tmp_path, text, said):
    with pytest.raises(CallApiFailure, match=said):
        DoNotCall(written(tmp_path / "stop.csv", text), "RU").numbers()


def test_the_only_column_of_a_list_is_the_number_under_any_name(tmp_path):
    assert DoNotCall(written(tmp_path / "stop.csv", f"telefon\n{A}\n"), "RU").numbers() == {A}


def test_a_changed_file_is_read_again_a_minute_later_and_not_before(tmp_path, clock):
    path = written(tmp_path / "stop.csv", f"phone\n{A}\n")
    excluded = DoNotCall(path, "RU")
    assert excluded.numbers() == {A}

    written(tmp_path / "stop.csv", f"phone\n{A}\n{B}\n")
    clock.advance(59)
    assert excluded.numbers() == {A}
    clock.advance(1)
    assert excluded.numbers() == {A, B}


def test_an_unchanged_file_is_not_read_again(tmp_path, clock, monkeypatch):
    excluded = DoNotCall(written(tmp_path / "stop.csv", f"phone\n{A}\n"), "RU")
    excluded.numbers()
    clock.advance(60)
    monkeypatch.setattr(do_not_call, "read_rows", lambda *_: pytest.fail("it was read again"))

    assert excluded.numbers() == {A}


def test_the_excluded_numbers_of_a_try_only_grow(tmp_path, clock):
    """The file is read while it is being rewritten: it already has its header and not yet its numbers."""
    excluded = DoNotCall(written(tmp_path / "stop.csv", f"phone\n{A}\n"), "RU")
    excluded.numbers()

    written(tmp_path / "stop.csv", "phone\n")
    clock.advance(60)
    assert excluded.numbers() == {A}
    written(tmp_path / "stop.csv", f"phone\n{B}\n")
    clock.advance(60)
    assert excluded.numbers() == {A, B}


def test_a_list_that_cannot_be_read_at_the_start_ends_the_try(tmp_path):
    with pytest.raises(CallApiFailure, match=r"do_not_call: .* cannot be read"):
        DoNotCall(f"file://{tmp_path}/stop.csv", "RU").numbers()


def test_a_list_that_is_away_after_a_wait_only_pauses_the_try(tmp_path, clock):
    excluded = DoNotCall(f"file://{tmp_path}/stop.csv", "RU", known=frozenset({B}), was_read=True)
    assert (excluded.numbers(), excluded.stale) == ({B}, True)
    written(tmp_path / "stop.csv", f"phone\n{A}\n")
    clock.advance(60)
    assert (excluded.numbers(), excluded.stale) == ({A, B}, False)


def gone(stop: Path) -> None:
    stop.unlink()


def half_written(stop: Path) -> None:
    stop.write_text(f"id,phon\n1,{A}\n")


def away(stop: Path) -> None:
    stop.unlink()
    stop.mkdir()


@pytest.mark.parametrize("disturb", [gone, half_written, away])
def test_the_numbers_of_a_list_that_cannot_be_read_stay_excluded_and_the_list_is_marked_stale(
    tmp_path, clock, caplog, disturb
):
    stop = tmp_path / "stop.csv"
    excluded = DoNotCall(written(stop, f"phone\n{A}\n"), "RU")
    assert (excluded.numbers(), excluded.stale) == ({A}, False)

    disturb(stop)
    for _ in range(3):
        clock.advance(60)
        assert (excluded.numbers(), excluded.stale) == ({A}, True)

    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert told[0].startswith(
        "The campaign places no calls until the do_not_call list can be read: do_not_call"
    )
    assert A not in told[0]


def test_a_list_that_can_be_read_again_is_no_longer_stale(tmp_path, clock, caplog):
    stop = tmp_path / "stop.csv"
    excluded = DoNotCall(written(stop, f"phone\n{A}\n"), "RU")
    excluded.numbers()
    for numbers in (f"{A}\n{B}\n", f"{A}\n{B}\n{C}\n"):
        stop.unlink()
        clock.advance(60)
        excluded.numbers()
        written(stop, f"phone\n{numbers}")
        clock.advance(60)
        excluded.numbers()

    assert (excluded.numbers(), excluded.stale) == ({A, B, C}, False)
    assert [record.levelname for record in caplog.records].count("WARNING") == 2, "one for each time"


def test_any_error_of_the_storage_leaves_the_list_in_force(tmp_path, clock, monkeypatch):
    def broken(*_: Any) -> Any:
        raise RuntimeError("token expired")

    excluded = DoNotCall(written(tmp_path / "stop.csv", f"phone\n{A}\n"), "RU")
    excluded.numbers()
    monkeypatch.setattr(do_not_call, "open_path", broken)
    clock.advance(60)

    assert (excluded.numbers(), excluded.stale) == ({A}, True)


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#ССЫЛКА!", "########"])
def test_an_entry_that_is_a_failed_formula_is_unreadable_and_not_blank(tmp_path, error):
    path = written(tmp_path / "list.csv", f"phone\n{A}\n{error}\n")
    for entries in (path, [A, error], [A, {"phone": error}], [A, {"phone": error, "name": error}]):
        with pytest.raises(CallApiFailure, match="1 entry cannot be read: row 2: an error of a spreadsheet"):
            DoNotCall(entries, "RU").numbers()


NAN = float("nan")


@pytest.mark.parametrize("rows", [[None], [NAN, NAN], [""], [{}], [{"phone": NAN, "name": None}], (None, "")])
def test_a_list_of_empty_rows_is_refused_because_its_numbers_are_lost(rows):
    """A join or a cast of a data frame that fails leaves the rows, but no number in them."""
    with pytest.raises(CallApiFailure, match=r"do_not_call: (file:.*: )?all rows are empty"):
        DoNotCall(rows, "RU").numbers()
    assert DoNotCall([*rows, A], "RU").numbers() == {A}


@pytest.mark.parametrize("text", ["phone;comment\n;\n", "phone\n  \n", "phone\nNaN\nNaN\n"])
def test_a_file_of_empty_rows_is_refused(tmp_path, text):
    with pytest.raises(CallApiFailure, match=r"do_not_call: (file:.*: )?all rows are empty"):
        DoNotCall(written(tmp_path / "stop.csv", text), "RU").numbers()


@pytest.mark.parametrize("text", ["phone\n", "phone;comment\n\n\n", "phone"])
def test_a_file_without_rows_excludes_no_one_also_with_blank_lines_at_its_end(tmp_path, text):
    assert DoNotCall(written(tmp_path / "stop.csv", text), "RU").numbers() == frozenset()


ERROR_PAGES = phrases(
    """
    error: timeout | <?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>
    <!DOCTYPE html><html><body>Войдите</body></html> | ORA-00942: table or view does not exist
    ERROR:  permission denied for table objections | cat: objections.csv: No such file or directory
    ERROR 1146: Table crm.phones does not exist | phone service is unavailable
    Ошибка: сервис телефонии недоступен | {"error": "phone list not found"}
    <Error><Message>phones.csv not found</Message></Error>
    psql: error: column "phone" does not exist | telnet: connection refused | cellular network error
    The phones of our customers have been moved to the new system | phone database offline
    phone table locked | phones loading... | phone login required | phone 404 | Sign in with phone
    no phone | Mobile login | telnet closed | telemetry | tel aviv | phone (500)
    Unknown column 'phone' | Permission denied: phones | Access denied phone list | SELECT phone
    Query cancelled: phones | KeyError: phone | Недоступна таблица телефонов | Введите номер телефона
    Пустой список телефонов | verify your mobile | Invalid phone number | phones (0 rows) | 0 phones
    {{ phone }} | <phone> | %phone% | phone= | phones.csv | Export of phones | no phones to call
    Телефонная станция занята | телефония отключена | телефоны удалены | Phone table is empty
    """
)


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n"])
@pytest.mark.parametrize("line", [*ERROR_PAGES, "id;city", "fone;name", "sip25", "8(926)OOO-OO-O1"])
def test_a_file_with_one_line_that_names_no_phone_column_is_no_empty_list(tmp_path, line, end):
    with pytest.raises(CallApiFailure, match=r"do_not_call, line \d: .* `?phone`?"):
        DoNotCall(written(tmp_path / "objections.csv", line + end), "RU").numbers()


PHONE_HEADINGS = phrases(
    """
    phone | Phone;name | mobile | Моб. тел. | телефон | Номер телефона для связи | Phone no.
    тел. (моб.) | Preferred phone | Client phone | Existing customer phone | Do not call phone
    Phones not to call | Телефон (не звонить) | Запрещенные телефоны | Телефоны отказавшихся
    Phone: mobile | Client's phone | Phone Number* | phone_number | phoneNumber | Телефон должника
    Телефон пациента | patient_phone | phone1 | phone_e164 | msisdn | Telefon
    """
)


@pytest.mark.parametrize("line", PHONE_HEADINGS)
def test_a_file_that_only_names_a_phone_column_excludes_no_one(tmp_path, line):
    assert DoNotCall(written(tmp_path / "objections.csv", f"{line}\n"), "RU").numbers() == frozenset()


@pytest.mark.parametrize("rows", [[], [[None, None]], [["", " "]]])
def test_a_workbook_that_only_has_the_heading_of_another_list_is_no_empty_list(tmp_path, rows):
    workbook = openpyxl.Workbook()
    for row in (["id", "city"], *rows):
        workbook.active.append(row)
    workbook.save(tmp_path / "objections.xlsx")

    with pytest.raises(CallApiFailure, match="no column is named `phone`"):
        DoNotCall(f"file://{tmp_path}/objections.xlsx", "RU").numbers()


@pytest.mark.parametrize("line", ["{}", "null", '""', "NaN", '{"phone": null}'])
@pytest.mark.parametrize("lines", [1, 3])
def test_json_lines_whose_values_are_all_empty_are_no_empty_list(tmp_path, line, lines):
    with pytest.raises(CallApiFailure, match=r"do_not_call: (file:.*: )?all rows are empty"):
        DoNotCall(written(tmp_path / "objections.jsonl", f"{line}\n" * lines), "RU").numbers()


@pytest.mark.parametrize(
    ("sql", "is_a_list"), [("SELECT phone FROM p", True), ("SELECT id, city FROM p", False)]
)
def test_a_query_without_rows_must_return_a_phone_column(tmp_path, monkeypatch, sql, is_a_list):
    database = tmp_path / "people.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE p (id, city, phone)")
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({"conn_type": "sqlite", "host": str(database)}))
    read = DoNotCall(Query("dwh", sql), "RU")
    if is_a_list:
        assert read.numbers() == frozenset()
        return
    with pytest.raises(CallApiFailure, match="no column is named `phone`"):
        read.numbers()


@pytest.mark.parametrize("entry", ["CL-1045", "anna1985@mail.ru", "Kzc5MjYwMDAwMDAx", "0x1274C5CE41", "id17"])
def test_an_entry_that_only_looks_like_a_sip_number_is_unreadable_if_no_contact_is_such_a_number(entry):
    for entries in ([entry], [A, entry], [{"phone": entry, "comment": "called from 88001234567"}]):
        with pytest.raises(CallApiFailure, match=r"1 entry .*: row \d: no phone number"):
            DoNotCall(entries, "RU", sip_domains={"x.ru"}).numbers()
        assert DoNotCall(entries, "RU", sip_domains={entry.partition("@")[2]}).numbers()


def test_an_entry_with_a_phone_number_beside_an_address_is_readable():
    assert A in DoNotCall([f"{A}, anna1985@mail.ru"], "RU").numbers()
    assert A in DoNotCall(["89160000001@x.ru"], "RU").numbers()
