"""What ends a wait of the sensor without a result: errors, timeouts and skips."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    BaseSensorOperator,
)
from airflow_fakes import CONTACT
from session_sensors import sensor, wait_modes, waiting

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.request import Component
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytest_plugins = ["airflow_desk"]


MISCONFIGURED: dict[str, Callable[[Any], object]] = {
    "key": lambda desk: desk.connect(password="wrong-key-0001"),
    "field": lambda desk: desk.connect(extra={"timezone": "Moscow"}),
    "misspelt field": lambda desk: desk.connect(extra={"dataapi": True}),
    "type": lambda desk: desk.connect(conn_type="aws"),
    "component": lambda desk: desk.exchange.account.components_off.add(Component.MANAGEMENT),
}


@wait_modes
@pytest.mark.parametrize("broken", MISCONFIGURED)
@pytest.mark.parametrize("soft_fail", [False, True])
def test_a_misconfiguration_fails_without_retries_in_all_modes_even_with_soft_fail(
    desk, wait_mode, broken, soft_fail
):
    MISCONFIGURED[broken](desk)

    with pytest.raises(AirflowFailException) as failure:
        waiting(desk, 1, wait_mode, soft_fail=soft_fail).run()

    assert not isinstance(failure.value, AirflowSkipException)
    assert "wrong-key-0001" not in str(failure.value)


@wait_modes
@pytest.mark.parametrize("soft_fail", [False, True])
@pytest.mark.needs_airflow("3.3", "task state")
def test_an_error_of_the_service_fails_and_may_be_retried_in_all_modes_even_with_soft_fail(
    desk, wait_mode, soft_fail
):
    desk.exchange.fault(Fault.INTERNAL_ERROR, method="list.calls", times=99)

    with pytest.raises((CallApiError, CallApiTrouble)):
        waiting(desk, 1, wait_mode, soft_fail=soft_fail, appear_timeout=600).run()


@wait_modes
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_connection_that_cannot_be_read_for_some_seconds_ends_no_wait(desk, wait_mode, monkeypatch):
    desk.exchange.script(CONTACT, Script(rings=0, talks=100))
    session = desk.start()
    back_at = desk.clock() + 21
    read, aread = CallApiHook.get_connection.__func__, CallApiHook.aget_connection.__func__

    def check() -> None:
        if desk.clock() < back_at:
            raise AirflowNotFoundException("The conn_id `callapi_default` isn't defined")

    def get(cls: Any, conn_id: str) -> Any:
        check()
        return read(cls, conn_id)

    async def aget(cls: Any, conn_id: str) -> Any:
        check()
        return await aread(cls, conn_id)

    monkeypatch.setattr(CallApiHook, "get_connection", classmethod(get))
    monkeypatch.setattr(CallApiHook, "aget_connection", classmethod(aget))

    assert waiting(desk, session, wait_mode).run()["answered"] is True


@wait_modes
def test_a_call_that_outlives_the_timeout_is_a_sensor_timeout(desk, wait_mode):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    started = desk.clock()

    with pytest.raises(AirflowSensorTimeout):
        waiting(desk, desk.start(), wait_mode, timeout=60).run()

    assert 60 <= desk.clock() - started <= 75
    assert desk.exchange.active_calls, "a sensor only polls"


@wait_modes
def test_soft_fail_makes_the_timeout_a_skip(desk, wait_mode):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))

    with pytest.raises(AirflowSkipException):
        waiting(desk, desk.start(), wait_mode, timeout=30, soft_fail=True).run()


@wait_modes
@pytest.mark.parametrize(
    ("soft_fail", "error"), [("false", AirflowSensorTimeout), ("True", AirflowSkipException)]
)
def test_soft_fail_may_be_a_text(desk, wait_mode, soft_fail, error):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))

    with pytest.raises(error):
        waiting(desk, desk.start(), wait_mode, timeout=30, soft_fail=soft_fail).run()


@pytest.mark.parametrize(("soft_fail", "error"), [(False, AirflowTaskTimeout), (True, AirflowSkipException)])
def test_execution_timeout_ends_a_deferral(desk, soft_fail, error):
    """Airflow itself does not apply it to a deferral."""
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    started, limit = desk.clock(), timedelta(seconds=40)

    with pytest.raises(error):
        waiting(desk, desk.start(), "deferral", execution_timeout=limit, soft_fail=soft_fail).run()

    assert 40 <= desk.clock() - started <= 55


@pytest.mark.parametrize(("soft_fail", "error"), [(False, AirflowTaskTimeout), (True, AirflowSkipException)])
@pytest.mark.parametrize("wait_mode", ["poke", "reschedule"])
def test_execution_timeout_may_end_a_sensor_between_two_polls(desk, wait_mode, soft_fail, error, monkeypatch):
    def late(self, context):
        raise AirflowTaskTimeout

    monkeypatch.setattr(BaseSensorOperator, "execute", late)
    with pytest.raises(error):
        waiting(desk, 1, wait_mode, soft_fail=soft_fail).run()


def test_a_deferral_without_an_event_is_a_sensor_timeout_too(desk):
    """Airflow ends the deferral itself if the triggerer is down."""
    operator = sensor(1, deferrable=True)

    with pytest.raises(AirflowSensorTimeout):
        operator.resume_execution("__fail__", {"error": "Trigger timeout"}, {})


@pytest.mark.needs_airflow("3.1", "soft_fail for a deferral that timed out")
def test_soft_fail_makes_a_deferral_without_an_event_a_skip(desk):
    operator = sensor(1, deferrable=True, soft_fail=True)

    with pytest.raises(AirflowSkipException):
        operator.resume_execution("__fail__", {"error": "Trigger timeout"}, {})


def test_the_timeout_of_the_deferral_is_later_than_the_timeout_of_the_trigger(desk):
    task = waiting(desk, 999, "deferral", timeout=100, appear_timeout=10)

    task.run()

    (deferred,) = task.deferrals
    assert deferred.timeout is not None
    assert 100 < deferred.timeout.total_seconds() <= 200


@wait_modes
@pytest.mark.parametrize("broken", ["wrong key", "component off"])
def test_a_permanent_error_of_the_poll_ends_the_wait_without_retries(desk, wait_mode, broken):
    if broken == "wrong key":
        desk.connect(password="wrong-key-0001")
    else:
        desk.exchange.account.components_off.add(Component.MANAGEMENT)

    with pytest.raises(CallApiFailure) as failure:
        waiting(desk, 1, wait_mode).run()

    assert isinstance(failure.value, AirflowFailException)
    assert desk.exchange.requests("list.calls") == 1
    assert "wrong-key-0001" not in str(failure.value)


@wait_modes
@pytest.mark.needs_airflow("3.3", "task state")
def test_ten_consecutive_failed_polls_are_survived(desk, wait_mode):
    desk.exchange.script(CONTACT, Script(rings=0, talks=100))
    session = desk.start()
    desk.exchange.fault(Fault.INTERNAL_ERROR, method="list.calls", times=10)

    assert waiting(desk, session, wait_mode).run()["answered"] is True


@wait_modes
@pytest.mark.needs_airflow("3.3", "task state")
def test_eleven_consecutive_failed_polls_end_the_try_and_a_retry_may_succeed(desk, wait_mode):
    desk.exchange.script(CONTACT, Script(rings=0, talks=200))
    session = desk.start()
    desk.exchange.fault(Fault.INTERNAL_ERROR, method="list.calls", times=11)
    task = waiting(desk, session, wait_mode)

    with pytest.raises((CallApiError, CallApiTrouble)) as trouble:
        task.run()

    assert not isinstance(trouble.value, AirflowFailException)
    assert task.retry()["answered"] is True


def test_a_connection_that_cannot_be_read_after_a_deferral_costs_only_the_report(desk, monkeypatch, capsys):
    """What the polls have shown of the call is a result, too."""
    desk.connect(extra={"data_api": False})
    desk.exchange.script(CONTACT, Script.busy(3))
    session = desk.start()

    def cannot_read(hook: CallApiHook) -> bool:
        raise AirflowNotFoundException("The conn_id `callapi_default` isn't defined")

    monkeypatch.setattr(CallApiHook, "has_data_api", property(cannot_read))
    result = waiting(desk, session, "deferral").run()

    assert (result["status"], result["answered"]) == ("ended", None)
    assert f"The report of call session {session} cannot be read" in capsys.readouterr().out
