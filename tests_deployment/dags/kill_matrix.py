"""One DAG with one task, mapped or not, per entry of ``kill_matrix.json``, which the test suite writes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.sdk import DAG
from killed_worker import KilledWorker

for dag_id, options in json.loads(Path(__file__).with_suffix(".json").read_text("utf-8")).items():
    contacts = options.pop("contacts", None)
    if "execution_timeout" in options:
        options["execution_timeout"] = timedelta(seconds=options["execution_timeout"])
    with DAG(dag_id, schedule=None, start_date=pendulum.datetime(2025, 1, 1, tz="UTC"), catchup=False):
        if contacts is None:
            KilledWorker(task_id="call", **options)
        else:
            KilledWorker.partial(task_id="call", **options).expand(contact=contacts)
