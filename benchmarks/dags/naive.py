"""Two DAGs that call the same list of people: one with a mapped task per person, one with a campaign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

CALL: dict[str, Any] = {
    "virtual_phone_number": "74993720692",
    "contact_message": {"type": "tts", "value": "Здравствуйте!"},
}


def mapped(contacts: list[str], conn_id: str, poll_interval: float, at_once: int) -> None:
    CallApiStartInformerCallOperator.partial(
        task_id="call",
        callapi_conn_id=conn_id,
        wait_for_completion=True,
        deferrable=False,
        poll_interval=poll_interval,
        max_active_tis_per_dag=at_once,
        **CALL,
    ).expand(contact=contacts)


def campaign(contacts: list[str], conn_id: str, poll_interval: float, at_once: int) -> None:
    CallApiCampaignOperator(
        task_id="call",
        callapi_conn_id=conn_id,
        call={"method": "start.informer_call", **CALL},
        contacts=contacts,
        calling_hours=None,
        max_active_calls=at_once,
        poll_interval=poll_interval,
        deferrable=False,
    )


for dag_id, options in json.loads(Path(__file__).with_suffix(".json").read_text("utf-8")).items():
    with DAG(dag_id, schedule=None):
        {"mapped": mapped, "campaign": campaign}[dag_id](**options)
