"""Build the request for an API method from the rendered parameters of an operator."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from airflow_provider_callapi.api.errors import CallNotFound, InvalidParameters, InvalidState
from airflow_provider_callapi.api.request import Request
from airflow_provider_callapi.api.values.value_kinds import kind_of
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.phone_numbers.request_numbers import read_numbers
from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter
from airflow_provider_callapi.parameters.kinds import IDENTIFIER
from airflow_provider_callapi.parameters.templates import split_templates

Q = TypeVar("Q", bound=Request[Any])
_REFUSED = (
    "call_session_id: the service refused the call (status refused), so there is no call. Branch on the "
    "status before this task"
)

_NEEDED_STATES = {
    "hold.call": "is no talk between the contact and the employee, so the contact cannot be put on hold",
    "unhold.call": "is not on hold: first hold.call",
    "make.call": "is not on hold: first hold.call, then make.call",
    "transfer.talk": "has no third party: first hold.call, then make.call",
    "restore.talk": "has no third party: first hold.call, then make.call",
}
"""Method of a control request → what its call lacks if the service refuses the request in this state."""

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
        raise InvalidParameter(_text(error, values)) from None


def check_request(request_type: type[Request[Any]], values: Mapping[str, Any], *, region: str | None) -> None:
    """While Airflow reads the DAG file, check those values of a request that contain no template.

    :raises InvalidParameter: a value cannot be used.
    """
    known, unknown = split_templates(values)
    try:
        request_type.check_values(_converted(request_type, known, region), unknown=unknown)
    except InvalidParameters as error:
        raise InvalidParameter(_text(error, values)) from None


def _text(error: InvalidParameters, values: Mapping[str, Any]) -> str:
    if error.field == "contact" and isinstance(values.get("contact"), list | tuple | set):
        return f"{error}. To call several people, map the operator with expand(contact=…), or use a campaign"
    return str(error)


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


@contextmanager
def explained(request: Any) -> Iterator[None]:
    """Context manager: if the service refuses a control request, name the call and say what to do.

    :param request: a request with a ``call_session_id``.
    :raises CallApiFailure: no active call has this session id, or its state does not allow the request.
    """
    try:
        yield
    except CallNotFound as error:
        problem = "has ended or never existed, and only an active call can be steered"
        raise CallApiFailure(f"{_named(request)} {problem} ({error})") from None
    except InvalidState as error:
        needed = _NEEDED_STATES.get(request.method, "has another state; check what must come first")
        raise CallApiFailure(f"{_named(request)} {needed} ({error})") from None


def _named(request: Any) -> str:
    return f"{request.method}: call session {request.call_session_id}"


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
