"""The report of calls: its interval, its filters, what a row contains, and where the rows go."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_fakes import CONTACT, Desk
from known_numbers import VNUMBER

from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.emulator import Profile, Script
from airflow_provider_callapi.emulator.profile import PROFILE_NAMES
from airflow_provider_callapi.exceptions import CallApiFailure, ConnectionSettingsInvalid, InvalidParameter
from airflow_provider_callapi.operators._calls_report import loading
from airflow_provider_callapi.operators.calls_report import CallApiCallsReportOperator

pytest_plugins = ["airflow_desk", "open_connections"]

ANNA, PETR = 25, 26
ANNAS_PHONE = "79260000001"
LINE, OTHER_LINE = VNUMBER, "74950000002"
ALL_PROFILES = pytest.mark.parametrize("callapi_profile", PROFILE_NAMES)


def instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


class Hour:
    """One hour of an exchange: a missed call, an answered one, and one that the account has placed."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.start = desk, desk.clock()
        exchange = desk.exchange
        exchange.account.virtual_numbers |= {LINE, OTHER_LINE}
        exchange.script(ANNAS_PHONE, Script.no_answer(rings=5))
        self.missed = exchange.inbound("79160000001", LINE, employee_id=ANNA)
        desk.clock.advance(60)
        self.answered = exchange.inbound("79160000002", OTHER_LINE, employee_id=PETR)
        desk.clock.advance(60)
        self.placed = desk.start(CONTACT)
        desk.clock.advance(60)
        exchange.call(self.placed).tags[36] = "Answered"
        desk.clock.advance(3420)
        self.end = desk.clock()
        desk.clock.advance(10)

    def load(self, **params: Any) -> Any:
        operator = CallApiCallsReportOperator(task_id="report", **params)
        return operator.execute(self.context)  # type: ignore[arg-type]

    @property
    def context(self) -> dict[str, Any]:
        return {"data_interval_start": instant(self.start), "data_interval_end": instant(self.end)}

    def ids(self, **params: Any) -> list[int]:
        return [row["id"] for row in self.load(**params)]

    def requests(self) -> int:
        return self.desk.sent().count("get.calls_report")


@pytest.fixture
def hour(desk: Desk) -> Hour:
    return Hour(desk)


# --- the interval ---


@ALL_PROFILES
def test_the_calls_of_the_data_interval_are_loaded_once_under_every_profile(hour):
    assert hour.ids() == [hour.missed, hour.answered, hour.placed]


def test_a_call_at_the_end_of_the_interval_belongs_to_the_next_one(hour):
    first, second = instant(hour.start + 60), instant(hour.start + 120)

    assert hour.ids(end=first) == [hour.missed]
    assert hour.ids(start=first, end=second) == [hour.answered]
    assert hour.ids(start=second) == [hour.placed]


def test_lookback_loads_the_late_calls_of_earlier_intervals(hour):
    late = {"start": instant(hour.end), "end": instant(hour.end + 3600)}

    assert hour.ids(**late) == []
    assert hour.ids(**late, lookback=timedelta(hours=1)) == [hour.missed, hour.answered, hour.placed]
    assert hour.ids(**late, lookback="3500") == [hour.placed]


@pytest.mark.parametrize("callapi_profile", [Profile(timezone="Asia/Yekaterinburg")])
def test_a_day_without_an_offset_is_a_day_of_the_account(hour):
    day = (instant(hour.start) + timedelta(hours=5)).date()

    assert hour.ids(start=str(day), end=str(day + timedelta(days=1))) == hour.ids()
    assert hour.ids(start=str(day - timedelta(days=1)), end=str(day)) == []


def test_the_error_about_an_empty_or_missing_interval_contains_advice(hour):
    with pytest.raises(CallApiFailure, match=r"start, end, lookback: the interval is empty.*lookback"):
        hour.load(start=instant(hour.end))
    operator = CallApiCallsReportOperator(task_id="report")
    with pytest.raises(CallApiFailure, match="start: the DAG run has no data interval; pass start and end"):
        operator.execute({})  # type: ignore[arg-type,typeddict-item]
    assert hour.requests() == 0


