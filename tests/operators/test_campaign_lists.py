"""Lists as spreadsheets and data frames save them: the right people are rung, or no one is.

Each file in ``tests/data/lists/`` stands for a kind of damage. The number in its name groups the kinds.
"""

from __future__ import annotations

import csv
import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_fakes import VNUMBER, Task, TaskInstance
from campaign_desk import KilledError, campaign, in_seconds, kill_the_worker, rung
from lone_surrogates import HALF

from airflow_provider_callapi.calls.campaign.run.runner import Runner
from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter

pytest_plugins = ["airflow_desk", "campaign_desk"]

LISTS = Path(__file__).parents[1] / "data" / "lists"
A, B, C = "79260000001", "79260000002", "79260000003"
PEOPLE = [{"phone": A, "name": "Анна"}, {"phone": B, "name": "Борис"}, {"phone": C, "name": "Вера"}]
CALL = {
    "method": "start.informer_call",
    "virtual_phone_number": VNUMBER,
    "contact_message": {"type": "tts", "value": "Здравствуйте, {{ contact.name }}"},
}


class OutputOfATask:
    """Stands for Airflow's XComArg, without a database."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def resolve(self, context: Any) -> Any:
        return self._value


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


def path(name: str) -> str:
    return f"file://{LISTS / name}"


def calls(desk, contacts: Any = PEOPLE, **changes: Any) -> Task:
    if isinstance(contacts, str):
        contacts = path(contacts)
    return campaign(desk, **{"contacts": contacts, "call": CALL, **changes})


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        head = text.readline()
        text.seek(0)
        return list(csv.DictReader(text, delimiter=next((c for c in ";\t" if c in head), ",")))


# --- contacts ---


@pytest.mark.parametrize("form", ["rows", "csv", "jsonl"])
def test_a_code_that_pandas_leaves_in_the_text_of_a_workbook_is_no_part_of_the_text(desk, tmp_path, form):
    row = {"phone": f"{A}_x000D_", "name": "Анна_x000D_ Иванова", "note": "_x000D_"}
    file = tmp_path / f"people.{form}"
    file.write_text(json.dumps(row) if form == "jsonl" else f"{';'.join(row)}\n{';'.join(row.values())}\n")
    contacts, results = [row] if form == "rows" else f"file://{file}", tmp_path / "results.jsonl"
    campaign(desk, contacts=contacts, call=CALL, results=f"file://{results}").run()

    assert rung(desk) == [A]
    read = json.loads(results.read_text())
    assert (read["phone"], read["name"], read["note"]) == (f"{A}\r", "Анна\r Иванова", None)


@pytest.mark.parametrize("name", [1, 2.5, None])
def test_a_column_of_a_data_frame_may_have_a_number_as_its_name(desk, name):
    campaign(desk, contacts=[{"phone": A, name: "Анна"}, {"phone": B, name: "Борис"}]).run()

    assert rung(desk) == [A, B]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("01-unclosed-quote.csv", "contacts, line 2: a quotation mark opens here"),
        ("01-swallowed-row.csv", "contacts, line 2: a quotation mark opens here"),
        ("01-quote-closed-by-another.csv", "contacts, line 2: a quotation mark is out of place"),
        ("03-empty.csv", r"contacts: .*03-empty.csv: the file is empty \(0 bytes\)"),
        ("06-without-a-header.csv", "contacts, line 1: this line must name the columns"),
        ("09-phone-column-twice.csv", "contacts, line 1: two columns are named 'phone'"),
        (
            "13-timezone-in-russian.csv",
            "contacts: .*13-timezone-in-russian.csv: the column 'Часовой пояс': did you mean timezone",
        ),
        ("13-timezone-misspelt.csv", "the column 'timezon': did you mean timezone"),
        ("13-timezone-unnamed.csv", "the column 'клиент' holds time zones, see row 1: did you mean timezone"),
        ("19-cp866.csv", 'neither UTF-8 nor Windows-1251 .*save the file as "CSV UTF-8"'),
        ("19-workbook-of-two-sheets.xlsx", "several sheets have values"),
    ],
)
def test_a_damaged_contact_list_is_refused_before_the_first_call(desk, name, said):
    with pytest.raises(CallApiFailure, match=said) as caught:
        calls(desk, name).run()

    assert desk.sent() == []
    assert not re.search(r"\d{7}", str(caught.value).replace(str(LISTS), ""))


@pytest.mark.parametrize(
    "name",
    ["19-cp1251.csv", "19-utf16-tabs.csv", "19-separator-line.csv", "19-workbook.xlsx", "15-blank-rows.csv"],
)
def test_the_people_of_a_file_from_a_spreadsheet_are_called(desk, name, tmp_path):
    results = tmp_path / "results.csv"
    summary = calls(desk, name, results=f"file://{results}", fail_if_invalid_over=0.2).run()

    assert rung(desk) == [A, B]
    assert (summary["people"], summary["results"]["invalid"]) == (2, 0)
    assert [(row["name"], row["call_result"]) for row in table(results)] == [
        ("Анна", "answered"),
        ("Борис", "answered"),
    ]


def test_a_template_and_the_results_write_what_the_cell_of_a_workbook_shows(desk, tmp_path):
    openpyxl = pytest.importorskip("openpyxl", reason="an extra of the package")
    book = openpyxl.Workbook()
    book.active.append(["phone", "discount", "due"])
    book.active.append([int(A), 0.15, datetime(2026, 12, 1)])
    book.active["B2"].number_format, book.active["C2"].number_format = "0%", "dd.mm.yyyy"
    book.save(tmp_path / "list.xlsx")
    text = (
        "{{ contact.discount }} {{ 'до ' ~ contact.due }} {{ contact.due.strftime('%d/%m') }} "
        "{{ (contact.discount * 100) | int }} {{ contact.due.year > 2025 }}"
    )

    message = {"type": "tts", "value": "{{ contact.discount }}"}
    call, results = {**CALL, "contact_message": message, "external_id": text}, tmp_path / "results.csv"
    campaign(desk, contacts=f"file://{tmp_path}/list.xlsx", call=call, results=f"file://{results}").run()

    [row] = csv.DictReader(results.read_text("utf-8-sig").splitlines(), delimiter=";")
    assert (row["discount"], row["due"]) == ("15%", "01.12.2026")
    assert row["call_external_id"] == "15% до 01.12.2026 01/12 15 True"


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_the_results_file_of_a_campaign_can_be_the_contact_list_of_the_next(desk, suffix, tmp_path):
    first, second = (f"file://{tmp_path / name}.{suffix}" for name in ("first", "second"))
    contacts = [*PEOPLE, {"phone": A, "name": "Анна"}, {"phone": "12-34", "name": "Глеб"}]
    lenient = {"contacts": contacts, "fail_if_invalid_over": 0.5}
    before = calls(desk, campaign="first", results=first, **lenient).run()

    again = {**lenient, "contacts": first, "ti": TaskInstance(run_id="next")}
    after = campaign(desk, campaign="second", call=CALL, results=second, **again).run()

    assert rung(desk) == sorted([A, B, C] * 2)
    for name in ("people", "results", "duplicates"):
        assert after[name] == before[name]
    assert after["duplicates"] == after["results"]["invalid"] == 1


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_row_with_half_of_a_character_in_the_text_is_invalid_and_the_results_are_written(
    desk, tmp_path, suffix
):
    """A half in a column that the call does not use becomes a question mark in the results."""
    people = [{**PEOPLE[0], "comment": f"x{HALF}"}, {**PEOPLE[1], "name": f"Борис {HALF}"}, PEOPLE[2]]
    (tmp_path / "people.jsonl").write_text("\n".join(map(json.dumps, people)))
    results = tmp_path / f"results.{suffix}"
    summary = campaign(
        desk,
        contacts=f"file://{tmp_path}/people.jsonl",
        call=CALL,
        results=f"file://{results}",
        report=f"file://{tmp_path}/report.html",
    ).run()

    assert rung(desk) == [A, C]
    assert (summary["results"]["answered"], summary["results"]["invalid"]) == (2, 1)
    written = table(results) if suffix == "csv" else list(map(json.loads, results.read_text().splitlines()))
    assert [row["call_result"] for row in written] == ["answered", "invalid", "answered"]
    assert [row["name"] for row in written] == ["Анна", "Борис ?", "Вера"]
    assert written[0]["comment"] == "x?"
    assert "contact_message.value: a text of whole characters is needed" in written[1]["call_why"]
    assert "contact_message.value" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("name", ["Анна".encode().decode("cp1251"), "????", "Ан\ufffdа"])
@pytest.mark.parametrize("text", ["Здравствуйте, {{ contact.name }}", "Привет, {{ contact.name | title }}"])
def test_a_name_whose_letters_are_lost_is_not_spoken(desk, name, text):
    people = [{**PEOPLE[0], "name": name}, {**PEOPLE[1], "comment": name}]
    message = {"type": "tts", "value": text}
    summary = calls(desk, people, call={**CALL, "contact_message": message}).run()

    assert rung(desk) == [B]
    assert summary["results"]["invalid"] == 1


def test_the_question_marks_of_the_authors_own_text_are_spoken(desk):
    message = {"type": "tts", "value": "{{ contact.name }} ??? \ufffd"}
    calls(desk, call={**CALL, "contact_message": message}).run()

    assert rung(desk) == [A, B, C]


def test_a_campaign_whose_own_text_has_half_of_a_character_calls_no_one(desk):
    call = {**CALL, "contact_message": {"type": "tts", "value": f"Здравствуйте {HALF}"}}
    with pytest.raises(CallApiFailure, match=r"^task \w+: call: .*contact_message.value: a text of whole"):
        calls(desk, call=call).run()

    assert rung(desk) == []


@pytest.mark.parametrize(
    ("contacts", "region", "expected"),
    [
        ([{"phone": 436641234567.0, "name": "Anna"}], "AT", ["436641234567"]),
        ("10-float.jsonl", "AT", ["436641234567"]),
        ("11-digits-glued.csv", "RU", [A]),
        ("12-plus-eight.csv", "RU", [A]),
    ],
)
def test_a_number_that_may_be_misread_rings_no_stranger(desk, contacts, region, expected):
    calls(desk, contacts, region=region).run()

    assert rung(desk) == expected


@pytest.mark.parametrize(
    "name",
    [
        "13-timezone-in-capitals.csv",
        "13-timezone-with-a-capital.csv",
        "13-time-zone-with-underscore.csv",
        "13-timezone-with-zero-width-space.csv",
    ],
)
def test_the_time_zone_of_a_person_is_used_with_every_spelling_of_its_column(desk, name):
    """The desk's clock begins at noon in Moscow, which is 19 o'clock in Vladivostok."""
    task = calls(desk, name, calling_hours=("09:00", "18:30"))
    task.run()

    (call,) = desk.exchange.calls
    local = datetime.fromtimestamp(call.started_at, UTC).hour + 10
    assert local % 24 == 9


@pytest.mark.parametrize("name", ["14-nan.jsonl", "14-texts-of-a-data-frame.csv"])
def test_a_missing_value_of_a_data_frame_is_not_spoken(desk, name):
    summary = calls(desk, name).run()

    assert len(rung(desk)) == 1
    assert summary["results"]["invalid"] == summary["people"] - 1


class NaTType:
    """Like the missing date of pandas: no comparison with it is true."""

    def __eq__(self, other: object) -> bool:
        return False

    def __str__(self) -> str:
        return "NaT"

    __hash__ = None


class NAType:
    """Like the missing value of pandas: no comparison with it is true or false."""

    def __ne__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None


def test_missing_values_of_a_data_frame_in_memory_are_empty(desk):
    missing = [math.nan, NAType(), NaTType(), None, "nan", math.inf, "\u200b"]
    rows = [{"phone": f"7926000000{n}", "name": value} for n, value in enumerate(missing)]

    blank = [{"phone": NAType()}, {"phone": NaTType()}, math.nan]
    summary = calls(desk, [*rows, PEOPLE[0] | {"phone": "79260000009"}, *blank]).run()

    assert rung(desk) == ["79260000009"]
    assert summary["results"]["invalid"] == len(missing)


def test_the_results_contain_each_row_of_the_list_even_a_duplicate(desk, tmp_path):
    results = tmp_path / "results.csv"
    summary = calls(desk, "16-one-number-twice.csv", results=f"file://{results}").run()

    assert rung(desk) == [A, B]
    assert summary["duplicates"] == 1
    rows = table(results)
    assert [(row["name"], row["call_result"]) for row in rows] == [
        ("Анна", "answered"),
        ("Борис", "answered"),
        ("Анна Петровна", "duplicate"),
    ]
    assert (rows[2]["call_contact"], rows[2]["call_why"]) == (A, "the number of row 1")


def test_a_template_finds_a_column_whose_name_has_another_case(desk):
    calls(desk, [{"Phone": A, " Name": "Анна"}]).run()

    assert rung(desk) == [A]


# --- time zones ---


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("+10:00", 10), ("UTC+10", 10), ("GMT+10:00", 10), ("МСК+7", 10), ("Etc/GMT-10", 10), ("MSK", 3)],
)
def test_an_offset_is_a_time_zone(desk, zone, hour):
    task = calls(desk, [{**PEOPLE[0], "timezone": zone}], calling_hours=("09:00", "09:30"))
    task.run()

    (call,) = desk.exchange.calls
    assert (datetime.fromtimestamp(call.started_at, UTC).hour + hour) % 24 == 9


@pytest.mark.parametrize("zone", ["+3", "3", "Москва", "+05:30", "IST", "EST", "UTC+25"])
def test_an_ambiguous_time_zone_makes_the_row_invalid(desk, zone):
    summary = calls(desk, [{**PEOPLE[0], "timezone": zone}, {**PEOPLE[1], "timezone": None}]).run()

    assert rung(desk) == [B]
    assert summary["results"]["invalid"] == 1


def test_the_log_explains_the_backward_sign_of_etc_gmt(desk, capsys):
    calls(desk, [{**PEOPLE[0], "timezone": "Etc/GMT-3"}]).run()

    assert "timezone: Etc/GMT-3 is UTC+3, because" in capsys.readouterr().out


# --- do_not_call ---


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("02-do-not-call-unclosed-quote.csv", "do_not_call, line 2: a quotation mark opens here"),
        ("03-empty.csv", r"do_not_call: .*the file is empty \(0 bytes\)"),
        ("06-without-a-header.csv", "do_not_call, line 1: this line must name the columns"),
        ("07-two-phone-columns.csv", "do_not_call, line 1: two columns are named 'phone'"),
    ],
)
def test_a_damaged_do_not_call_list_is_refused_before_the_first_call(desk, name, said):
    with pytest.raises(CallApiFailure, match=said) as caught:
        calls(desk, do_not_call=path(name)).run()

    assert desk.sent() == []
    assert not re.search(r"\d{7}", str(caught.value).replace(str(LISTS), ""))


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("04-two-numbers-in-a-cell.csv", [C]),
        ("05-floats.csv", []),
        ("08-invisible-marks.json", [C]),
        (["7926\u200e0000001", "+7926\u200d0000002"], [C]),
        ([79260000001.0, 79260000002], [C]),
    ],
)
def test_no_person_on_the_do_not_call_list_is_rung_in_any_spelling_of_the_number(desk, stop, expected):
    summary = calls(desk, do_not_call=path(stop) if isinstance(stop, str) else stop).run()

    assert rung(desk) == expected
    assert summary["results"]["do_not_call"] == 3 - len(expected)


@pytest.mark.parametrize(
    ("number", "russian", "foreign"),
    [
        ("+8 (495) 123-45-67", "74951234567", "+84 95 1234567"),
        ("8 (495) 123-45-67 доб. 12", "74951234567", "+84 95 1234567"),
        ("+8 (863) 234-56-78", "78632345678", "+886 3 234 5678"),
    ],
)
def test_an_ambiguous_number_excludes_each_person_whom_it_may_mean(desk, number, russian, foreign):
    people = [{"phone": russian, "name": "Анна"}, {"phone": foreign, "name": "Борис"}, PEOPLE[2]]

    calls(desk, people, do_not_call=[number]).run()

    assert rung(desk) == [C]


def test_a_do_not_call_list_whose_task_returned_none_is_an_error(desk):
    task = calls(desk, do_not_call=[A])
    make = task.make

    def rendered() -> Any:
        operator = make()
        operator.do_not_call = None  # Airflow puts the XCom of the other task here
        return operator

    task.make = rendered
    with pytest.raises(CallApiFailure, match="do_not_call: the value is missing"):
        task.run()
    assert desk.sent() == []


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize(
    ("name", "value", "lost"),
    [
        ("do_not_call", "{{ params.x }}", "do_not_call"),
        ("do_not_call", {"blacklist": True, "list": "{{ params.x }}"}, r"do_not_call(\.list)?"),
        ("do_not_call", {"blacklist": True, "list": OutputOfATask(None)}, r"do_not_call\.list"),
        ("calling_hours", "{{ params.x }}", "calling_hours"),
        ("calling_hours", OutputOfATask(None), "calling_hours"),
        ("calling_days", OutputOfATask(None), "calling_days"),
        ("calling_days", {"days": ["mon"], "except": OutputOfATask(None)}, r"calling_days\.except"),
        ("calling_days", {"days": ["mon"], "except": "{{ params.x }}"}, r"calling_days(\.except)?"),
        ("shard", "{{ params.x }}", "shard"),
        ("shard", OutputOfATask(None), "shard"),
        ("ledger_conn_id", OutputOfATask(None), "ledger_conn_id"),
    ],
)
def test_no_limit_is_lifted_by_a_template_or_a_task_that_gives_none(desk, name, value, lost, native):
    """Without the list, the hours or the shard, people would be rung whom the DAG file protects."""
    with pytest.raises(CallApiFailure, match=f"^{lost}: "):
        rendered(desk, native, **{name: value}).run()

    assert desk.exchange.calls == []


def rendered(desk, native: bool, **changes: Any) -> Task:
    """Return a task whose templates get None as ``params.x``."""

    def make() -> Any:
        with DAG("dag", render_template_as_native_obj=native):
            operator = calls(desk, **changes).make()
        operator.render_template_fields({"params": {"x": None}})
        return operator

    return Task(desk, make)


@pytest.mark.parametrize("native", [True, False])
def test_a_cell_with_a_gap_is_empty(desk, native):
    """The rows of a list in the DAG file may contain templates."""
    people = [{"phone": A, "name": "Анна {{ params.x }}"}, {**PEOPLE[1], "note": "{{ params.x }}!"}]

    summary = rendered(desk, native, contacts=people).run()

    assert rung(desk) == [B]
    assert summary["results"]["invalid"] == 1


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize(
    "value",
    [
        ["7926000000{{ params.x }}"],
        [{"phone": "7926000000{{ params.x }}"}],
        {"blacklist": True, "list": ["7926000000{{ params.x }}"]},
        {"conn_id": "dwh", "sql": "SELECT phone FROM stop", "parameters": {"city": "{{ params.x }}!"}},
    ],
)
def test_a_do_not_call_list_with_a_gap_is_refused(desk, native, value):
    with pytest.raises(CallApiFailure, match=r"^do_not_call: .*a template that inserts an empty value"):
        rendered(desk, native, do_not_call=value).run()

    assert desk.sent() == []


def test_none_in_the_dag_file_itself_means_no_limit(desk):
    limits = {"calling_hours": None, "calling_days": None, "shard": None, "do_not_call": None}

    calls(desk, **limits).run()

    assert len(rung(desk)) == len(PEOPLE)


def test_unreadable_entries_fail_the_task_unless_the_author_allows_them(desk):
    stop = [A, "12-34", "не звонить!"]
    with pytest.raises(
        CallApiFailure, match=r"do_not_call: 2 entries .*max_unreadable=2.* This try placed no call"
    ):
        calls(desk, do_not_call=stop).run()
    assert desk.sent() == []

    calls(desk, do_not_call=stop, max_unreadable=2).run()
    assert rung(desk) == [B, C]


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("again", ["retry", "clear"])
@pytest.mark.parametrize("killed", ["before the first call", "in the first call"])
def test_an_excluded_person_stays_excluded_in_retries_and_clears_of_the_run(
    desk, tmp_path, monkeypatch, again, killed
):
    stop = tmp_path / "stop.csv"
    stop.write_text(f"phone\n{C}\n", "utf-8")
    task = calls(desk, do_not_call=f"file://{stop}", max_active_calls=1)
    with monkeypatch.context() as patch:
        if killed == "before the first call":
            patch.setattr(Runner, "step", lambda self: kill_the_worker())
        else:
            in_seconds(desk, 5, kill_the_worker)
        with pytest.raises(KilledError):
            task.run()
    assert rung(desk) == ([A] if killed == "in the first call" else [])

    stop.write_text("phone\n", "utf-8")
    summary = getattr(task, again)()

    assert rung(desk) == [A, B]
    assert summary["results"]["do_not_call"] == 1


# --- a campaign that calls no one ---


@pytest.mark.parametrize("text", ["Hello {{ contact.name }}", "Hello {{ contact.name | upper }}"])
def test_a_template_that_may_mean_two_columns_calls_no_one(desk, text):
    rows = [{**row, "Name": row["name"], "NAME": "Boris"} for row in PEOPLE]
    people = [{name: value for name, value in row.items() if name != "name"} for row in rows]
    call = {**CALL, "contact_message": {"type": "tts", "value": text}}

    with pytest.raises(CallApiFailure, match=r"two columns are named 'name', apart from .*: 'Name', 'NAME'"):
        calls(desk, people, call=call).run()
    assert rung(desk) == []

    exact = {**CALL, "contact_message": {"type": "tts", "value": text.replace("name", "Name")}}
    calls(desk, people, call=exact).run()
    assert rung(desk) == [A, B, C]


def test_a_whole_number_of_thousands_of_digits_is_an_error_with_its_row(desk):
    for row in ({**PEOPLE[1], "note": 10**5000}, 10**5000):
        with pytest.raises(CallApiFailure, match="contacts, row 2: a whole number has thousands of digits"):
            calls(desk, [PEOPLE[0], row]).run()
    assert rung(desk) == []


def test_a_campaign_whose_texts_are_all_refused_fails(desk):
    desk.exchange.account.tts_max_length = 5
    for limit in (None, 0.1):
        with pytest.raises(CallApiFailure, match="No call is known to have been placed"):
            calls(desk, fail_if_unreached_over=limit, campaign=str(limit)).run()


def test_a_campaign_succeeds_if_each_person_is_excluded_on_purpose(desk):
    summary = calls(desk, do_not_call=[A, B, C]).run()

    assert summary["results"]["do_not_call"] == 3
    assert rung(desk) == []


def test_a_campaign_fails_if_all_people_are_excluded_or_invalid(desk):
    with pytest.raises(CallApiFailure, match="No call is known to have been placed"):
        calls(desk, [*PEOPLE, {"phone": "12", "name": "Глеб"}], do_not_call=[A, B, C]).run()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tel", "+79260000001;Anna", "the column 'tel': did you mean phone"),
        ("phone", "7,92612E+10;Anna", "row 1: column 'phone': a number that Excel"),
    ],
)
def test_an_error_of_a_contact_list_names_its_file_and_the_column(desk, tmp_path, name, text, said):
    (tmp_path / "people.csv").write_text(f"{name};имя\n{text}\n", "utf-8")
    with pytest.raises(CallApiFailure, match=rf"^contacts: file:.*people\.csv: .*({said})") as caught:
        campaign(desk, contacts=f"file://{tmp_path}/people.csv", call=CALL).run()
    assert str(caught.value).endswith("This try placed no call.")


@pytest.mark.parametrize("text", ["phone;name\n", "phone;name\n;\n"])
def test_a_file_without_people_fails_the_task(desk, tmp_path, text):
    (tmp_path / "people.csv").write_text(text, "utf-8")
    with pytest.raises(CallApiFailure, match=r"contacts: file:.*people\.csv: the file has no rows"):
        campaign(desk, contacts=f"file://{tmp_path}/people.csv", call=CALL).run()


@pytest.mark.parametrize(
    "rows", [[math.nan, None], [{"phone": math.nan, "name": None}], [{"phone": "#REF!"}]]
)
def test_a_list_of_empty_rows_fails_the_task(desk, rows):
    """The numbers are lost, for example by a cast of a data frame: nobody to call would be a success."""
    with pytest.raises(CallApiFailure, match="contacts: all rows are empty"):
        calls(desk, rows).run()


def test_a_shard_without_people_succeeds(desk):
    counts = [
        calls(desk, PEOPLE[:1], shard=f"{which}/4", ti=TaskInstance(map_index=which)).run()["people"]
        for which in (1, 2, 3, 4)
    ]
    assert sorted(counts) == [0, 0, 0, 1]


# --- results of shards ---


def test_shards_with_one_path_for_results_leave_a_row_for_each_person(desk, tmp_path):
    people = [{"phone": f"7926000{n:04}", "name": "Анна"} for n in range(12)]
    for which in (1, 2, 3, 4):
        calls(
            desk,
            people,
            shard=f"{which}/4",
            results=f"file://{tmp_path}/results.jsonl",
            ti=TaskInstance(map_index=which),
        ).run()

    files = sorted(tmp_path.glob("results*"))
    assert [file.name for file in files] == [f"results-{which}-of-4.jsonl" for which in (1, 2, 3, 4)]
    rows = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    assert sorted(row["phone"] for row in rows) == [person["phone"] for person in people]


OF_YAML = 103402424
"""What YAML reads of ``0612345670`` without quotation marks: the phone number of a stranger in France."""


@pytest.mark.parametrize("name", ["contacts", "do_not_call"])
@pytest.mark.parametrize("rows", [[OF_YAML], [{"Phone": OF_YAML}], {"blacklist": False, "list": [OF_YAML]}])
def test_a_number_that_yaml_has_read_as_octal_is_an_error_of_the_dag_file(desk, name, rows):
    if name == "contacts" and isinstance(rows, dict):
        rows = rows["list"]
    with pytest.raises(InvalidParameter, match=rf"^task \w+: {name}: YAML reads a number that begins with 0"):
        calls(desk, region="FR", **{name: rows}).make()
    calls(desk, region="RU", **{name: [79260000001, {"phone": 9260000002, "sum": OF_YAML}]}).make()


def test_a_mapped_campaign_reads_a_number_whose_zero_a_data_frame_has_left_out(desk):
    people = [{"phone": OF_YAML, "name": "Anna"}]
    calls(desk, region="FR", contacts=people, _airflow_from_mapped=True).run()

    assert rung(desk) == [f"33{OF_YAML}"]
