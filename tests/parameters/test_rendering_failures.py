"""If a template cannot be rendered, the log names the field, and shows no phone number and no name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_fakes import TTS, VNUMBER
from jinja2 import UndefinedError

from airflow_provider_callapi.decorators._decorated_operators import InformerFunctionOperator
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.notifications.callapi import CallApiNotifier
from airflow_provider_callapi.operators.calls_report import CallApiCallsReportOperator
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.operators.start_call import (
    CallApiStartEmployeeCallOperator,
    CallApiStartInformerCallOperator,
)
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

PHONE, NAME, FAILS = "79169876543", "Aurelia", "{{ nobody.phone }}"
CALL = {"method": "start.informer_call", "virtual_phone_number": VNUMBER, "contact_message": TTS}


def campaign(**changes: Any) -> CallApiCampaignOperator:
    return CallApiCampaignOperator(
        **{"task_id": "t", "call": CALL, "contacts": [{"phone": PHONE}], **changes}
    )


def informer(**changes: Any) -> CallApiStartInformerCallOperator:
    fields = {"task_id": "t", "virtual_phone_number": VNUMBER, "contact": PHONE, "contact_message": TTS}
    return CallApiStartInformerCallOperator(**{**fields, **changes})


def function(**changes: Any) -> InformerFunctionOperator:
    fields = {"task_id": "t", "virtual_phone_number": VNUMBER, "contact": PHONE}
    return InformerFunctionOperator(python_callable=lambda *a, **k: "Hello", **{**fields, **changes})


def employee() -> CallApiStartEmployeeCallOperator:
    return CallApiStartEmployeeCallOperator(
        task_id="t",
        virtual_phone_number=VNUMBER,
        contact=PHONE,
        first_call="contact",
        employee={"id": FAILS, "phone_number": PHONE},
    )


def refuse(context: Any, jinja_env: Any) -> Any:
    raise UndefinedError("'nobody' is undefined")


class NamedRefusal:
    """A function whose repr() shows a phone number, as the one of `functools.partial` does."""

    def __repr__(self) -> str:
        return f"<function of {PHONE}>"

    __call__ = staticmethod(refuse)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: campaign(contacts=[{"phone": PHONE, "name": NAME}, {"phone": FAILS}]), "contacts"),
        (lambda: campaign(do_not_call=[PHONE, FAILS]), "do_not_call"),
        (lambda: informer(contact=PHONE + FAILS), "contact"),
        (lambda: informer(contact=NamedRefusal()), "contact"),
        (lambda: informer(contact_message={"type": "tts", "value": f"{NAME}, {FAILS}"}), "contact_message"),
        (employee, "employee"),
        (lambda: function(op_args=[{"phone": PHONE, "name": FAILS}]), "op_args"),
        (lambda: function(op_kwargs={"phone": PHONE, "name": FAILS}), "op_kwargs"),
        (lambda: CallApiSessionSensor(task_id="t", call_session_id=PHONE + FAILS), "call_session_id"),
        (
            lambda: CallApiCallsReportOperator(task_id="t", to="/tmp/x.csv", lookback=PHONE + FAILS),
            "lookback",
        ),
        (
            lambda: CallApiNotifier(contact=PHONE, virtual_phone_number=PHONE + FAILS),
            "virtual_phone_number",
        ),
    ],
)
@pytest.mark.parametrize("native", [False, True])
def test_a_field_that_cannot_be_rendered_is_named_and_not_shown(
    make: Callable[[], Any],
    field: str,
    native: bool,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with DAG("dag", render_template_as_native_obj=native) as dag:
        task = make()
    caplog.set_level("DEBUG")

    with pytest.raises(UndefinedError):
        task.render_template_fields({"dag": dag, "ds": "2026-01-01"})

    output = capfd.readouterr()
    logged = caplog.text + output.out + output.err
    assert f"{field}: a template cannot be rendered" in logged
    assert PHONE not in logged
    assert NAME not in logged


@pytest.mark.parametrize("template", ["{{ names[phone].title() }}", "{{ phone | float | fail }}"])
@pytest.mark.parametrize("native", [False, True])
def test_the_error_of_a_template_shows_no_phone_number(
    template: str, native: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(value: float) -> None:
        raise LookupError(f"no name for {value:.0f}")

    with DAG("dag", render_template_as_native_obj=native, user_defined_filters={"fail": fail}) as dag:
        tasks = [
            informer(contact_message={"type": "tts", "value": f"Hello {template}"}),
            informer(external_id=template, task_id="u"),
            campaign(contacts=[{"phone": PHONE, "name": template}], task_id="v"),
        ]
    said = r"^(contact_message|external_id|contacts): \w+Error: .*7916…"
    for task in tasks:
        with pytest.raises(CallApiTrouble, match=said):
            task.render_template_fields({"dag": dag, "names": {}, "phone": PHONE})
    output = capfd.readouterr()
    assert PHONE not in output.out + output.err
