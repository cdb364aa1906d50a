"""### Call, wait for the answer, tag the call, wait for its end

```
call → answered → what_is_known ─┬─ answered ──→ tag → ended → thank
                                 └─ not known ─→ another_way
```

A poll of the active calls can prove that a call was answered. A poll cannot prove that a call was not
answered, because a short talk fits between two polls. The second branch therefore means *not known*, not *not
answered*. The Data API reports unanswered calls: see `wait_for_completion` with `require_answer`.

Each waiting task returns what it observed. The task `ended` receives `answered.output` instead of
`call.output`, so `ended` already knows the answer.

If the call ends between `answered` and `tag`, the task `tag` tags the call through the Data API. If the
connection does not use the Data API, the task `tag` then fails. If your DAG needs no own step between the
call and its end, one operator does all of this: `wait_for_completion=True, tags={"answered": 36}`.
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
        "contact": Param(type="string", title="Phone number to call"),
        "employee_id": Param(25, type="integer", description="The employee who talks to the contact."),
        "virtual_phone_number": Param("74993720692", type="string", pattern="^[0-9]{10,15}$"),
        "tag_id": Param(36, type="integer", description="The tag that the call gets after the answer."),
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
        return f"Call session {call['call_session_id']} was answered at {call['answered_at']} and has ended"

    @task
    def another_way(call: dict) -> str:
        return f"Call session {call['call_session_id']} has ended, and no poll showed an answer"

    what_is_known(answered.output) >> [tag, another_way(answered.output)]
    tag >> ended >> thank(ended.output)
