"""A campaign speaks no text with lost letters, and finds the column that a text means."""

from __future__ import annotations

import csv
import json
from datetime import datetime

import pytest
from campaign_desk import campaign, rung
from listed_campaigns import CALL, PEOPLE, A, B, C, calls, table
from lone_surrogates import HALF

from airflow_provider_callapi.exceptions import CallApiFailure

pytest_plugins = ["airflow_desk", "campaign_desk"]


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


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


def test_a_template_finds_a_column_whose_name_has_another_case(desk):
    calls(desk, [{"Phone": A, " Name": "Анна"}]).run()

    assert rung(desk) == [A]


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


def test_a_campaign_whose_texts_are_all_refused_fails(desk):
    desk.exchange.account.tts_max_length = 5
    for limit in (None, 0.1):
        with pytest.raises(CallApiFailure, match="No call is known to have been placed"):
            calls(desk, fail_if_unreached_over=limit, campaign=str(limit)).run()
