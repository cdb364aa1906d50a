"""A killed deferred task releases its call in time, and never blocks the event loop."""

from __future__ import annotations

import asyncio
import json
import math
import time
from typing import Any

import pytest
from airflow_fakes import CONTACT, events_of, rebuild, start_informer_call
from session_triggers import kill, killed, of_task, trigger

from airflow_provider_callapi.connection import call_release
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.triggers._kill import call_release_thread

pytest_plugins = ["exchange_over_http"]


def test_a_kill_releases_the_call_only_with_cancel_on_kill(wire, monkeypatch):
    wire.script(CONTACT, Script(rings=0, talks=None))
    for cancel in (False, True):
        session = start_informer_call(wire)
        waiting = rebuild(*trigger(session, time.time(), cancel_on_kill=cancel).serialize())
        kill(monkeypatch, waiting)
        assert wire.call(session).active is not cancel
    assert wire.requests("release.call") == 1


def test_a_kill_logs_in_if_the_connection_has_a_login(wire, callapi_emulator, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", json.dumps(callapi_emulator.connection(login=True)))
    wire.script(CONTACT, Script(rings=0, talks=None))
    session = start_informer_call(wire)

    kill(monkeypatch, trigger(session, time.time(), cancel_on_kill=True))

    assert not wire.call(session).active


def test_a_kill_gives_up_within_ten_seconds_and_does_not_stop_the_loop(wire, connection, monkeypatch):
    monkeypatch.setattr(call_release_thread, "_TIME_FOR_RELEASES", 2.0)  # 8 s outside this test
    monkeypatch.setattr(call_release, "_TIMEOUT", 1.0)
    connection(extra={"timeout": 60})
    wire.fault(Fault.HANG, method="release.call", seconds=6)
    session = start_informer_call(wire)

    async def main() -> int:
        waiting = trigger(session, time.time(), cancel_on_kill=True)
        ticks, release = 0, asyncio.ensure_future(killed(monkeypatch, waiting))
        while not release.done():
            await asyncio.sleep(0.05)
            ticks += 1
        await release
        return ticks

    began = time.monotonic()
    assert asyncio.run(main()) > 5
    assert time.monotonic() - began < 4


def test_a_kill_has_time_to_release_64_calls_of_a_service_that_hangs_and_gives_up_within_ten_seconds():
    rounds = math.ceil(64 / call_release._MAX_PARALLEL)

    assert rounds * call_release._TIMEOUT <= call_release_thread._TIME_FOR_RELEASES < 10


def test_a_kill_that_is_refused_does_not_raise(wire, connection, monkeypatch):
    connection(password="wrong")
    session = start_informer_call(wire)

    kill(monkeypatch, trigger(session, time.time(), cancel_on_kill=True))

    assert wire.call(session).active


def test_forty_waits_that_are_killed_together_release_all_calls_with_one_look_up(wire, monkeypatch):
    """Airflow repeats the cancel each second, and the second cancel ends ``on_kill`` itself."""
    wire.script(CONTACT, Script(rings=0, talks=None))
    waits = [trigger(start_informer_call(wire), time.time(), cancel_on_kill=True) for _ in range(40)]
    look_ups = []
    read = CallApiHook.aget_connection

    async def slow_look_up(conn_id: str) -> Any:
        look_ups.append(conn_id)
        await asyncio.sleep(0.2)
        return await read(conn_id)

    monkeypatch.setattr(CallApiHook, "aget_connection", slow_look_up)

    async def main() -> None:
        kills = asyncio.ensure_future(killed(monkeypatch, *waits))
        await asyncio.sleep(0.1)
        kills.cancel()
        while wire.active_calls:  # noqa: ASYNC110 - the emulator has no event for this
            await asyncio.sleep(0.05)

    asyncio.run(asyncio.wait_for(main(), 30))
    assert len(look_ups) == 1


def test_a_trigger_that_another_triggerer_continues_releases_no_call(wire, monkeypatch):
    monkeypatch.setattr(call_release_thread, "_TIME_FOR_NEXT_TRY", 0.5)  # 5 s outside this test
    wire.script(CONTACT, Script(rings=0, talks=None))
    session = start_informer_call(wire)

    kill(monkeypatch, trigger(session, time.time(), cancel_on_kill=True), state="deferred")

    assert wire.call(session).active


@pytest.mark.parametrize("delay", [0.0, 0.4])
def test_a_clear_releases_the_call_although_the_next_try_is_already_deferred(wire, monkeypatch, delay):
    """The next try waits for the same call, and sees its end."""
    wire.script(CONTACT, Script(rings=0, talks=None))
    session = start_informer_call(wire)

    async def main() -> Any:
        old, new = (trigger(session, time.time(), cancel_on_kill=True) for _ in range(2))
        old.trigger_id, of_task(new).trigger_id = 1, 2
        waiting = asyncio.ensure_future(events_of(old))
        await asyncio.sleep(0.1)
        waiting.cancel()
        release = asyncio.ensure_future(killed(monkeypatch, old, state="deferred"))
        await asyncio.sleep(delay)
        (event,) = await events_of(new)
        await release
        return event

    event = asyncio.run(asyncio.wait_for(main(), 60))
    assert event["phase"] == "ENDED"
    assert not wire.call(session).active


def test_another_task_that_waits_for_the_same_call_is_no_next_try(wire, monkeypatch):
    """Such as a sensor for the call of a start operator, when Airflow moves the operator's trigger."""
    monkeypatch.setattr(call_release_thread, "_TIME_FOR_NEXT_TRY", 0.5)  # 5 s outside this test
    wire.script(CONTACT, Script(rings=0, talks=None))
    session = start_informer_call(wire)

    async def main() -> None:
        moved, sensor = (trigger(session, time.time(), cancel_on_kill=True) for _ in range(2))
        moved.trigger_id, of_task(sensor, "sensor").trigger_id = 1, 2
        waits = [asyncio.ensure_future(events_of(one)) for one in (moved, sensor)]
        await asyncio.sleep(0.1)
        waits[0].cancel()
        await killed(monkeypatch, moved, state="deferred")
        waits[1].cancel()

    asyncio.run(asyncio.wait_for(main(), 60))
    assert wire.call(session).active


@pytest.mark.parametrize(
    "state", ["failed", "success", "removed", "up_for_retry", "scheduled", "running", None]
)
def test_the_call_of_a_task_that_is_no_longer_deferred_is_released(wire, monkeypatch, state):
    wire.script(CONTACT, Script(rings=0, talks=None))
    session = start_informer_call(wire)

    kill(monkeypatch, trigger(session, time.time(), cancel_on_kill=True), state=state)

    assert not wire.call(session).active


def test_no_call_is_released_and_a_warning_names_it_if_airflow_does_not_state_the_tasks_state(wire, capsys):
    wire.script(CONTACT, Script(rings=0, talks=None))
    session = start_informer_call(wire)
    waiting = trigger(session, time.time(), cancel_on_kill=True)

    asyncio.run(waiting.on_kill())

    assert wire.call(session).active
    assert f"Call session {session} may still be active" in capsys.readouterr().out
