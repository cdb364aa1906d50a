"""One campaign in mapped shards. The test suite writes its options into ``campaign_shards.json``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG

from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator


class Mortal(CallApiCampaignOperator):
    """A campaign that writes its process ids to a file. The test kills these processes at random moments."""

    def execute(self, context: Any) -> Any:
        self._note(context)
        return super().execute(context)

    def execute_complete(self, context: Any, event: Any = None, **known: Any) -> Any:
        self._note(context)
        return super().execute_complete(context, event, **known)

    @staticmethod
    def _note(context: Any) -> None:
        note = Path(os.environ["CALLAPI_KILLS"], f"shard-{context['ti'].map_index}")
        draft = note.with_suffix(".draft")
        draft.write_text(json.dumps({"task": os.getpid(), "worker": os.getppid()}))
        draft.replace(note)


file = Path(__file__).with_suffix(".json")
if file.exists():  # only the campaign's suite writes this file
    options = json.loads(file.read_text("utf-8"))
    shards = options.pop("shard")
    with DAG("campaign_shards", schedule=None, start_date=pendulum.datetime(2025, 1, 1, tz="UTC")):
        Mortal.partial(task_id="call", **options).expand(shard=shards)
