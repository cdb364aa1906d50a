"""### Ring the person on duty when a task fails

The DAG has two tasks. The form decides whether they fail. A failed task rings the person on duty. If both
tasks fail in the same run, the phone rings once.

The spoken text is in Russian and names the task, the DAG and the run. To speak another text, set the
parameter `message`, which may contain a template. The notifier needs the connection `callapi_default` and the
component *informer call*.

Airflow ends the callback of a task after 20 seconds, which is enough for one person. To ring several people
one after another, see the example `ring_everybody.py`.
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
            title="Number of the person on duty",
            description="Digits only. Start with the country code, without +.",
        ),
        "fails": Param(True, type="boolean", title="Let the tasks fail"),
        "virtual_phone_number": Param("74993720692", type="string", pattern="^[0-9]{10,15}$"),
    },
) as dag:

    @task
    def load(source: str, params: dict) -> None:
        """Load one source. Fail if the form requests it."""
        if params["fails"]:
            raise RuntimeError(f"{source} cannot be loaded")

    load.override(task_id="load_orders")("orders")
    load.override(task_id="load_prices")("prices")
