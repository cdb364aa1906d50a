"""A real Airflow never renders the data of mapped tasks as templates."""

from __future__ import annotations

import json
import traceback
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, task

from airflow_provider_callapi.calls.campaign.run import runner
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.operators.branch import CallApiBranchOperator
from airflow_provider_callapi.operators.call_control import (
    CallApiHoldCallOperator,
    CallApiMakeCallOperator,
    CallApiTagCallOperator,
)
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.operators.start_call import (
    CallApiStartEmployeeCallOperator,
    CallApiStartInformerCallOperator,
    CallApiStartScenarioCallOperator,
    CallApiStartSimpleCallOperator,
    CallApiStartVnumberCallOperator,
)
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

IMPORTS = """
from airflow.sdk import DAG, task
from airflow_provider_callapi.operators.branch import *
from airflow_provider_callapi.operators.call_control import *
from airflow_provider_callapi.operators.campaign import *
from airflow_provider_callapi.operators.start_call import *
from airflow_provider_callapi.sensors.call_session import *

SECRET = "{{ conn.callapi_default.password }}"
TTS = {"type": "tts", "value": "Hi"}
"""
ROWS = (
    IMPORTS
    + """
with DAG("rows") as dag:
    @task
    def rows():
        return [
            {"contact": "79160000001", "contact_message": {"type": "tts", "value": "Hello, " + SECRET}},
            {"contact": "79160000002", "contact_message": TTS, "external_id": SECRET},
            {"contact": "7916000000{{ 6 }}", "contact_message": TTS},
        ]

    CallApiStartInformerCallOperator.partial(
        task_id="start", virtual_phone_number="{{ '74993720692' }}"
    ).expand_kwargs(%s)
"""
)


@pytest.mark.parametrize("rows", ["rows()", "rows().map(lambda row: row)"], ids=["xcom", "mapped xcom"])
def test_rows_of_another_task_are_plain_text_or_refused_and_never_rendered(
    run_dag: Any, exchange: Any, rows: str
) -> None:
    run = run_dag(ROWS % rows)

    assert exchange.rings("79160000001") == exchange.rings("79160000002") == 1
    assert exchange.rings("79160000006") == 0
    assert [run.states[f"start[{index}]"] for index in range(3)] == ["success", "success", "failed"]
    assert exchange.account.key not in str(run.xcoms)
    assert run.xcoms["start[1]"]["external_id"] == "{{ conn.callapi_default.password }}"


def test_the_callback_of_a_mapped_task_runs_even_if_a_value_of_it_cannot_be_used(
    run_dag: Any, exchange: Any, tmp_path: Any
) -> None:
    run = run_dag(
        IMPORTS
        + f"""
def mark(context):
    with open({str(tmp_path / "failed")!r}, "a") as file:
        print(context["ti"].task_id, context["ti"].map_index, file=file)

with DAG("callbacks") as dag:
    CallApiStartInformerCallOperator.partial(
        task_id="call", virtual_phone_number="74993720692", contact_message=TTS, on_failure_callback=mark
    ).expand(contact=["79160000001", "12"])
"""
    )

    assert [run.states[f"call[{index}]"] for index in range(2)] == ["success", "failed"]
    assert (tmp_path / "failed").read_text() == "call 1\n"
    assert exchange.rings("79160000001") == 1


LITERAL = (
    IMPORTS
    + """
with DAG("literal") as dag:
    CallApiStartInformerCallOperator.partial(
        task_id="expand", virtual_phone_number="74993720692", contact_message={"type": "tts", "value": "Hi"}
    ).expand(contact=["{{ '79160000001' }}", "79160000002"])
    CallApiStartInformerCallOperator.partial(
        task_id="kwargs", virtual_phone_number="74993720692", contact_message={"type": "tts", "value": "Hi"}
    ).expand_kwargs([{"contact": "7916000000{{ 3 }}"}])
"""
)


def test_a_list_in_the_dag_file_is_rendered(run_dag: Any, exchange: Any) -> None:
    run = run_dag(LITERAL)

    assert run.state == "success"
    assert [exchange.rings(f"7916000000{digit}") for digit in (1, 2, 3)] == [1, 1, 1]


