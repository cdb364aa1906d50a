"""Alerts in a process of their own, and in the triggerer's event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from failing_callbacks import ON_DUTY, SECOND, in_the_triggerer, notifier, of_dag, of_deadline, rung

from airflow_provider_callapi.calls.alerts.election import AlertSuppressed
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.event_loop import watch_call
from airflow_provider_callapi.notifications._alert import answer_wait, ringing
from airflow_provider_callapi.notifications._alert.execution import InTriggerer, run_without_loop

pytest_plugins = ["airflow_desk"]


def test_alerts_that_ask_the_data_api_take_no_threads_from_the_polls(monkeypatch):
    asking, asked = threading.Semaphore(0), threading.Event()

    def hangs(*_):
        asking.release()
        return asked.wait(60)

    async def main():
        workers = min(32, (os.cpu_count() or 1) + 4)
        hook, log = SimpleNamespace(callapi_conn_id="callapi_default"), logging.getLogger("callapi")
        wanted = answer_wait.Acknowledgement((), longest_wait=30.0, report_timeout=0.0)
        waits = [
            asyncio.create_task(
                answer_wait.wait_for_acknowledgement(hook, InTriggerer(), Outcome(number), wanted, log)
            )
            for number in range(1, workers + 1)
        ]
        for _ in waits:  # a poll takes a thread of the loop's pool, as this does
            assert await asyncio.wait_for(asyncio.to_thread(asking.acquire, timeout=5), 5)
        asked.set()
        await asyncio.gather(*waits)

    @asynccontextmanager
    async def fails_to_poll(*_, **__):
        async def next_snapshot():
            raise RuntimeError("cannot be polled")

        yield next_snapshot

    monkeypatch.setattr(watch_call, "subscribe", fails_to_poll)
    monkeypatch.setattr(answer_wait, "_is_answered", hangs)
    asyncio.run(main())


def test_an_alert_whose_polls_hang_calls_the_next_person(desk, monkeypatch, log):
    @asynccontextmanager
    async def hangs(*_, **__):
        yield asyncio.Event().wait

    monkeypatch.setattr(watch_call, "subscribe", hangs)
    monkeypatch.setattr(watch_call, "LAST_POLL_SECONDS", -1000.0)  # the time is up at once

    in_the_triggerer(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]
    assert "call timed out" in log()


def test_a_coroutine_that_suspends_does_not_run_without_an_event_loop():
    async def suspends():
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="run it in an event loop"):
        run_without_loop(suspends())


def test_alerts_that_wait_for_the_lock_block_neither_each_other_nor_the_polls(monkeypatch, log):
    together = threading.Barrier(3, timeout=10)

    def waits(*_):
        together.wait()
        raise AlertSuppressed("there were three of them")

    async def three():
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        await asyncio.gather(*(notifier(context=of_deadline()).async_notify(of_deadline()) for _ in range(3)))

    monkeypatch.setattr(ringing.Alert, "_begin", waits)
    asyncio.run(three())

    assert log().count("there were three of them") == 3
