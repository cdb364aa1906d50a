"""A desk for campaigns: the campaign's modules have the desk's clock, and a campaign is one line."""

from __future__ import annotations

import asyncio
import importlib
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_fakes import (
    CAMPAIGN_MODULES_WITH_A_CLOCK,
    TTS,
    VNUMBER,
    Task,
    TaskInstance,
    installed_task_state,
)

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

PEOPLE = [f"7916000{number:04}" for number in range(12)]
A_TALK = Script(rings=3, talks=20)


@pytest.fixture
def campaign_desk(desk, monkeypatch, tmp_path):
    """The campaign's modules have the desk's clock, too; ``desk.at`` says what happens at a time."""
    desk.at = []

    def sleep(seconds: float) -> None:
        desk.sleep(seconds)
        while desk.at and desk.clock() >= desk.at[0][0]:
            desk.at.pop(0)[1]()

    fake_time = SimpleNamespace(time=desk.clock, monotonic=desk.clock, sleep=sleep)
    for name in CAMPAIGN_MODULES_WITH_A_CLOCK:
        monkeypatch.setattr(importlib.import_module(f"airflow_provider_callapi.{name}"), "time", fake_time)
    patched = SimpleNamespace(**{**vars(asyncio), "wait_for": waits_by(desk.clock)})
    monkeypatch.setattr("airflow_provider_callapi.triggers.campaign.asyncio", patched)
    desk.exchange.default_script = A_TALK
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", f"sqlite:///{tmp_path}/ledger.sqlite")
    return desk


def waits_by(clock):
    """``asyncio.wait_for`` by the desk's clock; where nobody else moves it, it is moved to the end."""

    async def wait_for(work, seconds):
        task, until, quiet = asyncio.ensure_future(work), clock() + seconds, 0
        while not task.done():
            before = clock()
            await asyncio.sleep(0.005)
            quiet = quiet + 1 if clock() == before else 0
            if quiet > 20:
                clock.advance(until - clock())
            if clock() >= until:
                task.cancel()
                raise TimeoutError
        return await task

    return wait_for


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