PHONE = "79160000009"
TEXT = "{{ conn.callapi_default.password }}"
AUTHORS = "{{ 6 * 7 }}"
RENDERED = {AUTHORS: "42"}
TWO_SIDED = {"virtual_phone_number": AUTHORS, "first_call": "contact", "wait_for_completion": True}
MESSAGE = {"type": "tts", "value": TEXT}
OPERATORS = [
    (CallApiStartInformerCallOperator, {"virtual_phone_number": AUTHORS}, {"contact_message": MESSAGE}),
    (CallApiStartEmployeeCallOperator, TWO_SIDED, {"employee": {"id": TEXT}, "tags": {"ended": TEXT}}),
    (CallApiStartScenarioCallOperator, TWO_SIDED, {"scenario_id": TEXT}),
    (CallApiStartVnumberCallOperator, TWO_SIDED, {"dtmf_string": TEXT}),
    (CallApiStartSimpleCallOperator, TWO_SIDED, {"operator": TEXT}),
    (CallApiMakeCallOperator, {"call_session_id": AUTHORS}, {"to": TEXT, "to_message": MESSAGE}),
    (
        CallApiHoldCallOperator,
        {"call_session_id": AUTHORS},
        {"contact_message": {"type": "tts", "value": [TEXT]}},
    ),
    (CallApiTagCallOperator, {"tag_id": AUTHORS}, {"call_session_id": {"call_session_id": TEXT}}),
    (
        CallApiCampaignOperator,
        {"call": {"method": "start.informer_call"}, "region": AUTHORS},
        {"contacts": [{"name": TEXT}], "do_not_call": [TEXT]},
    ),
    (CallApiBranchOperator, {"if_answered": None}, {"call": {"external_id": TEXT}}),
    (CallApiSessionSensor, {"callapi_conn_id": AUTHORS}, {"call_session_id": {"call_session_id": TEXT}}),
]


@pytest.mark.parametrize(
    ("operator", "partial", "row"), OPERATORS, ids=[operator.__name__ for operator, *_ in OPERATORS]
)
def test_each_operator_renders_the_authors_templates_but_no_mapped_row(
    operator: Any, partial: dict[str, Any], row: dict[str, Any]
) -> None:
    with DAG("mapped") as dag:

        @task
        def rows() -> list[dict[str, Any]]:
            return []

        operator.partial(task_id="mapped", **partial).expand_kwargs(rows())
    if "start" in operator.__module__:
        row = {"contact": TEXT, **row}
    unmapped = dag.get_task("mapped").unmap(row)

    unmapped._do_render_template_fields(
        parent=unmapped,
        template_fields=unmapped.template_fields,
        context={
            "ti": SimpleNamespace(map_index=0, xcom_pull=lambda **_: [row]),
            "dag": dag,
            "task": unmapped,
            "run_id": "run",
        },
        jinja_env=unmapped.get_template_env(),
        seen_oids=set(),
    )

    assert {name: getattr(unmapped, name) for name in row} == row
    for name, value in partial.items():
        if name in unmapped.template_fields:
            assert getattr(unmapped, name) == RENDERED.get(value, value)


AUTHORS_TEMPLATES = (
    IMPORTS
    + """
with DAG("authors", default_args={"virtual_phone_number": "{{ '74993720692' }}"}) as dag:
    @task
    def rows():
        return [{"contact": "79160000001", "contact_message": TTS}]

    @task
    def campaigns():
        return [{"contacts": ["79160000002"]}]

    CallApiStartInformerCallOperator.partial(task_id="start").expand_kwargs(rows())
    CallApiCampaignOperator.partial(
        task_id="campaign",
        call={"method": "start.informer_call", "virtual_phone_number": "74993720692", "contact_message": TTS},
        dry_run="{{ true }}",
    ).expand_kwargs(campaigns())
"""
)


@pytest.mark.needs_airflow("3.3", "task state")
def test_defaults_and_default_args_are_templates_in_a_task_with_mapped_rows(
    run_dag: Any, exchange: Any
) -> None:
    run = run_dag(AUTHORS_TEMPLATES)

    assert run.state == "success"
    assert (exchange.rings("79160000001"), exchange.rings("79160000002")) == (1, 0)
    assert run.xcoms["campaign[0]"]["campaign"] == f"authors.campaign.{run.run_id}"


