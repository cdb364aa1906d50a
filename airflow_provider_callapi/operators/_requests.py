"""Build the request for an API method from the rendered parameters of an operator."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import Request
from airflow_provider_callapi.api.value_kinds import kind_of
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.phone_numbers.request_numbers import read_numbers
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.parameters.kinds import IDENTIFIER
from airflow_provider_callapi.parameters.templates import split_templates

Q = TypeVar("Q", bound=Request[Any])
_REFUSED = (
    "call_session_id: the service refused the call (status refused), so there is no call. Branch on the "
    "status before this task"
)

Message = dict[str, Any]
"""``{"type": "tts", "value": "a text"}`` or ``{"type": "media", "value": "2034"}``."""
SessionRef = int | str | dict[str, Any]
"""A session id as a number or text, or the dict that a start operator or the sensor returned."""


def read_request(request_type: type[Q], values: Mapping[str, Any], *, region: str | None) -> Q:
    """Return an API request with the given values, converted to the types of its fields.

    :param region: ISO 3166 code of the country of national phone numbers. None: numbers stay unchanged.
    :raises InvalidParameter: a value cannot be used.
    """
    try:
        return request_type.from_values(_converted(request_type, values, region))
    except InvalidParameters as error:
        raise InvalidParameter(str(error)) from None


def check_request(request_type: type[Request[Any]], values: Mapping[str, Any], *, region: str | None) -> None:
    """While Airflow reads the DAG file, check those values of a request that contain no template.

    :raises InvalidParameter: a value cannot be used.
    """
    known, unknown = split_templates(values)
    try:
        request_type.check_values(_converted(request_type, known, region), unknown=unknown)
    except InvalidParameters as error:
        raise InvalidParameter(str(error)) from None


def _converted(
    request_type: type[Request[Any]], values: Mapping[str, Any], region: str | None
) -> Mapping[str, Any]:
    """Return the values of a request's fields, in the form that the request takes.

    If ``call_session_id`` is the result of a start task (a dict), it becomes the session id in the dict. If
    ``region`` is not None, phone numbers become E.164 digits.

    :raises InvalidParameters: a phone number cannot be read.
    """
    session = _read_rendered(values.get("call_session_id"))
    if isinstance(session, Mapping):
        if session.get("status") == "refused":
            raise InvalidParameters(_REFUSED, method=request_type.method)
        values = {**values, "call_session_id": session.get("call_session_id")}
    return values if region is None else read_numbers(values, region, method=request_type.method)


def read_call(call_session_id: Any) -> Outcome:
    """Convert a session id, or the result of a start operator, to the `Outcome` of a call.

    :raises InvalidParameter: the value names no call.
    """
    call = _read_rendered(call_session_id)
    if isinstance(call, Mapping) and call.get("status") == "refused":
        raise InvalidParameter(_REFUSED)
    try:
        if isinstance(call, Mapping):
            session_id = IDENTIFIER.read(call.get("call_session_id"))
            return Outcome.from_xcom({**call, "call_session_id": session_id})
        return Outcome(IDENTIFIER.read(call))
    except (TypeError, ValueError):
        raise InvalidParameter(
            "call_session_id: a session id as a number or text, or the dict that a start operator returned, "
            f"is needed; the value is {kind_of(call_session_id)}"
        ) from None


def _read_rendered(value: Any) -> Any:
    """Return the dict of a call if a template, e.g. of ``xcom_pull``, has made a text of it."""
    is_dict = isinstance(value, str) and value.lstrip().startswith("{")
    return parse_rendered(value) if is_dict else value


def parse_rendered(text: str) -> Any:
    """Read a rendered template's text as JSON or as a Python literal, usually the dict of a call.

    Any other text is returned unchanged.
    """
    for parse in (json.loads, ast.literal_eval):
        with suppress(ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return parse(text)
    return text
