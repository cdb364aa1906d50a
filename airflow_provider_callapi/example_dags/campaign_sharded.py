"""### Call everyone on a long list after a user's approval, with four tasks and one ledger

A rehearsal reads the list and reports the number of people, the points and the minutes that the calls need.
A user reads this report under *Required Actions* and approves or rejects the campaign. Four mapped tasks
then share the work: each task calls a quarter of the list. All tasks write into one ledger (the stored
attempts to call). A second run of the same campaign or a cleared task therefore calls no person twice. With
`min_gap`, no phone rings twice within an hour, even if several campaigns of this ledger call the same person.

Needs Airflow 3.1+ for the approval, the connection `callapi_default`, and for the ledger a database behind
the connection `callapi_ledger` (PostgreSQL, MySQL or SQLite, with its provider). The ledger creates its
tables. The tables contain the called phone numbers.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Param, task

from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

SHARDS = 4

CAMPAIGN: dict[str, Any] = {
    "campaign": "{{ params.campaign }}",
    "contacts": "{{ params.people }}",
    "call": {
        "method": "start.informer_call",
        "virtual_phone_number": "{{ params.virtual_phone_number }}",
        "contact_message": {"type": "tts", "value": "Hello {{ contact.name }}, we have moved to Lenina 1."},
    },
    "calling_hours": ("{{ params.opens }}", "{{ params.closes }}"),
    "redial": {"busy": 3600, "not_reached": 4 * 3600},
    "ledger_conn_id": "callapi_ledger",
    "min_gap": timedelta(hours=1),  # if longer than a redial's delay, min_gap postpones the redial
    "deferrable": True,
    "retries": 3,
}
"""The parameters that the rehearsal and the calls share."""

with DAG(
    "callapi_campaign_sharded",
    schedule=None,
    doc_md=__doc__,
    tags=["callapi"],
    params={
        "campaign": Param(
            "moved-to-lenina", type="string", title="Campaign: one name calls each person once"
        ),
        "people": Param("file:///tmp/callapi/people.csv", type="string", title="CSV with phone and name"),
        "virtual_phone_number": Param("74993720692", type="string", title="Number shown"),
        "opens": Param("09:00", type="string", title="Call from, in each person's time zone"),
        "closes": Param("21:00", type="string", title="Call until, in each person's time zone"),
        "folder": Param("file:///tmp/callapi", type="string", title="Folder for results and reports"),
    },
) as dag:
    rehearse = CallApiCampaignOperator(task_id="rehearse", dry_run=True, **CAMPAIGN)

    approve = ApprovalOperator(
        task_id="approve",
        subject="Call {{ ti.xcom_pull(task_ids='rehearse').to_be_called }} people?",
        body="""{% set plan = ti.xcom_pull(task_ids="rehearse") -%}
**{{ plan.campaign }}**, from {{ params.virtual_phone_number }},
{{ params.opens }} to {{ params.closes }} in each person's time zone

* people on the list: {{ plan.people }}, to be called: {{ plan.to_be_called }}
* invalid rows: {{ plan.results.invalid }}, rows that repeat a person: {{ plan.duplicates }}
* points needed for the first calls: about {{ plan.points_needed }}
* minutes needed for them: at least {{ plan.minutes_needed }}
""",
        response_timeout=timedelta(days=1),
    )

    call_them = CallApiCampaignOperator.partial(
        task_id="call_them",
        max_active_calls=10,
        results="{{ params.folder }}/{{ run_id }}.csv",  # each shard adds its number, such as -2-of-4
        report="{{ params.folder }}/{{ run_id }}.html",
        **CAMPAIGN,
    ).expand(shard=[f"{number}/{SHARDS}" for number in range(1, SHARDS + 1)])

    @task
    def total(summaries: list[dict[str, Any]]) -> dict[str, int]:
        """Return the number of people for each result, over all shards."""
        results = [summary["results"] for summary in summaries]
        return {name: sum(counts[name] for counts in results) for name in results[0]}

    rehearse >> approve >> call_them
    total(call_them.output)
