"""### Control a call while people talk

An employee and a contact talk, and the talk is recorded. The contact waits on hold while the employee
consults a colleague. The trigger form then decides: the contact returns to the employee (`restore`) or goes
to the colleague (`transfer`). A coach joins, a tone is sent, and the call is released.

The vendor's state diagram requires this order: hold before make.call, and make.call before restore or
transfer. Hold is not allowed after a coach has joined. In any other order, the service answers
`invalid_state`, and the task fails without retries.

Where a task expects a session id, you can pass the dict that the start operator returned.

At the emulator, people hang up after 10 s by default. With `{"default": {"talks": null}}` in the emulator's
`--script` file, people talk until a request releases the call.
"""

from airflow.sdk import DAG, Param, task

from airflow_provider_callapi.api.models import LegState, leg_state
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators.call_control import (
    CallApiAddCoachOperator,
    CallApiHoldCallOperator,
    CallApiMakeCallOperator,
    CallApiRecordCallOperator,
    CallApiReleaseCallOperator,
    CallApiRestoreTalkOperator,
    CallApiSendDtmfOperator,
    CallApiTransferTalkOperator,
)
from airflow_provider_callapi.operators.start_call import CallApiStartEmployeeCallOperator
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

with DAG(
    "callapi_live_control",
    schedule=None,
    doc_md=__doc__,
    tags=["callapi"],
    params={
        "contact": Param(type="string", title="Phone number to call"),
        "employee_id": Param(25, type="integer"),
        "colleague": Param(
            "79260000002", type="string", description="The colleague's phone, extension or SIP number."
        ),
        "coach": Param(
            "79260000009", type="string", description="The coach's phone, extension or SIP number."
        ),
        "then": Param(
            "restore",
            enum=["restore", "transfer"],
            description="After the consultation: restore the talk, or transfer it to the colleague.",
        ),
        "virtual_phone_number": Param("74993720692", type="string", pattern="^[0-9]{10,15}$"),
    },
) as dag:
    start = CallApiStartEmployeeCallOperator(
        task_id="start",
        virtual_phone_number="{{ params.virtual_phone_number }}",
        contact="{{ params.contact }}",
        first_call="employee",
        employee={"id": "{{ params.employee_id }}"},
    )
    call = start.output
    answered = CallApiSessionSensor(
        task_id="answered", call_session_id=call, until="answered", require_answer=True, deferrable=True
    )
    # --8<-- [start:hold]
    record = CallApiRecordCallOperator(task_id="record", call_session_id=call, action="on")
    hold = CallApiHoldCallOperator(
        task_id="hold",
        call_session_id=call,
        contact_message={"type": "tts", "value": "Оставайтесь, пожалуйста, на линии"},
    )
    consult = CallApiMakeCallOperator(task_id="consult", call_session_id=call, to="{{ params.colleague }}")
    # --8<-- [end:hold]

    # --8<-- [start:look]
    @task.sensor(poke_interval=2, timeout=120)
    def consulting(call: dict) -> bool:
        """Return whether the colleague has picked up."""
        with CallApiHook() as hook:
            session = hook.take_snapshot().sessions.get(call["call_session_id"])
        # A single poll may omit an active call. If the call has ended, the sensor's timeout fails the task.
        legs = session.legs if session else ()
        return any(leg_state(leg.state) == LegState.OPERATORS_TALKING for leg in legs)

    # --8<-- [end:look]

    @task.branch
    def what_then(params: dict) -> str:
        return params["then"]

    # --8<-- [start:third]
    restore = CallApiRestoreTalkOperator(task_id="restore", call_session_id=call)
    transfer = CallApiTransferTalkOperator(task_id="transfer", call_session_id=call)
    # --8<-- [end:third]
    coach = CallApiAddCoachOperator(
        task_id="coach",
        call_session_id=call,
        phone_number="{{ params.coach }}",
        trigger_rule="none_failed_min_one_success",
    )
    press = CallApiSendDtmfOperator(task_id="press", call_session_id=call, dtmf_string="1")
    release = CallApiReleaseCallOperator(task_id="release", call_session_id=call)
    ended = CallApiSessionSensor(task_id="ended", call_session_id=answered.output, deferrable=True)

    answered >> record >> hold >> consult >> consulting(call) >> what_then() >> [restore, transfer] >> coach
    coach >> press >> release >> ended
