"""A subclass of an author may have template fields of its own, and must not lose those of the package."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_fakes import CONTACT, TTS, VNUMBER, Desk, Task
from jinja2 import UndefinedError

from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

pytest_plugins = ["airflow_desk"]


class SaysOrder(CallApiStartInformerCallOperator):
    """A start operator that makes its message from a template field of its own."""

    template_fields = ("order", *CallApiStartInformerCallOperator.template_fields)

    def __init__(self, *, order: Any, **kwargs: Any) -> None:
        super().__init__(contact_message=TTS, **kwargs)
        self.order = order

    def execute(self, context: Any) -> Any:
        self.contact_message = {"type": "tts", "value": f"Your order {self.order} is ready"}
        return super().execute(context)


def order_task(desk: Desk, order: Any, params: dict[str, Any]) -> Task:
    def make() -> SaysOrder:
        with DAG("dag"):
            operator = SaysOrder(task_id="call", virtual_phone_number=VNUMBER, contact=CONTACT, order=order)
        operator.render_template_fields({"params": params})
        return operator

    return Task(desk, make)


@pytest.mark.parametrize("order", ["No {{ params.number }}", "{{ params.number }}"])
def test_a_missing_value_in_a_field_of_a_subclass_fails_as_airflow_itself_lets_it_fail(
    desk: Desk, order: str
) -> None:
    with pytest.raises(UndefinedError, match="number"):
        order_task(desk, order, {}).run()
    assert desk.sent() == []


def test_a_field_of_a_subclass_may_contain_what_the_package_refuses_in_its_own(desk: Desk) -> None:
    assert order_task(desk, "No {{ params.number }} {print}", {"number": 7}).make().order == "No 7 {print}"
    assert order_task(desk, "No {{ params.number }}", {"number": None}).make().order == "No None"


def test_a_subclass_that_does_not_name_a_field_with_a_template_is_refused_while_the_file_is_read() -> None:
    class Forgets(CallApiStartInformerCallOperator):
        template_fields = ("external_id", "contact")

    fixed = {"task_id": "call", "virtual_phone_number": VNUMBER, "contact": "{{ params.contact }}"}
    text = {"type": "tts", "value": "Hello {{ params.name }}"}

    with pytest.raises(
        InvalidParameter, match=r"^task \w+: contact_message: .* template_fields of the subclass"
    ):
        Forgets(**fixed, contact_message=text)
    with pytest.raises(InvalidParameter, match=r"^task \w+: contact_message: "):
        Forgets.partial(task_id="call", virtual_phone_number=VNUMBER, contact_message=text).expand(
            contact=[CONTACT]
        ).unmap({"contact": CONTACT})
    assert Forgets(**fixed, contact_message=TTS)


def test_the_error_about_an_argument_that_a_subclass_passes_on_shows_no_phone_number() -> None:
    class PassesOn(CallApiStartInformerCallOperator):
        def __init__(self, phone_two: str, **kwargs: Any) -> None:
            super().__init__(second_phone=phone_two, **kwargs)

    with pytest.raises(TypeError, match="second_phone") as refused:
        PassesOn(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            contact_message=TTS,
            phone_two="79165550011",
        )
    assert "79165550011" not in str(refused.value)
