"""In a real Airflow, no task calls without what a failed or skipped map index would have given."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("sqlite_ledger")  # an Airflow before 3.3 needs it

# Airflow 3.1 remembers the tasks of a DAG id for the whole process, so each test has its own DAG id.
HEAD = """
from pathlib import Path
from airflow.exceptions import AirflowSkipException
from airflow.sdk import DAG, task, task_group
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

TTS = {"type": "tts", "value": "Hi"}
CALL = {"method": "start.informer_call", "virtual_phone_number": "74993720692", "contact_message": TTS}
PEOPLE = {
    "contacts": ["79160000001", "79160000002"], "call": CALL, "dry_run": True, "ledger_conn_id": "ledger"
}

def take(value):
    return value

with DAG(Path(__file__).stem, default_args={"poll_interval": 0.5, "retries": 0}) as dag:
    @task
    def numbers():
        return []

    @task
    def part(number):
        if number == "79160000003":
            raise ERROR
        return None if number == "79160000004" else number

    @task_group
    def group(number):
        return part(number)

    def campaign(name, **parameters):
        CallApiCampaignOperator(task_id=name, trigger_rule="all_done", **PEOPLE, **parameters)

    NUMBERS = ["79160000001", *MISSING]
    parts = part.expand(number=NUMBERS)
    campaign("output", do_not_call=parts)
    campaign("function", do_not_call=parts.map(take))
    campaign("inner", do_not_call={"blacklist": False, "list": parts})
    campaign("of_group", do_not_call=group.expand(number=NUMBERS))
    CallApiCampaignOperator.partial(
        task_id="mapped", trigger_rule="all_done", do_not_call=parts, **PEOPLE
    ).expand(region=["RU"])
"""
NAMES = ["output", "function", "inner", "of_group", "mapped[0]"]


def test_a_do_not_call_list_of_a_task_without_map_indexes_is_an_error(run_dag: Any) -> None:
    """Its list may be empty because the task before has failed."""
    run = run_dag(HEAD.replace('["79160000001", *MISSING]', "numbers()"))

    assert {name: run.states[name] for name in NAMES} == dict.fromkeys(NAMES, "failed")


@pytest.mark.parametrize(
    ("missing", "error"),
    [("79160000003", "ValueError"), ("79160000003", "AirflowSkipException"), ("79160000004", "ValueError")],
    ids=["failed", "skipped", "none"],
)
def test_a_do_not_call_list_without_the_numbers_of_a_map_index_is_an_error(
    run_dag: Any, missing: str, error: str
) -> None:
    run = run_dag(HEAD.replace("*MISSING", repr(missing)).replace("ERROR", error))

    assert {name: run.states[name] for name in NAMES} == dict.fromkeys(NAMES, "failed")
    assert not {*NAMES} & {*run.xcoms}


def test_a_do_not_call_list_of_all_map_indexes_is_used(run_dag: Any) -> None:
    run = run_dag(HEAD.replace("*MISSING", repr("79160000005")))

    assert {name: run.xcoms[name]["results"]["do_not_call"] for name in NAMES} == dict.fromkeys(NAMES, 1)


ELEMENTS = (
    HEAD.partition("    parts = ")[0]
    + """
    @task
    def nothing():
        return None

    @task
    def fails():
        raise ValueError

    def campaigns(name, number):
        campaign(name, do_not_call=["79160000001", number])
        campaign(name + "-list", do_not_call={"blacklist": False, "list": ("79160000001", number)})
        campaign(name + "-row", do_not_call=[{"phone": "79160000001"}, {"phone": number}])
        campaign(name + "-tolerant", do_not_call=["79160000001", number], max_unreadable=9)

    campaigns("none", nothing())
    campaigns("failed", fails())
    campaigns("template", "{{ ti.xcom_pull(task_ids='nothing') }}")
    campaigns("empty", "{{ '' }}")
    campaigns("dag-file", None)
"""
)


@pytest.mark.parametrize("native", [True, False])
def test_a_do_not_call_list_that_lacks_an_element_of_a_task_is_an_error(run_dag: Any, native: bool) -> None:
    """The element may be the person who must not be called."""
    texts = f"DAG(Path(__file__).stem, render_template_as_native_obj={native}"
    run = run_dag(ELEMENTS.replace("DAG(Path(__file__).stem", texts).replace("*MISSING", ""))

    kinds = ("", "-list", "-row", "-tolerant")
    lost = [name + kind for name in ("none", "failed", "template", "empty") for kind in kinds]
    assert {name: run.states[name] for name in lost} == dict.fromkeys(lost, "failed")
    written = ["dag-file" + kind for kind in kinds]
    assert {name: run.xcoms[name]["results"]["do_not_call"] for name in written} == dict.fromkeys(written, 1)


LOST = """
from pathlib import Path
from airflow.sdk import DAG, task
from airflow_provider_callapi.operators.call_control import CallApiMakeCallOperator
from airflow_provider_callapi.operators.calls_report import CallApiCallsReportOperator
from airflow_provider_callapi.operators.start_call import CallApiStartEmployeeCallOperator

TTS = {"type": "tts", "value": "Hi"}
with DAG(Path(__file__).stem, render_template_as_native_obj=True, default_args={"retries": 0}) as dag:
    @task
    def nothing():
        return None

    @task
    def rows():
        return [{"contact": "79160000001", **row} for row in ROWS]

    call = {
        "contact": "79160000001", "employee": {"id": 25}, "first_call": "contact",
        "virtual_phone_number": "74993720692", "wait_for_completion": True,
    }
    for name in ("contact_message", "dtmf_string", "external_id", "direction", "tags", "results"):
        CallApiStartEmployeeCallOperator(task_id=f"task-{name}", **{**call, name: nothing()})
        CallApiStartEmployeeCallOperator(task_id=f"template-{name}", **{**call, name: "{{ none }}"})
    phone = {"id": 25, "phone_number": nothing()}
    CallApiStartEmployeeCallOperator(task_id="task-phone", **{**call, "employee": phone})
    CallApiMakeCallOperator(task_id="to", call_session_id=1, to="79160000001", to_message=nothing())
    for name in ("start", "end", "direction", "virtual_phone_numbers", "employees", "tags", "fields", "to"):
        CallApiCallsReportOperator(task_id=f"report-{name}", **{name: nothing()})
    del call["contact"]
    CallApiStartEmployeeCallOperator.partial(task_id="row", **call).expand_kwargs(rows())
"""
ROWS = [
    {"dtmf_string": None, "contact_message": None},
    {"dtmf_string": "1"},
    {"contact_message": {"type": "tts", "value": "Hi"}},
]


def test_no_request_is_sent_without_a_value_that_a_template_or_a_task_has_lost(
    run_dag: Any, exchange: Any
) -> None:
    run = run_dag(LOST.replace("in ROWS", f"in {ROWS!r}"))

    states = {name: state for name, state in run.states.items() if name not in ("nothing", "rows")}
    assert {name for name in states if not name.startswith("nothing")} >= {"row[2]", "to", "report-tags"}
    assert {state for name, state in states.items() if not name.startswith("nothing")} == {"failed"}
    assert exchange.calls == []
