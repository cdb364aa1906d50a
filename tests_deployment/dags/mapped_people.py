"""One call for each person of a list. The test suite writes the list into ``mapped_people.json``."""

from __future__ import annotations

import json
from pathlib import Path

import pendulum
from airflow.sdk import DAG, task

from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

file = Path(__file__).with_suffix(".json")
if file.exists():  # only the mapped task's suite writes this file
    with DAG("mapped_people", schedule=None, start_date=pendulum.datetime(2025, 1, 1, tz="UTC")):

        @task
        def people() -> list[str]:
            listed: list[str] = json.loads(file.read_text("utf-8"))
            return listed

        CallApiStartInformerCallOperator.partial(
            task_id="call",
            virtual_phone_number="74993720692",
            contact_message={"type": "tts", "value": "Hello"},
        ).expand(contact=people())
