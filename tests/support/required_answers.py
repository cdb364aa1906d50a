"""Tasks that require an answer, and their retries as Airflow runs them."""

from __future__ import annotations

from typing import Any

from airflow.exceptions import AirflowFailException
from airflow_fakes import CONTACT, VNUMBER, Task

from airflow_provider_callapi.exceptions import CallNotAnswered
from airflow_provider_callapi.operators.start_call import CallApiStartSimpleCallOperator

OPERATOR = "79035550000"


def try_often(task: Task, tries: int) -> Any:
    """Run a task as Airflow does with retries. Return the result; None: no try has succeeded."""
    run = task.run
    for _ in range(tries):
        try:
            return run()
        except AirflowFailException:
            return None
        except CallNotAnswered:
            run = task.retry
    return None


def simple_task(desk: Any, **changes: Any) -> Task:
    """Return a task that calls the contact first, then the operator, and requires an answer."""

    def make() -> CallApiStartSimpleCallOperator:
        return CallApiStartSimpleCallOperator(
            **{
                "task_id": "call",
                "virtual_phone_number": VNUMBER,
                "contact": CONTACT,
                "operator": OPERATOR,
                "first_call": "contact",
                "external_id": "order-7",
                "wait_for_completion": True,
                "require_answer": True,
                **changes,
            }
        )

    return Task(desk, make)
