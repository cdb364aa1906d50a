"""### Ring several people one after another when a run fails

The DAG has two tasks. The form decides whether they fail. If a task fails, the last task `ring_everybody`
rings the people on duty one after another until a person answers. Then the last task fails too, so that the
whole run is failed. If no task fails, Airflow skips the last task.

Airflow ends the callback of a failed task or DAG within a minute, before the third phone of a list rings. A
task has no such limit, and its log in Airflow shows who was rung.

The notifier needs the connection `callapi_default` and the components *informer call* and *call management*.
The notifier uses the component *call management* to see whether a person has answered.
"""

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG, Param, task

from airflow_provider_callapi.notifications.callapi import CallApiNotifier

with DAG(
    "callapi_ring_everybody",
    schedule=None,
    doc_md=__doc__,
    tags=["callapi"],
    params={
        "contacts": Param(
            ["79161234567", "79161234568", "79161234569"],
            type="array",
            items={"type": "string", "pattern": "^[0-9]{10,15}$"},
            title="Numbers of the people on duty",
            description="One number per line, in the calling order. Digits only, with the country code.",
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

    # --8<-- [start:ring_everybody]
    @task(trigger_rule="one_failed")
    def ring_everybody(**context) -> None:
        """Ring the people on duty one after another. Then fail, so that the run is failed."""
        params = context["params"]
        notify = CallApiNotifier(
            contact=params["contacts"], virtual_phone_number=params["virtual_phone_number"]
        )
        notify(context)
        raise AirflowFailException("Another task of this run has failed")

    [load.override(task_id=f"load_{source}")(source) for source in ("orders", "prices")] >> ring_everybody()
    # --8<-- [end:ring_everybody]
