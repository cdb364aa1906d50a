"""No text such as ``false`` decides whom a task rings, or whether: the template fails before the call."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_fakes import CONTACT, TTS, VNUMBER
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateRuntimeError

from airflow_provider_callapi.decorators._decorated_operators import InformerFunctionOperator
from airflow_provider_callapi.notifications.callapi import CallApiNotifier
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

WRONG = r"a condition gets|a comparison of a text with a number"
NO = ("false", "нет", "0", "no")
CALL = {"method": "start.informer_call", "virtual_phone_number": VNUMBER, "contact_message": TTS}
CONDITIONS = ("params.x", "not params.x", "params.x == true", "params.x != 0", "params.x in (0, 1)")
START = {"virtual_phone_number": VNUMBER, "contact": CONTACT, "contact_message": TTS}


def _rendered(make: Any, x: Any, *, native: bool = False, **dag: Any) -> Any:
    with DAG("dag", render_template_as_native_obj=native, **dag):
        operator = make()
    operator.render_template_fields({"params": {"x": x}})
    return operator


def _start(**changes: Any) -> Any:
    return lambda: CallApiStartInformerCallOperator(task_id="call", **{**START, **changes})


def _campaign(**changes: Any) -> Any:
    fields = {"contacts": [{"phone": CONTACT}], "campaign": "spring", "call": CALL, **changes}
    return lambda: CallApiCampaignOperator(task_id="call", **fields)


@given(
    text=st.sampled_from(NO),
    field=st.sampled_from(["contact", "virtual_phone_number", "external_id", "region", "calling_hours"]),
    condition=st.sampled_from(CONDITIONS),
    native=st.booleans(),
)
def test_no_field_of_a_start_operator_depends_on_a_text_for_a_boolean(
    text: str, field: str, condition: str, native: bool
) -> None:
    template = f"{{{{ '{CONTACT}' if {condition} else '{VNUMBER}' }}}}"
    with pytest.raises(TemplateRuntimeError, match=WRONG):
        _rendered(_start(**{field: template}), text, native=native)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(("x", "rung"), [(False, VNUMBER), (True, CONTACT), (None, VNUMBER), ("да", CONTACT)])
def test_another_value_chooses_the_contact(x: Any, rung: str, native: bool) -> None:
    template = f"{{{{ '{CONTACT}' if params.x else '{VNUMBER}' }}}}"
    assert str(_rendered(_start(contact=template), x, native=native).contact) == rung


@given(
    text=st.sampled_from(NO),
    template=st.sampled_from(
        [
            "{{ not params.x }}",
            "{{ 'false' if params.x else 'true' }}",
            "{{ params.x != true }}",
            "{{ params.x or 'true' }}",
            "{{ params.x and true }}",
        ]
    ),
)
def test_a_dry_run_dials_for_no_text_that_means_no(text: str, template: str) -> None:
    with pytest.raises(TemplateRuntimeError, match=WRONG):
        _rendered(_campaign(dry_run=template), text)


@pytest.mark.parametrize(
    "contacts",
    [
        "{{ 'everybody.csv' if params.x else 'testers.csv' }}",
        {
            "conn_id": "dwh",
            "sql": "SELECT phone FROM people WHERE is_test = %(t)s",
            "parameters": {"t": "{{ not params.x }}"},
        },
        "{% if params.x == 1 %}everybody.csv{% else %}testers.csv{% endif %}",
    ],
)
@pytest.mark.parametrize("text", NO)
def test_the_list_of_a_campaign_does_not_depend_on_a_text_for_a_boolean(contacts: Any, text: str) -> None:
    with pytest.raises(TemplateRuntimeError, match=WRONG):
        _rendered(_campaign(contacts=contacts), text)


def test_a_finalize_of_the_dag_does_not_switch_off_the_check() -> None:
    make = _start(contact=f"{{{{ '{CONTACT}' if params.x else '{VNUMBER}' }}}}")
    with pytest.raises(TemplateRuntimeError, match="a condition gets"):
        _rendered(make, "false", jinja_environment_kwargs={"finalize": str})


def test_the_log_names_the_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TemplateRuntimeError):
        _rendered(_campaign(dry_run="{{ not params.x }}"), "false")
    assert " dry_run: a template cannot be rendered" in capsys.readouterr().out


def test_an_alert_rings_whatever_a_condition_gets() -> None:
    notifier = CallApiNotifier(
        contact="{{ params.a if params.x else params.b }}", virtual_phone_number=VNUMBER
    )
    render = notifier._render_value
    context = {"dag": DAG("dag"), "params": {"a": CONTACT, "b": VNUMBER, "x": "false"}}
    assert str(render("contact", notifier.contact, context, notifier.get_template_env())) == CONTACT


def test_the_arguments_of_an_authors_function_are_as_airflow_renders_them() -> None:
    operator = _rendered(
        lambda: InformerFunctionOperator(
            task_id="call",
            python_callable=lambda text: text,
            op_kwargs={"text": "{{ 'a' if params.x else 'b' }}"},
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
        ),
        "false",
    )
    assert operator.op_kwargs == {"text": "a"}
