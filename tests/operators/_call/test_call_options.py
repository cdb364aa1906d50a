"""The options of the start operators: limits, and attributes that change after construction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow_fakes import CONTACT, TTS, VNUMBER

from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator


def make_operator(**more: Any) -> CallApiStartInformerCallOperator:
    return CallApiStartInformerCallOperator(
        task_id="call", virtual_phone_number=VNUMBER, contact=CONTACT, contact_message=TTS, **more
    )


def test_an_option_that_a_subclass_or_a_cluster_policy_sets_later_is_used() -> None:
    operator = make_operator()
    operator.max_lateness = 60
    operator.cancel_on_kill = True

    options = operator._read_options()

    assert (options.max_lateness, options.cancel_on_kill) == (timedelta(minutes=1), True)


def test_operations_need_the_end_of_the_call() -> None:
    operator = make_operator()
    operator.operations = True
    operator.wait_for_completion = False
    with pytest.raises(ValueError, match="operations needs wait_for_completion=True"):
        operator._read_options()


def test_an_option_that_is_set_to_a_wrong_value_later_is_named() -> None:
    operator = make_operator()
    operator.require_answer = True
    with pytest.raises(ValueError, match="require_answer needs wait_for_completion=True"):
        operator._read_options()


@pytest.mark.parametrize("seconds", [0, 59, float("inf"), float("nan"), -1])
def test_absence_proven_after_is_finite_and_at_least_appear_timeout(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"absence_proven_after: .*(at least appear_timeout|at most)"):
        make_operator(wait_for_completion=True, absence_proven_after=seconds)
