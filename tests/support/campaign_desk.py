"""A desk for campaigns: the campaign's modules use the desk's clock, and one line builds a campaign."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_fakes import (
    TTS,
    VNUMBER,
    Task,
    TaskInstance,
    installed_task_state,
)

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.triggers.campaign import CallApiCampaignTrigger

PEOPLE = [f"7916000{number:04}" for number in range(12)]
A_TALK = Script(rings=3, talks=20)


@pytest.fixture
def campaign_desk(desk, monkeypatch, sqlite_ledger):
    """Return a `Desk` for campaigns. ``desk.at`` plans what happens when."""
    desk.at = []

    def sleep(seconds: float) -> None:
        desk.sleep(seconds)
        while desk.at and desk.clock() >= desk.at[0][0]:
            desk.at.pop(0)[1]()

    monkeypatch.setattr(system_clock, "sleep", sleep)
    patched = SimpleNamespace(**{**vars(asyncio), "wait_for": waits_by(desk.clock)})
    monkeypatch.setattr("airflow_provider_callapi.triggers.campaign.asyncio", patched)
    desk.exchange.default_script = A_TALK
    return desk


def waits_by(clock):
    """Return an ``asyncio.wait_for`` that uses the desk's clock.

    If nothing else moves the clock, the returned function moves the clock to the end of the wait.
    """

    async def wait_for(work, seconds):
        in_threads = remembered_threads(asyncio.get_running_loop())
        task, until, quiet = asyncio.ensure_future(work), clock() + seconds, 0
        while not task.done():
            before = clock()
            if in_threads:
                await asyncio.wait({task, *in_threads}, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(0)
                quiet = quiet + 1 if clock() == before else 0
            if quiet > 20:
                clock.advance(until - clock())
            if clock() >= until:
                task.cancel()
                raise TimeoutError
        return await task

    return wait_for


def remembered_threads(loop):
    """Return the set of the loop's tasks that wait for a thread, such as a poll. The set stays up to date."""
    waiting, run_in_executor = set(), loop.run_in_executor

    def remember(*args):
        future = run_in_executor(*args)
        waiting.add(future)
        future.add_done_callback(waiting.discard)
        return future

    loop.run_in_executor = remember
    return waiting


def campaign(desk, *, ti: TaskInstance | None = None, **changes: Any) -> Task:
    options = {
        "task_id": "call",
        "campaign": "spring",
        "contacts": [{"phone": phone, "name": "Anna"} for phone in PEOPLE],
        "call": {"method": "start.informer_call", "virtual_phone_number": VNUMBER, "contact_message": TTS},
        # Airflow before 3.3 has no task state, so there a database keeps the ledger.
        "ledger_conn_id": "ledger" if installed_task_state() is None else None,
        **changes,
    }
    return Task(desk, lambda: CallApiCampaignOperator(**options), ti=ti or TaskInstance())


def in_seconds(desk: Any, seconds: float, what: Any) -> None:
    """Plan what happens on the desk after some seconds."""
    desk.at.append((desk.clock() + seconds, what))


def rung(desk: Any) -> list[str]:
    return sorted(call.contact for call in desk.exchange.calls)


def waking(desk: Any, what: Callable[[], object]) -> None:
    """Let something happen each time that the triggerer wakes the task."""
    run = CallApiCampaignTrigger.run

    async def woken(trigger):
        async for event in run(trigger):
            what()
            yield event

    desk.monkeypatch.setattr(CallApiCampaignTrigger, "run", woken)


class KilledError(BaseException):
    """The worker's process ends here."""


def kill_the_worker(*_: Any, **__: Any) -> None:
    raise KilledError


def rings(desk: Any) -> list[int]:
    """Return how often the phone of each of `PEOPLE` has rung."""
    return [desk.exchange.rings(phone) for phone in PEOPLE]


def counted(summary: dict[str, Any]) -> dict[str, int]:
    """Return the results of a campaign's summary that at least one person has."""
    return {name: number for name, number in summary["results"].items() if number}


def listed(path: Path, *people: str) -> str:
    """Write a list of phone numbers to a file, and return the file's URL."""
    path.write_text("\n".join(("phone", *people, "")), "utf-8")
    return f"file://{path}"


def result_table(path: Path) -> dict[str, str]:
    """Return the call's result of each phone number in a file of results."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["phone"]: row["call_result"] for row in csv.DictReader(file)}
