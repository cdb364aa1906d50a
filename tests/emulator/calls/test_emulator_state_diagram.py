"""The vendor's state diagram: what each method does in each state, allowed or not."""

from __future__ import annotations

import pytest
from emulator_client import COACH, CONTROLS, STEPS_TO_STATE, THIRD_PARTY

from airflow_provider_callapi.emulator import State

STATEFUL = list(CONTROLS)[:7]

STATELESS = list(CONTROLS)[7:]

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


@pytest.mark.parametrize("state", STEPS_TO_STATE)
@pytest.mark.parametrize("method", STATEFUL)
def test_a_method_succeeds_only_in_its_states(api, state, method):
    call = api.bring_to(state)
    params = {"call_session_id": call.call_session_id, **CONTROLS[method]}
    if (state, method) == (State.SESSION, "add.coach"):
        params["phone_number"] = COACH
    if (state, method) in ALLOWED:
        assert api.data(method, **params) == {"success": "true"}
        assert call.state is ALLOWED[state, method]
        return
    if method == "add.coach":
        params["phone_number"] = COACH  # else a call without an employee has no coach to add
    error = api.error(method, **params)
    assert (error["code"], error["data"]["mnemonic"]) == (-32004, "invalid_state")
    assert call.state is state


@pytest.mark.parametrize("state", STEPS_TO_STATE)
@pytest.mark.parametrize("method", STATELESS)
def test_a_method_without_invalid_state_works_on_every_active_call(api, state, method):
    call = api.bring_to(state)
    params = {"call_session_id": call.call_session_id, **CONTROLS[method]}
    assert api.data(method, **params) == {"success": "true"}
    assert call.active is (method != "release.call")


def test_the_contact_is_on_hold_while_the_operators_talk(api, exchange):
    api.bring_to(State.OPERATOR_TALK)
    assert api.leg_states() == [["Разговор операторов", "На удержании", "Разговор операторов"]]
    assert exchange.rings(THIRD_PARTY) == 1
