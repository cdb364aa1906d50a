"""The methods that act on a call in progress, one function a method.

Source: "Группа методов управления вызовами" (methods that control calls) of the vendor's document.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.api.methods import (
    AddCoach,
    BlockContact,
    CallTalkOption,
    DisconnectLeg,
    HoldCall,
    MakeCall,
    RecordCall,
    ReleaseCall,
    RestoreTalk,
    SendDtmf,
    TagCall,
    TransferTalk,
    UnholdCall,
)
from airflow_provider_callapi.api.models import LegState
from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.call import Call
from airflow_provider_callapi.emulator.errors import Refusal
from airflow_provider_callapi.emulator.start_call import check_message
from airflow_provider_callapi.emulator.state_diagram import Role, State
from airflow_provider_callapi.emulator.switchboard import Switchboard
from airflow_provider_callapi.emulator.talk_options import press

Done = dict[str, Any]

_LEFT = {
    Role.CONTACT: "subscriber_disconnects",
    Role.OPERATOR: "operator_disconnects",
    Role.THIRD: "operator_disconnects",
    Role.COACH: "operator_disconnects",
}


def _done() -> Done:
    return {"success": "true"}  # the string, as in all of the document's examples but logout.user


def _call(board: Switchboard, account: Account, call_session_id: int) -> Call:
    call = board.active.get(call_session_id)
    if call is None or call.account is not account:
        raise Refusal("call_session_not_found", "call_session_id", call_session_id)
    return call


def _reachable(account: Account, number: str, field: str) -> None:
    outside = number.isdigit() and 10 <= len(number) <= 15
    if not outside and account.employee_at(number) is None:
        raise Refusal("no_active_phone_number", field, number)


def hold_call(board: Switchboard, account: Account, request: HoldCall) -> Done:
    """The contact listens to a message."""
    call = _call(board, account, request.call_session_id)
    check_message(account, "contact_message", request.contact_message)
    call.go(request.method)
    return _done()


def unhold_call(board: Switchboard, account: Account, request: UnholdCall) -> Done:
    """The contact is back."""
    _call(board, account, request.call_session_id).go(request.method)
    return _done()


def make_call(board: Switchboard, account: Account, request: MakeCall) -> Done:
    """A third party's phone rings."""
    call = _call(board, account, request.call_session_id)
    _reachable(account, request.to, "to")
    check_message(account, "to_message", request.to_message)
    call.go(request.method)
    board.ring_other(call, Role.THIRD, request.to)
    return _done()


def transfer_talk(board: Switchboard, account: Account, request: TransferTalk) -> Done:
    """The operator leaves; contact and third party talk, now or when the latter answers."""
    call = _call(board, account, request.call_session_id)
    call.go(request.method)
    operator, third = call.leg(Role.OPERATOR), call.leg(Role.THIRD)
    if operator is not None:
        operator.leave(board.now)
    if call.state is State.TALK and third is not None:
        board.take_over(call, third)
    return _done()


def restore_talk(board: Switchboard, account: Account, request: RestoreTalk) -> Done:
    """The third party leaves; contact and operator talk."""
    call = _call(board, account, request.call_session_id)
    call.go(request.method)
    third = call.leg(Role.THIRD)
    if third is not None:
        third.leave(board.now)
    return _done()


def add_coach(board: Switchboard, account: Account, request: AddCoach) -> Done:
    """The coach's phone rings."""
    call = _call(board, account, request.call_session_id)
    phone = request.phone_number
    if phone is not None:
        _reachable(account, phone, "phone_number")
    else:
        operator = call.leg(Role.OPERATOR)
        phone = operator.employee.coach if operator and operator.employee else None
        if phone is None:
            raise Refusal("coach_not_found")
    call.go(request.method)
    board.ring_other(call, Role.COACH, phone)
    return _done()


def tag_call(board: Switchboard, account: Account, request: TagCall) -> Done:
    """A tag more."""
    call = _call(board, account, request.call_session_id)
    tag_id = request.tag_id
    if tag_id not in account.tags:
        raise Refusal("tag_not_found", "tag_id", tag_id, tag_id=tag_id)
    if tag_id in call.tags:
        raise Refusal("duplicate_tag", "tag_id", tag_id)
    call.tags[tag_id] = account.tags[tag_id]
    board.note("tag", call, call.contact, str(tag_id))
    return _done()


def record_call(board: Switchboard, account: Account, request: RecordCall) -> Done:
    """Recording on or off."""
    call = _call(board, account, request.call_session_id)
    wanted = request.action == "on"
    if account.forced_recording and not wanted:
        raise Refusal("forbidden", "action", request.action)
    if call.recorded is wanted:
        refusal = "record_already_started" if wanted else "record_already_stopped"
        raise Refusal(refusal, "action", request.action)
    call.recorded = wanted
    return _done()


def disconnect_leg(board: Switchboard, account: Account, request: DisconnectLeg) -> Done:
    """One participant less."""
    call = _call(board, account, request.call_session_id)
    for leg in call.legs:
        if leg.leg_id == request.leg_id and leg.state is not LegState.DISCONNECTED:
            leg.leave(board.now)
            board.without(call, leg, _LEFT[leg.role])
            return _done()
    raise Refusal("leg_not_found", "leg_id", request.leg_id)


def send_dtmf(board: Switchboard, account: Account, request: SendDtmf) -> Done:
    """One tone; ``*`` while a number is awaited goes back to hold."""
    call = _call(board, account, request.call_session_id)
    call.dtmf.append(request.dtmf_string)
    board.note("dtmf", call, call.contact, request.dtmf_string)
    if request.dtmf_string == "*" and call.can("operator pressed *"):
        call.go("operator pressed *")
    return _done()


def block_contact(board: Switchboard, account: Account, request: BlockContact) -> Done:
    """The contact is on the blacklist; the call goes on."""
    call = _call(board, account, request.call_session_id)
    contact = call.contact
    if contact in account.blacklist:
        raise Refusal("duplicate_contact", value=contact, contact_phone_number=contact)
    account.blacklist.add(contact)
    return _done()


def call_talk_option(board: Switchboard, account: Account, request: CallTalkOption) -> Done:
    """What the button stands for."""
    call = _call(board, account, request.call_session_id)
    for option in account.talk_options:
        if option.button == request.button:
            call.go(request.method)
            press(board, call, option)
            return _done()
    raise Refusal("talk_option_not_found", "button", request.button)


def release_call(board: Switchboard, account: Account, request: ReleaseCall) -> Done:
    """The end."""
    call = _call(board, account, request.call_session_id)
    answered = call.answered_at is not None
    board.finish(call, "operator_disconnects" if answered else "no_success_subscriber_call")
    return _done()
