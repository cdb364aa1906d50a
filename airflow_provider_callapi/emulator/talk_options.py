"""What each talk option does when its button is pressed.

Source: the list of mnemonics of ``list.talk_options`` in the vendor's document; some of them are
switched off by a second press, as the chapter of ``call.talk_option`` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from airflow_provider_callapi.api.models import LegState
from airflow_provider_callapi.emulator.account import TalkOption
from airflow_provider_callapi.emulator.call import Call
from airflow_provider_callapi.emulator.errors import Refusal
from airflow_provider_callapi.emulator.state_diagram import Role
from airflow_provider_callapi.emulator.switchboard import Switchboard

Action = Callable[[Switchboard, Call, TalkOption], None]


def press(board: Switchboard, call: Call, option: TalkOption) -> None:
    """Carry an option out."""
    action = _ACTIONS.get(option.mnemonic)
    if action is not None:
        action(board, call, option)
    board.note("option", call, call.contact, option.mnemonic)


def _finish(board: Switchboard, call: Call, option: TalkOption) -> None:
    board.finish(call, "operator_disconnects")


def _tag(board: Switchboard, call: Call, option: TalkOption) -> None:
    if option.value is None:
        raise Refusal("internal_error")
    tag_id, name = option.value
    if tag_id not in call.tags:
        call.tags[tag_id] = name
        board.note("tag", call, call.contact, str(tag_id))


def _toggle_recording(board: Switchboard, call: Call, option: TalkOption) -> None:
    if call.account.forced_recording:
        raise Refusal("forbidden", "button", option.button)
    call.recorded = not call.recorded


def _toggle_coach(board: Switchboard, call: Call, option: TalkOption) -> None:
    coach = call.leg(Role.COACH)
    if coach is not None:
        coach.leave(board.now)
        board.without(call, coach, "operator_disconnects")
        return
    operator = call.leg(Role.OPERATOR)
    if operator is None or operator.employee is None or operator.employee.coach is None:
        raise Refusal("internal_error")
    call.go("add.coach")
    board.ring_other(call, Role.COACH, operator.employee.coach)


def _transfer(board: Switchboard, call: Call, option: TalkOption) -> None:
    call.go("operator wants to dial")


def _receive_fax(board: Switchboard, call: Call, option: TalkOption) -> None:
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
"""The others (run_scenario, save_numa) are written into the journal and do no more."""
