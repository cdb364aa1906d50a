"""The effect of each talk option."""

from __future__ import annotations

from airflow_provider_callapi.emulator import State


def test_a_second_press_of_some_talk_options_undoes_the_first(api, exchange):
    call = api.start_talk()
    recorded, coached = [], []
    for _ in range(2):
        api.data("call.talk_option", call_session_id=call.call_session_id, button="2")
        api.data("call.talk_option", call_session_id=call.call_session_id, button="3")
        recorded.append(call.recorded)
        coached.append(call.state)
    assert recorded == [True, False]
    assert coached == [State.CALL_COACH, State.TALK]


def test_the_other_talk_options_act_as_their_mnemonics_state(api):
    call = api.start_talk()
    for button in "1657":
        api.data("call.talk_option", call_session_id=call.call_session_id, button=button)
    assert call.tags == {254: "Целевой"}
    assert api.leg_states() == [["Разговор", "Получение факса"]]
    api.data("call.talk_option", call_session_id=call.call_session_id, button="0")
    assert not call.active
