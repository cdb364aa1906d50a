"""Lists as spreadsheets and data frames save them: the right people are rung, or no one is."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime

import pytest
from airflow_fakes import TaskInstance
from campaign_desk import campaign, rung
from listed_campaigns import CALL, LISTS, PEOPLE, A, B, C, calls, table

from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter

pytest_plugins = ["airflow_desk", "campaign_desk"]


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


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


def test_a_whole_number_of_thousands_of_digits_is_an_error_with_its_row(desk):
    for row in ({**PEOPLE[1], "note": 10**5000}, 10**5000):
        with pytest.raises(CallApiFailure, match="contacts, row 2: a whole number has thousands of digits"):
            calls(desk, [PEOPLE[0], row]).run()
    assert rung(desk) == []


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
