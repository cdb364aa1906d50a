"""The trigger of asset events: each event once, one poll for all watchers, and no error ends it."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Any

import pytest
from airflow.sdk import AssetWatcher
from airflow.triggers.base import BaseEventTrigger
from airflow_fakes import CONTACT, rebuild
from event_watchers import ALL, polled, until, watcher, watching

from airflow_provider_callapi.api.request import Component
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.event_loop import polls_by_connection
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators._requests import read_call
from airflow_provider_callapi.triggers import _error_log
from airflow_provider_callapi.triggers.call_events import CallApiEventTrigger

pytest_plugins = ["airflow_desk", "event_watchers"]


def test_the_trigger_is_an_event_trigger_that_an_asset_watcher_accepts():
    AssetWatcher(name="calls", trigger=CallApiEventTrigger())  # raises otherwise


def test_airflow_recognises_a_watcher_that_came_back_from_the_database():
    """Airflow compares the hash of the DAG file's watcher with that of the row, to start it only once."""
    from airflow.models.trigger import Trigger

    made = CallApiEventTrigger(events=("ended", "started"), contacts=["7812", "7495"], poll_interval=5)
    row = Trigger.from_object(made)

    assert BaseEventTrigger.hash(row.classpath, row.kwargs) == BaseEventTrigger.hash(*made.serialize())
    assert rebuild(*made.serialize()).serialize() == made.serialize()


def test_the_order_of_the_arguments_does_not_change_the_identity_of_a_watcher():
    numbers = [str(number) for number in range(7000, 7050)]
    one = CallApiEventTrigger(events=("ended", "started"), contacts=numbers)
    other = CallApiEventTrigger(events=["started", "ended", "ended"], contacts=numbers[::-1])

    assert one.serialize() == other.serialize()
    assert one.serialize()[1]["contacts"] == numbers


def test_the_constructor_of_a_watcher_reads_no_connection(monkeypatch):
    async def forbidden(*_: Any) -> Any:
        raise AssertionError("the connection is read too early")

    monkeypatch.setattr(CallApiHook, "aget_connection", forbidden)
    monkeypatch.setattr(CallApiHook, "get_connection", forbidden)

    CallApiEventTrigger()


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"events": "begun"}, "events"),
        ({"events": ()}, "events"),
        ({"events": ["started", "begun"]}, "events"),
        ({"direction": "inbound"}, "direction"),
        ({"contacts": "8 916 123-45-6"}, "contacts"),
        ({"contacts": "79161234567 79161234568"}, "contacts"),
        ({"contacts": "sip25"}, "contacts"),
        ({"contacts": [""]}, "contacts"),
        ({"virtual_phone_numbers": ["499 372"]}, "virtual_phone_numbers"),
        ({"poll_interval": 0}, "poll_interval"),
        ({"poll_interval": 601}, "poll_interval"),
        ({"poll_interval": math.nan}, "poll_interval"),
        ({"region": "XX", "contacts": "8 916 123-45-67"}, "contacts: region"),
    ],
)
def test_a_parameter_that_cannot_work_is_named_while_the_dag_is_parsed(wrong, name):
    with pytest.raises(InvalidParameter, match=f"^{name}"):
        CallApiEventTrigger(**wrong)


def test_a_single_number_is_one_prefix_and_not_one_for_each_digit():
    assert CallApiEventTrigger(contacts="7495").contacts == ("7495",)


@pytest.mark.parametrize(("written", "read"), [("8 916 123-45-67", "79161234567"), ("+7495", "7495")])
def test_a_number_is_watched_in_every_spelling(written, read):
    trigger = CallApiEventTrigger(contacts=written)

    assert trigger._call_filter.contacts == (read,)
    assert CallApiEventTrigger(**trigger.serialize()[1])._call_filter.contacts == (read,)


def test_the_text_of_a_watcher_shortens_the_numbers_of_people():
    assert CONTACT not in repr(CallApiEventTrigger(contacts=CONTACT))


def test_an_inbound_call_has_the_events_started_answered_and_ended_once_each(wire):
    wire.script(CONTACT, Script(employee_rings=0.5, talks=0.5))

    async def main() -> list[dict[str, Any]]:
        async with watching(watcher()) as (one,):
            await polled(wire)
            session = wire.inbound(CONTACT)
            await until(lambda: ("ended", session) in one.reported)
            await polled(wire, 5)
            assert one.reported == [(event, session) for event in ALL]
            return one.payloads

    started, answered, ended = asyncio.run(main())

    assert [one["answered"] for one in (started, answered, ended)] == [None, True, True]
    assert (started["direction"], started["virtual_phone_number"]) == (
        "in",
        min(wire.account.virtual_numbers),
    )
    assert read_call(ended).call_session_id == ended["call_session_id"], "operators take it as a call"
    assert CONTACT not in str([started, answered, ended])


