"""The error about an unknown parameter names the parameter that its author probably meant."""

from __future__ import annotations

from typing import Any

import pytest
from known_numbers import VNUMBER

from airflow_provider_callapi.notifications.callapi import CallApiNotifier
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator
from airflow_provider_callapi.parameters.unknown_names import describe_unknown

CALL = {"virtual_phone_number": VNUMBER, "contact": "79260000001"}


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("contact_mesage", "contact_message"),
        ("wait_for_complete", "wait_for_completion"),
        ("wait_for", "wait_for_completion"),
        ("calling_hour", "calling_hours"),
    ],
)
def test_the_error_of_a_misspelt_parameter_names_the_task_and_the_parameter_that_is_meant(
    misspelt: str, meant: str
) -> None:
    with pytest.raises(TypeError) as caught:
        CallApiStartInformerCallOperator(task_id="remind", **CALL, **{misspelt: "79260000001"})

    assert str(caught.value) == (
        f"task remind: CallApiStartInformerCallOperator has no parameter {misspelt}; did you mean {meant}?"
    )


def test_the_error_of_a_misspelt_required_parameter_of_the_notifier_names_it() -> None:
    given: dict[str, Any] = {"contact": "79260000001", "virtual_phone": VNUMBER}
    with pytest.raises(TypeError) as caught:
        CallApiNotifier(**given)

    assert str(caught.value) == (
        "CallApiNotifier has no parameter virtual_phone; did you mean virtual_phone_number?"
    )


def test_a_name_that_is_like_no_parameter_gets_no_suggestion() -> None:
    assert describe_unknown(CallApiNotifier, {"xyz": 1}) == "CallApiNotifier has no parameter xyz"
    assert describe_unknown(CallApiNotifier, CALL) is None
