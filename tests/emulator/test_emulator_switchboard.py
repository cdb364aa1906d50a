"""Calls follow the scripts of their phones and the exchange's clock."""

from __future__ import annotations

import pytest
from emulator_client import COACH, CONTACT, CONTROLS, THIRD_PARTY

from airflow_provider_callapi.emulator import Script, State


def test_an_informer_call_rings_three_seconds_and_talks_ten(api, clock):
    call = api.start("start.informer_call")
    assert api.leg_states() == [["Дозвон"]]
    clock.advance(2.9)
    assert api.leg_states() == [["Дозвон"]]
    clock.advance(0.1)
    assert api.leg_states() == [["Разговор"]]
    clock.advance(9.9)
    assert api.leg_states() == [["Разговор"]]
    clock.advance(0.1)
    assert api.leg_states() == []
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
def test_a_contact_that_is_not_reached_ends_the_call(api, clock, script, reason, seconds):
    api.exchange.script(CONTACT, script)
    call = api.start("start.informer_call")
    clock.advance(100)
    assert api.exchange.call(call.call_session_id).finish_reason == reason
    assert call.answered_at is None
    assert call.ended_at == call.started_at + seconds


def test_the_dialing_timeout_limits_the_ringing(api, exchange, clock):
    exchange.script(CONTACT, Script(rings=20))
    api.start("start.informer_call", dialing_timeout=15)
    clock.advance(15)
    assert exchange.calls[0].finish_reason == "timeout"


def test_an_employee_who_does_not_answer_ends_the_call(api, exchange, clock):
    exchange.script(CONTACT, Script(employee_answer="no_answer"))
    api.start()
    clock.advance(60)
    assert exchange.calls[0].finish_reason == "operator_not_responsible"
    assert exchange.rings(CONTACT) == 0


def test_events_have_their_own_time_even_if_they_run_late(api, exchange, clock):
    call = api.start()
    clock.advance(1_000)
    assert exchange.calls == [call]
    assert (call.answered_at, call.ended_at) == (call.started_at + 5, call.started_at + 15)


def test_a_third_party_that_does_not_answer_leaves_the_contact_on_hold(api, exchange, clock):
    exchange.script(THIRD_PARTY, Script.no_answer(rings=4))
    call = api.start_talk()
    for method in ("hold.call", "make.call"):
        api.data(method, call_session_id=call.call_session_id, **CONTROLS[method])
    clock.advance(4)
    assert api.leg_states() == [["Разговор", "На удержании", "Разъединено"]]
    assert call.state is State.HOLD


def test_the_call_continues_if_the_coach_does_not_answer(api, exchange, clock):
    exchange.script(COACH, Script.no_answer(rings=6))
    call = api.start_talk()
    api.data("add.coach", call_session_id=call.call_session_id)
    assert (call.state, exchange.rings(COACH)) == (State.CALL_COACH, 1)
    clock.advance(6)
    assert exchange.calls[0].state is State.TALK


def test_a_call_continues_for_two_seconds_after_its_operator_has_left(api, exchange, clock):
    call = api.bring_to(State.POST_TALK)
    assert call.active
    clock.advance(2)
    assert exchange.calls[0].finish_reason == "operator_disconnects"
