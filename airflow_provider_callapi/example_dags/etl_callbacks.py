"""### Call back each customer who asked for a call today

A query finds today's requests. Every row becomes one mapped task: an employee's phone rings first, then the
customer's phone. The pool limits the number of calls at a time. The tasks wait in the triggerer for the
calling hours and for the end of the call, so the pool must include deferred tasks:

    airflow pools set callapi_callbacks 2 "Call-backs at a time" --include-deferred

Needs a connection `crm` to any database that Airflow has a provider for, with a table

    CREATE TABLE callback_requests (id INTEGER, asked_on DATE, phone VARCHAR(15), employee_id INTEGER)

A retry does not call a customer twice, because the task finds the call of the earlier try. A second run on
the same day calls the customers again, because each run has intents of its own.

The label of a mapped task is the request's id, not the customer's number. The rows are an XCom of the task
`requests`: Airflow stores all data that a task is mapped over. Do not give access to this XCom to people
who may not see phone numbers.
"""

from collections import Counter
from datetime import timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param, task

from airflow_provider_callapi.operators.start_call import CallApiStartEmployeeCallOperator


# --8<-- [start:row]
def call_back(row: tuple) -> dict:
    """Convert one row into the parameters of one call."""
    request_id, phone, employee_id = row
    return {
        "contact": phone,
        "employee": {"id": employee_id},
        "external_id": f"callback-{request_id}",
    }


# --8<-- [end:row]


with DAG(
    "callapi_etl_callbacks",
    schedule=None,
    doc_md=__doc__,
    tags=["callapi"],
    params={
        "virtual_phone_number": Param("74993720692", type="string", pattern="^[0-9]{10,15}$"),
        "opens": Param("09:00", type="string", title="Call from, Moscow time"),
        "closes": Param("21:00", type="string", title="Call until, Moscow time"),
    },
) as dag:
    requests = SQLExecuteQueryOperator(
        task_id="requests",
        conn_id="crm",
        sql="""
            SELECT id, phone, employee_id FROM callback_requests
            WHERE asked_on = '{{ (dag_run.run_after + macros.timedelta(hours=3)) | ds }}' -- day in Moscow
            ORDER BY id
        """,
    )
    # --8<-- [start:mapped]
    calls = CallApiStartEmployeeCallOperator.partial(
        task_id="call_back",
        map_index_template="{{ task.external_id }}",
        pool="callapi_callbacks",
        virtual_phone_number="{{ params.virtual_phone_number }}",
        first_call="employee",
        wait_for_completion=True,
        deferrable=True,
        calling_hours=("{{ params.opens }}", "{{ params.closes }}"),
        max_lateness=timedelta(hours=14),  # a run in the evening calls in the morning
        retries=2,
    ).expand_kwargs(requests.output.map(call_back))
    # --8<-- [end:mapped]

    @task(trigger_rule="all_done")
    def report(calls: list[dict]) -> dict[str, int]:
        """Count the customers by answer. Only the Data API can report `not answered`."""
        words = {True: "answered", False: "not answered", None: "not known"}
        return dict(Counter(words[call["answered"]] for call in calls))

    report(calls.output)
    # The task `report` always runs. This second leaf fails the run if the query or a call fails.
    calls >> EmptyOperator(task_id="all_called_back")
