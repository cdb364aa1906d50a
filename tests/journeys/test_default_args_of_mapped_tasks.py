"""In a real Airflow, ``default_args`` of a mapped task limit its calls as those of any other task."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("sqlite_ledger")  # an Airflow before 3.3 needs it

# Airflow 3.1 remembers the tasks of a DAG id for the whole process, so each test has its own DAG id.
HEAD = """
from pathlib import Path
from airflow.sdk import DAG, task
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

TTS = {"type": "tts", "value": "Hi"}
CALL = {"method": "start.informer_call", "virtual_phone_number": "74993720692", "contact_message": TTS}

DEFAULTS = {"poll_interval": 0.5, "retries": 0, "ledger_conn_id": "ledger"}

with DAG(Path(__file__).stem, default_args=DEFAULTS) as dag:
    @task
    def excluded():
        return ["79160000001"]

    @task
    def people():
        return ["79160000001", "79160000002"]
"""
CAMPAIGNS = (
    HEAD
    + """
    campaign = CallApiCampaignOperator.partial
    PEOPLE = {"contacts": ["79160000001", "79160000002"]}
    campaign(task_id="expand", call=CALL, dry_run=True, default_args={"do_not_call": excluded()}).expand(**{
        name: [value] for name, value in PEOPLE.items()
    })
    campaign(task_id="rows", call=CALL, default_args={"do_not_call": ["79160000001"], "dry_run": "{{ true }}"}
    ).expand_kwargs([PEOPLE])

    @task.callapi_campaign(call=CALL, dry_run=True, default_args={"do_not_call": excluded()})
    def function(phones):
        return phones

    function.expand(phones=[PEOPLE["contacts"]])
    function.override(
        task_id="overridden", default_args={"do_not_call": ["79160000001"]}
    ).expand_kwargs([{"phones": PEOPLE["contacts"]}])
"""
)


def test_the_default_args_of_a_mapped_campaign_exclude_people(run_dag: Any, exchange: Any) -> None:
    run = run_dag(CAMPAIGNS)

    results = {name: value["results"] for name, value in run.xcoms.items() if name.endswith("[0]")}
    assert {name: one["do_not_call"] for name, one in results.items()} == dict.fromkeys(
        ("expand[0]", "rows[0]", "function[0]", "overridden[0]"), 1
    )
    assert exchange.calls == []


STARTS = (
    HEAD
    + """
    VNUMBER = {"virtual_phone_number": "74993720692"}
    start = CallApiStartInformerCallOperator.partial
    TEXT = {"contact_message": TTS, **VNUMBER}
    start(task_id="expand", **TEXT, default_args={"calling_hours": "never"}).expand(contact=people())
    start(task_id="other", **TEXT, default_args={"callapi_conn_id": "no_such"}).expand(contact=people())

    @task.callapi_informer(contact="79160000001", **VNUMBER, default_args={"calling_hours": "never"})
    def function(text):
        return text

    function.expand(text=["Hi"])
"""
)


def test_a_mapped_start_operator_and_decorator_take_their_own_default_args(
    run_dag: Any, exchange: Any
) -> None:
    run = run_dag(STARTS)

    assert {state for name, state in run.states.items() if name.endswith("]")} == {"failed"}
    assert exchange.calls == []


def test_a_mapped_sensor_takes_its_own_default_args(run_dag: Any) -> None:
    run = run_dag(
        HEAD
        + """
    CallApiSessionSensor.partial(
        task_id="wait", appear_timeout=0.5, poke_interval=0.2, default_args={"require_answer": "perhaps"}
    ).expand(call_session_id=[1])
"""
    )

    assert run.states["wait[0]"] == "failed"


def test_a_parameter_is_not_given_by_default_args_and_by_expand(run_dag: Any, exchange: Any) -> None:
    with pytest.raises(Exception, match="unmappable or already specified argument: contact"):
        run_dag(
            HEAD
            + """
    CallApiStartInformerCallOperator.partial(
        task_id="call", virtual_phone_number="74993720692", contact_message=TTS,
        default_args={"contact": "79160000001"},
    ).expand(contact=["79160000002"])
"""
        )

    assert exchange.calls == []
