"""Calls follow the scripts of their phones and the exchange's clock."""

from __future__ import annotations

import pytest
from emulator_client import COACH, CONTACT, CONTROLS, THIRD_PARTY

from airflow_provider_callapi.emulator import Role, Script, State


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


def test_events_have_their_planned_time_even_if_they_run_late(api, exchange, clock):
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


def test_a_contact_answers_although_the_operators_leg_fails(api, clock):
    api.exchange.script(CONTACT, Script.operator_fails("max_out_call_reached", rings=4, employee_rings=2))
    call = api.start("start.simple_call", first_call="contact")
    clock.advance(100)
    finished = api.exchange.call(call.call_session_id)
    contact, operator = finished.legs
    assert (contact.answered_at, operator.answered_at) == (call.started_at + 4, None)
    assert (operator.finish_reason, finished.ended_at) == ("max_out_call_reached", call.started_at + 6)


def test_a_phone_whose_leg_fails_ends_the_call_with_the_reason_of_its_script(api, clock):
    api.exchange.script(CONTACT, Script(rings=0, fails_with="subscriber_number_problems"))
    call = api.start("start.informer_call")
    clock.advance(1)
    finished = api.exchange.call(call.call_session_id)
    assert (finished.finish_reason, finished.answered_at) == ("subscriber_number_problems", None)


def test_the_next_phone_of_an_employee_rings_after_a_phone_whose_leg_fails(api, clock):
    api.exchange.script("79260000002", Script(rings=1, fails_with="sip_offline"))
    call = api.start("start.employee_call", employee={"id": 26}, first_call="employee")
    clock.advance(100)
    legs = api.exchange.call(call.call_session_id).legs
    operators = [leg for leg in legs if leg.role is Role.OPERATOR]
    assert [leg.finish_reason for leg in operators] == ["sip_offline", "subscriber_disconnects"]


def test_a_scenarios_tag_that_the_account_has_no_more_disturbs_no_other_request(api, exchange, clock):
    exchange.account.tags = {36: "Answered"}
    exchange.script(CONTACT, Script.presses("1"))
    call = api.start("start.scenario_call", scenario_id=23457, first_call="contact")
    clock.advance(5)

    api.start("start.informer_call", contact="79169990000")

    assert call.tags == {254: "254"}
