"""The control methods: wrong requests, and their effect on a call."""

from __future__ import annotations

import pytest
from emulator_client import CONTACT, TTS, start_params

from airflow_provider_callapi.api.methods import METHODS
from airflow_provider_callapi.emulator import (
    Role,
    State,
)


@pytest.mark.parametrize(
    ("method", "params", "mnemonic"),
    [
        ("tag.call", {"tag_id": 1}, "tag_not_found"),
        ("tag.call", {"tag_id": 254}, "duplicate_tag"),
        ("disconnect.leg", {"leg_id": 1}, "leg_not_found"),
        ("record.call", {"action": "off"}, "record_already_stopped"),
        ("block.contact", {}, "duplicate_contact"),
        ("call.talk_option", {"button": "9"}, "talk_option_not_found"),
        ("add.coach", {}, "coach_not_found"),
        ("add.coach", {"phone_number": "nobody"}, "no_active_phone_number"),
        ("hold.call", {"contact_message": {"type": "media", "value": "1"}}, "media_file_not_found"),
    ],
)
def test_each_control_method_has_its_own_errors(api, exchange, method, params, mnemonic):
    call = api.start_talk()
    api.data("tag.call", call_session_id=call.call_session_id, tag_id=254)
    exchange.account.blacklist.add(CONTACT)
    exchange.account.employees[25].coach = None
    error = api.error(method, call_session_id=call.call_session_id, **params)
    assert error["data"]["mnemonic"] == mnemonic
    assert error["code"] == -32602


def test_a_third_party_needs_a_number(api):
    call = api.start_talk()
    api.data("hold.call", call_session_id=call.call_session_id, contact_message=TTS)
    params = {"call_session_id": call.call_session_id, "to": "999"}
    assert api.mnemonic("make.call", **params) == "no_active_phone_number"
    params["to"] = "125"  # an employee's extension will do
    assert api.data("make.call", **params) == {"success": "true"}


def test_forced_recording_cannot_be_switched_off(api, exchange):
    exchange.account.forced_recording = True
    session = api.start_talk().call_session_id
    assert api.error("record.call", call_session_id=session, action="off")["code"] == -32003
    assert api.mnemonic("record.call", call_session_id=session, action="on") == ("record_already_started")
    assert api.mnemonic("call.talk_option", call_session_id=session, button="2") == "forbidden"


def test_a_blocked_contact_stays_on_the_blacklist(api, exchange):
    session = api.start_talk().call_session_id
    api.data("block.contact", call_session_id=session)
    api.data("release.call", call_session_id=session)
    params = start_params("start.employee_call")
    assert api.mnemonic("start.employee_call", **params) == "contact_in_blacklist"


def test_no_control_method_finds_a_finished_or_unknown_session(api):
    call = api.start_talk()
    leg = call.leg(Role.CONTACT).leg_id
    api.data("disconnect.leg", call_session_id=call.call_session_id, leg_id=leg)
    params = {"tag.call": {"tag_id": 36}, "record.call": {"action": "on"}, "make.call": {"to": CONTACT}}
    params |= {"send.dtmf": {"dtmf_string": "1"}, "disconnect.leg": {"leg_id": leg}}
    params |= {"hold.call": {"contact_message": TTS}, "call.talk_option": {"button": "1"}}
    controls = [name for name, kind in METHODS.items() if "call_session_id" in kind.model_fields]
    assert params.keys() < set(controls)
    for method in controls:
        for session in (call.call_session_id, 1):
            given = {"call_session_id": session, **params.get(method, {})}
            assert api.mnemonic(method, **given) == "call_session_not_found"


def test_a_transfer_connects_the_contact_with_the_third_party(api, exchange, clock):
    call = api.bring_to(State.OPERATOR_TALK)
    api.data("transfer.talk", call_session_id=call.call_session_id)
    assert api.leg_states() == [["Разъединено", "Разговор", "Разговор"]]
    clock.advance(7)
    assert exchange.calls[0].finish_reason == "operator_disconnects"


def test_a_transfer_while_the_third_party_rings_succeeds_when_it_answers(api, clock):
    api.bring_to(State.TRANSFERRING)
    assert api.leg_states() == [["Разъединено", "Перевод вызова", "Дозвон"]]
    clock.advance(4)
    assert api.leg_states() == [["Разъединено", "Разговор", "Разговор"]]


def test_a_transfer_that_fails_ends_the_call(api):
    call = api.bring_to(State.DIALING)
    third = call.leg(Role.THIRD_PARTY)
    api.data("transfer.talk", call_session_id=call.call_session_id)
    api.data("disconnect.leg", call_session_id=call.call_session_id, leg_id=third.leg_id)
    assert call.finish_reason == "no_success_operator_call"


def test_restore_talk_disconnects_the_third_party(api, clock):
    call = api.bring_to(State.DIALING)
    api.data("restore.talk", call_session_id=call.call_session_id)
    assert api.leg_states() == [["Разговор", "Разговор", "Разъединено"]]
    clock.advance(10)
    assert api.leg_states() == [["Разговор", "Разговор", "Разъединено"]]


def test_a_star_while_a_number_is_awaited_goes_back_to_hold(api):
    call = api.bring_to(State.WAITING_INPUT)
    api.data("send.dtmf", call_session_id=call.call_session_id, dtmf_string="*")
    assert call.state is State.HOLD


def test_disconnecting_the_contact_ends_the_session(api):
    call = api.start_talk()
    leg = call.leg(Role.CONTACT).leg_id
    api.data("disconnect.leg", call_session_id=call.call_session_id, leg_id=leg)
    assert call.finish_reason == "subscriber_disconnects"


def test_a_talk_without_an_end_lasts_until_it_is_released(api, exchange, clock):
    call = api.start_talk()
    clock.advance(10_000)
    assert exchange.calls[0].active
    api.data("release.call", call_session_id=call.call_session_id)
    assert exchange.calls[0].finish_reason == "operator_disconnects"
    assert api.data("list.calls") == []
    assert api.mnemonic("release.call", call_session_id=call.call_session_id) == ("call_session_not_found")


def test_a_call_released_before_an_answer_was_not_answered(api, exchange):
    call = api.start()
    api.data("release.call", call_session_id=call.call_session_id)
    assert (call.finish_reason, call.answered_at) == ("no_success_subscriber_call", None)
