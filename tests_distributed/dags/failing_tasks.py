"""DAGs of twenty tasks that fail at once, with one alert. The test suite writes ``failing_tasks.json``."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pendulum
from airflow.sdk import DAG, task

from airflow_provider_callapi.notifications.callapi import CallApiNotifier

TASKS = 20
NOTES = Path(os.environ["CALLAPI_KILLS"])


@task
def fail(number: int, dag_id: str) -> None:
    """Wait until all tasks run, then fail."""
    (NOTES / f"{dag_id}-{number}").touch()
    while len(list(NOTES.glob(f"{dag_id}-*"))) < TASKS:
        time.sleep(0.2)
    raise RuntimeError("fails with all the others")


for dag_id, contacts in json.loads(Path(__file__).with_suffix(".json").read_text("utf-8")).items():
    alert = CallApiNotifier(contact=contacts, virtual_phone_number="74993720692")
    with DAG(
        dag_id,
        schedule=None,
        start_date=pendulum.datetime(2025, 1, 1, tz="UTC"),
        default_args={"on_failure_callback": alert, "retries": 0},
    ):
        fail.partial(dag_id=dag_id).expand(number=list(range(TASKS)))
