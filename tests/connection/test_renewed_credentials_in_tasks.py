"""A task that waits or calls while an administrator renews the account's key goes on with the new key."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import CONTACT, informer_task, installed_task_state
from campaign_desk import campaign, rung
from ways_to_wait import WAITS, WORKER_AND_DEFERRAL

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble

pytest_plugins = ["airflow_desk", "campaign_desk"]


@pytest.mark.parametrize("way", WAITS)
def test_a_wait_goes_on_with_the_new_key(desk: Any, way: str) -> None:
    desk.exchange.script(CONTACT, Script(rings=3, talks=60))
    make, how = WAITS[way]
    task = make(desk, 5.0, 300.0, **how)
    desk.renew_key(20)

    # Before Airflow 3.3, a sensor that reschedules forgets what its polls have shown. It asks for the report.
    assert task.run()["answered"] is True
    assert desk.exchange.rings(CONTACT) == 1


def test_a_killed_task_ends_its_call_with_the_new_key(desk: Any) -> None:
    desk.exchange.script(CONTACT, Script(rings=3, talks=None))
    task = informer_task(desk, external_id=None, timeout=300.0, cancel_on_kill=True)
    desk.renew_key(20)
    killed = desk.clock() + 40
    sleep = desk.sleep

    def sleep_until_killed(seconds: float) -> None:
        sleep(seconds)
        if desk.clock() >= killed:
            task.operator.on_kill()

    desk.monkeypatch.setattr("airflow_provider_callapi.system_clock.sleep", sleep_until_killed)
    with pytest.raises(CallApiTrouble if installed_task_state() else CallApiFailure, match="killed"):
        task.run()

    assert not desk.exchange.active_calls


@WORKER_AND_DEFERRAL
def test_a_campaign_goes_on_with_the_new_key(campaign_desk: Any, deferrable: bool) -> None:
    campaign_desk.renew_key(10)

    summary = campaign(campaign_desk, max_active_calls=2, deferrable=deferrable).run()

    assert summary["results"]["answered"] == 12
    assert len(rung(campaign_desk)) == 12


@pytest.mark.parametrize("way", WAITS)
def test_a_key_that_the_connection_does_not_have_ends_the_wait(desk: Any, way: str) -> None:
    desk.exchange.script(CONTACT, Script(rings=3, talks=60))
    make, how = WAITS[way]
    task = make(desk, 5.0, 300.0, **how)
    desk.monkeypatch.setattr(type(desk), "connect", lambda self: None)
    desk.renew_key(20)

    with pytest.raises(CallApiFailure):
        task.run()
