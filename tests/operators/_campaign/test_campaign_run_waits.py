"""The waits of a try, in the worker and in the triggerer: for hours and days, for reports and points."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow.exceptions import TaskDeferred
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowTaskTimeout,
)
from airflow_fakes import TTS, VNUMBER
from campaign_desk import (
    PEOPLE,
    campaign,
    counted,
    in_seconds,
    listed,
    rings,
    waking,
)

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._campaign.contact_list import read_rows
from airflow_provider_callapi.triggers.campaign import CallApiCampaignTrigger

pytest_plugins = ["airflow_desk", "campaign_desk"]

BEFORE_NOON = 1_760_000_000.0
"""When the desk's clock begins: Thursday, 9 October 2025, 11:53:20 in Moscow."""
AT_SIX = 1_760_022_000.0


def test_a_campaign_defers_until_the_calling_hours_and_logs_the_time_and_the_people(desk, capsys):
    calls = campaign(desk, deferrable=True, calling_hours=("18:00", "21:00"))

    summary = calls.run()

    assert (
        "Waiting until 2025-10-09 18:00:00 Europe/Moscow for the calling hours; 12 people are waiting, "
        "0 calls are active"
    ) in capsys.readouterr().out
    first = calls.deferrals[0]
    assert isinstance(first.trigger, CallApiCampaignTrigger)
    assert first.trigger.calls == []
    assert sum(desk.slept) < 300, "a worker slept through the wait"
    assert min(call.started_at for call in desk.exchange.calls) >= AT_SIX
    assert counted(summary) == {"answered": 12}
    assert rings(desk) == [1] * 12


def test_a_long_wait_wakes_the_worker_every_hour(desk):
    calls = campaign(desk, deferrable=True, calling_hours=("18:00", "21:00"))

    calls.run()

    waits = [deferral.trigger.wake_at for deferral in calls.deferrals if not deferral.trigger.calls]
    assert waits[0] == pytest.approx(BEFORE_NOON + 3600, abs=5)
    assert len(waits) >= 6