def test_an_interval_that_begins_in_the_future_fails_and_keeps_an_older_file(hour, tmp_path):
    path = tmp_path / "calls.csv"
    path.write_text("older")
    now = hour.desk.clock()
    for start in (now, now + 86_400):
        with pytest.raises(CallApiFailure, match="start: the interval begins in the future"):
            hour.load(start=instant(start), end=instant(start + 3600), to=str(path))
    assert (path.read_text(), hour.requests()) == ("older", 0)


def test_an_interval_that_ends_in_the_future_is_read_until_now(hour):
    assert len(hour.load(end=instant(hour.end + 86_400))) == 3


@pytest.mark.parametrize("callapi_profile", [Profile(timezone="America/New_York")])
@pytest.mark.parametrize(
    "end", ["9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59", "9999-12-31", datetime.max]
)
def test_an_end_at_the_end_of_all_times_means_now(hour, end):
    assert len(hour.load(end=end)) == 3


# --- rows ---


@ALL_PROFILES
def test_a_row_is_plain_json_with_stable_columns_and_times_in_utc(hour):
    rows = hour.load()

    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert len({tuple(row) for row in rows}) == 1
    placed = rows[2]
    assert placed["start_time"] == instant(hour.start + 120).isoformat().replace("+00:00", "Z")
    assert (placed["direction"], placed["is_lost"]) == ("out", False)
    assert placed["total_duration"] == 13
    assert [tag["tag_id"] for tag in placed["tags"]] == [36]
    assert rows[0]["tags"] == []
    assert [employee["employee_id"] for employee in rows[1]["employees"]] == [PETR]


@ALL_PROFILES
def test_phone_numbers_are_requested_and_loaded_only_with_phone_numbers(hour, tmp_path, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(JsonRpc, "send", _recording(asked))
    rows = hour.load(legs=True)
    assert "phone_number" not in "".join(asked)
    assert "7916" not in json.dumps(rows)

    file = tmp_path / "calls.jsonl"
    hour.load(to=str(file), phone_numbers=True, legs=True)
    loaded = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [row["contact_phone_number"] for row in loaded] == ["79160000001", "79160000002", CONTACT]
    assert loaded[0]["legs"][0]["calling_phone_number"] == "79160000001"


def _recording(asked: list[str]) -> Any:
    send = JsonRpc.send

    def record(self: Any, method: str, params: Any, **options: Any) -> Any:
        asked.append(json.dumps(params))
        return send(self, method, params, **options)

    return record


@ALL_PROFILES
def test_legs_are_a_column_with_the_participants_of_the_call(hour):
    missed, answered, placed = hour.load(legs=True, fields=["finish_reason"])

    assert list(missed) == ["id", "finish_reason", "legs"]
    assert [len(row["legs"]) for row in (missed, answered, placed)] == [2, 2, 1]
    assert {leg["is_operator"] for leg in answered["legs"]} == {True, False}
    assert all(leg["start_time"].endswith("Z") for leg in answered["legs"])


def test_the_fields_of_the_author_are_the_columns_in_their_order(hour):
    row = hour.load(fields=["talk_duration", "id", "start_time"])[0]

    assert list(row) == ["id", "talk_duration", "start_time"]


# --- filters ---


@ALL_PROFILES
@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"missed": True}, ["missed"]),
        ({"missed": "true", "virtual_phone_numbers": OTHER_LINE}, []),
        ({"direction": "in"}, ["missed", "answered"]),
        ({"direction": "out"}, ["placed"]),
        ({"virtual_phone_numbers": "+7 499 372-06-92", "direction": "in"}, ["missed"]),
        ({"virtual_phone_numbers": "8 (499) 372-06-92", "direction": "in"}, ["missed"]),
        ({"virtual_phone_numbers": 4993720692, "direction": "in"}, ["missed"]),
        ({"virtual_phone_numbers": [LINE, OTHER_LINE], "direction": "in"}, ["missed", "answered"]),
        ({"employees": PETR}, ["answered"]),
        ({"employees": [ANNA, str(PETR)]}, ["missed", "answered"]),
        ({"tags": [36, 37]}, ["placed"]),
        ({"tags": [37]}, []),
    ],
)
def test_filters_select_the_same_calls_under_every_profile(hour, params, wanted):
    assert hour.ids(**params) == [getattr(hour, name) for name in wanted]


