"""The five methods that start a call: is everything there that it names, and who rings first.

Source: "Группа методов создания звонков" (methods that create calls) of the vendor's document.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.api.methods import (
    Message,
    StartCall,
    StartEmployeeCall,
    StartInformerCall,
    StartScenarioCall,
    StartSimpleCall,
    StartVnumberCall,
)
from airflow_provider_callapi.emulator.account import Account, Employee
from airflow_provider_callapi.emulator.call import Call
from airflow_provider_callapi.emulator.errors import Refusal
from airflow_provider_callapi.emulator.switchboard import Switchboard

Phones = list[tuple[str, Employee | None]]

DIALING_TIMEOUT = 30
"""Seconds; the document's default of ``dialing_timeout``."""

_BLACKLIST_CODE = {"start.employee_call": -32002, "start.simple_call": -32002}
"""The other methods answer with the usual -32602."""


def start_employee_call(board: Switchboard, account: Account, request: StartEmployeeCall) -> dict[str, Any]:
    """The named phone of the employee, or all the active ones in turn."""
    _check_numbers(account, request)
    employee = account.employees.get(request.employee.id)
    if employee is None:
        wanted = request.employee.id
        raise Refusal("employee_not_found", "employee.id", wanted, employee_id=wanted)
    number = request.employee.phone_number
    if number is not None:
        if number not in (*employee.phone_numbers, *employee.other_numbers):
            raise Refusal("no_active_phone_number", "employee.phone_number", number)
        phones: Phones = [(number, employee)]
    else:
        phones = _phones(employee)
    _check_sounds(account, request)
    return _two_sided(board, account, request, phones)


def start_scenario_call(board: Switchboard, account: Account, request: StartScenarioCall) -> dict[str, Any]:
    """The employee of the scenario."""
    _check_numbers(account, request)
    scenario_id = request.scenario_id
    scenario = account.scenarios.get(scenario_id)
    if scenario is None:
        raise Refusal("scenario_not_found", "scenario_id", scenario_id, scenario_id=scenario_id)
    _check_sounds(account, request)
    phones = _phones(account.employees[scenario.employee_id])
    return _two_sided(board, account, request, phones)


def start_vnumber_call(board: Switchboard, account: Account, request: StartVnumberCall) -> dict[str, Any]:
    """The employee of the virtual number's scenario."""
    _check_numbers(account, request)
    number = request.virtual_phone_number
    scenario = account.scenarios.get(account.number_scenarios.get(number, 0))
    if scenario is None:
        raise Refusal(
            "scenario_not_found",
            "virtual_phone_number",
            number,
            code=-32007,
            text="Virtual phone number does not have a scenario",
        )
    _check_sounds(account, request)
    phones = _phones(account.employees[scenario.employee_id])
    return _two_sided(board, account, request, phones)


def start_informer_call(board: Switchboard, account: Account, request: StartInformerCall) -> dict[str, Any]:
    """Nobody but the contact."""
    _check_numbers(account, request)
    _check_sounds(account, request)
    call = _new_call(board, account, request)
    call.dialing_timeout = request.dialing_timeout or DIALING_TIMEOUT
    board.ring_contact(call)
    return {"call_session_id": call.call_session_id}


def start_simple_call(board: Switchboard, account: Account, request: StartSimpleCall) -> dict[str, Any]:
    """Any phone but the account's own virtual ones; not an employee even if it is one's."""
    _check_numbers(account, request)
    operator = request.operator
    if operator in account.virtual_numbers:
        raise Refusal(
            "own_virtual_phone_number_not_allowed",
            "operator",
            operator,
            text="Parameter `operator` can not contain own virtual phone number",
        )
    _check_sounds(account, request)
    return _two_sided(board, account, request, [(operator, None)])


def _two_sided(board: Switchboard, account: Account, request: StartCall, phones: Phones) -> dict[str, Any]:
    call = _new_call(board, account, request)
    call.operators = phones
    call.shows_virtual_number = getattr(request, "show_virtual_phone_number", None) is not False
    if getattr(request, "first_call", None) == "contact":
        board.ring_contact(call)
    else:
        board.ring_operator(call)
    return {"call_session_id": call.call_session_id}


def _new_call(board: Switchboard, account: Account, request: StartCall) -> Call:
    call = board.new_call(account, request.method, request.contact, request.virtual_phone_number)
    call.direction = request.direction
    call.external_id = request.external_id
    call.dtmf_string = request.dtmf_string or ""
    return call


def _phones(employee: Employee) -> Phones:
    if not employee.phone_numbers:
        raise Refusal("no_active_phone_number", "employee.id", employee.id)
    return [(phone, employee) for phone in employee.phone_numbers]


def _check_numbers(account: Account, request: StartCall) -> None:
    number, contact = request.virtual_phone_number, request.contact
    # an 800 number receives calls only
    if number not in account.virtual_numbers or number.startswith(("7800", "8800")):
        raise Refusal(
            "virtual_phone_number_not_found",
            "virtual_phone_number",
            number,
            virtual_phone_number=number,
        )
    if contact in account.virtual_numbers:
        raise Refusal("own_virtual_phone_number_not_allowed", "contact", contact)
    employee = account.employee_at(contact)
    is_extension = employee is not None and contact.isdigit() and len(contact) < 7
    if is_extension or (employee is None and not contact.isdigit()):
        raise Refusal("invalid_parameter_value", "contact", contact)
    if contact in account.blacklist:
        code = _BLACKLIST_CODE.get(request.method)
        raise Refusal("contact_in_blacklist", "contact", contact, code=code, contact=contact)
    if contact.startswith(tuple(account.forbidden_prefixes)):
        raise Refusal("call_direction_not_allowed", "contact", contact)


def _check_sounds(account: Account, request: StartCall) -> None:
    media = getattr(request, "media_file_id", None)
    if media is not None and media not in account.media:
        raise Refusal("media_file_not_found", "media_file_id", media, media_file_id=media)
    for name in ("contact_message", "employee_message", "operator_message"):
        check_message(account, name, getattr(request, name, None))


def check_message(account: Account, name: str, message: Message | None) -> None:
    """Refuse a file that is not there, and a text that is too long."""
    if message is None:
        return
    field, value = f"{name}.value", message.value
    if message.type == "media" and value not in {str(media) for media in account.media}:
        raise Refusal("media_file_not_found", field, value, media_file_id=value)
    if message.type == "tts" and len(value) > account.tts_max_length:
        raise Refusal(
            "tts_text_exceeded",
            field,
            value,
            tts_message_max_length=account.tts_max_length,
            sent_tts_message_length=len(value),
        )
