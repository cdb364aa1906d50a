"""The errors with which the emulator answers: mnemonic (name), code and text.

Most errors come from the vendor's Call API v4.0 document: from the table "Список ошибок общих для всех
методов" (errors common to all methods), and from the table of errors of each method. Comments in `ERRORS`
state the source of all other errors.
"""

from __future__ import annotations

from typing import Any

ERRORS: dict[str, tuple[int, str]] = {
    "parse_error": (-32700, "Invalid JSON was received by the server."),
    "invalid_request": (
        -32600,
        "Invalid Request The JSON sent is not a valid Request object",
    ),
    "method_not_found": (-32601, "The method does not exist / is not available"),
    "batch_opreations_not_supported": (-32099, "Batch operations not supported"),
    "notifications_not_supported": (-32099, "Notifications not supported"),
    "internal_error": (-32603, "Internal error, contact the support service"),
    "access_token_expired": (-32001, "Access token has been expired"),
    "access_token_blocked": (-32001, "Access token has been blocked"),
    "access_token_invalid": (-32001, "Access token is invalid"),
    "auth_error": (-32001, "Login or password is wrong"),
    "limit_exceeded": (
        -32029,
        "Limit per {limit_type} has been exceeded. "
        "Value of current limit per {limit_type} is {limit_max_value}",
    ),
    "component_disabled": (-32008, "Component {component_name} has been disabled"),
    "parameter_component_disabled": (-32008, "The component of the parameter has been disabled"),
    "ip_not_whitelisted": (-32003, "Your IP {ip} is not whitelisted"),
    "account_inactive": (
        -32009,
        "Your account has been disabled, contact the support service",
    ),
    "forbidden": (-32003, "Permission denied"),
    "data_type_error": (-32602, "Data supplied is of wrong type"),
    "required_parameter_missed": (-32602, "The required parameter has been missed"),
    "invalid_parameter_value": (-32602, "Invalid parameter value"),
    "unexpected_parameters": (-32602, "Unexpected method parameter(s)"),
    "invalid_parameters_combination": (
        -32602,
        "The combination of parameters is not permitted",
    ),
    "character_encoding_not_allowed": (-32602, "The character encoding must be UTF-8"),
    "call_session_not_found": (-32602, "Call session not found"),
    "tts_text_exceeded": (
        -32602,
        "The maximum length of Text-to-Speech message is {tts_message_max_length}. "
        "The length of your message is {sent_tts_message_length}",
    ),
    "media_file_not_found": (-32602, "The media file with id {media_file_id} not found"),
    "virtual_phone_number_not_found": (
        -32007,
        "Virtual phone number {virtual_phone_number} not found. It is not your virtual phone number.",
    ),
    "own_virtual_phone_number_not_allowed": (
        -32602,
        "Parameter `contact` can not contain own virtual phone number",
    ),
    "contact_in_blacklist": (
        -32602,
        "The contact {contact} has been found in the blacklist",
    ),
    # The vendor's document gives only the code -32002. This package chose the mnemonic and the text.
    "call_direction_not_allowed": (-32002, "Calls in this direction are not allowed"),
    "employee_not_found": (
        -32602,
        "Employee with id {employee_id} not found. It is not your employee.",
    ),
    "no_active_phone_number": (-32602, "The phone number does not exist or inactive"),
    "scenario_not_found": (-32602, "Scenario with id {scenario_id} not found"),
    "invalid_state": (-32004, "This method can not be called in this state"),
    "tag_not_found": (-32602, "Tag with {tag_id} not found"),
    "duplicate_tag": (-32602, "Duplicate tag"),
    "leg_not_found": (-32602, "The call's leg not found"),
    "coach_not_found": (-32602, "The coach not found in your settings"),
    "record_already_started": (-32602, "The call record is already started"),
    "record_already_stopped": (-32602, "The call record is not enabled"),
    "duplicate_contact": (
        -32602,
        "The contact with phone number {contact_phone_number} already exists",
    ),
    "talk_option_not_found": (-32602, "Talk option not found"),
    # Errors of the Data API: mnemonics and codes come from the vendor, texts from this package.
    "filter_prohibited": (-32602, "The field cannot be filtered"),
    "sort_prohibited": (-32602, "The field cannot be sorted"),
    "date_interval_limit_reached": (-32602, "The dates are more than three months apart"),
    "entity_not_found": (-32602, "Entity not found"),
    "duplicate_entity": (-32602, "Duplicate entity"),
}

WITHOUT_LIMITS = frozenset(
    {
        "parse_error",
        "invalid_request",
        "method_not_found",
        "auth_error",
        "access_token_blocked",
        "access_token_invalid",
        "access_token_expired",
        "ip_not_whitelisted",
    }
)
"""Mnemonics of the errors whose answers contain no ``limits``.

Source: "Лимиты и ограничения" (limits) in the vendor's document.
"""


class RpcError(Exception):
    """The failure of a request, which the emulator answers with a JSON-RPC error object.

    Example: ``RpcError("tag_not_found", "tag_id", 7, tag_id=7)`` has the text ``Tag with 7 not found``.

    :param mnemonic: the name of the error, a key of `ERRORS`.
    :param field: the name of the request's wrong parameter, e.g. ``employee.id``. None: the error names no
        parameter.
    :param value: the value of this parameter in the request.
    :param code: the error code. None: the code in `ERRORS`.
    :param text: the error text. None: the text in `ERRORS`.
    :param params: placeholder in the error text → value.
    :ivar error_object: the ``error`` of the JSON-RPC answer.
    """

    def __init__(
        self,
        mnemonic: str,
        field: str | None = None,
        value: Any = None,
        *,
        code: int | None = None,
        text: str | None = None,
        **params: Any,
    ) -> None:
        super().__init__(mnemonic)
        default_code, default_text = ERRORS[mnemonic]
        self.mnemonic = mnemonic
        self.error_object: dict[str, Any] = {
            "code": default_code if code is None else code,
            "message": (default_text if text is None else text).format(**params),
            "data": {
                "mnemonic": mnemonic,
                "field": field,
                "value": value,
                "params": params,
                "extended_helper": None,
            },
        }
