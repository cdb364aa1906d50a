"""The calling hours and days as parameters: constants, templates and YAML."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from airflow.sdk import DAG
from airflow_fakes import CONTACT, TTS, VNUMBER, Desk, Task
from calling_hours_desk import MOSCOW, at, dialled_at, move_to, task
from ways_to_wait import ways

from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter
from airflow_provider_callapi.operators import start_call

pytest_plugins = ["airflow_desk"]


def operators() -> list[type[Any]]:
    return [getattr(start_call, name) for name in dir(start_call) if name.startswith("CallApiStart")]


def test_all_start_operators_have_the_parameters_as_templates() -> None:
    assert len(operators()) == 5
    for kind in operators():
        assert {"calling_hours", "calling_days", "timezone"} <= set(kind.template_fields)


@pytest.mark.parametrize(
    "wrong",
    [
        {"calling_hours": ["9", "25:00"]},
        {"calling_hours": [540, 1260]},
        {"calling_hours": ["09:00", "09:00"]},
        {"calling_days": ["someday"]},
        {"calling_days": {"days": "workdays", "exept": ["2026-01-01"]}},
        {"timezone": "Moscow"},
        {"timezone": "Factory"},
        {"timezone": "EST"},
    ],
    ids=str,
)
def test_a_constant_that_cannot_be_used_is_an_error_of_the_dag_file(
    desk: Desk, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidParameter, match=rf"^task \w+: {next(iter(wrong))}(\.exept)?: "):
        task(desk, **wrong).make()


def test_workdays_without_the_installed_extra_are_an_error_of_the_dag_file(desk: Desk) -> None:
    options = "airflow_provider_callapi.operators._option_checks.is_installed"
    desk.monkeypatch.setattr(options, lambda: False)
    with pytest.raises(
        InvalidParameter, match=r"^task \w+: calling_days: .*airflow-provider-callapi\[holidays\]"
    ):
        task(desk, calling_days="workdays").make()
    task(desk, calling_days=["mon"]).make()
    rendered = task(desk, calling_days="{{ 'workdays' }}").make()
    rendered.calling_days = "workdays"
    with pytest.raises(CallApiFailure, match=r"airflow-provider-callapi.holidays.*This try placed no call"):
        Task(desk, lambda: rendered).run()


@pytest.mark.parametrize("native", [True, False])
def test_hours_and_days_may_be_yaml_and_templates(desk: Desk, native: bool) -> None:
    options = yaml.safe_load(
        """
        calling_hours: ["{{ params.opens }}", "21:00"]
        calling_days: {days: workdays, also: ["{{ params.day }}"], except: [2025-10-10]}
        timezone: "{{ params.zone }}"
        """
    )
    params = {"opens": "10:00", "day": "2025-10-11", "zone": MOSCOW}
    move_to(desk, "2025-10-09T22:00")

    def make() -> Any:
        with DAG("dag", render_template_as_native_obj=native) as dag:
            operator = start_call.CallApiStartInformerCallOperator(
                task_id="call", virtual_phone_number=VNUMBER, contact=CONTACT, contact_message=TTS, **options
            )
        operator.dag = dag
        operator.render_template_fields({"params": params, "dag": dag, "task": operator})
        return operator

    calling = Task(desk, make)
    options["max_lateness"] = None
    calling.run()
    assert dialled_at(desk) == [at("2025-10-11T10:00")]


@ways
@pytest.mark.parametrize(
    ("name", "value", "lost"),
    [
        ("calling_hours", "{{ params.x }}", "calling_hours"),
        ("calling_days", "{{ params.x }}", "calling_days"),
        ("calling_days", {"days": ["thu"], "except": "{{ params.x }}"}, r"calling_days\.except"),
    ],
)
def test_no_limit_is_lifted_by_a_template_that_gives_none(
    desk: Desk, way: str, name: str, value: Any, lost: str
) -> None:
    """In a native DAG, a template gives None itself. In the DAG file, None means all hours or every day."""
    calling = task(desk, way, **{name: value})
    make = calling.make

    def rendered() -> Any:
        with DAG("dag", render_template_as_native_obj=True):
            operator = make()
        operator.render_template_fields({"params": {"x": None}})
        return operator

    calling.make = rendered
    with pytest.raises(CallApiFailure, match=f"^{lost}: the value is missing.*This try placed no call"):
        calling.run()

    assert desk.sent() == []


@ways
def test_no_limit_is_lifted_by_a_template_that_a_cluster_policy_has_set(desk: Desk, way: str) -> None:
    calling = task(desk, way)
    make = calling.make

    def rendered() -> Any:
        with DAG("dag", render_template_as_native_obj=True):
            operator = make()
        operator.calling_hours = "{{ params.x }}"
        operator.render_template_fields({"params": {"x": None}})
        return operator

    calling.make = rendered
    with pytest.raises(CallApiFailure, match=r"^calling_hours: the value is missing"):
        calling.run()

    assert desk.sent() == []
