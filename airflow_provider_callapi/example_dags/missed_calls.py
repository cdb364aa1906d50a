"""### Call back everyone whose call was missed in the last two hours

The first task loads the missed calls from the Data API's report into the table `missed_calls`. The second
task calls each person back: an employee's phone rings first, then the person's phone. The results go to the
table `call_backs`, one row for each attempt, while the campaign runs.

Give the DAG an hourly schedule. The interval of two hours overlaps the interval of the run before, because
the report contains a call only after its end. The ledger prevents second calls: all missed calls of one day
(UTC) belong to one campaign, which calls each person back at most once. A run in the first hour of a day
still belongs to the day before.

Needs the connection `callapi_default` with the Data API, and a connection `dwh` to PostgreSQL, MySQL or
SQLite. The tasks create their tables.
"""

from airflow.sdk import DAG

from airflow_provider_callapi.operators.calls_report import CallApiCallsReportOperator
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

LINE, EMPLOYEE_ID = "74993720692", 25

with DAG(
    "callapi_missed_calls",
    schedule=None,
    max_active_runs=1,
    default_args={"retries": 3},
    doc_md=__doc__,
    tags=["callapi"],
) as dag:
    # --8<-- [start:missed]
    missed = CallApiCallsReportOperator(
        task_id="missed",
        start="{{ dag_run.run_after - macros.timedelta(hours=2) }}",
        end="{{ dag_run.run_after }}",
        missed=True,
        phone_numbers=True,
        to={"conn_id": "dwh", "table": "missed_calls"},
    )
    # --8<-- [end:missed]
    # --8<-- [start:call_back]
    call_back = CallApiCampaignOperator(
        task_id="call_back",
        campaign="call-backs {{ (dag_run.run_after - macros.timedelta(hours=1)) | ds }}",
        ledger_conn_id="dwh",
        contacts={
            "conn_id": "dwh",
            "sql": "SELECT DISTINCT contact_phone_number AS phone FROM missed_calls "
            "WHERE start_time >= %(day)s AND start_time < %(next_day)s",
            "parameters": {
                "day": "{{ (dag_run.run_after - macros.timedelta(hours=1)) | ds }} 00:00:00+00:00",
                "next_day": "{{ (dag_run.run_after + macros.timedelta(hours=23)) | ds }} 00:00:00+00:00",
            },
        },
        call={
            "method": "start.employee_call",
            "virtual_phone_number": LINE,
            "employee": {"id": EMPLOYEE_ID},
            "first_call": "employee",
        },
        results={"conn_id": "dwh", "table": "call_backs"},
        deferrable=True,
    )
    # --8<-- [end:call_back]

    missed >> call_back
