"""A wait ends when its time is up, in all modes: also with a long interval, and with a poll that hangs."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout
from airflow_fakes import (
    CONTACT,
    TaskInstance,
    events_of,
    installed_task_state,
    start_informer_call,
)
from session_triggers import trigger
from ways_to_wait import WAITS, operator_task

from airflow_provider_callapi.calls.watching.watch import Phase, SessionWatch
from airflow_provider_callapi.emulator import Emulator, Exchange, Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallStillActive
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

pytest_plugins = ["airflow_desk"]


ENDED_BY_TIME = (AirflowSensorTimeout, CallStillActive if installed_task_state() else CallApiFailure)
"""Without task state (Airflow before 3.3), an operator's error forbids retries, because they could dial."""


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize(("poll_interval", "timeout"), [(15, 3), (5, 60), (7, 60), (60, 61), (300, 20)])
def test_a_wait_ends_within_one_interval_and_ten_seconds_after_its_time(desk, wait, poll_interval, timeout):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    make, how = WAITS[wait]
    began = desk.clock()

    with pytest.raises(ENDED_BY_TIME):
        make(desk, poll_interval, timeout, **how).run()

    # the shared poll of the triggerer moves the clock once more before the trigger ends
    last_poll = max(entry.time for entry in desk.exchange.journal if entry.method == "list.calls")
    ended = last_poll if "triggerer" in wait else desk.clock()
    assert timeout <= ended - began <= timeout + poll_interval + 10


@pytest.mark.parametrize("interval", [15, 300])
def test_a_wait_in_the_worker_polls_for_the_last_time_when_its_time_is_up(desk, interval):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    began = desk.clock()

    with pytest.raises(ENDED_BY_TIME):
        operator_task(desk, interval, 3).run()

    assert desk.clock() - began == 3


@pytest.fixture
def hanging_exchange(
    callapi_emulator: Emulator, connection: Any, monkeypatch: pytest.MonkeyPatch
) -> Exchange:
    """An exchange that answers no poll in time. The connection allows a minute for a request."""
    connection(extra={"timeout": 60})
    exchange = callapi_emulator.exchange
    exchange.script(CONTACT, Script(rings=0, talks=None))
    exchange.fault(Fault.HANG, method="list.calls", seconds=8, times=9)
    for module in ("hooks.polls", "sensors.call_session", "event_loop.watch_call"):
        monkeypatch.setattr(f"airflow_provider_callapi.{module}.LAST_POLL_SECONDS", 0.3)
    return exchange


def test_a_poll_that_hangs_ends_at_the_deadline_of_the_wait_in_the_worker(hanging_exchange):
    began = time.time()
    watch = SessionWatch(start_informer_call(hanging_exchange), appear_by=began + 9, deadline=began + 0.5)

    with CallApiHook() as hook:
        phase = hook.watch_session(watch, until="ended", poll_interval=0.1)

    assert phase is Phase.TIMED_OUT
    assert time.time() - began < 3


def test_a_poll_that_hangs_ends_at_the_deadline_of_the_wait_in_the_triggerer(hanging_exchange):
    now = time.time()
    waiting = trigger(start_informer_call(hanging_exchange), now, deadline=now + 0.5, poll_interval=0.1)

    async def main() -> tuple[Any, float]:
        (event,) = await events_of(waiting)
        return event, time.time() - now

    event, seconds = asyncio.run(main())
    assert event["phase"] == "TIMED_OUT"
    assert seconds < 3


def test_a_poll_that_hangs_ends_at_the_deadline_of_the_wait_in_the_sensor(hanging_exchange):
    sensor = CallApiSessionSensor(
        task_id="wait", call_session_id=start_informer_call(hanging_exchange), poke_interval=0.1, timeout=0.5
    )
    began = time.time()

    with pytest.raises(AirflowSensorTimeout):
        sensor.execute({"ti": TaskInstance(start_date=datetime.now(UTC))})

    assert time.time() - began < 3
