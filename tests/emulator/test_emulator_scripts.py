"""Calls happen as the script of the contact's number says, by the exchange's clock."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.api.models import CallSession, parse_time
from airflow_provider_callapi.emulator import Account, Exchange, ManualClock, Script, State

CONTACT = "79161234567"
EMPLOYEE_PHONE = "79260000001"
VNUMBER = "74993720692"


def test_an_informer_call_rings_three_seconds_and_talks_ten(desk, clock):
    call = desk.start("start.informer_call")
    assert desk.leg_states() == [["Дозвон"]]
    clock.advance(2.9)
    assert desk.leg_states() == [["Дозвон"]]
    clock.advance(0.1)
    assert desk.leg_states() == [["Разговор"]]
    clock.advance(9.9)
    assert desk.leg_states() == [["Разговор"]]
    clock.advance(0.1)
    assert desk.leg_states() == []
    assert call.finish_reason == "success_finish"
    assert (call.answered_at, call.ended_at) == (call.started_at + 3, call.started_at + 13)


@pytest.mark.parametrize(
    ("script", "reason", "seconds"),
    [
        (Script.busy(), "subscriber_busy", 1),
        (Script.no_answer(rings=20), "subscriber_not_responsible", 20),
        (Script(rings=60), "timeout", 30),
    ],
)
def test_a_contact_that_is_not_reached_ends_the_call(desk, clock, script, reason, seconds):
    desk.exchange.script(CONTACT, script)
    call = desk.start("start.informer_call")
    clock.advance(100)
    assert desk.exchange.call(call.call_session_id).finish_reason == reason
    assert call.answered_at is None
    assert call.ended_at == call.started_at + seconds


def test_the_dialing_timeout_bounds_the_ringing(desk, exchange, clock):
    exchange.script(CONTACT, Script(rings=20))
    desk.start("start.informer_call", dialing_timeout=15)
    clock.advance(15)
    assert exchange.calls[0].finish_reason == "timeout"


def test_a_call_is_listed_only_after_its_delay(desk, exchange, clock):
    exchange.script(CONTACT, Script(listed_after=2))
    desk.start()
    assert desk.ask("list.calls") == []
    clock.advance(2)
    assert len(desk.ask("list.calls")) == 1


@pytest.mark.parametrize("method", ["start.employee_call", "start.scenario_call"])
def test_the_first_side_rings_first_and_the_other_when_it_answered(desk, exchange, clock, method):
    desk.start(method, first_call="employee")
    assert desk.leg_states() == [["Дозвон"]]
    assert (exchange.rings(EMPLOYEE_PHONE), exchange.rings(CONTACT)) == (1, 0)
    clock.advance(2)
    assert desk.leg_states() == [["Разговор", "Дозвон"]]
    assert (exchange.rings(EMPLOYEE_PHONE), exchange.rings(CONTACT)) == (1, 1)
    assert exchange.calls[0].answered_at is None
    clock.advance(3)
    assert desk.leg_states() == [["Разговор", "Разговор"]]
    assert exchange.calls[0].state is State.TALK
    clock.advance(10)
    assert exchange.calls[0].finish_reason == "subscriber_disconnects"


def test_the_contact_rings_first_when_told_so(desk, exchange, clock):
    desk.start(first_call="contact")
    assert (exchange.rings(EMPLOYEE_PHONE), exchange.rings(CONTACT)) == (0, 1)
    clock.advance(3)
    assert exchange.calls[0].answered_at == exchange.calls[0].started_at + 3
    assert exchange.calls[0].state is State.SESSION
    clock.advance(2)
    assert exchange.calls[0].state is State.TALK


def test_all_the_phones_of_an_employee_ring_in_turn(desk, exchange, clock):
    exchange.script("79260000002", Script.no_answer(rings=5))
    desk.start(employee={"id": 26})
    clock.advance(5)
    assert desk.leg_states() == [["Разъединено", "Дозвон"]]
    assert (exchange.rings("79260000002"), exchange.rings("79260000003")) == (1, 1)
    assert exchange.rings(CONTACT) == 0


def test_an_employee_who_does_not_answer_ends_the_call(desk, exchange, clock):
    exchange.script(CONTACT, Script(employee_answer="no_answer"))
    desk.start()
    clock.advance(60)
    assert exchange.calls[0].finish_reason == "operator_not_responsible"
    assert exchange.rings(CONTACT) == 0


def test_a_talk_without_an_end_lasts_until_it_is_released(desk, exchange, clock):
    call = desk.talking()
    clock.advance(10_000)
    assert exchange.calls[0].active
    desk.ask("release.call", call_session_id=call.call_session_id)
    assert exchange.calls[0].finish_reason == "operator_disconnects"
    assert desk.ask("list.calls") == []
    assert desk.mnemonic("release.call", call_session_id=call.call_session_id) == ("call_session_not_found")


def test_a_call_released_before_an_answer_was_not_answered(desk, exchange):
    call = desk.start()
    desk.ask("release.call", call_session_id=call.call_session_id)
    assert (call.finish_reason, call.answered_at) == ("no_success_subscriber_call", None)


def test_a_listing_reads_like_the_example_of_the_document(desk, clock):
    call = desk.start(dtmf_string="...9.2.3.3", external_id="334otr01", direction="in")
    clock.advance(2)
    (listed,) = desk.ask("list.calls")
    operator, contact = listed.pop("legs")
    assert listed == {
        "call_session_id": call.call_session_id,
        "direction": "in",
        "start_time": "2025-10-09T11:53:20.000",
        "virtual_phone_number": VNUMBER,
        "contact_phone_number": CONTACT,
        "external_id": "334otr01",
        "tags": [],
    }
    assert contact["called_phone_number"] == f"{CONTACT}...9.2.3.3"
    assert not contact["is_operator"]
    assert contact["employee_id"] is contact["employee_full_name"] is None
    assert operator["is_operator"]
    assert operator["called_phone_number"] == EMPLOYEE_PHONE
    assert operator["employee_id"] == 25


def test_the_start_time_is_in_the_zone_of_the_account(desk, clock):
    now = clock()
    desk.exchange.account.timezone = "Asia/Vladivostok"
    desk.start()
    session = CallSession.model_validate(desk.ask("list.calls")[0])
    assert parse_time(session.start_time or "", "Asia/Vladivostok").timestamp() == now


def test_list_calls_filters_by_direction_and_virtual_number(desk):
    desk.start(direction="in")
    desk.start(virtual_phone_number="74951045771")
    assert len(desk.ask("list.calls")) == 2
    assert [c["direction"] for c in desk.ask("list.calls", direction="out")] == ["out"]
    numbers = desk.ask("list.calls", virtual_phone_number=VNUMBER)
    assert [c["virtual_phone_number"] for c in numbers] == [VNUMBER]


def test_somebody_who_calls_in_waits_in_the_queue_until_an_employee_answers(desk, exchange, clock):
    session = exchange.inbound(CONTACT, VNUMBER)
    assert desk.leg_states() == [["На очереди", "Дозвон"]]
    assert (exchange.rings(CONTACT), exchange.rings(EMPLOYEE_PHONE)) == (0, 1)
    clock.advance(2)
    assert desk.leg_states() == [["Разговор", "Разговор"]]
    assert exchange.call(session).direction == "in"


def test_a_blacklisted_contact_does_not_get_through(exchange):
    exchange.account.blacklist.add(CONTACT)
    call = exchange.call(exchange.inbound(CONTACT))
    assert call.finish_reason == "numa_in_black_list"
    assert exchange.rings(EMPLOYEE_PHONE) == 0


def test_the_default_script_is_for_numbers_without_one(desk, exchange, clock):
    exchange.default_script = Script.busy()
    desk.start("start.informer_call")
    clock.advance(1)
    assert exchange.calls[0].finish_reason == "subscriber_busy"


def test_the_journal_tells_the_story_in_order(desk, exchange, clock):
    call = desk.start()
    clock.advance(5)
    desk.ask("tag.call", call_session_id=call.call_session_id, tag_id=36)
    clock.advance(10)
    start = call.started_at
    told = [(e.time - start, e.kind, e.phone) for e in exchange.journal if e.kind != "request"]
    assert told == [
        (0, "start", CONTACT),
        (0, "ring", EMPLOYEE_PHONE),
        (2, "answer", EMPLOYEE_PHONE),
        (2, "ring", CONTACT),
        (5, "answer", CONTACT),
        (5, "tag", CONTACT),
        (15, "end", CONTACT),
    ]


def test_requests_are_counted_by_method_refused_ones_included(desk, exchange):
    desk.start()
    desk.refused("start.employee_call")
    assert exchange.requests("start.employee_call") == 2
    assert exchange.requests("list.calls") == 0
    mnemonics = [entry.mnemonic for entry in exchange.journal if entry.kind == "request"]
    assert mnemonics == [None, "required_parameter_missed"]


def test_events_happen_at_their_own_time_however_late_one_looks(desk, exchange, clock):
    call = desk.start()
    clock.advance(1_000)
    assert exchange.calls == [call]
    assert (call.answered_at, call.ended_at) == (call.started_at + 5, call.started_at + 15)


def test_reset_forgets_calls_scripts_and_journal(desk, exchange):
    exchange.script(CONTACT, Script.busy())
    desk.start()
    exchange.reset()
    assert (exchange.calls, exchange.journal, exchange.rings(EMPLOYEE_PHONE)) == ([], [], 0)


def test_one_account_does_not_see_the_calls_of_another():
    exchange = Exchange(clock=ManualClock())
    exchange.accounts.append(Account(login="other", key="other-key"))
    desk = _key_holder(exchange, "demo-key")
    session = desk(
        "start.informer_call",
        contact=CONTACT,
        virtual_phone_number=VNUMBER,
        contact_message={"type": "tts", "value": "x"},
    )["result"]["data"]
    other = _key_holder(exchange, "other-key")
    assert other("list.calls")["result"]["data"] == []
    assert other("release.call", **session)["error"]["data"]["mnemonic"] == "call_session_not_found"


def _key_holder(exchange, key):
    def send(method, **params):
        params = {"access_token": key, **params}
        return exchange.handle({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})

    return send


def test_a_manual_clock_does_not_go_back(clock):
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
