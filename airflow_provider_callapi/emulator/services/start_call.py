"""The five ``start.*`` methods of the emulated Call API: one function for each method.

Each function checks the request, e.g. its numbers and media files. Then the function starts a call, rings the
first phone and returns ``{"call_session_id": …}``. If a check fails, the function raises an `RpcError`, and
starts no call.

Source: "Группа методов создания звонков" (methods that create calls) of the vendor's document.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from airflow_provider_callapi.api.values.number_text import FEWEST_DIGITS
from airflow_provider_callapi.emulator.account import Account, Employee, Scenario
from airflow_provider_callapi.emulator.calls.call import Call
from airflow_provider_callapi.emulator.calls.switchboard import Switchboard
from airflow_provider_callapi.emulator.errors import RpcError

Phones = list[tuple[str, Employee | None]]

DIALING_TIMEOUT = 30
"""The default of ``dialing_timeout`` in the vendor's document, in seconds."""
NUMBER_MANAGEMENT = "Автоматическое управление номерами"
"""The account component that ``virtual_phone_usage_rule`` needs, as the account's settings show it."""

_MESSAGES = ("contact_message", "employee_message", "operator_message")
"""The parameters of start requests that are messages to a participant."""
_BLACKLIST_CODE = {"start.employee_call": -32002, "start.simple_call": -32002}
"""Method → error code if the contact is on the blacklist. The other methods use ``-32602``."""


def start_employee_call(
    switchboard: Switchboard, account: Account, request: StartEmployeeCall
) -> dict[str, Any]:
    """Start a call between an employee and a contact. Return ``{"call_session_id": …}``.

    - If the request names one of the employee's numbers: only this number rings.
    - Otherwise: the phones in `Employee.phone_numbers` ring one after the other until one answers.

    The request's parameter ``first_call`` decides whether the contact or the employee is called first.

    :raises RpcError: the request was refused, e.g. because the account has no such employee.
    """
    _check_numbers(account, request)
    employee = account.employees.get(request.employee.id)
    if employee is None:
        employee_id = request.employee.id
        raise RpcError("employee_not_found", "employee.id", employee_id, employee_id=employee_id)
    number = request.employee.phone_number
    if number is not None:
        if number not in (*employee.phone_numbers, *employee.other_numbers):
            raise RpcError("no_active_phone_number", "employee.phone_number", number)
        phones: Phones = [(number, employee)]
    else:
        phones = _phones_of(employee)
    _check_audio(account, request)
    return _start_two_sided_call(switchboard, account, request, phones)


def start_scenario_call(
    switchboard: Switchboard, account: Account, request: StartScenarioCall
) -> dict[str, Any]:
    """Call a contact, and run a scenario of the account in the call. Return ``{"call_session_id": …}``.

    If the scenario has an employee (`Scenario.employee_id`), the exchange also rings the employee's phones,
    one after the other, until one answers.

    :raises RpcError: the service refuses the request, and no call is started. For example, the account does
        not have the virtual number or the scenario, or may not call the contact.
    """
    _check_numbers(account, request)
    scenario_id = request.scenario_id
    scenario = account.scenarios.get(scenario_id)
    if scenario is None:
        raise RpcError("scenario_not_found", "scenario_id", scenario_id, scenario_id=scenario_id)
    _check_audio(account, request)
    return _start_scenario(switchboard, account, request, scenario)


def start_vnumber_call(
    switchboard: Switchboard, account: Account, request: StartVnumberCall
) -> dict[str, Any]:
    """Start a call that runs the scenario of a virtual number. Return ``{"call_session_id": …}``.

    The request names the virtual number. `Account.number_scenarios` states which scenario the number has.

    :raises RpcError: the service refuses the request, and no call is started. For example, the account does
        not have the virtual number, the number has no scenario, or the account may not call the contact.
    """
    _check_numbers(account, request)
    number = request.virtual_phone_number
    scenario = account.scenarios.get(account.number_scenarios.get(number, 0))
    if scenario is None:
        raise RpcError(
            "scenario_not_found",
            "virtual_phone_number",
            number,
            code=-32007,
            text="Virtual phone number does not have a scenario",
        )
    _check_audio(account, request)
    return _start_scenario(switchboard, account, request, scenario)


def start_informer_call(
    switchboard: Switchboard, account: Account, request: StartInformerCall
) -> dict[str, Any]:
    """Start a call in which the contact hears a message. Return ``{"call_session_id": …}``.

    No operator takes part. The contact's phone rings for at most ``dialing_timeout`` seconds, a parameter of
    the request. The default is 30.

    :raises RpcError: the service refuses the request, and no call is started. For example, the account does
        not have the virtual number or the media file, or may not call the contact.
    """
    _check_numbers(account, request)
    _check_audio(account, request)
    call = _new_call(switchboard, account, request)
    call.dialing_timeout = request.dialing_timeout or DIALING_TIMEOUT
    switchboard.ring_contact(call)
    return {"call_session_id": call.call_session_id}


