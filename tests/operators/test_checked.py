"""An error of a DAG file names the task, and Airflow shows the line of the file."""

from __future__ import annotations

import traceback

import pytest

from airflow_provider_callapi.exceptions import InvalidParameter

FRAMES_OF_AIRFLOW = 2
"""The default of ``[core] dagbag_import_error_traceback_depth``: how many frames an import error shows."""

START = 'CallApiStartInformerCallOperator(task_id="remind", virtual_phone_number="74993720692", {})'
ALERT = 'CallApiNotifier(virtual_phone_number="74993720692", {})'
SENSOR = 'CallApiSessionSensor(task_id="remind", call_session_id=5, {})'
DAG_FILE = """
from airflow.sdk import DAG
from airflow_provider_callapi.notifications.callapi import CallApiNotifier
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

with DAG("calls"):
    {wrong}
"""
TEXT = 'contact_message={"type": "tts", "value": "Hello"}'


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (START.format(f'{TEXT}, contact="926"'), "task remind: start.informer_call: contact: "),
        (START.format(f'{TEXT}, contact="79260000001", timeout="soon"'), "task remind: timeout: "),
        (START.format(f'{TEXT}, contact="79260000001", tags=[5]'), "task remind: tags: "),
        (START.format('contact="79260000001", message="Hello"'), "task remind: .*no parameter message"),
        (SENSOR.format('until="never"'), "task remind: until: "),
        (ALERT.format('contact="926"'), "contact: "),
        (ALERT.format('contact="79260000001", quiet_for="soon"'), "quiet_for: "),
    ],
)
def test_an_error_of_a_dag_file_names_the_task_and_airflow_shows_the_line(wrong: str, problem: str) -> None:
    code = compile(DAG_FILE.format(wrong=wrong), "dags/my_calls.py", "exec")

    with pytest.raises((InvalidParameter, TypeError), match=f"^{problem}"):
        exec(code, {})
    try:
        exec(code, {})
    except (InvalidParameter, TypeError):
        assert 'File "dags/my_calls.py", line 8' in traceback.format_exc(limit=-FRAMES_OF_AIRFLOW)
