"""One call through all layers: a real Airflow and a real exchange over HTTP."""

from airflow_provider_callapi.emulator import Script

DAG = """
from airflow.sdk import DAG
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

with DAG("thin_slice") as dag:
    CallApiStartInformerCallOperator(
        task_id="call",
        virtual_phone_number="74993720692",
        contact="79260000001",
        contact_message={"type": "tts", "value": "Hello"},
        wait_for_completion=True,
        deferrable=True,
        poll_interval=0.1,
        tags={"answered": "{{ 36 }}"},
    )
"""


def test_a_deferred_task_places_one_call_and_tags_it(run_dag, exchange):
    exchange.expect_ring("79260000001", Script(rings=0.5, talks=3))
    exchange.expect_no_other_rings()

    run = run_dag(DAG)

    assert run.state == "success"
    assert exchange.rings("79260000001") == 1
    call = run.xcoms["call"]
    assert (call["status"], call["answered"], call["observed"], call["tags"]) == ("ended", True, True, [36])
    assert "79260000001" not in str(call)