@pytest.mark.parametrize("callapi_profile", [Profile(refused_filters=("is_lost", "virtual_phone_number"))])
@pytest.mark.parametrize(
    ("params", "name"),
    [({"missed": True}, "missed"), ({"virtual_phone_numbers": [LINE]}, "virtual_phone_numbers")],
)
def test_a_filter_that_the_service_refuses_fails_with_its_name(hour, params, name):
    with pytest.raises(CallApiFailure, match=rf"refused: {name}: .*filter_prohibited"):
        hour.load(**params)


@pytest.mark.parametrize(
    "callapi_profile", [Profile(refused_fields={"tags": "parameter_component_disabled"})]
)
def test_a_field_that_the_service_refuses_fails_with_its_name(hour):
    with pytest.raises(CallApiFailure, match=r"refused: fields \(tags\): "):
        hour.load()
    with pytest.raises(CallApiFailure, match=r"refused: fields \(colour\): "):
        hour.load(fields=["colour"])
    assert len(hour.load(fields=["start_time"])) == 3


# --- where the rows go ---


def test_the_error_about_too_many_rows_for_an_xcom_contains_advice(hour, monkeypatch):
    monkeypatch.setattr(loading, "MOST_RETURNED_ROWS", 2)

    with pytest.raises(CallApiFailure, match=r"to: the interval has more than 2 calls.*a file or a table"):
        hour.load()


def test_a_file_gives_a_summary_and_the_same_interval_gives_the_same_file(hour, tmp_path):
    file = tmp_path / "new folder" / "calls.csv"

    summary = hour.load(to=str(file))
    first = file.read_bytes()

    assert summary == {
        "rows": 3,
        "path": str(file),
        "start": instant(hour.start).isoformat().replace("+00:00", "Z"),
        "end": instant(hour.end).isoformat().replace("+00:00", "Z"),
        "points": 1,
    }
    assert hour.load(to=str(file)) == summary
    assert file.read_bytes() == first
    assert [entry.name for entry in file.parent.iterdir()] == ["calls.csv"]


def test_a_task_that_fails_leaves_the_file_of_an_earlier_run(hour, tmp_path, monkeypatch):
    file = tmp_path / "calls.jsonl"
    hour.load(to=str(file))
    before = file.read_bytes()

    with pytest.raises(CallApiFailure, match=r"fields \(colour\)"):
        hour.load(to=str(file), fields=["colour"])

    assert file.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["calls.jsonl"]


@pytest.fixture
def dwh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "dwh.sqlite"
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({"conn_type": "sqlite", "host": str(file)}))
    return file


def test_a_table_contains_each_call_once_after_several_loads(hour, dwh):
    table = {"conn_id": "dwh", "table": "calls"}
    summary = hour.load(to=table, phone_numbers=True, legs=True)
    hour.load(to=table, phone_numbers=True, legs=True, lookback=60)

    assert (summary["rows"], summary["table"], summary["points"]) == (3, "calls", 2)
    with closing(sqlite3.connect(dwh)) as db:
        rows = db.execute("SELECT id, contact_phone_number, is_lost, start_time FROM calls").fetchall()
    assert [row[0] for row in rows] == [hour.missed, hour.answered, hour.placed]
    assert rows[0][1:3] == ("79160000001", 1)
    assert rows[0][3].startswith(instant(hour.start).strftime("%Y-%m-%d %H:%M:%S"))


