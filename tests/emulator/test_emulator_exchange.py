"""The exchange as a test uses it: inbound calls, default script, reset, accounts."""

from __future__ import annotations

import pytest
from emulator_client import CONTACT, EMPLOYEE_PHONE, VNUMBER

from airflow_provider_callapi.emulator import Account, Employee, Exchange, ManualClock, Script


def _key_holder(exchange, key):
    def send(method, **params):
        params = {"access_token": key, **params}
        return exchange.handle({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})

    return send


def test_an_inbound_contact_is_queued_until_an_employee_answers(api, exchange, clock):
    session = exchange.inbound(CONTACT, VNUMBER)
    assert api.leg_states() == [["На очереди", "Дозвон"]]
    assert (exchange.rings(CONTACT), exchange.rings(EMPLOYEE_PHONE)) == (0, 1)
    clock.advance(2)
    assert api.leg_states() == [["Разговор", "Разговор"]]
    assert exchange.call(session).direction == "in"


def test_a_blacklisted_contact_does_not_get_through(exchange):
    exchange.account.blacklist.add(CONTACT)
    call = exchange.call(exchange.inbound(CONTACT))
    assert call.finish_reason == "numa_in_black_list"
    assert exchange.rings(EMPLOYEE_PHONE) == 0


def test_the_default_script_applies_to_numbers_without_a_script(api, exchange, clock):
    exchange.default_script = Script.busy()
    api.start("start.informer_call")
    clock.advance(1)
    assert exchange.calls[0].finish_reason == "subscriber_busy"


def test_reset_removes_calls_scripts_and_journal(api, exchange):
    exchange.script(CONTACT, Script.busy())
    api.start()
    exchange.reset()
    assert (exchange.calls, exchange.journal, exchange.rings(EMPLOYEE_PHONE)) == ([], [], 0)


def test_one_account_does_not_see_the_calls_of_another():
    exchange = Exchange(clock=ManualClock(1_760_000_000.0))
    exchange.accounts.append(Account(login="other", key="other-key"))
    api = _key_holder(exchange, "demo-key")
    session = api(
        "start.informer_call",
        contact=CONTACT,
        virtual_phone_number=VNUMBER,
        contact_message={"type": "tts", "value": "x"},
    )["result"]["data"]
    other = _key_holder(exchange, "other-key")
    assert other("list.calls")["result"]["data"] == []
    assert other("release.call", **session)["error"]["data"]["mnemonic"] == "call_session_not_found"


def test_an_inbound_call_that_could_ring_no_phone_is_refused_with_the_reason(exchange):
    exchange.account.employees[99] = Employee(99, "No Phone")
    with pytest.raises(ValueError, match="employee 99 has no phone"):
        exchange.inbound(CONTACT, employee_id=99)
    for missing in (exchange.account.virtual_numbers, exchange.account.employees):
        missing.clear()
        with pytest.raises(ValueError, match="a virtual number and an employee"):
            exchange.inbound(CONTACT, VNUMBER if missing is exchange.account.employees else None)
    assert exchange.active_calls == []


def test_an_inbound_call_to_a_named_number_needs_no_number_of_the_account(exchange):
    exchange.account.virtual_numbers.clear()
    assert exchange.call(exchange.inbound(CONTACT, VNUMBER)).direction == "in"
