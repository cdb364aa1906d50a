"""A number of a report that is no id or no duration counts as missing, and never fails the task."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import requests
from airflow_fakes import CONTACT, informer_task
from campaign_desk import campaign

from airflow_provider_callapi.api.transport import jsonrpc
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.operators.call_control import CallApiTagCallOperator

pytest_plugins = ["airflow_desk", "campaign_desk"]

NO_ID = [0, -1, 2**63, 10**30, 10**400, "0", "x", True]
NO_DURATION = [2**31, 2**63, 10**30, 10**400, "x"]


@pytest.fixture
def reported_with(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that replaces fields in every report of a call."""
    read_body = jsonrpc.read_body

    def replace_fields(**fields: Any) -> None:
        def read(response: requests.Response) -> bytes:
            answer = json.loads(read_body(response))
            data = answer.get("result", {}).get("data")
            for entry in data if isinstance(data, list) else ():
                entry |= {name: value for name, value in fields.items() if name in entry}
            return json.dumps(answer).encode()

        monkeypatch.setattr(jsonrpc, "read_body", read)

    return replace_fields


@pytest.fixture
def results(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return a table of results in a new database."""
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({"conn_type": "sqlite", "host": f"{tmp_path}/db"}))
    return {"conn_id": "dwh", "table": "calls"}


@pytest.mark.parametrize("value", NO_ID, ids=lambda value: f"{value!r:.20}")
@pytest.mark.parametrize("deferrable", [False, True])
def test_a_call_without_a_usable_communication_id_stays_without_its_tag(
    desk, reported_with, results, value, deferrable
):
    desk.exchange.script(CONTACT, Script(rings=3, talks=30))
    reported_with(communication_id=value)

    result = informer_task(desk, tags={"ended": 36}, results=results, deferrable=deferrable).run()

    assert (result["answered"], result["communication_id"], result["tags"]) == (True, None, [])
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize("value", NO_DURATION, ids=lambda value: f"{value!r:.20}")
def test_an_unusable_duration_hides_neither_the_answer_nor_the_row(
    desk, reported_with, results, tmp_path, value
):
    desk.exchange.script(CONTACT, Script(rings=3, talks=30))
    reported_with(talk_duration=value, total_duration=value)

    result = informer_task(desk, report_timeout=10, results=results).run()

    assert result["answered"] is True
    with closing(sqlite3.connect(tmp_path / "db")) as db:
        assert db.execute("SELECT status, result FROM calls").fetchall() == [("finished", "answered")]
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"communication_id": 0},
        {"communication_id": 2**63},
        {"talk_duration": 10**30},
        {"tags": [{"tag_id": 10**30, "tag_name": "x"}]},
    ],
    ids=str,
)
def test_a_campaign_ends_with_a_result_for_each_person(campaign_desk, reported_with, results, fields):
    reported_with(**fields)
    people = [f"7916000000{number}" for number in range(3)]

    summary = campaign(
        campaign_desk,
        contacts=people,
        tags={"answered": 36},
        results=results,
        ledger_conn_id="ledger",
        report_timeout=30,
    ).run()

    assert summary["results"]["answered"] == 3
    assert [campaign_desk.exchange.rings(number) for number in people] == [1, 1, 1]


def test_the_tag_operator_names_what_the_report_of_an_ended_call_lacks(desk, reported_with):
    session = desk.start(CONTACT)
    desk.clock.advance(3600)
    reported_with(communication_id=0)

    operator = CallApiTagCallOperator(task_id="tag", call_session_id=session, tag_id=36, report_timeout=0)
    with pytest.raises(CallApiTrouble, match=f"no communication_id of call session {session}"):
        operator.execute({})  # type: ignore[arg-type,typeddict-item]
