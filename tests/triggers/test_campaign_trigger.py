"""The trigger of a campaign: it fires at its time or when the calls have ended, with what was observed."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from airflow_fakes import CONTACT, events_of, rebuild, start_informer_call
from session_triggers import kill

from airflow_provider_callapi.calls.watching.watch import SessionWatch
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.event_loop import polls_by_connection
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.triggers import campaign
from airflow_provider_callapi.triggers.campaign import CallApiCampaignTrigger, read_observations

OTHER = "79161234568"


@pytest.fixture(autouse=True)
def line(exchange, connection):
    # long enough to be seen by the first poll of a loaded machine
    exchange.default_script = Script(rings=0.1, talks=2.0)


def trigger(*session_ids, wakes_in=20.0, **changes):
    now = time.time()
    watches = {session_id: SessionWatch(session_id, now + 10, now + 60) for session_id in session_ids}
    return CallApiCampaignTrigger(
        **{
            "callapi_conn_id": "callapi_default",
            "calls": CallApiCampaignTrigger.serialize_watches(watches),
            "wake_at": now + wakes_in,
            "poll_interval": 0.1,
            **changes,
        }
    )


def fired(waiting):
    """Return the event and the seconds until it came. Trigger and event go through JSON."""
    began = time.monotonic()
    (event,) = asyncio.run(events_of(rebuild(*waiting.serialize())))
    return json.loads(json.dumps(event, allow_nan=False)), time.monotonic() - began


@pytest.mark.parametrize("interval", [0, 0.05])
def test_a_poll_interval_that_an_operator_would_refuse_is_refused(interval):
    with pytest.raises(InvalidParameter, match="poll_interval: "):
        trigger(poll_interval=interval)


def test_the_trigger_fires_with_the_observations_when_all_calls_have_ended(exchange):
    exchange.script(OTHER, Script.busy(rings=2.0))
    first, second = start_informer_call(exchange), start_informer_call(exchange, OTHER)

    event, took = fired(trigger(first, second, wakes_in=60.0))

    observations = read_observations(event)
    assert took < 60
    assert observations[first].answered_at is not None
    assert observations[second].answered_at is None
    assert observations.keys() == {first, second}


def test_the_trigger_fires_at_its_time_even_if_calls_are_active(exchange):
    exchange.default_script = Script(rings=0.1, talks=None)

    event, took = fired(trigger(start_informer_call(exchange), wakes_in=0.6))

    assert 0.5 < took < 5
    assert len(event["observations"]) == 1


def test_a_trigger_without_calls_waits_and_does_not_poll(exchange):
    event, took = fired(trigger(wakes_in=0.4))

    assert event == {"observations": {}}
    assert 0.3 < took < 5
    assert exchange.requests("list.calls") == 0


def test_a_time_in_the_past_fires_at_once():
    assert fired(trigger(wakes_in=-5))[1] < 2


def test_failed_polls_are_survived_and_do_not_count_for_the_worker(exchange):
    session_id = start_informer_call(exchange)
    exchange.fault(Fault.BAD_GATEWAY, method="list.calls", times=2)

    event, _ = fired(trigger(session_id))

    assert exchange.requests("list.calls") > 2
    assert read_observations(event)[session_id].failures == 0


def test_a_permanent_error_of_a_poll_ends_the_polling_and_wakes_the_worker(monkeypatch, exchange):
    monkeypatch.setattr(campaign, "_PAUSE_AFTER_ERROR", 0.5)
    session_id = start_informer_call(exchange)
    exchange.account.key = "another-key"

    event, took = fired(trigger(session_id))

    assert 0.4 < took < 10
    assert read_observations(event)[session_id].failures == 0
    assert exchange.requests("list.calls") == 1, "a refused key is not sent again and again"


def test_the_event_comes_after_a_pause_if_only_the_triggerer_cannot_poll(monkeypatch, exchange):
    monkeypatch.delenv("AIRFLOW_CONN_CALLAPI_DEFAULT")
    monkeypatch.setattr(campaign, "_PAUSE_AFTER_ERROR", 0.5)
    monkeypatch.setattr(polls_by_connection, "_READ_CONNECTION_FOR", 0.0)

    event, took = fired(trigger(start_informer_call(exchange)))

    assert 0.4 < took < 10
    assert len(event["observations"]) == 1


def test_the_trigger_and_its_event_contain_no_phone_number(exchange):
    waiting = trigger(start_informer_call(exchange))

    assert CONTACT not in str(waiting.serialize())
    assert CONTACT not in str(fired(waiting))


@pytest.mark.parametrize("cancel", [False, True])
def test_a_kill_releases_the_calls_of_a_campaign_only_with_cancel_on_kill(exchange, monkeypatch, cancel):
    exchange.default_script = Script(rings=0, talks=None)
    sessions = [start_informer_call(exchange), start_informer_call(exchange, OTHER)]

    kill(monkeypatch, trigger(*sessions, cancel_on_kill=cancel))

    assert len(exchange.active_calls) == (0 if cancel else 2)
    assert exchange.requests("release.call") == (2 if cancel else 0)


def test_a_call_that_cannot_be_released_does_not_prevent_the_release_of_the_others(exchange, monkeypatch):
    exchange.default_script = Script(rings=0, talks=None)
    session_id = start_informer_call(exchange)

    kill(monkeypatch, trigger(404, session_id, cancel_on_kill=True))

    assert exchange.active_calls == []


def test_a_campaign_without_calls_has_nothing_to_release_after_a_kill(exchange, monkeypatch, caplog):
    kill(monkeypatch, trigger(cancel_on_kill=True))

    assert "may still be active" not in caplog.text


def test_a_timeout_of_the_poll_is_no_end_of_the_wait(monkeypatch, exchange):
    """The task would defer and resume without a break."""
    monkeypatch.setattr(campaign, "_PAUSE_AFTER_ERROR", 0.5)

    def refuse(*args):
        raise TimeoutError("the secrets backend does not answer")

    monkeypatch.setattr(campaign, "subscribe", refuse)
    event, took = fired(trigger(start_informer_call(exchange)))

    assert 0.4 < took < 10
    assert len(event["observations"]) == 1