CAMPAIGNS = (
    IMPORTS
    + """
with DAG("campaigns") as dag:
    @task
    def campaigns():
        return [
            {
                "contacts": [
                    {"phone": "79160000001", "name": SECRET},
                    {"phone": "7916000000{{ 6 }}", "name": "Anna"},
                    {"phone": "79160000002", "name": "Anna"},
                ],
            }
        ]

    CallApiCampaignOperator.partial(
        task_id="campaign",
        call={
            "method": "start.informer_call",
            "virtual_phone_number": "74993720692",
            "contact_message": {"type": "tts", "value": "Hello, {{ contact.name }}"},
            "external_id": "{{ contact.name }}",
        },
        calling_hours=None,
        poll_interval=0.5,
    ).expand_kwargs(campaigns())
"""
)


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_campaign_neither_renders_nor_speaks_a_template_in_a_mapped_list(
    run_dag: Any, exchange: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []
    handle = exchange.handle_bytes

    def record(body: bytes, *args: Any, **kwargs: Any) -> Any:
        sent.append(json.loads(body))
        return handle(body, *args, **kwargs)

    monkeypatch.setattr(exchange, "handle_bytes", record)
    monkeypatch.setattr(runner, "CAMPAIGN_REPORT_INTERVAL", 1.0)
    exchange.default_script = Script(rings=0.2, talks=0.5)

    run = run_dag(CAMPAIGNS)

    assert run.states["campaign[0]"] == "success", run.states
    rings = [exchange.rings(f"7916000000{digit}") for digit in (1, 6, 2)]
    assert rings == [0, 0, 1]
    (start,) = [body["params"] for body in sent if body["method"] == "start.informer_call"]
    assert start["contact_message"]["value"] == "Hello, Anna"
    assert exchange.account.key not in str([start["contact_message"], start.get("external_id"), run.xcoms])


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_template_in_the_mapped_call_of_another_task_knows_only_the_row(
    run_dag: Any, exchange: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "CAMPAIGN_REPORT_INTERVAL", 1.0)
    exchange.default_script = Script(rings=0.2, talks=0.5)

    run = run_dag(CALLS_OF_ANOTHER_TASK)

    assert (run.states["campaign[0]"], run.states["campaign[1]"]) == ("success", "failed"), run.states
    assert [call.messages["contact_message"] for call in exchange.calls] == ["Hello, Anna"]


CALLS_OF_ANOTHER_TASK = (
    IMPORTS
    + """
with DAG("calls", params={"key": "secret"}) as dag:
    @task
    def calls():
        call = {"method": "start.informer_call", "virtual_phone_number": "74993720692"}
        texts = ["Hello, {{ contact.name }}", "{{ contact.name }} {{ params.key }}"]
        return [{"call": {**call, "contact_message": {"type": "tts", "value": text}}} for text in texts]

    CallApiCampaignOperator.partial(
        task_id="campaign",
        contacts=[{"phone": "79160000001", "name": "Anna"}],
        campaign="{{ ti.map_index }}",
        calling_hours=None,
        poll_interval=0.5,
    ).expand_kwargs(calls())
"""
)


LIMITS = (
    IMPORTS
    + """
CALL = {"method": "start.informer_call", "virtual_phone_number": "74993720692", "contact_message": TTS}

with DAG("limits", default_args={"poll_interval": 0.5, "virtual_phone_number": "74993720692"}) as dag:
    @task
    def values(*values):
        return list(values)

    START = {"contact": "79160000001", "contact_message": TTS}
    start = CallApiStartInformerCallOperator
    start.partial(task_id="hours", **START).expand(calling_hours=values(None))
    start.partial(task_id="days", **START).expand(calling_days=values({"days": ["mon"], "except": None}))
    start.partial(task_id="late").expand_kwargs(values({**START, "max_lateness": None}))
    campaign = CallApiCampaignOperator
    campaign.partial(task_id="list", call=CALL).expand_kwargs(
        values({"contacts": ["79160000001"], "do_not_call": None})
    )
    campaign.partial(task_id="blacklist", call=CALL, contacts=["79160000001"]).expand(
        do_not_call=values({"blacklist": True, "list": None})
    )
    campaign.partial(task_id="gap", call=CALL, contacts=["79160000001"]).expand(min_gap=values(None))
    start.partial(task_id="in_the_dag_file").expand_kwargs(
        [{"contact": "79160000002", "contact_message": TTS, "calling_hours": None, "max_lateness": None}]
    )
"""
)


def test_no_limit_is_lifted_by_a_mapped_value_that_is_none(run_dag: Any, exchange: Any) -> None:
    run = run_dag(LIMITS)

    mapped = {name: state for name, state in run.states.items() if name.endswith("[0]")}
    assert mapped == {
        **{f"{name}[0]": "failed" for name in ("hours", "days", "late", "list", "blacklist", "gap")},
        "in_the_dag_file[0]": "success",
    }
    assert (exchange.rings("79160000001"), exchange.rings("79160000002")) == (0, 1)


@pytest.mark.parametrize(
    ("operator", "partial", "row"), OPERATORS, ids=[operator.__name__ for operator, *_ in OPERATORS]
)
@pytest.mark.parametrize("name", ["second_phone", "kwargs", "Имя"])
def test_the_error_about_an_unknown_key_of_a_row_names_the_key_and_shows_no_value(
    operator: Any, partial: dict[str, Any], row: dict[str, Any], name: str
) -> None:
    contact = {"contact": TEXT} if "start" in operator.__module__ else {}
    unknown = {name: PHONE}

    with pytest.raises(TypeError) as refused:
        operator(task_id="call", **partial, **row, **contact, **unknown)

    assert name in str(refused.value)
    assert PHONE not in "".join(traceback.format_exception(refused.value))


UNEQUAL_ROWS = (
    IMPORTS
    + """
from airflow.exceptions import AirflowSkipException

START = {"contact": "79160000001", "contact_message": TTS}
DAY = {"contact": "79160000002", "contact_message": TTS, "calling_hours": ["00:00", "23:59"]}
CALL = {"method": "start.informer_call", "virtual_phone_number": "74993720692", "contact_message": TTS}
PEOPLE = {"contacts": ["79160000001"]}

def skip_the_second(row):
    if row["contact"] == "79160000002":
        raise AirflowSkipException
    return row

with DAG("unequal_rows", default_args={"poll_interval": 0.5, "virtual_phone_number": "74993720692"}) as dag:
    @task
    def values(*values):
        return list(values)

    @task
    def value(value):
        return value

    start = CallApiStartInformerCallOperator
    start.partial(task_id="hours").expand_kwargs(values(START, DAY))
    start.partial(task_id="of_tasks").expand_kwargs(value.expand(value=[START, DAY]))
    start.partial(task_id="days").expand_kwargs([value(START), {**DAY, "calling_days": None}])
    campaign = CallApiCampaignOperator
    campaign.partial(task_id="list", call=CALL, calling_hours=["00:00", "23:59"]).expand_kwargs(
        values(PEOPLE, {**PEOPLE, "do_not_call": ["79160000001"]})
    )
    start.partial(task_id="skipped").expand_kwargs(
        values({**START, "contact": "79160000003"}, DAY).map(skip_the_second)
    )
    start.partial(task_id="given", calling_hours=None, timezone="UTC").expand_kwargs(
        values({**START, "contact": "79160000004"}, {**START, "contact": "79160000005", "external_id": "5"})
    )
"""
)


def test_no_row_without_a_limit_that_other_rows_have_calls_anyone(run_dag: Any, exchange: Any) -> None:
    run = run_dag(UNEQUAL_ROWS)

    without = {name: state for name, state in run.states.items() if name.endswith("[0]")}
    assert without == {
        "value[0]": "success",
        **{f"{name}[0]": "failed" for name in ("hours", "of_tasks", "days", "list")},
        **{f"{name}[0]": "success" for name in ("skipped", "given")},
    }
    assert exchange.rings("79160000001") == 0
    assert exchange.rings("79160000003") == exchange.rings("79160000004") == 1
