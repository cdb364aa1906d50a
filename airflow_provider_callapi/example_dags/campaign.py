"""### Call everyone on a list between 09:00 and 21:00 in each person's time zone

Each person gets one call with a personal text. The campaign calls again if the line was busy or the person
did not pick up. The account's points (rate-limit units) set the pace. After a crash, the campaign continues
where it stopped. At the end, the campaign writes a results file with one row per person, and a campaign
report (an HTML page).

Needs the connection `callapi_default`. Only the Data API reports busy and unanswered calls. Without the Data
API, the campaign therefore does not call again.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param, task

from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

with DAG(
    "callapi_campaign",
    schedule=None,
    doc_md=__doc__,
    tags=["callapi"],
    params={
        "virtual_phone_number": Param("74993720692", type="string", title="Number shown"),
        "folder": Param("file:///tmp/callapi", type="string", title="Folder for results and report"),
        "dry_run": Param(False, type="boolean", title="Only log what the campaign would do"),
    },
) as dag:
    # --8<-- [start:contacts]
    @task(show_return_value_in_logs=False)  # else Airflow writes the phone numbers into the task's log
    def whom_to_tell() -> list[dict[str, str]]:
        """Return the contact list. The path of a CSV file also works."""
        return [
            {"phone": "8 916 123-45-67", "name": "Anna", "order": "1001", "timezone": "Europe/Moscow"},
            {"phone": "+7 916 123 45 68", "name": "Boris", "order": "1002", "timezone": "Asia/Vladivostok"},
            {"phone": "79161234569", "name": "Vera", "order": "1003"},
        ]

    # --8<-- [end:contacts]

    # --8<-- [start:campaign]
    CallApiCampaignOperator(
        task_id="tell_them",
        contacts=whom_to_tell(),
        call={
            "method": "start.informer_call",
            "virtual_phone_number": "{{ params.virtual_phone_number }}",
            "contact_message": {
                "type": "tts",
                "value": "Hello {{ contact.name }}, your order {{ contact.order }} is ready.",
            },
        },
        calling_hours=("09:00", "21:00"),
        calling_days={
            "days": ["mon", "tue", "wed", "thu", "fri", "sat"],
            "except": ["2026-12-31", "2027-01-01"],
        },
        max_active_calls=20,
        dry_run="{{ params.dry_run }}",
        redial={"busy": 600, "not_reached": 3600},
        max_lateness=timedelta(days=2),
        results="{{ params.folder }}/{{ run_id }}.csv",
        report="{{ params.folder }}/{{ run_id }}.html",
        fail_if_unreached_over=0.9,
        deferrable=True,
        retries=3,
    )
    # --8<-- [end:campaign]
