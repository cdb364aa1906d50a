"""The state of the events outlives a triggerer: no event is repeated, and none is lost."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_fakes import CONTACT, rebuild
from event_watchers import AssetState, polled, until, watcher, watching

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.triggers import call_events

pytest_plugins = ["airflow_desk", "event_watchers"]


class NoState(AssetState):
    async def aget(self, key: str, default: Any = None) -> Any:
        raise OSError("the API server is being restarted")

    async def aset(self, key: str, value: Any) -> None:
        raise OSError("the API server is being restarted")


def test_a_restart_with_asset_state_repeats_no_event_and_reports_what_happened_meanwhile(wire):
    for phone in (CONTACT, "79160000002", "79160000003"):
        wire.script(phone, Script(employee_rings=0, talks=None))
    store = AssetState()

    async def main() -> None:
        async with watching(watcher(), store=store) as (one,):
            await polled(wire)
            stays, ends = wire.inbound(CONTACT), wire.inbound("79160000002")
            await until(lambda: len(one.reported) == 4)
        release = {"access_token": wire.account.key, "call_session_id": ends}
        wire.handle({"jsonrpc": "2.0", "id": 1, "method": "release.call", "params": release})
        came = wire.inbound("79160000003")
        async with watching(watcher(), store=store) as (one,):
            await until(lambda: len(one.reported) >= 3)
            await polled(wire, 4)
            assert sorted(one.reported) == [("answered", came), ("ended", ends), ("started", came)]
            assert stays not in [session for _, session in one.reported]

    asyncio.run(main())

    assert CONTACT not in str(store.values)


@pytest.mark.needs_airflow("3.3", "asset state")
@pytest.mark.parametrize("then", [["a"], ["b"], ["a", "b"]])
def test_equal_watchers_of_two_assets_keep_their_state_in_the_remaining_asset(
    wire, monkeypatch, caplog, then
):
    from airflow.sdk import Asset
    from airflow.sdk.execution_time.context import AssetStateStoreAccessor, AssetStateStoreAccessors

    states: dict[str | None, AssetState] = {"a": AssetState(), "b": AssetState()}

    async def aget(accessor: Any, key: str, default: Any = None) -> Any:
        return await states[accessor._name].aget(key, default)

    async def aset(accessor: Any, key: str, value: Any) -> None:
        await states[accessor._name].aset(key, value)

    monkeypatch.setattr(AssetStateStoreAccessor, "aget", aget)
    monkeypatch.setattr(AssetStateStoreAccessor, "aset", aset)

    def of(names: list[str]) -> AssetStateStoreAccessors:
        return AssetStateStoreAccessors(inlets=[Asset(name=name, uri=f"x://{name}") for name in names])

    async def main() -> None:
        async with watching(watcher(events="started"), store=of(["a", "b"])) as (one,):
            await polled(wire)
            known = wire.inbound(CONTACT)
            await until(lambda: one.reported == [("started", known)])
        came = wire.inbound("79160000002")
        async with watching(watcher(events="started"), store=of(then)) as (one,):
            await until(lambda: one.reported == [("started", came)])
            await polled(wire, 3)
            assert one.reported == [("started", came)]

    asyncio.run(main())

    assert "asset state" not in caplog.text


def test_the_newer_state_of_two_assets_is_used(wire):
    """One asset was paused for a while: its state is old."""
    newer, older = AssetState(), AssetState()
    both = SimpleNamespace(_by_name={"a": newer, "b": older})

    async def main() -> None:
        async with watching(watcher(events="started"), store=both) as (one,):
            await polled(wire)
        async with watching(watcher(events="started"), store=newer) as (one,):
            known = wire.inbound(CONTACT)
            await until(lambda: one.reported == [("started", known)])
        async with watching(watcher(events="started"), store=both) as (one,):
            await polled(wire, 3)
            assert one.reported == []

    asyncio.run(main())


def test_an_event_is_stored_before_it_is_yielded(wire):
    """A triggerer that is killed right after an event does not repeat it."""
    store = AssetState()

    async def main() -> None:
        trigger = rebuild(*watcher(events="started").serialize())
        trigger.asset_state_store = store
        async with aclosing(trigger.run()) as events:
            waiting = asyncio.ensure_future(anext(events))
            await polled(wire)
            session = wire.inbound(CONTACT)
            event = await waiting  # it goes no further: here the triggerer dies
            assert event.payload["call_session_id"] == session
        (state,) = store.values.values()
        assert json.loads(state)["calls"][str(session)]["stage"] == "ACTIVE"

    asyncio.run(main())


def test_an_unchanged_state_is_saved_again_before_it_counts_as_out_of_date(wire, monkeypatch):
    monkeypatch.setattr(call_events, "_SAVE_AGAIN_AFTER", 0.3)
    store, saved = AssetState(), set()

    async def main() -> None:
        async with watching(watcher(), store=store):
            await until(lambda: saved.update(store.values.values()) or len(saved) >= 3)

    began = time.monotonic()
    asyncio.run(main())

    assert time.monotonic() - began >= 0.6, "an unchanged state is not saved at every poll"


def test_the_first_poll_after_a_restart_without_asset_state_is_a_baseline(wire):
    wire.script(CONTACT, Script(employee_rings=0, talks=None))

    async def main() -> None:
        session = wire.inbound(CONTACT)
        async with watching(watcher()) as (one,):
            await polled(wire, 3)
            assert one.reported == []
            release = {"access_token": wire.account.key, "call_session_id": session}
            wire.handle({"jsonrpc": "2.0", "id": 1, "method": "release.call", "params": release})
            await until(lambda: one.reported == [("ended", session)])

    asyncio.run(main())


def test_an_error_of_asset_state_is_logged_and_does_not_stop_the_events(wire, caplog):
    async def main() -> None:
        async with watching(watcher(events="started"), store=NoState()) as (one,):
            await polled(wire)
            session = wire.inbound(CONTACT)
            await until(lambda: one.reported == [("started", session)])
            await polled(wire, 5)

    asyncio.run(main())

    assert caplog.text.count("could not be read") == 1
    assert caplog.text.count("could not be written") == 1


def test_events_work_on_an_airflow_without_asset_state(wire):
    async def main() -> None:
        async with watching(watcher(events="started")) as (one,):
            del one.trigger.asset_state_store
            await polled(wire)
            session = wire.inbound(CONTACT)
            await until(lambda: one.reported == [("started", session)])

    asyncio.run(main())


def test_two_watchers_of_one_asset_have_separate_states(wire):
    store = AssetState()

    async def main() -> None:
        async with watching(watcher(events="started"), watcher(events="ended"), store=store):
            await until(lambda: len(store.values) == 2)

    asyncio.run(main())
