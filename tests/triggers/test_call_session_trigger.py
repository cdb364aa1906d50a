"""The trigger of one call: one event in plain JSON, and one poll for any number of waits."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow_fakes import CONTACT, events_of, rebuild
from session_triggers import trigger

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.request import Component
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.watch import Phase
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger, read_event

pytest_plugins = ["airflow_desk"]


def run(desk: Any, waiting: CallApiSessionTrigger) -> Any:
    """Return the one event of a trigger, after a round trip of both through JSON."""
    (event,) = asyncio.run(events_of(rebuild(*waiting.serialize())))
    return json.loads(json.dumps(event))


def test_the_constructor_of_a_trigger_reads_no_connection(monkeypatch):
    async def forbidden(*_: Any) -> Any:
        raise AssertionError("the connection is read too early")

    monkeypatch.setattr(CallApiHook, "aget_connection", forbidden)
    monkeypatch.setattr(CallApiHook, "get_connection", forbidden)

    trigger(1, 0.0)


def test_a_trigger_survives_the_database_unchanged(desk):
    waiting = trigger(
        desk.start(), desk.clock(), until="answered", poll_failures_tolerated=3, cancel_on_kill=True
    )

    again = rebuild(*waiting.serialize())

    assert type(again) is CallApiSessionTrigger
    assert again.serialize() == waiting.serialize()
    assert waiting.serialize()[0] == "airflow_provider_callapi.triggers.call_session.CallApiSessionTrigger"


def test_a_triggers_row_holds_no_secret_and_no_phone_number(desk):
    desk.connect(login=True)
    waiting = trigger(desk.start(external_id="mine"), desk.clock())
    run(desk, waiting)
    account = desk.exchange.account

    row = f"{waiting.serialize()} {waiting!r}"
    for secret in (account.password, account.key, CONTACT, *desk.exchange.call_api.tokens):
        assert secret not in row


@pytest.mark.parametrize(
    ("script", "until", "phase", "answered"),
    [
        (Script(rings=3, talks=30), "ended", Phase.ENDED, True),
        (Script(rings=3, talks=30), "answered", Phase.ANSWERED, True),
        (Script.busy(12), "answered", Phase.ENDED, False),
        (Script(listed_after=1, rings=1, talks=1), "ended", Phase.NEVER_APPEARED, None),
        (Script(rings=3, talks=None), "ended", Phase.TIMED_OUT, True),
    ],
)
def test_the_trigger_yields_exactly_one_event_with_the_observation(desk, script, until, phase, answered):
    desk.exchange.script(CONTACT, script)
    waiting = trigger(desk.start(external_id="mine"), desk.clock(), until=until)

    event = run(desk, waiting)

    assert CONTACT not in str(event)
    reported_phase, call = read_event(event)
    assert (reported_phase, call.answered, call.call_session_id) == (
        phase,
        answered,
        waiting.call["call_session_id"],
    )


def test_the_deadline_is_wall_clock_time_and_outlives_a_restart_of_the_triggerer(desk):
    """A trigger that starts in another process after its deadline polls once and reports the time-out."""
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    waiting = trigger(desk.start(), desk.clock(), deadline=desk.clock() + 100)
    desk.clock.advance(500)

    phase, _ = read_event(run(desk, waiting))

    assert phase in (Phase.TIMED_OUT, Phase.ANSWERED)
    assert desk.exchange.requests("list.calls") <= 2


def test_a_restart_after_the_end_of_the_call_reports_fewer_facts_and_no_false_ones(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=20))
    waiting = trigger(desk.start(), desk.clock())
    desk.clock.advance(300)

    phase, call = read_event(run(desk, waiting))

    assert (phase, call.status, call.answered, call.observed) == (Phase.NEVER_APPEARED, "ended", None, False)


def test_the_trigger_keeps_an_observation_from_before_its_start(desk):
    """A second deferral begins after the answer was tagged. The call may have ended by then."""
    desk.exchange.script(CONTACT, Script(rings=0, talks=20))
    session, now = desk.start(), desk.clock()
    seen = Outcome(session, started_at=now, answered=True, answered_at=now + 5, observed=True, tags=(36,))
    desk.clock.advance(30)

    phase, call = read_event(run(desk, trigger(session, now, call=seen.to_xcom())))

    assert (phase, call.answered, call.answered_at, call.tags) == (Phase.ENDED, True, now + 5, (36,))
    assert desk.clock() < now + 50, "a call that was seen need not wait for the appear timeout"


@pytest.mark.parametrize("broken", ["key", "component", "connection", "type"])
def test_a_permanent_error_is_reported_as_permanent(desk, broken):
    waiting = trigger(desk.start(), desk.clock())
    if broken == "key":
        desk.connect(password="a-wrong-key-0001")
    elif broken == "component":
        desk.exchange.account.components_off.add(Component.MANAGEMENT)
    elif broken == "connection":
        desk.connect(extra={"timezone": "Moscow"})
    else:
        desk.connect(conn_type="aws")

    event = run(desk, waiting)

    assert event["permanent"] is True
    assert "a-wrong-key-0001" not in str(event)
    assert CONTACT not in str(event)
    with pytest.raises(CallApiFailure):
        read_event(event)
    if broken == "component":
        assert "switched on in the account" in event["error"], "the advice of a worker"


def test_failed_polls_are_survived_up_to_the_tolerated_number_and_then_reported_as_transient(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=400))
    waiting = trigger(desk.start(), desk.clock(), poll_failures_tolerated=3)
    desk.exchange.fault(Fault.BAD_GATEWAY, method="list.calls", times=3)
    assert run(desk, waiting)["phase"] == "ENDED"

    desk.exchange.fault(Fault.BAD_GATEWAY, method="list.calls", times=4)
    event = run(desk, waiting)

    assert event["permanent"] is False
    with pytest.raises(CallApiTrouble):
        read_event(event)


UNREADABLE = {
    "missing": AirflowNotFoundException("The conn_id `callapi_default` isn't defined"),
    "API server": OSError("the API server is being restarted"),
    "secrets backend": RuntimeError("Vault is sealed"),
    "timeout": TimeoutError(),
}


@pytest.mark.parametrize("error", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("poll_interval", [1, 5])
def test_a_connection_that_cannot_be_read_for_some_seconds_ends_no_wait(desk, error, poll_interval):
    desk.exchange.script(CONTACT, Script(rings=0, talks=100))
    waiting = [trigger(desk.start(), desk.clock(), poll_interval=poll_interval) for _ in range(3)]
    desk.lose_connection(21, error)

    async def main() -> list[Any]:
        return [event for (event,) in await asyncio.gather(*map(events_of, waiting))]

    for event in asyncio.run(main()):
        phase, call = read_event(event)
        assert (phase, call.answered) == (Phase.ENDED, True)


@pytest.mark.parametrize("error", UNREADABLE.values(), ids=UNREADABLE)
def test_a_connection_that_stays_unreadable_ends_the_wait_after_minutes_and_a_retry_may_succeed(
    desk, monkeypatch, error
):
    async def down(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(CallApiHook, "aget_connection", down)
    began = desk.clock()

    event = run(desk, trigger(1, began, deadline=began + 3600))

    assert event["permanent"] is False
    assert 120 <= desk.clock() - began <= 240


def test_a_poll_interval_of_zero_is_refused(desk):
    with pytest.raises(CallApiFailure, match="poll_interval: "):
        trigger(desk.start(), desk.clock(), poll_interval=0)

    assert desk.exchange.requests("list.calls") == 0


def test_a_limit_makes_the_poll_wait_and_not_fail(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=100))
    waiting = trigger(desk.start(), desk.clock())
    account = desk.exchange.account
    account.weights["list.calls"], account.minute_limit = 1, 3

    phase, call = read_event(run(desk, waiting))

    assert (phase, call.answered) == (Phase.ENDED, True)
    assert max(desk.slept) > 5


@pytest.mark.parametrize("event", [None, {}, {"call": {}}, {"permanent": True}])
def test_an_event_without_a_phase_or_an_error_is_a_transient_error(event):
    with pytest.raises(CallApiTrouble):
        read_event(event)


def test_call_api_trouble_is_no_call_api_error():
    assert not issubclass(CallApiTrouble, CallApiError)
