"""The table of the emulator's Call API: each method with the function that carries out the method.

Source: "Список методов" (list of methods) of the vendor's Call API v4.0 document.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.api.methods import METHODS, ListCalls, ListTalkOptions
from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.calls.switchboard import Switchboard
from airflow_provider_callapi.emulator.json_array import JsonArray
from airflow_provider_callapi.emulator.services import call_control, start_call
from airflow_provider_callapi.emulator.services.points import weight
from airflow_provider_callapi.emulator.services.service import Handler, Service


def list_calls(switchboard: Switchboard, account: Account, request: ListCalls) -> JsonArray:
    """Return the active calls of the account as a JSON array, oldest first.

    If the request names a direction or a virtual number, the result contains only the calls with this
    direction or number.

    The profile of the exchange and the contact's script can delay the first appearance of a call. The profile
    can also hide a call for some seconds.
    """
    calls = switchboard.listed_calls(account)
    if request.direction is not None:
        calls = [call for call in calls if call.direction == request.direction]
    if request.virtual_phone_number is not None:
        calls = [call for call in calls if call.virtual_phone_number == request.virtual_phone_number]
    return switchboard.entry_texts.array(account, calls)


def list_talk_options(
    switchboard: Switchboard, account: Account, request: ListTalkOptions
) -> list[dict[str, Any]]:
    """Return the talk options of the account as JSON objects.

    A talk option is an action that an employee starts with a phone button during a talk, e.g.
    ``{"button": "1", "mnemonic": "tag_call", …}``.
    """
    return [
        {
            "button": option.button,
            "mnemonic": option.mnemonic,
            "name": option.name,
            "button_value": option.value and {"id": option.value[0], "value": option.value[1]},
        }
        for option in account.talk_options
    ]


HANDLERS: dict[str, Handler | None] = {
    "login.user": None,
    "logout.user": None,
    "start.employee_call": start_call.start_employee_call,
    "start.scenario_call": start_call.start_scenario_call,
    "start.vnumber_call": start_call.start_vnumber_call,
    "start.informer_call": start_call.start_informer_call,
    "start.simple_call": start_call.start_simple_call,
    "make.call": call_control.make_call,
    "transfer.talk": call_control.transfer_talk,
    "restore.talk": call_control.restore_talk,
    "hold.call": call_control.hold_call,
    "unhold.call": call_control.unhold_call,
    "add.coach": call_control.add_coach,
    "tag.call": call_control.tag_call,
    "record.call": call_control.record_call,
    "disconnect.leg": call_control.disconnect_leg,
    "send.dtmf": call_control.send_dtmf,
    "block.contact": call_control.block_contact,
    "list.calls": list_calls,
    "list.talk_options": list_talk_options,
    "call.talk_option": call_control.call_talk_option,
    "release.call": call_control.release_call,
}


def _serves_ip(account: Account, ip: str) -> bool:
    return account.ip_whitelist is None or ip in account.ip_whitelist


def call_api() -> Service:
    """Return a new service that answers the Call API's requests.

    The function `points.weight` states how many points (rate-limit units) a request costs. If the account has
    an `Account.ip_whitelist`, the service rejects requests from all other IP addresses.
    """
    methods = {name: (METHODS[name], handler) for name, handler in HANDLERS.items()}
    return Service(methods, weight, _serves_ip)
