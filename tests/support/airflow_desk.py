"""The fixture ``desk``. Test modules load the fixture with ``pytest_plugins = ["airflow_desk"]``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from airflow_fakes import Desk

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.calls.watching.shared_poll import SharedPoll
from airflow_provider_callapi.emulator import Exchange, ManualClock, Profile
from airflow_provider_callapi.event_loop import polls_by_connection


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, callapi_profile: str | Profile) -> Desk:
    """Return a `Desk`: exchange, shared clock and Airflow connection. A sleep only moves the clock.

    A test chooses the profile of the exchange as for the fixture ``callapi_emulator``.
    """
    profile = Profile.named(callapi_profile) if isinstance(callapi_profile, str) else callapi_profile
    return new_desk(monkeypatch, profile)


def new_desk(monkeypatch: pytest.MonkeyPatch, profile: Profile) -> Desk:
    """Return what the fixture ``desk`` returns, for a test that needs several desks."""
    clock = ManualClock(1_760_000_000.0)
    desk = Desk(Exchange(clock=clock, profile=profile), clock, monkeypatch)
    for name, function in {"now": clock, "monotonic": clock, "sleep": desk.sleep}.items():
        monkeypatch.setattr(system_clock, name, function)
    # Airflow's own loop around a sensor's poke
    fake_time = SimpleNamespace(time=clock, monotonic=clock, perf_counter=clock, sleep=desk.sleep)
    monkeypatch.setattr("airflow.sdk.bases.sensor.time", fake_time)
    utcnow = SimpleNamespace(utcnow=lambda: datetime.fromtimestamp(clock(), UTC))
    monkeypatch.setattr("airflow.sdk.bases.sensor.timezone", utcnow)
    fake_asyncio = SimpleNamespace(**{**vars(asyncio), "sleep": desk.asleep})
    monkeypatch.setattr(polls_by_connection, "asyncio", fake_asyncio)
    # these defaults are bound at class creation, so patching the module does not change them
    monkeypatch.setitem(SharedPoll.__init__.__kwdefaults__, "sleep", desk.asleep)
    monkeypatch.setitem(JsonRpc.__init__.__kwdefaults__, "new_session", desk.exchange.session)
    desk.connect()
    return desk
