"""### Call a person, and branch by the phone key that the person presses

```
confirm → which_key ─┬─ key 1 ──────────→ confirmed
                     ├─ key 2 ──────────→ call_later
                     ├─ key 3 ──────────→ cancelled
                     └─ everything else ─→ look
```

The call runs a scenario of the account. In the scenario, each key leads to an operation with a name of its
own: *Подтверждено* (confirmed), *Перезвонить* (call back) and *Отказ* (refusal). The Data API reports
which operations the call has passed. Replace the last four tasks with your own operators.

Needs the connection `callapi_default` with the Data API, and the component *scenario*.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param

from airflow_provider_callapi.operators.branch import CallApiBranchOperator
from airflow_provider_callapi.operators.start_call import CallApiStartScenarioCallOperator

with DAG(
    "callapi_confirm_by_key",
    schedule=None,
    doc_md=__doc__,
    tags=["callapi"],
    params={
        "contact": Param(type="string", title="Phone number to call"),
        "scenario_id": Param(23457, type="integer", description="The scenario with the menu."),
        "virtual_phone_number": Param("74993720692", type="string", pattern="^[0-9]{10,15}$"),
    },
) as dag:
    # --8<-- [start:keys]
    confirm = CallApiStartScenarioCallOperator(
        task_id="confirm",
        virtual_phone_number="{{ params.virtual_phone_number }}",
        contact="{{ params.contact }}",
        first_call="contact",
        scenario_id="{{ params.scenario_id }}",
        wait_for_completion=True,
        deferrable=True,
        operations=True,
    )
    which_key = CallApiBranchOperator(
        task_id="which_key",
        call=confirm.output,
        routes={
            "operation:Подтверждено": "confirmed",
            "operation:Перезвонить": "call_later",
            "operation:Отказ": "cancelled",
        },
        if_answered="look",  # the contact picked up and pressed no key
        if_not_answered="look",
        if_unknown="look",
    )
    # --8<-- [end:keys]
    which_key >> [
        EmptyOperator(task_id=task_id) for task_id in ("confirmed", "call_later", "cancelled", "look")
    ]
