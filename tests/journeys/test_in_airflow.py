"""Tests that need a real Airflow: mapping, XCom references, deferral and rescheduling in a DAG."""

from __future__ import annotations

import json

import pytest

from airflow_provider_callapi.emulator import Script

IMPORTS = """
from airflow.sdk import DAG, task
from airflow_provider_callapi.operators.call_control import *
from airflow_provider_callapi.operators.start_call import *
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

TTS = {"type": "tts", "value": "Hello"}
"""

STEERED = (
    IMPORTS
    + """
with DAG("steered", render_template_as_native_obj=False) as dag:
    start = CallApiStartEmployeeCallOperator(
        task_id="start",
        virtual_phone_number="74993720692",
        contact="{{ dag_run.conf['contact'] }}",
        first_call="employee",
        employee={"id": "{{ dag_run.conf['employee'] }}"},
    )
    wait = CallApiSessionSensor(
        task_id="wait", call_session_id=start.output, until="answered", poke_interval=0.2
    )
    by_reference = CallApiTagCallOperator(
        task_id="by_reference", call_session_id=start.output, tag_id="{{ 36 }}"
    )
    by_text = CallApiTagCallOperator(
        task_id="by_text",
        call_session_id="{{ ti.xcom_pull(task_ids='start')['call_session_id'] }}",
        tag_id=37,
    )
    look = CallApiListCallsOperator(task_id="look")
    release = CallApiReleaseCallOperator(task_id="release", call_session_id=wait.output)
    gone = CallApiSessionSensor(
        task_id="gone", call_session_id=wait.output, deferrable=True, poke_interval=0.2
    )
    wait >> [by_reference, by_text] >> look >> release >> gone
"""
)

MAPPED = (
    IMPORTS
    + """
with DAG("mapped") as dag:
    @task
    def people():
        return ["79160000001", "79160000002", "79160000003"]

    start = CallApiStartInformerCallOperator.partial(
        task_id="start",
        virtual_phone_number="74993720692",
        contact_message=TTS,
        wait_for_completion=True,
        deferrable=True,
        poll_interval=0.2,
    ).expand(contact=people())
    CallApiSessionSensor.partial(task_id="wait", poke_interval=0.2).expand(call_session_id=start.output)
"""
)

RESCHEDULED = (
    IMPORTS
    + """
with DAG("rescheduled") as dag:
    start = CallApiStartInformerCallOperator(
        task_id="start", virtual_phone_number="74993720692", contact="79161234567", contact_message=TTS
    )
    CallApiSessionSensor(
        task_id="wait", call_session_id=start.output, mode="reschedule", poke_interval=0.3
    )
"""
)

REFUSED = (
    IMPORTS
    + """
with DAG("refused", default_args={"retries": 3}) as dag:
    CallApiStartInformerCallOperator(
        task_id="start", virtual_phone_number="74993720692", contact="79161234567", contact_message=TTS
    )
"""
)


IN_A_FUNCTION = (
    IMPORTS
    + """
from datetime import timedelta
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.hooks.callapi import CallApiHook

with DAG("in_a_function") as dag:

    @task(retries=2, retry_delay=timedelta(0))
    def call_everybody(**context):
        people = ["79160000001", "79160000002"]
        with CallApiHook() as hook:
            calls = [
                hook.place_call(
                    StartInformerCall(
                        virtual_phone_number="74993720692",
                        contact=person,
                        contact_message={"type": "tts", "value": f"Try {context['ti'].try_number}"},
                    ),
                    context,
                )
                for person in people
            ]
        if context["ti"].try_number == 1:
            raise RuntimeError("the first try fails after its calls")
        return [call["call_session_id"] for call in calls]

    call_everybody()
"""
)


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_function_of_a_task_places_its_calls_once_although_its_first_try_fails(run_dag, exchange):
    for number in (1, 2):
        exchange.expect_ring(f"7916000000{number}")
    exchange.expect_no_other_rings()

    run = run_dag(IN_A_FUNCTION)

    assert run.state == "success", run.states
    assert run.xcoms["call_everybody"] == [call.call_session_id for call in exchange.calls]
    assert [exchange.rings(f"7916000000{n}") for n in (1, 2)] == [1, 1]


def test_control_tasks_find_the_call_by_a_reference_to_its_start_task(run_dag, exchange):
    exchange.expect_ring("79161234567", Script(rings=0.3, employee_rings=0.2, talks=None))
    exchange.expect_no_other_rings()

    run = run_dag(STEERED, conf={"contact": "79161234567", "employee": "25"})

    assert run.state == "success", run.states
    (call,) = exchange.calls
    assert not call.active
    assert sorted(call.tags) == [36, 37]
    assert run.xcoms["wait"]["answered"] is True
    assert run.xcoms["by_reference"] == {"call_session_id": call.call_session_id, "already": False}
    (listed,) = run.xcoms["look"]
    assert listed["contact_phone_number"] == "7916…4567"
    assert (run.xcoms["gone"]["status"], run.xcoms["gone"]["answered"]) == ("ended", True)
    assert "79161234567" not in json.dumps(run.xcoms)


def test_mapped_calls_ring_every_person_once_and_each_sensor_waits_for_its_call(run_dag, exchange):
    for number in (1, 2, 3):
        exchange.expect_ring(f"7916000000{number}", Script(rings=0.3, talks=0.8))
    exchange.expect_no_other_rings()

    run = run_dag(MAPPED)

    assert run.state == "success", run.states
    assert [exchange.rings(f"7916000000{n}") for n in (1, 2, 3)] == [1, 1, 1]
    calls = [run.xcoms[f"start[{n}]"] for n in range(3)]
    assert [call["status"] for call in calls] == ["ended"] * 3
    assert len({call["external_id"] for call in calls}) == 3
    assert [run.xcoms[f"wait[{n}]"]["call_session_id"] for n in range(3)] == [
        call["call_session_id"] for call in calls
    ]


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_rescheduled_sensor_keeps_its_observation_in_task_state(run_dag, exchange):
    exchange.script("79161234567", Script(rings=0.2, talks=3))

    run = run_dag(RESCHEDULED)

    assert run.state == "success", run.states
    assert (run.xcoms["wait"]["status"], run.xcoms["wait"]["answered"]) == ("ended", True)
    assert run.xcoms["wait"]["observed"] is True


def test_a_refused_call_fails_at_once_even_with_retries(run_dag, exchange, connection):
    connection(password="wrong")

    run = run_dag(REFUSED)

    assert run.states == {"start": "failed"}, "not up_for_retry"
    assert exchange.requests("start.informer_call") == 1


UNRENDERED = """
from datetime import timedelta
from airflow.sdk import DAG
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

renderings = []

def name():
    renderings.append(1)
    if len(renderings) == 2:
        raise ConnectionError("the secrets backend is down")
    return "Anna"

with DAG("unrendered", user_defined_macros={"name": name}) as dag:
    CallApiStartInformerCallOperator(
        task_id="call",
        virtual_phone_number="74993720692",
        contact="79161234567",
        contact_message={"type": "tts", "value": "Hello {{ name() }}"},
        wait_for_completion=True,
        deferrable=True,
        durable=False,
        retries=1,
        retry_delay=timedelta(0),
    )
"""


def test_a_template_that_fails_after_the_wait_for_a_call_causes_no_second_call_without_a_journal(
    run_dag, exchange
):
    exchange.script("79161234567", Script(rings=0.2, talks=0.5))

    run = run_dag(UNRENDERED)

    assert run.states["call"] == "failed"
    assert exchange.rings("79161234567") == 1
