"""The TaskFlow decorators in a real Airflow: a function makes the text of a call, or a list of people."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest
from airflow_fakes import CONTACT, TTS, VNUMBER, Task, TaskInstance, installed_task_state

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.decorators import callapi
from airflow_provider_callapi.decorators._decorated_operators import (
    CampaignFunctionOperator,
    InformerFunctionOperator,
)
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallNotAnswered

pytest_plugins = ["airflow_desk", "campaign_desk"]

PEOPLE = ["79160000001", "79160000002", "79160000003"]
# Airflow 3.1 remembers the tasks of a dag id for the whole process, so each test has its own dag id.
HEAD = """
from airflow.sdk import DAG, task

with DAG("{dag_id}", params={{"city": "Omsk"}}) as dag:
"""
SECRET = "{{ conn.callapi_default.password }}"


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The contact and the text of each start request that a client sends, in order."""
    sent: list[tuple[str, str]] = []
    call = Client.call

    def record(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(request, StartInformerCall):
            sent.append((request.contact, str(request.contact_message.value)))
        return call(self, request, *args, **kwargs)

    monkeypatch.setattr(Client, "call", record)
    return sent


INFORMER = (
    HEAD.format(dag_id="one_message")
    + """
    @task.callapi_informer(contact="{{ '79160000001' }}", virtual_phone_number="74993720692")
    def tell(name, params):
        return f"Hello {name} in {params['city']}, {{{{ conn.callapi_default.password }}}}"

    tell("{{ 'Anna' }}")
"""
)


def test_the_text_that_a_function_returns_is_spoken_and_never_rendered(run_dag, spoken):
    run = run_dag(INFORMER)

    assert run.states == {"tell": "success"}
    assert spoken == [(PEOPLE[0], f"Hello Anna in Omsk, {SECRET}")]
    assert run.xcoms["tell"]["status"] == "started"


NOTHING = (
    HEAD.format(dag_id="nothing")
    + """
    @task
    def nothing():
        return None

    @task.callapi_informer(contact="79160000001", virtual_phone_number="74993720692")
    def tell(name, *, city=None):
        return f"Hello {name or 'you'} in {city or 'town'}"

    tell(nothing(), city=nothing())
    tell.override(task_id="tell_each").expand(name=["Anna", None])
"""
)


def test_the_function_decides_about_none_in_its_arguments(run_dag, spoken):
    run = run_dag(NOTHING.replace("params=", "render_template_as_native_obj=True, params="))

    assert run.states["tell"] == run.states["tell_each[1]"] == "success"
    assert sorted(text for _, text in spoken)[-2:] == ["Hello you in town", "Hello you in town"]


MAPPED = (
    HEAD.format(dag_id="mapped_messages")
    + """
    @task
    def names():
        return ["Anna", "{{ conn.callapi_default.password }}"]

    @task.callapi_informer(virtual_phone_number="74993720692", contact="{{ '79160000001' }}")
    def tell(greeting, name):
        return f"{greeting} {name}"

    tell.partial(greeting="{{ 'Hello' }}").expand(name=names())
"""
)


def test_mapped_arguments_are_data_and_the_authors_templates_are_rendered(run_dag, spoken):
    run_dag(MAPPED)

    assert sorted(text for _, text in spoken) == ["Hello Anna", f"Hello {SECRET}"]


SAME_NAMES = (
    HEAD.format(dag_id="same_names")
    + """
    @task
    def season():
        return ["spring"]

    @task.callapi_campaign(
        call={"method": "start.informer_call", "virtual_phone_number": "74993720692",
              "contact_message": {"type": "tts", "value": "Hello"}},
        dry_run=True,
        deferrable=False,
    )
    def people(campaign):
        return ["79160000001"] if campaign == "spring" else []

    people.expand(campaign=season())
"""
)


@pytest.mark.needs_airflow("3.3", "task state")
def test_an_argument_with_the_name_of_a_parameter_leaves_the_parameter_a_template(run_dag):
    """Campaigns with one name in an SQL ledger share their calls, so the name must contain the run."""
    run = run_dag(SAME_NAMES)

    assert run.xcoms["people[0]"]["campaign"] == f"same_names.people.{run.run_id}"


CAMPAIGN = (
    HEAD.format(dag_id="campaign")
    + """
    @task.callapi_campaign(
        call={
            "method": "start.informer_call",
            "virtual_phone_number": "74993720692",
            "contact_message": {"type": "tts", "value": "Hello {{ contact.name }}"},
        },
        ledger_conn_id="ledger",
        dry_run=True,
    )
    def everybody(names):
        return [{"phone": f"7916000000{number}", "name": name} for number, name in enumerate(names, start=1)]

    everybody(["Anna", "Boris", "{{ 'Vera' }}"])
"""
)


def test_a_function_returns_the_list_of_a_campaign_in_airflow(run_dag, exchange, sqlite_ledger):
    run = run_dag(CAMPAIGN)

    assert run.states == {"everybody": "success"}
    assert run.xcoms["everybody"]["to_be_called"] == 3


@pytest.mark.parametrize("deferrable", [False, True])
def test_each_person_on_the_list_that_a_function_returns_is_called_once(campaign_desk, deferrable):
    options = {
        "task_id": "call",
        "call": {"method": "start.informer_call", "virtual_phone_number": VNUMBER, "contact_message": TTS},
        "ledger_conn_id": "ledger",
        "deferrable": deferrable,
        "python_callable": lambda: [{"phone": phone} for phone in PEOPLE],
    }
    calls = Task(campaign_desk, lambda: CampaignFunctionOperator(**options))
    calls.run()

    assert [campaign_desk.exchange.rings(phone) for phone in PEOPLE] == [1, 1, 1]
    assert bool(calls.deferrals) is deferrable


def informer(desk: Any, function: Any, **changes: Any) -> Task:
    options = {
        "task_id": "call",
        "contact": CONTACT,
        "virtual_phone_number": VNUMBER,
        "python_callable": function,
        "wait_for_completion": True,
        **changes,
    }
    return Task(desk, lambda: InformerFunctionOperator(**options))


@pytest.mark.skipif(installed_task_state() is None, reason="task state is of Airflow 3.3")
def test_a_changed_text_on_a_retry_causes_no_second_call(desk):
    answers = iter(["first", "second", "third"])
    desk.exchange.script(CONTACT, Script.busy())
    calls = informer(desk, lambda: next(answers), require_answer=True)
    with pytest.raises(CallNotAnswered):
        calls.run()
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))
    calls.retry()
    calls.retry()

    assert desk.exchange.rings(CONTACT) == 2