def start_simple_call(switchboard: Switchboard, account: Account, request: StartSimpleCall) -> dict[str, Any]:
    """Start a call between a contact and the phone of an operator. Return ``{"call_session_id": …}``.

    The request's parameter ``operator`` is the phone number of the operator. The operator's leg in
    ``list.calls`` names no employee, even if the phone belongs to an employee.

    :raises RpcError: no call is started, e.g. because the account may not call the contact.
    """
    _check_numbers(account, request)
    operator = request.operator
    if operator in account.virtual_numbers:
        raise RpcError(
            "own_virtual_phone_number_not_allowed",
            "operator",
            operator,
            text="Parameter `operator` can not contain own virtual phone number",
        )
    _check_audio(account, request)
    return _start_two_sided_call(switchboard, account, request, [(operator, None)])


def _start_scenario(
    switchboard: Switchboard,
    account: Account,
    request: StartScenarioCall | StartVnumberCall,
    scenario: Scenario,
) -> dict[str, Any]:
    if scenario.employee_id is not None:
        phones = _phones_of(account.employees[scenario.employee_id])
    elif request.first_call == "contact":
        phones = []
    else:
        raise RpcError("no_active_phone_number", "first_call", request.first_call)
    return _start_two_sided_call(switchboard, account, request, phones, scenario)


def _start_two_sided_call(
    switchboard: Switchboard,
    account: Account,
    request: StartCall,
    phones: Phones,
    scenario: Scenario | None = None,
) -> dict[str, Any]:
    call = _new_call(switchboard, account, request)
    call.scenario = scenario
    call.operators = phones
    call.shows_virtual_number = getattr(request, "show_virtual_phone_number", None) is not False
    if getattr(request, "first_call", None) == "contact":
        switchboard.ring_contact(call)
    else:
        switchboard.ring_operator(call)
    return {"call_session_id": call.call_session_id}


def _new_call(switchboard: Switchboard, account: Account, request: StartCall) -> Call:
    call = switchboard.new_call(account, request.method, request.contact, request.virtual_phone_number)
    call.direction = request.direction
    call.external_id = request.external_id
    call.dtmf_string = request.dtmf_string or ""
    call.messages = {name: message.value for name, message in _messages(request)}
    return call


def _phones_of(employee: Employee) -> Phones:
    if not employee.phone_numbers:
        raise RpcError("no_active_phone_number", "employee.id", employee.id)
    return [(phone, employee) for phone in employee.phone_numbers]


def _check_numbers(account: Account, request: StartCall) -> None:
    number, contact = request.virtual_phone_number, request.contact
    if number not in account.virtual_numbers:
        raise RpcError(
            "virtual_phone_number_not_found",
            "virtual_phone_number",
            number,
            virtual_phone_number=number,
        )
    if contact in account.virtual_numbers:
        raise RpcError("own_virtual_phone_number_not_allowed", "contact", contact)
    employee = account.find_employee(contact)
    is_short = contact.isdigit() and len(contact) < FEWEST_DIGITS  # e.g. an employee's extension
    if is_short or (employee is None and not contact.isdigit()):
        raise RpcError("invalid_parameter_value", "contact", contact)
    if contact in account.blacklist:
        code = _BLACKLIST_CODE.get(request.method)
        raise RpcError("contact_in_blacklist", "contact", contact, code=code, contact=contact)
    if contact.startswith(tuple(account.forbidden_prefixes)):
        raise RpcError("call_direction_not_allowed", "contact", contact)
    _check_number_rule(account, request.virtual_phone_usage_rule)


def _check_number_rule(account: Account, rule: str | None) -> None:
    if rule not in (None, "fixed") and not account.manages_numbers:
        raise RpcError(
            "parameter_component_disabled",
            "virtual_phone_usage_rule",
            rule,
            components=NUMBER_MANAGEMENT,
        )


def _check_audio(account: Account, request: StartCall) -> None:
    media = getattr(request, "media_file_id", None)
    if media is not None and media not in account.media:
        raise RpcError("media_file_not_found", "media_file_id", media, media_file_id=media)
    for name, message in _messages(request):
        check_message(account, name, message)


def _messages(request: StartCall) -> Iterator[tuple[str, Message]]:
    """Yield each message of a request with the name of its parameter."""
    for name in _MESSAGES:
        # Asking a request for a field that its class lacks is slow.
        if name in request.model_fields_set and (message := getattr(request, name)) is not None:
            yield name, message


def check_message(account: Account, name: str, message: Message | None) -> None:
    """Check that the media file of a message exists, or that a text for text-to-speech is short enough.

    :param name: the request's parameter that contains the message, e.g. ``contact_message``. The error names
        this parameter.
    :param message: the message. None: there is nothing to check.
    :raises RpcError: ``media_file_not_found``: the account has no such file. ``tts_text_exceeded``: the text
        is longer than `Account.tts_max_length` characters.
    """
    if message is None:
        return
    field, value = f"{name}.value", message.value
    if message.type == "media" and value not in {str(media) for media in account.media}:
        raise RpcError("media_file_not_found", field, value, media_file_id=value)
    if message.type == "tts" and len(value) > account.tts_max_length:
        raise RpcError(
            "tts_text_exceeded",
            field,
            value,
            tts_message_max_length=account.tts_max_length,
            sent_tts_message_length=len(value),
        )
