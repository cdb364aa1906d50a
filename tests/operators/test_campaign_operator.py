"""The campaign operator: errors of the DAG file, its fields, and a run in Airflow."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.providers.common.compat.sdk import Asset
from airflow_fakes import TTS, VNUMBER
from campaign_desk import (
    PEOPLE,
    campaign,
    counted,
    result_table,
    rings,
)

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

pytest_plugins = ["airflow_desk", "campaign_desk"]

PLAIN_CALL = {"method": "start.informer_call", "virtual_phone_number": VNUMBER, "contact_message": TTS}
ANY_OF_PEOPLE = re.compile(r"7916000\d{4}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"call": {"virtual_phone_number": VNUMBER}},
        {"max_active_calls": 0},
        {"max_starts_at_once": 0},
        {"max_starts_at_once": 65},
        {"max_attempts": 0},
        {"poll_interval": 0},
        {"points_reserve": 1.0},
        {"min_gap": 3600, "ledger_conn_id": None},
    ],
)
def test_some_mistakes_are_errors_when_the_dag_is_parsed(campaign_desk, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        campaign(campaign_desk, **wrong).make()


def test_workdays_without_the_installed_extra_are_an_error_of_the_dag_file(campaign_desk, monkeypatch):
    monkeypatch.setattr("airflow_provider_callapi.operators._option_checks.is_installed", lambda: False)
    with pytest.raises(ValueError, match=r"^task \w+: calling_days: .*airflow-provider-callapi\[holidays\]"):
        campaign(campaign_desk, calling_days="workdays").make()
    assert campaign(campaign_desk, calling_days="{{ params.days }}").make()


@pytest.mark.parametrize("name", ["results.xlsx", "results.parquet", "results", "results.csv.gz"])
def test_results_in_an_unknown_file_format_are_refused_before_the_first_call(campaign_desk, tmp_path, name):
    with pytest.raises(InvalidParameter, match=r"^task \w+: results: .*\.csv or \.jsonl"):
        campaign(campaign_desk, results=f"file://{tmp_path}/{name}").run()
    rendered = campaign(campaign_desk).make()
    rendered.results = f"file://{tmp_path}/{name}"  # as Airflow sets the text of a rendered template
    with pytest.raises(CallApiFailure, match=r"results: .*\.csv or \.jsonl.* This try placed no call"):
        rendered.execute(campaign(campaign_desk).context)
    assert rings(campaign_desk) == [0] * 12


def test_the_options_can_be_written_in_yaml(campaign_desk):
    options = yaml.safe_load(
        """
        task_id: call
        campaign: spring
        contacts: [{phone: 79160000000, name: Anna}, 79160000001]
        call:
          method: start.informer_call
          virtual_phone_number: "74993720692"
          contact_message: {type: tts, value: "Hello {{ contact.phone }}"}
        calling_hours: ["09:00", "21:00"]
        calling_days: {days: workdays, also: [2025-10-11], except: ["2025-10-10"]}
        redial: {busy: 60, not_reached: null}
        max_lateness: 3600
        """
    )

    assert counted(campaign(campaign_desk, **options).run()) == {"answered": 2}


def test_the_parameter_call_is_no_template_field_because_each_person_renders_it():
    fields = CallApiCampaignOperator.template_fields

    assert "call" not in fields
    operator = CallApiCampaignOperator(task_id="call", contacts=[], call=PLAIN_CALL)
    assert all(hasattr(operator, name) for name in fields)
    assert {"contacts", "do_not_call", "campaign", "shard", "results", "report", "ledger_conn_id"} <= set(
        fields
    )


def test_a_kill_before_the_list_is_read_is_no_error():
    CallApiCampaignOperator(task_id="call", contacts=[], call=PLAIN_CALL).on_kill()


def test_logs_results_triggers_and_task_state_contain_no_phone_number(campaign_desk, capsys, tmp_path):
    campaign_desk.exchange.script(PEOPLE[0], Script.busy())
    campaign_desk.exchange.account.blacklist = {PEOPLE[2]}
    calls = campaign(
        campaign_desk,
        contacts=[*PEOPLE, f"{PEOPLE[0]}000000000"],
        deferrable=True,
        calling_hours=("12:30", "21:00"),
        report=f"file://{tmp_path}/report.html",
    )

    summary = calls.run()

    assert calls.deferrals
    log = capsys.readouterr().out
    assert "Row 13 is skipped" in log
    assert "Waiting until" in log
    said = [
        log,
        summary,
        [deferral.trigger.serialize() for deferral in calls.deferrals],
        calls.events,
    ]
    said += [calls.state and calls.state.values, (tmp_path / "report.html").read_text("utf-8")]
    assert [text for text in map(str, said) if ANY_OF_PEOPLE.search(text)] == []


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.timeout(240)
def test_a_list_from_another_task_is_called_with_a_deferral_in_airflow(run_dag, exchange, tmp_path):
    exchange.default_script = Script(rings=1, talks=4)  # long enough for a poll on a busy machine
    exchange.script(PEOPLE[0], Script.busy(rings=5))
    run = run_dag(
        f"""
from airflow.sdk import DAG, task
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

with DAG("a_campaign") as dag:
    @task
    def people():
        return [{{"phone": phone}} for phone in {PEOPLE[:3]}]

    CallApiCampaignOperator(
        task_id="call", contacts=people(), calling_hours=None, redial={{"busy": 1}}, max_attempts=2,
        call={{"method": "start.informer_call", "virtual_phone_number": "{VNUMBER}", "contact_message":
              {{"type": "tts", "value": "{{{{ run_id }}}}"}}}},
        results="file://{tmp_path}/{{{{ run_id }}}}.csv", poll_interval=0.5, deferrable=True)
"""
    )

    assert run.state == "success"
    assert [exchange.rings(phone) for phone in PEOPLE[:3]] == [2, 1, 1]
    assert counted(run.xcoms["call"]) == {"answered": 2, "busy": 1}
    assert run.xcoms["call"]["campaign"] == f"a_campaign.call.{run.run_id}"
    assert len(result_table(tmp_path / f"{run.run_id}.csv")) == 3


class OutletEvents:
    """Stands for Airflow's events of the outlets. On Airflow 3.0, an asset cannot be the key of a dict."""

    def __init__(self) -> None:
        self.events: dict[str, Any] = {}

    def __getitem__(self, asset: Asset) -> Any:
        return self.events.setdefault(asset.name, SimpleNamespace(extra={}))


def test_the_event_of_an_outlet_asset_has_the_summary(campaign_desk):
    outlets = OutletEvents()
    calls = campaign(campaign_desk, outlets=[Asset("callbacks"), "a name"])
    calls.more_context = {"outlet_events": outlets}
    summary = calls.run()

    assert {name: event.extra for name, event in outlets.events.items()} == {
        "callbacks": {"callapi_campaign": summary}
    }
