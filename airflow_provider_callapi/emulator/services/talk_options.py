"""The effect of each talk option in the emulator.

A talk option is an action that an employee starts with a phone button during a talk. A second press of the
button ends some actions, such as a recording.

Source: two parts of the vendor's document, the list of mnemonics of ``list.talk_options`` and the chapter of
``call.talk_option``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from airflow_provider_callapi.api.models import LegState
from airflow_provider_callapi.emulator.account import TalkOption
from airflow_provider_callapi.emulator.calls.call import Call
from airflow_provider_callapi.emulator.calls.state_diagram import Role
from airflow_provider_callapi.emulator.calls.switchboard import Switchboard
from airflow_provider_callapi.emulator.errors import RpcError

Action = Callable[[Switchboard, Call, TalkOption], None]


def press_button(switchboard: Switchboard, call: Call, option: TalkOption) -> None:
    """Carry out a talk option in a call, and add an event to the emulator's journal.

    A talk option is an action that an employee starts with a phone button during a talk, e.g. ``tag_call``.

    :raises RpcError: the action is not possible, e.g. because the employee has no coach.
    """
    action = _ACTIONS.get(option.mnemonic)
    if action is not None:
        action(switchboard, call, option)
    switchboard.log_event("option", call, call.contact, option.mnemonic)


def _finish(switchboard: Switchboard, call: Call, option: TalkOption) -> None:
    switchboard.finish(call, "operator_disconnects")


def _tag(switchboard: Switchboard, call: Call, option: TalkOption) -> None:
    if option.value is None:
        raise RpcError("internal_error")
    tag_id, name = option.value
    if tag_id not in call.tags:
        call.tags[tag_id] = name
        switchboard.log_event("tag", call, call.contact, str(tag_id))


def _toggle_recording(switchboard: Switchboard, call: Call, option: TalkOption) -> None:
    if call.account.forced_recording:
        raise RpcError("forbidden", "button", option.button)
    call.recorded = not call.recorded


def _toggle_coach(switchboard: Switchboard, call: Call, option: TalkOption) -> None:
    coach = call.leg(Role.COACH)
    if coach is not None:
        coach.disconnect(switchboard.now, "operator_disconnects")
        switchboard.continue_without(call, coach, "operator_disconnects")
        return
    operator = call.leg(Role.OPERATOR)
    if operator is None or operator.employee is None or operator.employee.coach is None:
        raise RpcError("internal_error")
    call.move("add.coach")
    switchboard.ring_participant(call, Role.COACH, operator.employee.coach)


def _transfer(switchboard: Switchboard, call: Call, option: TalkOption) -> None:
    call.move("operator chose transfer")


def _receive_fax(switchboard: Switchboard, call: Call, option: TalkOption) -> None:
    contact = call.leg(Role.CONTACT)
    if contact is not None:
        contact.state = LegState.RECEIVING_FAX


_ACTIONS: Mapping[str, Action] = {
    "finish_conversation": _finish,
    "tag_call": _tag,
    "record_talk": _toggle_recording,
    "call_coach": _toggle_coach,
    "transfer_call": _transfer,
    "receive_fax": _receive_fax,
}
"""Mnemonic of a talk option → function that carries out the talk option.

The emulator does not carry out ``run_scenario`` and ``save_numa``. The emulator only records these options in
its journal of events.
"""
