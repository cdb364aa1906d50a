"""The example for inbound calls: from the watcher's payloads to the tags at the exchange."""

from __future__ import annotations

import asyncio
import importlib.util
import re
from contextlib import aclosing

import pytest
from airflow.triggers.base import BaseEventTrigger
from copied_examples import EXAMPLES
from sqlalchemy import select

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.triggers.call_events import CallApiEventTrigger

FILE = EXAMPLES / "inbound_call.py"
KEY_ACCOUNT, DEBTOR, STRANGER = "79161234567", "79160000008", "79160000099"
PHONE = re.compile(r"(?<!\d)79\d{9}(?!\d)")


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("inbound_call", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run_with(run_dag, monkeypatch):
    """Return a function that runs the example with these payloads in its triggering asset events."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.serialization.definitions import dag as definitions

    create = definitions._create_orm_dagrun

    def run(payloads):
        def create_with_events(*, session, **kwargs):
            dag_run = create(session=session, **kwargs)
            asset = session.scalar(select(AssetModel).where(AssetModel.name == "inbound_calls"))
            dag_run.consumed_asset_events = [
                AssetEvent(asset_id=asset.id, extra={"from_trigger": True, "payload": payload})
                for payload in payloads
            ]
            return dag_run

        monkeypatch.setattr(definitions, "_create_orm_dagrun", create_with_events)
        return run_dag(FILE)

    return run


def watcher_payloads(example, exchange, *contacts):
    """Return the payloads of the example's watcher for calls from these contacts."""
    (watcher,) = example.inbound_calls.watchers
    watcher.trigger.poll_interval = 0.1

    async def main():
        async with aclosing(watcher.trigger.run()) as events:
            first = asyncio.ensure_future(anext(events))
            while not exchange.requests("list.calls"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            for contact in contacts:
                exchange.inbound(contact)
            payloads = [(await first).payload]
            while len(payloads) < len(contacts):
                payloads.append((await anext(events)).payload)
            return payloads

    return asyncio.run(asyncio.wait_for(main(), 20))


def tags(exchange):
    return {call.contact: list(call.tags) for call in exchange.calls}


@pytest.mark.needs_airflow("3.2", "dag.test() that stores the assets of the DAG")
def test_one_run_tags_each_known_caller_with_its_tag_and_no_stranger(run_with, example, exchange):
    exchange.default_script = Script(employee_rings=60)
    payloads = watcher_payloads(example, exchange, KEY_ACCOUNT, STRANGER, DEBTOR)

    run = run_with(payloads)

    assert run.state == "success"
    assert tags(exchange) == {KEY_ACCOUNT: [254], STRANGER: [], DEBTOR: [36]}
    assert not PHONE.search(str(payloads)), "an asset event contains a number"
    assert not PHONE.search(str(run.xcoms)), "an XCom contains a number"


@pytest.mark.needs_airflow("3.2", "dag.test() that stores the assets of the DAG")
def test_an_ended_call_gets_no_tag(run_with, example, exchange):
    exchange.default_script = Script(employee_rings=60)
    (payload,) = watcher_payloads(example, exchange, KEY_ACCOUNT)
    release = {"access_token": exchange.account.key, "call_session_id": payload["call_session_id"]}
    exchange.handle({"jsonrpc": "2.0", "id": 1, "method": "release.call", "params": release})

    run = run_with([payload])

    assert (run.state, run.states["tag"]) == ("success", "skipped")
    assert tags(exchange) == {KEY_ACCOUNT: []}


def test_a_run_that_a_user_starts_sets_no_tag(run_dag, exchange):
    run = run_dag(FILE)

    assert (run.state, run.states["tag"]) == ("success", "skipped")


def test_the_watcher_reports_starting_inbound_calls_without_numbers(example):
    (watcher,) = example.inbound_calls.watchers

    assert isinstance(watcher.trigger, CallApiEventTrigger)
    assert isinstance(watcher.trigger, BaseEventTrigger)
    arguments = watcher.trigger.serialize()[1]
    assert (arguments["events"], arguments["direction"]) == (["started"], "in")
    assert arguments["include_phone_numbers"] is False
