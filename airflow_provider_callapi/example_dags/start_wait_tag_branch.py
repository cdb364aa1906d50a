"""### Call, wait for the answer, tag, wait for the end

```
call → answered → what_is_known ─┬─ answered ──→ tag → ended → thank
                                 └─ not known ─→ another_way
```

Looking at the active calls can prove that a call was answered, never that it was not: a short talk
may fit between two looks. So the other branch is *not known*, not *not answered*. The Data API can
tell: see `wait_for_completion` with `require_answer`.

Each waiting task hands on what it has seen: the second one is given `answered.output`, not
`call.output`, and does not have to see the answer again.

A call may end in the moment between `answered` and `tag`: it is tagged through the Data API then, and
where the connection has none the task fails. Where nothing of your own happens in between, one
operator does all of it: `wait_for_completion=True, tags={"answered": 36}`.
"""

from airflow.sdk import DAG, Param, task

from airflow_provider_callapi.operators.call_control import CallApiTagCallOperator
from airflow_provider_callapi.operators.start_call import CallApiStartEmployeeCallOperator
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

with DAG(
    "callapi_start_wait_tag_branch",
    schedule=None,
    doc_md=__doc__,
    tags=["callapi"],
    params={
        "contact": Param("79161234567", type="string", pattern="^[0-9]{10,15}$"),
        "employee_id": Param(25, type="integer", description="Whom the contact talks to."),
        "virtual_phone_number": Param("74993720692", type="string", pattern="^[0-9]{10,15}$"),
        "tag_id": Param(36, type="integer", description="Set on the call as soon as it is answered."),
    },
) as dag:
    # --8<-- [start:start]
    call = CallApiStartEmployeeCallOperator(
        task_id="call",
        virtual_phone_number="{{ params.virtual_phone_number }}",
        contact="{{ params.contact }}",
        first_call="contact",
        employee={"id": "{{ params.employee_id }}"},
    )
    # --8<-- [end:start]
    # --8<-- [start:wait]
    answered = CallApiSessionSensor(
        task_id="answered", call_session_id=call.output, until="answered", deferrable=True
    )
    tag = CallApiTagCallOperator(task_id="tag", call_session_id=answered.output, tag_id="{{ params.tag_id }}")
    # --8<-- [end:wait]
    ended = CallApiSessionSensor(
        task_id="ended", call_session_id=answered.output, until="ended", deferrable=True
    )

    # --8<-- [start:branch]
    @task.branch
    def what_is_known(call: dict) -> str:
        return "tag" if call["answered"] else "another_way"

    # --8<-- [end:branch]

    @task
    def thank(call: dict) -> str:
        return f"Call session {call['call_session_id']} was answered at {call['answered_at']} and is over"

    @task
    def another_way(call: dict) -> str:
        return f"Call session {call['call_session_id']} is over and was not seen answered"

    what_is_known(answered.output) >> [tag, another_way(answered.output)]
    tag >> ended >> thank(ended.output)
