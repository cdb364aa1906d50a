"""The vendor's state diagram: what each method does in each state, allowed or not."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.emulator import Role, Script, State

CONTACT = "79161234567"
THIRD = "79031112233"
COACH = "79260000009"

PARAMS = {
    "hold.call": {"contact_message": {"type": "media", "value": "2034"}},
    "unhold.call": {},
    "make.call": {"to": THIRD},
    "transfer.talk": {},
    "restore.talk": {},
    "add.coach": {},
    "call.talk_option": {"button": "2"},
    "tag.call": {"tag_id": 36},
    "record.call": {"action": "on"},
    "send.dtmf": {"dtmf_string": "5"},
    "block.contact": {},
    "release.call": {},
}
STATEFUL = list(PARAMS)[:7]
STATELESS = list(PARAMS)[7:]

WAY_TO = {
    State.SESSION: None,
    State.TALK: [],
    State.CALL_COACH: ["add.coach"],
    State.HOLD: ["hold.call"],
    State.WAITING_INPUT: ["transfer option"],
    State.DIALING: ["hold.call", "make.call"],
    State.TRANSFERRING: ["hold.call", "make.call", "transfer.talk"],
    State.OPERATOR_TALK: ["hold.call", "make.call", "third answers"],
    State.POST_TALK: ["operator leaves"],
    State.PLAYING: None,
}

ALLOWED = {
    (State.TALK, "hold.call"): State.HOLD,
    (State.TALK, "add.coach"): State.CALL_COACH,
    (State.TALK, "call.talk_option"): State.TALK,
    (State.CALL_COACH, "call.talk_option"): State.CALL_COACH,
    (State.HOLD, "unhold.call"): State.TALK,
    (State.HOLD, "make.call"): State.DIALING,
    (State.WAITING_INPUT, "make.call"): State.DIALING,
    (State.DIALING, "restore.talk"): State.TALK,
    (State.DIALING, "transfer.talk"): State.TRANSFERRING,
    (State.OPERATOR_TALK, "restore.talk"): State.TALK,
    (State.OPERATOR_TALK, "transfer.talk"): State.TALK,
}


@pytest.fixture
def call_in(desk, exchange, clock):
    """Bring a call into a state by the methods and events that lead there."""
    exchange.script(THIRD, Script(rings=4, talks=7))

    def bring(state):
        if state is State.SESSION:
            return desk.start()
        if state is State.PLAYING:
            desk.start("start.informer_call")
            clock.advance(3)
            return exchange.calls[-1]
        call = desk.talking()
        for step in WAY_TO[state]:
            take_step(desk, clock, call, step)
        assert exchange.call(call.call_session_id).state is state
        return call

    return bring


def take_step(desk, clock, call, step):
    session = call.call_session_id
    if step == "third answers":
        clock.advance(4)
    elif step == "transfer option":
        desk.ask("call.talk_option", call_session_id=session, button="4")
    elif step == "operator leaves":
        leg = call.leg(Role.OPERATOR).leg_id
        desk.ask("disconnect.leg", call_session_id=session, leg_id=leg)
    else:
        desk.ask(step, call_session_id=session, **PARAMS[step])


@pytest.mark.parametrize("state", WAY_TO)
@pytest.mark.parametrize("method", STATEFUL)
def test_a_method_is_carried_out_in_its_states_and_refused_in_all_others(desk, call_in, state, method):
    call = call_in(state)
    params = {"call_session_id": call.call_session_id, **PARAMS[method]}
    if (state, method) == (State.SESSION, "add.coach"):
        params["phone_number"] = COACH
    if (state, method) in ALLOWED:
        assert desk.ask(method, **params) == {"success": "true"}
        assert call.state is ALLOWED[state, method]
        return
    if method == "add.coach":
        params["phone_number"] = COACH  # else a call without an employee has no coach to add
    error = desk.refused(method, **params)
    assert (error["code"], error["data"]["mnemonic"]) == (-32004, "invalid_state")
    assert call.state is state


@pytest.mark.parametrize("state", WAY_TO)
@pytest.mark.parametrize("method", STATELESS)
def test_what_knows_no_invalid_state_works_on_every_active_call(desk, call_in, state, method):
    call = call_in(state)
    params = {"call_session_id": call.call_session_id, **PARAMS[method]}
    assert desk.ask(method, **params) == {"success": "true"}
    assert call.active is (method != "release.call")


def test_the_contact_is_on_hold_while_the_operators_talk(desk, call_in, exchange):
    call_in(State.OPERATOR_TALK)
    assert desk.leg_states() == [["Разговор операторов", "На удержании", "Разговор операторов"]]
    assert exchange.rings(THIRD) == 1


def test_a_transfer_connects_the_contact_with_the_third_party(desk, call_in, exchange, clock):
    call = call_in(State.OPERATOR_TALK)
    desk.ask("transfer.talk", call_session_id=call.call_session_id)
    assert desk.leg_states() == [["Разъединено", "Разговор", "Разговор"]]
    clock.advance(7)
    assert exchange.calls[0].finish_reason == "operator_disconnects"


def test_a_transfer_while_the_third_party_rings_succeeds_when_it_answers(desk, call_in, clock):
    call_in(State.TRANSFERRING)
    assert desk.leg_states() == [["Разъединено", "Перевод вызова", "Дозвон"]]
    clock.advance(4)
    assert desk.leg_states() == [["Разъединено", "Разговор", "Разговор"]]


def test_a_transfer_that_fails_ends_the_call(desk, call_in):
    call = call_in(State.DIALING)
    third = call.leg(Role.THIRD_PARTY)
    desk.ask("transfer.talk", call_session_id=call.call_session_id)
    desk.ask("disconnect.leg", call_session_id=call.call_session_id, leg_id=third.leg_id)
    assert call.finish_reason == "no_success_operator_call"


def test_a_third_party_that_does_not_answer_leaves_the_contact_on_hold(desk, exchange, clock):
    exchange.script(THIRD, Script.no_answer(rings=4))
    call = desk.talking()
    for method in ("hold.call", "make.call"):
        desk.ask(method, call_session_id=call.call_session_id, **PARAMS[method])
    clock.advance(4)
    assert desk.leg_states() == [["Разговор", "На удержании", "Разъединено"]]
    assert call.state is State.HOLD


def test_restore_talk_sends_the_third_party_away_for_good(desk, call_in, clock):
    call = call_in(State.DIALING)
    desk.ask("restore.talk", call_session_id=call.call_session_id)
    assert desk.leg_states() == [["Разговор", "Разговор", "Разъединено"]]
    clock.advance(10)
    assert desk.leg_states() == [["Разговор", "Разговор", "Разъединено"]]


def test_a_star_while_a_number_is_awaited_goes_back_to_hold(desk, call_in):
    call = call_in(State.WAITING_INPUT)
    desk.ask("send.dtmf", call_session_id=call.call_session_id, dtmf_string="*")
    assert call.state is State.HOLD


def test_the_call_goes_on_when_the_coach_does_not_answer(desk, exchange, clock):
    exchange.script(COACH, Script.no_answer(rings=6))
    call = desk.talking()
    desk.ask("add.coach", call_session_id=call.call_session_id)
    assert (call.state, exchange.rings(COACH)) == (State.CALL_COACH, 1)
    clock.advance(6)
    assert exchange.calls[0].state is State.TALK


def test_a_call_outlives_its_operator_by_a_moment(call_in, exchange, clock):
    call = call_in(State.POST_TALK)
    assert call.active
    clock.advance(2)
    assert exchange.calls[0].finish_reason == "operator_disconnects"


def test_disconnecting_the_contact_ends_the_session(desk):
    call = desk.talking()
    leg = call.leg(Role.CONTACT).leg_id
    desk.ask("disconnect.leg", call_session_id=call.call_session_id, leg_id=leg)
    assert call.finish_reason == "subscriber_disconnects"


def test_a_second_press_of_some_talk_options_undoes_the_first(desk, exchange):
    call = desk.talking()
    recorded, coached = [], []
    for _ in range(2):
        desk.ask("call.talk_option", call_session_id=call.call_session_id, button="2")
        desk.ask("call.talk_option", call_session_id=call.call_session_id, button="3")
        recorded.append(call.recorded)
        coached.append(call.state)
    assert recorded == [True, False]
    assert coached == [State.CALL_COACH, State.TALK]


def test_the_other_talk_options_do_what_their_mnemonic_says(desk):
    call = desk.talking()
    for button in "1657":
        desk.ask("call.talk_option", call_session_id=call.call_session_id, button=button)
    assert call.tags == {254: "Целевой"}
    assert desk.leg_states() == [["Разговор", "Получение факса"]]
    desk.ask("call.talk_option", call_session_id=call.call_session_id, button="0")
    assert not call.active