def test_a_campaign_defers_until_the_calling_hours_after_a_lost_start_request(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
    calls = campaign(
        desk, contacts=PEOPLE[:2], deferrable=True, max_active_calls=1, calling_hours=("09:00", "11:54")
    )

    assert counted(calls.run())["answered"] == 1
    assert desk.clock() - BEFORE_NOON > 20 * 3600
    assert sum(desk.slept) < 600


def test_a_campaign_that_waits_in_the_triggerer_calls_no_one_after_its_execution_timeout(desk):
    more = {"calling_hours": ("18:00", "21:00"), "execution_timeout": timedelta(hours=5)}
    calls = campaign(desk, deferrable=True, **more)
    began = desk.clock()

    with pytest.raises(
        AirflowTaskTimeout, match="execution_timeout is up; 12 people are waiting, 0 calls are active"
    ):
        calls.run()

    assert 0 <= desk.clock() - began - 5 * 3600 < 60
    assert rings(desk) == [0] * 12
    assert counted(calls.retry()) == {"answered": 12}


def test_an_answer_that_the_trigger_has_seen_outlives_the_execution_timeout(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(rings=100, talks=100)
    call = {
        "method": "start.informer_call",
        "virtual_phone_number": VNUMBER,
        "contact_message": TTS,
        "dialing_timeout": 120,
    }
    more = {"call": call, "execution_timeout": timedelta(seconds=150)}
    calls = campaign(desk, contacts=PEOPLE[:1], deferrable=True, **more)

    with pytest.raises(AirflowTaskTimeout):
        calls.run()
    desk.clock.advance(600)

    assert counted(calls.retry()) == {"answered": 1}
    assert rings(desk)[0] == 1


def test_an_answer_that_only_the_triggerer_observed_counts(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(rings=20, talks=40)
    calls = campaign(desk, contacts=PEOPLE[:1], deferrable=True)

    summary = calls.run()

    assert [len(deferral.trigger.calls) for deferral in calls.deferrals] == [1]
    assert calls.deferrals[0].trigger.calls[0]["observation"]["answered_at"] is None
    assert counted(summary) == {"answered": 1}


def test_a_campaign_whose_polls_fail_ends_although_it_could_defer(desk):
    desk.connect(extra={"data_api": False})
    began = desk.clock()
    fault = {"method": "list.calls", "times": 10**9}
    in_seconds(desk, 0.5, lambda: desk.exchange.fault(Fault.BAD_GATEWAY, **fault))

    with pytest.raises(CallApiError, match="502"):
        campaign(desk, contacts=PEOPLE[:2], deferrable=True, call_timeout=3600, poll_interval=60).run()

    assert desk.clock() - began < 2 * 3600  # one wait, and ten polls in a row


def test_a_long_list_is_not_read_every_few_seconds_during_a_wait_for_a_report(desk, monkeypatch):
    def slowly(*args: Any) -> Any:
        desk.sleep(6)
        return read_rows(*args)

    monkeypatch.setattr("airflow_provider_callapi.operators._campaign.preparation.read_rows", slowly)
    desk.exchange.report_lag = 200
    calls = campaign(desk, contacts=PEOPLE[:1], deferrable=True)

    calls.run()

    assert 1 < len(calls.deferrals) <= 6


def test_the_excluded_people_survive_a_wait_although_the_file_is_being_rewritten(desk, tmp_path):
    stop, people = tmp_path / "stop.csv", tmp_path / "people.csv"
    calls = campaign(
        desk,
        contacts=listed(people, *PEOPLE),
        do_not_call=listed(stop, *PEOPLE[:2]),
        deferrable=True,
        calling_hours=("18:00", "21:00"),
    )

    def written_anew() -> None:
        listed(stop)
        listed(people, *reversed(PEOPLE))  # the same list, in another order

    waking(desk, written_anew)

    assert counted(calls.run()) == {"answered": 10, "do_not_call": 2}
    assert calls.deferrals
    assert rings(desk)[:2] == [0, 0]


@pytest.mark.parametrize("reason", ["Trigger timeout", "Trigger failure"])
def test_the_retry_after_a_failed_deferral_calls_no_one_again(desk, reason):
    calls = campaign(desk, deferrable=True)
    with pytest.raises(TaskDeferred):
        calls.make().execute(calls.context)
    rung = sum(rings(desk))
    with pytest.raises(AirflowException, match=reason) as failure:
        calls.make().resume_execution("__fail__", {"error": reason}, calls.context)

    assert not isinstance(failure.value, AirflowFailException)
    assert calls.retry()["results"]["answered"] == 12
    assert (rung > 0, rings(desk)) == (True, [1] * 12)


NEW_YEARS_EVE = 1_767_168_000.0
"""Wednesday, 31 December 2025, 11:00 in Moscow: a day off that the government has moved."""


@pytest.mark.parametrize(
    ("began", "hours_off", "deferrable"),
    [
        pytest.param(NEW_YEARS_EVE + 9 * 86_400, 70, False, id="the New Year days, in the worker"),
        pytest.param(1_773_075_600.0, 13, True, id="the Monday after 8 March, from 20:00, deferred"),
    ],
)
def test_a_campaign_on_workdays_waits_for_the_end_of_the_days_off(desk, began, hours_off, deferrable):
    desk.clock.advance(began - desk.clock())
    waits = {"deferrable": deferrable, "max_lateness": timedelta(days=20)}

    assert counted(campaign(desk, contacts=PEOPLE[:2], calling_days="workdays", **waits).run()) == {
        "answered": 2
    }

    first = min(call.started_at for call in desk.exchange.calls)
    assert 0 <= first - began - hours_off * 3600 < 60


def test_the_authors_own_days_override_the_calendar(desk):
    desk.clock.advance(NEW_YEARS_EVE - desk.clock())
    also = campaign(desk, contacts=PEOPLE[:1], calling_days={"days": "workdays", "also": ["2025-12-31"]})
    assert counted(also.run()) == {"answered": 1}
    assert desk.clock() - NEW_YEARS_EVE < 3600

    off = campaign(desk, contacts=PEOPLE[:1], campaign="2", calling_days={"except": ["2025-12-31"]})
    off.run()
    assert desk.clock() > NEW_YEARS_EVE + 20 * 3600


def test_calls_end_where_the_calendar_ends_and_the_log_names_the_reason(desk, monkeypatch, capsys):
    """Half of the people are called before midnight, and the calendar knows no day after it."""
    read = "airflow_provider_callapi.calls.calling_hours.production_calendar._knows"
    monkeypatch.setattr(read, lambda calendar, year: year < 2026)
    desk.clock.advance(NEW_YEARS_EVE + 13 * 3600 - 240 - desk.clock())

    summary = campaign(
        desk,
        calling_hours=None,
        calling_days={"days": "workdays", "also": ["2025-12-31"]},
        max_active_calls=1,
        max_lateness=None,
    ).run()

    called = counted(summary)["answered"]
    assert counted(summary) == {"answered": called, "not_called": 12 - called}
    assert 0 < called < 12
    assert f"{12 - called} people were not called" in capsys.readouterr().out


def exhaust_the_data_api(desk) -> None:
    """Let the points of a day pay for one report of calls and one of legs."""
    account = desk.exchange.account
    account.minute_limit = account.day_limit = 1000
    account.weights |= {"get.calls_report": 400, "get.call_legs_report": 400}


@pytest.mark.parametrize("deferrable", [False, True])
def test_results_and_redials_wait_until_the_points_of_the_data_api_are_reset(desk, deferrable):
    exhaust_the_data_api(desk)
    desk.exchange.default_script = Script.busy()

    task = campaign(desk, contacts=PEOPLE[:6], deferrable=deferrable, max_active_calls=3, max_attempts=2)
    summary = task.run()

    assert (summary["results"]["busy"], summary["calls"]) == (6, 12)
    assert bool(task.deferrals) is deferrable


def test_a_stopped_campaign_does_not_wait_a_day_for_points_of_the_data_api(desk):
    exhaust_the_data_api(desk)
    desk.exchange.default_script = Script.busy()
    in_seconds(desk, 1800, lambda: task.operator._run._campaign.dial_queue.stop("the test has stopped it"))

    task = campaign(desk, max_active_calls=3)
    began = desk.clock()
    with pytest.raises(CallApiFailure, match="the test has stopped it"):
        task.run()

    assert desk.clock() - began < 2 * 3600
