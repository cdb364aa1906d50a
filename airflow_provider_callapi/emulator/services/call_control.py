"""The Call API methods that control an active call. Each method has its own function.

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
from airflow_provider_callapi.emulator.calls.call import Call
from airflow_provider_callapi.emulator.calls.finish_reasons import HANG_UP_REASONS
from airflow_provider_callapi.emulator.calls.state_diagram import Role, State
from airflow_provider_callapi.emulator.calls.switchboard import Switchboard
from airflow_provider_callapi.emulator.errors import RpcError
from airflow_provider_callapi.emulator.services.start_call import check_message
from airflow_provider_callapi.emulator.services.talk_options import press_button

Success = dict[str, Any]


def _success() -> Success:
    return {"success": "true"}  # a string, as in all examples of the document except logout.user


def _find_active_call(switchboard: Switchboard, account: Account, call_session_id: int) -> Call:
    """Return the account's active call with the given session id.

    :raises RpcError: ``call_session_not_found``: there is no such call.
    """
    call = switchboard.active.get(call_session_id)
    if call is None or call.account is not account:
        raise RpcError("call_session_not_found", "call_session_id", call_session_id)
    switchboard.entry_texts.forget(call)  # the request is about to change the call
    return call


def _check_reachable(account: Account, number: str, field: str) -> None:
    is_phone = number.isdigit() and 10 <= len(number) <= 15
    if not is_phone and account.find_employee(number) is None:
        raise RpcError("no_active_phone_number", field, number)


def hold_call(switchboard: Switchboard, account: Account, request: HoldCall) -> Success:
    """Put the contact of a call on hold, and return ``{"success": "true"}``.

    The request may contain a message for the contact. The emulator checks the message, but plays no sound.
    """
    call = _find_active_call(switchboard, account, request.call_session_id)
    check_message(account, "contact_message", request.contact_message)
    call.move(request.method)
    return _success()


def unhold_call(switchboard: Switchboard, account: Account, request: UnholdCall) -> Success:
    """End the hold of a call's contact, and return ``{"success": "true"}``.

    Contact and operator talk again.
    """
    _find_active_call(switchboard, account, request.call_session_id).move(request.method)
    return _success()


def make_call(switchboard: Switchboard, account: Account, request: MakeCall) -> Success:
    """Ring the phone of a third party while the contact waits, and return ``{"success": "true"}``.

    The request can fail with several errors, e.g. these two:

    :raises RpcError: ``no_active_phone_number``: the number in the request is not a phone number, and no
        employee has this number.
    :raises RpcError: ``invalid_state``: the state of the call is neither ``HOLD`` nor ``WAITING_INPUT``, e.g.
        because the call already has a third party.
    """
    call = _find_active_call(switchboard, account, request.call_session_id)
    _check_reachable(account, request.to, "to")
    check_message(account, "to_message", request.to_message)
    call.move(request.method)
    switchboard.ring_participant(call, Role.THIRD_PARTY, request.to)
    return _success()


def transfer_talk(switchboard: Switchboard, account: Account, request: TransferTalk) -> Success:
    """Transfer the contact of a call to the third party, and return ``{"success": "true"}``.

    The operator is disconnected at once, even if the third party's phone still rings. In this case, the
    contact waits until the third party answers.
    """
    call = _find_active_call(switchboard, account, request.call_session_id)
    call.move(request.method)
    operator, third = call.leg(Role.OPERATOR), call.leg(Role.THIRD_PARTY)
    if operator is not None:
        operator.disconnect(switchboard.now, "transfer_disconnects")
    if call.state is State.TALK and third is not None:
        switchboard.complete_transfer(call, third)
    return _success()


def restore_talk(switchboard: Switchboard, account: Account, request: RestoreTalk) -> Success:
    """Disconnect the third party of a call, and return ``{"success": "true"}``.

    Contact and operator talk again.
    """
    call = _find_active_call(switchboard, account, request.call_session_id)
    call.move(request.method)
    third = call.leg(Role.THIRD_PARTY)
    if third is not None:
        third.disconnect(switchboard.now, "operator_disconnects")
    return _success()


def add_coach(switchboard: Switchboard, account: Account, request: AddCoach) -> Success:
    """Ring the phone of a coach, and return ``{"success": "true"}``.

    When the coach answers, the coach joins the talk of operator and contact.

    If the request names no phone number, the coach of the employee in the call is meant (`Employee.coach`).

    :raises RpcError: ``coach_not_found``: the request names no phone number, and no employee with a coach is
        in the call. The request can also fail with another error.
    """
    call = _find_active_call(switchboard, account, request.call_session_id)
    phone = request.phone_number
    if phone is not None:
        _check_reachable(account, phone, "phone_number")
    else:
        operator = call.leg(Role.OPERATOR)
        phone = operator.employee.coach if operator and operator.employee else None
        if phone is None:
            raise RpcError("coach_not_found")
    call.move(request.method)
    switchboard.ring_participant(call, Role.COACH, phone)
    return _success()


def tag_call(switchboard: Switchboard, account: Account, request: TagCall) -> Success:
    """Add a tag of the account to an active call, and return ``{"success": "true"}``.

    :raises RpcError: ``tag_not_found``: the account has no tag with this id. ``duplicate_tag``: the call
        already has the tag.
    """
    call = _find_active_call(switchboard, account, request.call_session_id)
    tag_id = request.tag_id
    if tag_id not in account.tags:
        raise RpcError("tag_not_found", "tag_id", tag_id, tag_id=tag_id)
    if tag_id in call.tags:
        raise RpcError("duplicate_tag", "tag_id", tag_id)
    call.tags[tag_id] = account.tags[tag_id]
    switchboard.log_event("tag", call, call.contact, str(tag_id))
    return _success()


def record_call(switchboard: Switchboard, account: Account, request: RecordCall) -> Success:
    """Start or stop the recording of an active call, and return ``{"success": "true"}``.

    :raises RpcError: ``record_already_started``: the call is already recorded. ``record_already_stopped``:
        the call is not recorded. ``forbidden``: the request stops the recording, although
        `Account.forced_recording` is True.
    """
    call = _find_active_call(switchboard, account, request.call_session_id)
    enable = request.action == "on"
    if account.forced_recording and not enable:
        raise RpcError("forbidden", "action", request.action)
    if call.recorded is enable:
        mnemonic = "record_already_started" if enable else "record_already_stopped"
        raise RpcError(mnemonic, "action", request.action)
    call.recorded = enable
    return _success()


def disconnect_leg(switchboard: Switchboard, account: Account, request: DisconnectLeg) -> Success:
    """Disconnect one participant of a call, and return ``{"success": "true"}``.

    - Contact: the call ends.
    - Coach: the call continues.
    - Operator or third party: the state of the call decides whether the call continues. For example, if a
      third party leaves while the contact is on hold, the call returns to the state ``HOLD``.

    :raises RpcError: ``leg_not_found``: the call has no such leg, or the leg has already ended.
    """
    call = _find_active_call(switchboard, account, request.call_session_id)
    for leg in call.legs:
        if leg.leg_id == request.leg_id and leg.state is not LegState.DISCONNECTED:
            reason = HANG_UP_REASONS["contact" if leg.role is Role.CONTACT else "employee"]
            leg.disconnect(switchboard.now, reason)
            switchboard.continue_without(call, leg, reason)
            return _success()
    raise RpcError("leg_not_found", "leg_id", request.leg_id)


def send_dtmf(switchboard: Switchboard, account: Account, request: SendDtmf) -> Success:
    """Send one DTMF tone into an active call, and return ``{"success": "true"}``.

    A DTMF tone is the tone of a phone button, e.g. ``5``. The emulator plays no sound. It adds the
    tone to `Call.dtmf` and to the journal.

    The call is in the state ``WAITING_INPUT`` when the operator has chosen a transfer, but no number yet. In
    this state, the tone ``*`` moves the call to the state ``HOLD``.
    """
    call = _find_active_call(switchboard, account, request.call_session_id)
    call.dtmf.append(request.dtmf_string)
    switchboard.log_event("dtmf", call, call.contact, request.dtmf_string)
    if request.dtmf_string == "*" and call.allows("operator pressed *"):
        call.move("operator pressed *")
    return _success()


def block_contact(switchboard: Switchboard, account: Account, request: BlockContact) -> Success:
    """Add a call's contact to the account's blacklist, and return ``{"success": "true"}``.

    The call continues.

    :raises RpcError: ``duplicate_contact``: the contact is already on the blacklist.
    """
    call = _find_active_call(switchboard, account, request.call_session_id)
    contact = call.contact
    if contact in account.blacklist:
        raise RpcError("duplicate_contact", value=contact, contact_phone_number=contact)
    account.blacklist.add(contact)
    return _success()


def call_talk_option(switchboard: Switchboard, account: Account, request: CallTalkOption) -> Success:
    """Carry out the talk option of the phone button in the request. Return ``{"success": "true"}``.

    A talk option is an action that an employee starts with a phone button during a talk. The request has the
    same effect as a press of the button.

    :raises RpcError: ``talk_option_not_found``: the account has no talk option for the button.
    """
    call = _find_active_call(switchboard, account, request.call_session_id)
    for option in account.talk_options:
        if option.button == request.button:
            call.move(request.method)
            press_button(switchboard, call, option)
            return _success()
    raise RpcError("talk_option_not_found", "button", request.button)


def release_call(switchboard: Switchboard, account: Account, request: ReleaseCall) -> Success:
    """End an active call, disconnect all participants, and return ``{"success": "true"}``."""
    call = _find_active_call(switchboard, account, request.call_session_id)
    answered = call.answered_at is not None
    switchboard.finish(call, "operator_disconnects" if answered else "no_success_subscriber_call")
    return _success()
