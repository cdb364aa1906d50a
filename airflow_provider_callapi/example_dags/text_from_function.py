"""### Speak a text that a Python function makes

The function gets the values of the run from Airflow's context. Airflow never renders the returned text as a
template. The task waits in the triggerer for the end of the call.

Needs the connection `callapi_default` and the component *informer call* of the account.
"""

from airflow.sdk import DAG, Param, task

with DAG(
    "callapi_text_from_function",
    schedule=None,
    doc_md=__doc__,
    tags=["callapi"],
    params={
        "contact": Param(type="string", title="Phone number to call"),
        "rows": Param(120, type="integer", minimum=0, title="Rows that the night's load has read"),
    },
) as dag:
    # --8<-- [start:informer]
    @task.callapi_informer(
        virtual_phone_number="74993720692",
        contact="{{ params.contact }}",
        wait_for_completion=True,
        deferrable=True,
    )
    def report(params):
        rows = params["rows"]
        return (
            f"Ночная загрузка завершена, строк: {rows}."
            if rows
            else "Ночная загрузка не нашла ни одной строки."
        )

    report()
    # --8<-- [end:informer]
