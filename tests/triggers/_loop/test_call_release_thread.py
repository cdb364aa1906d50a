"""A killed deferred task releases its call in time, and never blocks the event loop."""

from __future__ import annotations

import asyncio
import json
import time

from airflow_fakes import CONTACT, rebuild, start_informer_call
from session_triggers import trigger

from airflow_provider_callapi.connection import call_release
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.triggers._loop import call_release_thread


def test_a_kill_releases_the_call_only_with_cancel_on_kill(wire):
    wire.script(CONTACT, Script(rings=0, talks=None))
    for cancel in (False, True):
        session = start_informer_call(wire)
        waiting = rebuild(*trigger(session, time.time(), cancel_on_kill=cancel).serialize())
        asyncio.run(waiting.on_kill())
        assert wire.call(session).active is not cancel
    assert wire.requests("release.call") == 1


def test_a_kill_logs_in_if_the_connection_has_a_login(wire, callapi_emulator, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", json.dumps(callapi_emulator.connection(login=True)))
    wire.script(CONTACT, Script(rings=0, talks=None))
    session = start_informer_call(wire)

    asyncio.run(trigger(session, time.time(), cancel_on_kill=True).on_kill())

    assert not wire.call(session).active


def test_a_kill_gives_up_within_ten_seconds_and_does_not_stop_the_loop(wire, connection, monkeypatch):
    monkeypatch.setattr(call_release_thread, "_TIME_FOR_RELEASES", 2.0)  # 8 s outside this test
    monkeypatch.setattr(call_release, "_TIMEOUT", 1.0)
    connection(extra={"timeout": 60})
    wire.fault(Fault.HANG, method="release.call", seconds=6)
    session = start_informer_call(wire)

    async def main() -> int:
        ticks, kill = 0, asyncio.ensure_future(trigger(session, time.time(), cancel_on_kill=True).on_kill())
        while not kill.done():
            await asyncio.sleep(0.05)
            ticks += 1
        await kill
        return ticks

    began = time.monotonic()
    assert asyncio.run(main()) > 5
    assert time.monotonic() - began < 4


def test_the_real_patience_of_a_kill_is_under_ten_seconds():
    assert call_release_thread._TIME_FOR_RELEASES < 10


def test_a_kill_that_is_refused_does_not_raise(wire, connection):
    connection(password="wrong")
    session = start_informer_call(wire)

    asyncio.run(trigger(session, time.time(), cancel_on_kill=True).on_kill())

    assert wire.call(session).active