@pytest.mark.parametrize("value", [None, "", "  ", 5, ["Hello"], {"type": "tts", "value": "Hello"}])
def test_a_function_that_returns_no_text_places_no_call(desk, value):
    with pytest.raises(CallApiFailure, match="the function must return the text of the message"):
        informer(desk, lambda: value).run()

    assert desk.exchange.rings(CONTACT) == 0


def test_a_query_that_a_function_returns_is_refused(desk):
    operator = {
        "task_id": "call",
        "call": {"method": "start.informer_call", "virtual_phone_number": VNUMBER, "contact_message": TTS},
        "python_callable": lambda: {"conn_id": "dwh", "sql": "SELECT 1"},
    }
    with pytest.raises(CallApiFailure, match="contacts: a query must be written in the DAG file"):
        Task(desk, lambda: CampaignFunctionOperator(**operator), ti=TaskInstance()).run()


def test_the_decorator_takes_no_value_that_the_function_returns():
    with pytest.raises(TypeError, match="contact_message: the function returns the value"):
        InformerFunctionOperator(
            task_id="call",
            contact=CONTACT,
            virtual_phone_number=VNUMBER,
            contact_message=TTS,
            python_callable=lambda: "Hello",
        )


async def say_later() -> str:
    return "Hello"


def say_in_parts() -> Any:
    yield "Hello"


@pytest.mark.parametrize("function", [say_later, say_in_parts])
def test_a_function_that_does_not_return_its_value_is_refused_when_the_dag_is_parsed(desk, function):
    with pytest.raises(TypeError, match="contact_message: the function must return the value"):
        informer(desk, function).make()


@pytest.mark.parametrize(
    ("name", "operator"),
    [("callapi_informer", InformerFunctionOperator), ("callapi_campaign", CampaignFunctionOperator)],
)
def test_the_stub_has_every_parameter_of_the_operator(name, operator):
    stub = ast.parse(Path(callapi.__file__).with_suffix(".pyi").read_text("utf-8"))
    function = next(node for node in stub.body if isinstance(node, ast.FunctionDef) and node.name == name)
    own = {
        parameter
        for kind in operator.__mro__
        if kind.__module__.startswith("airflow_provider_callapi.operators") and "__init__" in vars(kind)
        for parameter in inspect.signature(kind.__init__).parameters
    } - {"self", "args", "kwargs", operator.returned}

    assert {argument.arg for argument in function.args.kwonlyargs} == own
