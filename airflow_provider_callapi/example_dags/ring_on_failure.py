"""### Ring the person on duty when something fails

Two tasks, of which the form decides whether they fail. A task that fails rings; both of them failing in
the same run ring once.

The text names the task, the DAG and the run, in Russian; `message` is a template for another one. Needs
the connection `callapi_default` and the component *informer call*; with *call management* as well, a
call in progress is found again, and `contact` can be a list: whoever does not answer is followed by the
next. A list takes longer than Airflow lets a task's callback run: put it on the DAG
(`on_failure_callback` of `DAG`, `[dag_processor] dag_file_processor_timeout`), or on a deadline:

    DAG(
        ...,
        deadline=DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(hours=1),
            callback=AsyncCallback(
                CallApiNotifier,
                kwargs={"contact": ["79161234567", "79161234568"], "virtual_phone_number": "74993720692"},
            ),
        ),
    )
"""

from datetime import timedelta

from airflow.sdk import DAG, Param, task

from airflow_provider_callapi.notifications.callapi import CallApiNotifier

# --8<-- [start:notifier]
ring = CallApiNotifier(
    contact="{{ params.contact }}",
    virtual_phone_number="{{ params.virtual_phone_number }}",
    quiet_for=timedelta(minutes=15),
)
# --8<-- [end:notifier]

with DAG(
    "callapi_ring_on_failure",
    schedule=None,
    doc_md=__doc__,
    tags=["callapi"],
    # --8<-- [start:default_args]
    default_args={"on_failure_callback": ring},
    # --8<-- [end:default_args]
    params={
        "contact": Param(
            "79161234567",
            type="string",
            pattern="^[0-9]{10,15}$",
            title="Who is on duty",
            description="Digits only, the country code first, no +.",
        ),
        "fails": Param(True, type="boolean", title="The tasks fail"),
        "virtual_phone_number": Param("74993720692", type="string", pattern="^[0-9]{10,15}$"),
    },
) as dag:

    @task
    def load(source: str, params: dict) -> None:
        """Load one source, or not."""
        if params["fails"]:
            raise RuntimeError(f"{source} cannot be loaded")

    load.override(task_id="load_orders")("orders")
    load.override(task_id="load_prices")("prices")
