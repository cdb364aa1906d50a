"""### Call back everybody who asked for it today

A query finds today's requests, and every row becomes one mapped task: an employee's phone rings,
then the customer's. The pool says how many at a time; it has to count deferred tasks, since the
waiting is done in the triggerer:

    airflow pools set callapi_callbacks 2 "Call-backs at a time" --include-deferred

Needs a connection `crm` to any database that Airflow has a provider for, with a table

    CREATE TABLE callback_requests (id INTEGER, asked_on DATE, phone VARCHAR(15), employee_id INTEGER)

A retry after whatever broke does not dial a customer twice: the task finds its call again. A second
run on the same day does, for it is a new intent.

The label of a mapped task is the request, not the customer's number. The rows are an XCom of the task
`requests`, as everything is that Airflow maps over: keep it from people who may not see numbers.
"""

from collections import Counter
from datetime import timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, Param, task

from airflow_provider_callapi.operators.start_call import CallApiStartEmployeeCallOperator


# --8<-- [start:row]
def call_back(row: tuple) -> dict:
    """One row as the parameters of one call."""
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
    params={"virtual_phone_number": Param("74993720692", type="string", pattern="^[0-9]{10,15}$")},
) as dag:
    requests = SQLExecuteQueryOperator(
        task_id="requests",
        conn_id="crm",
        sql="""
            SELECT id, phone, employee_id FROM callback_requests
            WHERE asked_on = '{{ dag_run.run_after | ds }}' ORDER BY id
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
        max_lateness=timedelta(hours=2),
        retries=2,
    ).expand_kwargs(requests.output.map(call_back))
    # --8<-- [end:mapped]

    @task(trigger_rule="all_done")
    def report(calls: list[dict]) -> dict[str, int]:
        """How many customers answered; that one did not is known to the Data API only."""
        words = {True: "answered", False: "not answered", None: "not known"}
        return dict(Counter(words[call["answered"]] for call in calls))

    report(calls.output)
