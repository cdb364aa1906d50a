"""A retry that has become another kind of task calls no one whom an earlier try may have called."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from airflow_fakes import CONTACT, TTS, VNUMBER, Desk, Task

from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallNotAnswered
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

pytest_plugins = ["airflow_desk", "campaign_desk"]
pytestmark = pytest.mark.needs_airflow("3.3", "task state")

CALL = {"virtual_phone_number": VNUMBER, "contact_message": TTS}


def start(task: Task) -> Any:
    task.make = lambda: CallApiStartInformerCallOperator(
        task_id="call", contact=CONTACT, wait_for_completion=True, require_answer=True, **CALL
    )
    return task.run()


def run_function(task: Task) -> Any:
    request = StartInformerCall.from_values({"contact": CONTACT, **CALL})
    CallApiHook().place_call(request, context=task.context)
    raise CallNotAnswered("the function fails")


def run_campaign(task: Task) -> Any:
    task.make = lambda: CallApiCampaignOperator(
        task_id="call",
        campaign="spring",
        contacts=[CONTACT],
        call={"method": "start.informer_call", **CALL},
        fail_if_unreached_over=0.1,
        max_attempts=1,
    )
    return task.run()


@pytest.mark.parametrize(("first", "second"), permutations([start, run_function, run_campaign], 2))
def test_a_retry_of_another_kind_calls_no_one(
    campaign_desk: Desk, first: Callable[[Task], Any], second: Callable[[Task], Any]
) -> None:
    campaign_desk.exchange.script(CONTACT, Script.busy())
    task = Task(campaign_desk, lambda: None)
    with pytest.raises((CallNotAnswered, CallApiFailure)):
        first(task)
    assert campaign_desk.exchange.rings(CONTACT) == 1
    task.ti.try_number += 1
    with pytest.raises(CallApiFailure, match="In an earlier try, this task was "):
        second(task)
    assert campaign_desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize("kind", [start, run_campaign])
def test_a_retry_of_the_same_kind_goes_on(campaign_desk: Desk, kind: Callable[[Task], Any]) -> None:
    task = Task(campaign_desk, lambda: None)
    task.ti.try_number += 1
    kind(task)
    assert campaign_desk.exchange.rings(CONTACT) == 1
