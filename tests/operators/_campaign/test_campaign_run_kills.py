"""A kill of a campaign's task: the dialling ends at once, and calls end only if the author wants it."""

from __future__ import annotations

import pytest
from campaign_desk import (
    A_TALK,
    campaign,
    in_seconds,
    rings,
)

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.operators._campaign import run, services
from airflow_provider_callapi.operators._campaign.contact_list import read_rows

pytest_plugins = ["airflow_desk", "campaign_desk"]


def test_a_kill_does_not_wait_for_the_end_of_a_pause(desk):
    calls = campaign(desk, calling_hours=("18:00", "21:00"))
    began = desk.clock()
    in_seconds(desk, 10, lambda: calls.operator.on_kill())  # noqa: PLW0108 - of this try

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert desk.clock() - began < 15


@pytest.mark.parametrize("cancel", [False, True])
def test_a_kill_ends_the_dialling_and_releases_calls_only_with_cancel_on_kill(desk, cancel):
    desk.exchange.default_script = Script(rings=3, talks=100)
    calls = campaign(desk, max_active_calls=3, cancel_on_kill=cancel)
    in_seconds(desk, 20, lambda: calls.operator.on_kill())  # noqa: PLW0108 - of this try

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert sum(rings(desk)) == 3
    assert desk.sent(but=("list.calls", "get.calls_report")).count("release.call") == (3 if cancel else 0)
    talked = max(call.ended_at - call.started_at for call in desk.exchange.calls)
    assert talked < 40 if cancel else talked == 103
    desk.exchange.default_script = A_TALK
    assert calls.clear()["results"]["answered"] == 12
    assert rings(desk) == [1] * 12


def test_a_call_that_was_being_dialled_when_the_kill_came_is_released_too(desk, monkeypatch):

    calls = campaign(desk, max_active_calls=2, cancel_on_kill=True, calling_hours=None)
    dials = services.CampaignServices.start

    def killed_in_between(run, requests):
        answers = dials(run, requests)
        calls.operator.on_kill()
        return answers

    monkeypatch.setattr(services.CampaignServices, "start", killed_in_between)

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert sum(rings(desk)) >= 1
    assert desk.sent(but=("list.calls",)).count("release.call") == sum(rings(desk))


@pytest.mark.parametrize("cancel", [False, True])
def test_a_kill_during_the_preparation_of_a_deferral_prevents_it_and_the_retry_continues(
    desk, monkeypatch, cancel
):
    desk.exchange.default_script = Script.busy(3)
    calls = campaign(desk, max_active_calls=3, deferrable=True, calling_hours=None, cancel_on_kill=cancel)
    publish, kills = run.CampaignRun._publish, [1]

    def killed_meanwhile(self, now, *, next_at):
        if next_at > now + 60 and kills:  # the publication before a deferral
            kills.pop()
            calls.operator.on_kill()
        publish(self, now, next_at=next_at)

    monkeypatch.setattr(run.CampaignRun, "_publish", killed_meanwhile)
    began = desk.clock()

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert (kills, desk.clock() - began < 300) == ([], True)
    assert all(deferral.kwargs["memo"]["stopped"] is None for deferral in calls.deferrals)
    desk.exchange.default_script = A_TALK
    assert calls.retry()["results"]["answered"] == 12


def test_a_kill_during_a_step_does_not_wait_for_the_pause_that_the_step_returns(desk, monkeypatch):
    calls = campaign(desk, calling_hours=("18:00", "21:00"))
    began, step, kills = desk.clock(), run.CampaignRun._step, [1]

    def killed_at_its_end(self):
        next_step = step(self)
        if kills:
            kills.pop()
            calls.operator.on_kill()
        return next_step

    monkeypatch.setattr(run.CampaignRun, "_step", killed_at_its_end)

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert desk.clock() - began < 15


def test_a_kill_while_the_list_is_read_ends_the_dialling(desk, monkeypatch):
    calls = campaign(desk)

    def killed_meanwhile(*args):
        calls.operator.on_kill()
        return read_rows(*args)

    monkeypatch.setattr(
        "airflow_provider_callapi.operators._campaign.preparation.read_rows", killed_meanwhile
    )

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert rings(desk) == [0] * 12
    monkeypatch.undo()
