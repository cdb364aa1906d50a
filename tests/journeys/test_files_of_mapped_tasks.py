"""The map indexes of a mapped task do not overwrite each other's files, in a real Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_callapi.calls.campaign.run import runner
from airflow_provider_callapi.emulator import Script

CAMPAIGNS = """
from airflow.sdk import DAG
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

with DAG("files_of_campaigns") as dag:
    CallApiCampaignOperator.partial(
        task_id="campaign",
        call={{
            "method": "start.informer_call",
            "virtual_phone_number": "74993720692",
            "contact_message": {{"type": "tts", "value": "Hello"}},
        }},
        calling_hours=None,
        poll_interval=0.5,
        results="{folder}/{name}",
    ).expand(contacts=[["79160000001"], ["79160000002"]])
"""
REPORTS = """
from airflow.sdk import DAG
from airflow_provider_callapi.operators.calls_report import CallApiCallsReportOperator

with DAG("files_of_reports") as dag:
    CallApiCallsReportOperator.partial(
        task_id="report", start="2026-03-02", end="2026-03-03", to="{folder}/{name}"
    ).expand(direction=["in", "out"])
"""


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(
    ("name", "states", "files"),
    [
        ("results.csv", ["failed", "success"], 1),
        ("results-{{ ti.map_index }}.csv", ["success", "success"], 2),
    ],
)
def test_no_campaign_calls_people_whose_results_would_be_overwritten(  # noqa: PLR0917 - fixtures
    run_dag: Any, exchange: Any, monkeypatch: Any, tmp_path: Path, name: str, states: list[str], files: int
) -> None:
    monkeypatch.setattr(runner, "CAMPAIGN_REPORT_INTERVAL", 1.0)
    exchange.default_script = Script(rings=0.2, talks=0.5)

    run = run_dag(CAMPAIGNS.format(folder=tmp_path, name=name))

    written = [path.read_text() for path in tmp_path.iterdir()]
    called = [phone for phone in ("79160000001", "79160000002") if exchange.rings(phone)]
    assert sorted(state or "" for state in run.states.values()) == states
    assert (len(written), len(called)) == (files, files)
    assert all(phone in "".join(written) for phone in called)


@pytest.mark.parametrize(
    ("name", "states"),
    [("calls.csv", ["failed", "success"]), ("calls-{{ ti.map_index }}.csv", ["success", "success"])],
)
def test_no_report_of_calls_overwrites_the_file_of_another_map_index(
    run_dag: Any, exchange: Any, tmp_path: Path, name: str, states: list[str]
) -> None:
    run = run_dag(REPORTS.format(folder=tmp_path, name=name))

    assert sorted(state or "" for state in run.states.values()) == states