def test_a_load_into_a_table_leaves_no_connection_to_the_database(hour, dwh, open_connections):
    hour.load(to={"conn_id": "dwh", "table": "calls"})

    assert open_connections.opened
    assert open_connections.open == []


def test_a_table_that_cannot_be_used_is_refused_before_a_request(hour, dwh):
    with closing(sqlite3.connect(dwh)) as db, db:
        db.execute("CREATE TABLE calls (id INTEGER PRIMARY KEY)")
    sent = hour.requests()

    with pytest.raises(CallApiFailure, match="to: connection 'dwh', table calls has no column"):
        hour.load(to={"conn_id": "dwh", "table": "calls"})
    assert hour.requests() == sent


def test_a_task_waits_for_the_points_of_the_next_minute(hour):
    hour.desk.exchange.account.minute_limit = 1

    assert len(hour.load(legs=True)) == 3
    assert 0 < sum(hour.desk.slept) <= 60


# --- parameters ---


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"to": "calls.xlsx"}, r"to: a path that ends in \.jsonl or \.csv or \.parquet"),
        ({"to": ["calls.csv"]}, "to: the path of a file, or a dict"),
        ({"to": {"table": "calls"}}, r"to\.conn_id: the key is missing"),
        ({"start": "yesterday"}, "start: a time such as"),
        *(
            ({"start": f"2026-11-30{hour}"}, "start: a time such as 2026-03-02T09:00:00")
            for hour in (" 09.30", " 09,30", "x09:30", "T0930.5", "T24:00", " 9:30", "T09:30+3")
        ),
        ({"end": "2026-W48-1"}, "end: a time such as 2026-03-02T09:00:00"),
        ({"start": "0001-01-01"}, "start: a time such as .* from 1900"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "start: a time such as"),
        ({"end": datetime.min}, "end: a time such as"),
        ({"lookback": -1}, "lookback: a number of seconds"),
        ({"direction": "inbound"}, "direction: one of in, out"),
        ({"missed": True, "direction": "out"}, "missed, direction: a missed call is inbound"),
        ({"missed": "maybe"}, "missed: true or false"),
        ({"employees": "Anna"}, "employees: an id of an object"),
        ({"employees": []}, "employees: an id of an object"),
        ({"tags": [36, 0]}, r"tags\.\(entry 2\): the id of an object"),
        ({"virtual_phone_numbers": "reception"}, "virtual_phone_numbers: a phone number of the account"),
        ({"virtual_phone_numbers": []}, "virtual_phone_numbers: a phone number of the account"),
        ({"fields": []}, "fields: at least one field"),
        ({"fields": ["legs"]}, "fields: legs are no field; use legs=True"),
        ({"fields": ["contact_phone_number"]}, "fields: contact_phone_number: .* phone_numbers=True"),
        ({"phone_numbers": True}, "phone_numbers: an XCom may contain no phone number"),
    ],
)
def test_a_wrong_parameter_is_an_error_of_the_dag_file(params, problem):
    with pytest.raises(InvalidParameter, match=problem):
        CallApiCallsReportOperator(task_id="report", **params)


def test_templates_are_rendered_and_checked_in_the_task(hour, tmp_path):
    with DAG("dag", render_template_as_native_obj=True):
        operator = CallApiCallsReportOperator(
            task_id="report",
            to=str(tmp_path / "{{ params.name }}"),
            start="{{ data_interval_start }}",
            end="{{ data_interval_end }}",
            tags="{{ params.tags }}",
            missed="{{ params.missed }}",
            phone_numbers=True,
        )
    context: Any = {**hour.context, "params": {"name": "a.jsonl", "tags": [36], "missed": False}}
    operator.render_template_fields(context | {"dag": SimpleNamespace(), "task": operator})

    assert operator.execute(context)["rows"] == 1


def test_a_connection_without_the_data_api_is_refused(hour):
    hour.desk.connect(extra={"data_api": False})

    with pytest.raises(ConnectionSettingsInvalid, match=r"tick Use the Data API"):
        hour.load()