def test_a_watcher_fires_only_for_the_events_that_its_parameters_select(wire):
    wire.script(CONTACT, Script(employee_rings=0.3, talks=0.3))
    other = max(wire.account.virtual_numbers)

    async def main() -> None:
        wanted = {
            "answered": watcher(events="answered"),
            "out": watcher(direction="out"),
            "number": watcher(events="started", virtual_phone_numbers=other),
            "contact": watcher(events="started", contacts="7926", include_phone_numbers=True),
        }
        async with watching(*wanted.values()) as all_of_them:
            running = dict(zip(wanted, all_of_them, strict=True))
            await polled(wire)
            first, second = wire.inbound(CONTACT), wire.inbound("79260000077", other)
            await until(lambda: ("answered", first) in running["answered"].reported)
            await polled(wire, 3)
            assert running["answered"].reported == [("answered", first)]
            assert running["out"].reported == []
            assert running["number"].reported == [("started", second)]
            assert running["contact"].reported == [("started", second)]
            assert running["contact"].payloads[0]["contact_phone_number"] == "79260000077"

    asyncio.run(main())


def test_any_number_of_watchers_share_one_poll(simulated, desk):
    async def main(number: int) -> tuple[int, float]:
        before, began = simulated.requests("list.calls"), desk.clock()
        others = [watcher(contacts=str(7000 + index), poll_interval=5) for index in range(number - 1)]
        async with watching(watcher(direction="in", poll_interval=5), *others) as running:
            await polled(simulated)
            session = simulated.inbound(CONTACT)
            await until(lambda: ("started", session) in running[0].reported)
            await polled(simulated, 8)
            return simulated.requests("list.calls") - before, desk.clock() - began

    for number in (1, 50):
        polls, seconds = asyncio.run(main(number))
        assert 8 <= polls <= seconds / 5 + 4, f"{number} watchers took {polls} polls in {seconds:.1f} s"


def test_failed_polls_cause_no_events_and_lose_none(simulated):
    simulated.script(CONTACT, Script(employee_rings=0, talks=None))

    async def main() -> None:
        async with watching(watcher(poll_interval=5)) as (one,):
            await polled(simulated)
            session = simulated.inbound(CONTACT)
            await until(lambda: ("answered", session) in one.reported)
            # more than the trigger tolerates
            simulated.fault(Fault.BAD_GATEWAY, method="list.calls", times=25)
            await until(lambda: sum(entry.kind == "fault" for entry in simulated.journal) == 25)
            later = simulated.inbound("79160000002")
            await until(lambda: ("started", later) in one.reported)
            assert [event for event in one.reported if event[1] == session] == [
                ("started", session),
                ("answered", session),
            ]

    asyncio.run(main())


@pytest.mark.parametrize("broken", ["password", "component", "type", "settings"])
def test_a_permanent_error_is_logged_as_an_error_and_the_watcher_recovers_from_it(
    wire, connection, caplog, broken
):
    if broken == "password":
        connection(password="a-wrong-key-0001")
    elif broken == "component":
        wire.account.components_off.add(Component.MANAGEMENT)
    elif broken == "type":
        connection(conn_type="aws")
    else:
        connection(extra={"timezone": "Moscow"})

    async def main() -> None:
        async with watching(watcher(events="started")) as (one,):
            await until(lambda: "correct connection" in caplog.text)
            await asyncio.sleep(0.2)
            assert wire.requests("list.calls") <= 6, "a wrong password is not sent at every poll"
            connection()
            wire.account.components_off.clear()
            await polled(wire, 2)
            session = wire.inbound(CONTACT)
            await until(lambda: one.reported == [("started", session)])

    asyncio.run(main())

    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1, "the same trouble is not said every second"
    assert "callapi_default" in errors[0].getMessage()
    assert "a-wrong-key-0001" not in caplog.text


def test_a_connection_that_does_not_exist_yet_is_read_again_and_logged_once(
    wire, connection, monkeypatch, caplog
):
    monkeypatch.delenv("AIRFLOW_CONN_CALLAPI_DEFAULT")
    monkeypatch.setattr(polls_by_connection, "_READ_CONNECTION_AGAIN_AFTER", 0.1)

    async def main() -> None:
        async with watching(watcher(events="started")) as (one,):
            await until(lambda: "cannot be read" in caplog.text)
            await asyncio.sleep(0.5)
            connection()
            await polled(wire, 2)
            session = wire.inbound(CONTACT)
            await until(lambda: one.reported == [("started", session)])

    asyncio.run(main())

    assert caplog.text.count("cannot be read") == 1


def test_the_same_error_is_logged_again_after_a_while(wire, connection, monkeypatch, caplog):
    connection(password="a-wrong-key-0001")
    monkeypatch.setattr(_error_log, "_LOG_AGAIN_AFTER", 0.1)

    async def main() -> None:
        async with watching(watcher()):
            await until(lambda: caplog.text.count("correct connection") >= 2)

    asyncio.run(main())


def test_a_stopped_watcher_leaves_no_poll_behind(simulated):
    async def main() -> None:
        async with watching(watcher(), watcher(direction="in")):
            await polled(simulated, 50)
        await asyncio.sleep(0.05)
        before = simulated.requests("list.calls")
        await asyncio.sleep(0.1)  # in this time, a watcher would poll many times
        assert simulated.requests("list.calls") == before
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    asyncio.run(main())
