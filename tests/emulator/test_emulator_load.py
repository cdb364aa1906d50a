"""A load keeps a number of calls active, and the exchange's memory does not grow forever."""

from __future__ import annotations

import time

import pytest
from emulator_client import CONTACT, EMPLOYEE_PHONE, EmulatorClient, start_params

from airflow_provider_callapi.emulator import Employee, Exchange, ManualClock, Script
from airflow_provider_callapi.emulator.load import Load


def test_a_load_keeps_its_calls_active_while_calls_come_and_go(api: EmulatorClient) -> None:
    load = Load(api.exchange, 50)
    load.place_missing()
    first = {call["call_session_id"] for call in api.data("list.calls")}
    assert len(first) == 50
    for _ in range(60):
        api.clock.advance(10)
        load.place_missing()
        assert len(api.data("list.calls")) == 50
    last = {call["call_session_id"] for call in api.data("list.calls")}
    assert len(first & last) < 10
    ended = [call for call in api.exchange.calls if not call.active]
    assert all(call.finish_reason and call.talked_at for call in ended)
    assert len({round(call.ended_at or 0) for call in ended}) > 20


def test_the_calls_of_a_load_belong_to_all_employees_with_a_phone(api: EmulatorClient) -> None:
    employees = api.exchange.account.employees
    employees[99] = Employee(99, "No phone")
    Load(api.exchange, 100).place_missing()
    names = {leg["employee_full_name"] for call in api.data("list.calls") for leg in call["legs"]}
    assert names - {None} == {one.full_name for one in employees.values() if one.phone_numbers}


def test_calls_that_requests_start_are_no_part_of_the_load(api: EmulatorClient) -> None:
    load = Load(api.exchange, 10)
    load.place_missing()
    api.data("start.informer_call", **start_params("start.informer_call"))
    load.place_missing()
    assert len(api.exchange.active_calls) == 11
    assert api.exchange.rings(CONTACT) == 1


def test_a_load_forgets_calls_and_events_an_hour_after_the_end(api: EmulatorClient) -> None:
    exchange, clock = api.exchange, api.clock
    load = Load(exchange, 20)
    for _ in range(300):
        load.place_missing()
        load.forget_old()
        clock.advance(60)
    load.forget_old()
    hour_ago = clock() - 3600 - 60
    assert all(call.ended_at is None or call.ended_at >= hour_ago for call in exchange.calls)
    assert min(entry.time for entry in exchange.journal) >= hour_ago
    assert len(exchange.calls) < 20 * 61
    assert exchange.calls == sorted(exchange.calls, key=lambda call: call.started_at)
    assert exchange.last_finished(1)[0].ended_at is not None
    assert exchange.last_finished(0) == []


def test_forgetting_removes_ended_calls_and_keeps_active_calls_and_counts(api: EmulatorClient) -> None:
    old = api.exchange.inbound(CONTACT)
    api.clock.advance(100)
    api.exchange.script("79160000002", Script(talks=None))
    new = api.exchange.inbound("79160000002")
    api.clock.advance(100)
    rings = api.exchange.rings(EMPLOYEE_PHONE)
    assert not api.exchange.call(old).active
    ended_at = api.exchange.call(old).ended_at
    assert ended_at is not None
    api.exchange.forget(before=ended_at)
    assert [call.call_session_id for call in api.exchange.calls] == [old, new]
    api.exchange.forget(before=ended_at + 0.001)
    assert [call.call_session_id for call in api.exchange.calls] == [new]
    assert api.exchange.rings(EMPLOYEE_PHONE) == rings > 0
    with pytest.raises(KeyError):
        api.exchange.call(old)


def test_a_thread_replaces_ended_calls_until_the_block_ends() -> None:
    clock = ManualClock(1_760_000_000.0)
    exchange = Exchange(clock)
    with Load(exchange, 5):
        assert len(exchange.active_calls) == 5
        clock.advance(3_000)  # all have ended, and none is forgotten
        deadline = time.monotonic() + 60
        while len(exchange.calls) < 10 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(exchange.calls) == 10
        assert len(exchange.active_calls) == 5
    placed = len(exchange.calls)
    clock.advance(10_000)
    assert (len(exchange.calls), exchange.active_calls) == (placed, [])
