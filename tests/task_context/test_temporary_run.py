"""No call starts in a DAG run that exists only because a user tests another task."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.execution_time import task_runner
from airflow_fakes import CONTACT, TTS, VNUMBER, Desk, Task, informer_task, installed_task_state
from failing_callbacks import ON_DUTY, SYNC_AND_ASYNC, notifier, of_task, rung, without_airflows_database

from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators.call_control import CallApiAddCoachOperator
from airflow_provider_callapi.task_context.temporary_run import is_test_of_another_task

pytest_plugins = ["airflow_desk"]

TEMPORARY = "__airflow_temporary_run_2026-11-30T10:00:00+00:00__"


class InProcessSupervisorComms:
    """Stands for Airflow's class of this name, which only the process of `airflow tasks test` uses."""


# With this fake, Airflow 3.0 asks it for the connection.
COMMAND = pytest.param("command", marks=pytest.mark.needs_airflow("3.1", "connections without a supervisor"))


@pytest.fixture(params=["scheduler", COMMAND])
def is_tested(request: Any, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Let a scheduler run the task, or the command `airflow tasks test`. Return whether it is the command."""
    is_command = request.param == "command"
    comms = InProcessSupervisorComms() if is_command else object()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", comms, raising=False)
    return is_command


def test_only_the_command_itself_runs_the_tested_task(monkeypatch: pytest.MonkeyPatch) -> None:
    for comms, is_command in ((InProcessSupervisorComms(), True), (object(), False)):
        monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", comms, raising=False)
        assert is_test_of_another_task(TEMPORARY) is not is_command
        assert not is_test_of_another_task("manual__2026-11-30T10:00:00+00:00")


def test_a_start_operator_calls_only_if_it_is_the_tested_task(desk: Desk, is_tested: bool) -> None:
    task = informer_task(desk, wait_for_completion=False)
    task.ti.run_id = TEMPORARY

    if is_tested:
        task.run()
    else:
        with pytest.raises(
            CallApiFailure, match=r"`airflow tasks test` tests another task .* placed no call"
        ):
            task.run()

    assert rung(desk) == ([CONTACT] if is_tested else [])


def test_place_call_calls_only_in_the_tested_task(desk: Desk, is_tested: bool) -> None:
    context = {"ti": informer_task(desk).ti, "task": SimpleNamespace(retries=0), "dag_run": None}
    context["ti"].run_id = TEMPORARY
    if state := installed_task_state():
        context["task_state_store"] = state
    request = StartInformerCall(virtual_phone_number=VNUMBER, contact=CONTACT, contact_message=TTS)

    with CallApiHook() as hook:
        if is_tested:
            hook.place_call(request, context)
        else:
            with pytest.raises(CallApiFailure, match="`airflow tasks test` tests another task"):
                hook.place_call(request, context)

    assert rung(desk) == ([CONTACT] if is_tested else [])


def test_a_control_operator_rings_a_phone_only_if_it_is_the_tested_task(desk: Desk, is_tested: bool) -> None:
    desk.exchange.script(CONTACT, Script(employee_rings=1, talks=None))
    session_id = desk.exchange.inbound(CONTACT)
    desk.clock.advance(10)
    make = partial(CallApiAddCoachOperator, task_id="coach", call_session_id=session_id, phone_number=ON_DUTY)
    task = Task(desk, make)
    task.ti.run_id = TEMPORARY

    if is_tested:
        task.run()
    else:
        with pytest.raises(CallApiFailure, match="`airflow tasks test` tests another task"):
            task.run()
        assert desk.sent() == []

    assert desk.exchange.rings(ON_DUTY) == is_tested


@SYNC_AND_ASYNC
def test_an_alert_rings_only_for_the_tested_task(
    desk: Desk, is_tested: bool, ring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_airflows_database(desk, monkeypatch)
    ring(notifier(), of_task(run_id=TEMPORARY))

    assert rung(desk) == ([ON_DUTY] if is_tested else [])
