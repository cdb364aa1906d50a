"""The shared poll: one per connection and event loop, for any number of triggers."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import pendulum
import pytest
from airflow_fakes import CONTACT, events_of, start_informer_call
from session_triggers import trigger

from airflow_provider_callapi.emulator import Fault, Profile, Script
from airflow_provider_callapi.event_loop import polls_by_connection, witnesses
from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger

pytest_plugins = ["airflow_desk", "exchange_over_http"]


def iso(at: float) -> str:
    return pendulum.from_timestamp(at).to_iso8601_string()


async def _all(triggers: list[CallApiSessionTrigger]) -> list[Any]:
    found = await asyncio.gather(*(events_of(waiting) for waiting in triggers))
    return [event for (event,) in found]


def _polled(desk: Any, number: int) -> tuple[int, float]:
    """Return how many polls and how many seconds a number of waits for calls of ten minutes takes."""
    desk.exchange.reset()
    desk.exchange.script(CONTACT, Script(rings=0, talks=590))
    began = desk.clock()
    triggers = [trigger(desk.start(), began, deadline=began + 1000) for _ in range(number)]
    events = asyncio.run(_all(triggers))
    assert {event["phase"] for event in events} == {"ENDED"}
    return desk.exchange.requests("list.calls"), desk.clock() - began


def test_two_hundred_triggers_poll_as_often_as_one(desk):
    desk.exchange.account.minute_limit = 10_000
    one, seconds = _polled(desk, 1)
    many, same_seconds = _polled(desk, 200)

    assert one == many
    assert seconds == same_seconds
    assert 100 <= many <= 130, "every five seconds for ten minutes"


def test_a_new_key_in_the_connection_replaces_the_refused_key_while_calls_are_active(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=60))
    session, began = desk.start(), desk.clock()
    desk.renew_key(20)

    (event,) = asyncio.run(events_of(trigger(session, began, deadline=began + 1000)))

    assert event["phase"] == "ENDED"


def test_a_key_for_another_host_does_not_replace_the_refused_key(desk):
    """The other host does not know the calls, so they would seem to have ended."""
    desk.exchange.script(CONTACT, Script(rings=0, talks=60))
    session, began = desk.start(), desk.clock()
    desk.renew_key(20, port=10)

    (event,) = asyncio.run(events_of(trigger(session, began, deadline=began + 1000)))

    assert event.get("phase") != "ENDED"


@pytest.mark.parametrize(
    "callapi_profile",
    [
        Profile(talk_is_listed="never", ongoing_talk_is_reported=True),
        Profile(talk_is_listed="never", ongoing_legs_are_reported=True),
    ],
    ids=["talk", "legs"],
)
def test_two_hundred_waits_for_an_answer_cost_at_most_one_data_api_request_for_each_poll(desk, monkeypatch):
    """``list.calls`` never shows the talks. Every call is answered after 20 s, and talks for ten minutes."""

    async def run_at_once(function: Any, *args: Any) -> Any:
        return function(*args)

    monkeypatch.setattr(witnesses, "run_in_thread", run_at_once)
    desk.connect(extra={"data_api": True})
    desk.exchange.account.minute_limit = 10_000
    desk.exchange.script(CONTACT, Script(rings=20, talks=590))
    began = desk.clock()
    waits = [trigger(desk.start(), began, until="answered", deadline=began + 1000) for _ in range(200)]

    events = asyncio.run(_all(waits))

    assert {event["phase"] for event in events} == {"ANSWERED"}
    assert max(event["call"]["answered_at"] for event in events) <= iso(began + 20 + 2 * 10 + 5)
    reports = desk.exchange.requests("get.calls_report") + desk.exchange.requests("get.call_legs_report")
    assert 2 <= reports <= desk.exchange.requests("list.calls")


@pytest.mark.parametrize("callapi_profile", [Profile(talk_is_listed="never")])
def test_an_answer_that_is_never_listed_is_unknown_without_the_data_api(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(CONTACT, Script(rings=5, talks=60))
    (event,) = asyncio.run(_all([trigger(desk.start(), desk.clock(), until="answered")]))
    assert (event["phase"], event["call"]["answered"]) == ("ENDED", None)


def test_the_report_of_a_missing_call_ends_the_wait_and_brings_its_outcome(desk):
    desk.exchange.script(CONTACT, Script(rings=5, talks=62))

    (event,) = asyncio.run(_all([trigger(desk.start(), desk.clock())]))

    call = event["call"]
    assert (call["source"], call["answered"], call["talk_seconds"]) == ("data_api", True, 62)
    polls = [entry.time for entry in desk.exchange.journal if entry.method == "list.calls"]
    ended_at = pendulum.parse(call["ended_at"]).timestamp()
    assert len([at for at in polls if at > ended_at]) == 1


@pytest.mark.parametrize("callapi_profile", [Profile(future_date_till_is_allowed=False)])
def test_the_report_ends_the_wait_in_any_zone_if_its_period_must_end_now(desk):
    desk.exchange.account.timezone = "Asia/Kamchatka"
    desk.connect(extra={"timezone": None})
    desk.exchange.script(CONTACT, Script(rings=2, talks=62))
    (event,) = asyncio.run(_all([trigger(desk.start(), desk.clock())]))
    assert (event["call"]["source"], event["call"]["talk_seconds"]) == ("data_api", 62)


def test_one_request_asks_for_the_ends_of_all_calls_that_are_missing(desk):
    desk.exchange.account.minute_limit = 10_000
    desk.exchange.script(CONTACT, Script(rings=5, talks=60))

    events = asyncio.run(_all([trigger(desk.start(), desk.clock()) for _ in range(50)]))

    assert {event["call"]["source"] for event in events} == {"data_api"}
    assert desk.exchange.requests("get.calls_report") == 1


def test_connections_do_not_share_a_poll(desk, monkeypatch):
    """The calls of one account prove nothing about the calls of another."""
    # The sleeps of the first poll loop move the clock. The call must outlast the start of the second one.
    desk.exchange.script(CONTACT, Script(rings=3, talks=1500))
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", os.environ["AIRFLOW_CONN_CALLAPI_DEFAULT"])
    session = desk.start()
    rules = {"deadline": desk.clock() + 9000}
    triggers = [
        trigger(session, desk.clock(), callapi_conn_id=name, **rules) for name in ("callapi_default", "other")
    ]

    seen: list[int] = []

    async def main() -> list[Any]:
        waits = asyncio.ensure_future(_all(triggers))
        while not waits.done():
            seen.append(len(polls_by_connection._polls.get(asyncio.get_running_loop(), {})))
            await asyncio.sleep(0.001)
        return await waits

    assert {event["phase"] for event in asyncio.run(main())} == {"ENDED"}
    assert max(seen) == 2


def test_the_poll_ends_with_its_last_subscriber_and_the_next_one_reads_the_connection_again(desk):
    desk.exchange.script(CONTACT, Script.busy(7))

    async def main() -> None:
        for key in ("demo-key", "a-new-key"):
            desk.exchange.account.key = key
            desk.connect(password=key)
            (event,) = await events_of(trigger(desk.start(), desk.clock()))
            assert event["phase"] == "ENDED", event
            before = desk.exchange.requests("list.calls")
            await asyncio.sleep(0.05)
            assert desk.exchange.requests("list.calls") == before
            assert polls_by_connection._polls[asyncio.get_running_loop()] == {}
            others = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            assert others == []

    asyncio.run(main())


def test_a_subscriber_that_joins_after_the_key_was_corrected_does_not_fail_with_the_old_key(desk):
    """Another subscriber has kept the poll of the connection alive since the old key was refused."""
    desk.exchange.script(CONTACT, Script.busy(7))

    async def main() -> Any:
        async with polls_by_connection.subscribe("callapi_default", 5.0) as next_snapshot:
            assert (await next_snapshot()).failure is None
            desk.exchange.account.key = "a-new-key"
            assert (await next_snapshot()).failure.permanent
            desk.connect(password="a-new-key")
            (event,) = await events_of(trigger(desk.start(), desk.clock()))
            return event

    assert asyncio.run(main())["phase"] == "ENDED"


def test_a_cancelled_trigger_leaves_the_others_their_poll(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=550))
    first, second = (trigger(desk.start(), desk.clock()) for _ in range(2))

    async def main() -> Any:
        gone, stays = (asyncio.ensure_future(events_of(waiting)) for waiting in (first, second))
        while not desk.exchange.requests("list.calls"):  # noqa: ASYNC110
            await asyncio.sleep(0)
        gone.cancel()
        (event,) = await stays
        assert gone.cancelled()
        return event

    assert asyncio.run(main())["phase"] == "ENDED"


def test_two_hundred_triggers_over_http_poll_as_often_as_one(wire):
    wire.script(CONTACT, Script(rings=0, talks=1.2))
    polls = []
    for number in (1, 200):
        before = wire.requests("list.calls")
        now = time.time()
        waits = [trigger(start_informer_call(wire), now, poll_interval=0.2) for _ in range(number)]
        events = asyncio.run(_all(waits))
        assert {event["phase"] for event in events} == {"ENDED"}
        polls.append(wire.requests("list.calls") - before)

    one, many = polls
    assert many <= one + 3, f"one trigger took {one} polls, two hundred took {many}"


def test_a_service_that_hangs_does_not_stop_the_triggerers_loop(wire):
    wire.script(CONTACT, Script(rings=0, talks=4))  # longer than the poll that hangs
    wire.fault(Fault.HANG, method="list.calls", seconds=5)
    waiting = trigger(start_informer_call(wire), time.time(), poll_interval=0.2)

    async def main() -> tuple[Any, float]:
        longest, wait = 0.0, asyncio.ensure_future(events_of(waiting))
        while not wait.done():
            began = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - began)
        (event,) = await wait
        return event, longest

    event, longest = asyncio.run(main())

    assert event["phase"] == "ENDED"
    assert longest < 2, f"the loop stood still for {longest:.2f} s"  # the poll hangs for 5 s
