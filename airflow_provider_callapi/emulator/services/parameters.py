"""Check the parameters of a request to the emulator.

The check uses the request class of this package's client, such as `ListCalls`, and converts the errors of
this class into the vendor's mnemonics.

A request class accepts and corrects some wrong values, e.g. the phone number ``+7 926 …``. This module
rejects these values, as the vendor's service does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from airflow_provider_callapi.api.request import Request
from airflow_provider_callapi.emulator.errors import RpcError

RequestT = TypeVar("RequestT", bound=Request[Any])

_PRIORITY = (
    "unexpected_parameters",
    "required_parameter_missed",
    "data_type_error",
    "invalid_parameter_value",
    "invalid_parameters_combination",
)
"""The mnemonics for wrong parameters. If several parameters are wrong, the first mnemonic here is sent."""


def check_parameters(request_type: type[RequestT], params: Mapping[str, Any]) -> RequestT:
    """Check the parameters of a request, and return a request object with these parameters.

    :param request_type: the request class of the method, e.g. `ListCalls`.
    :param params: the ``params`` of the JSON-RPC request, without ``access_token``.
    :raises RpcError: a parameter is wrong, or the parameters do not fit together. The error names the wrong
        parameter. The name of a nested parameter contains a dot: ``employee.id``.
    """
    _reject_null(params)
    try:
        request = request_type.model_validate(params)
    except ValidationError as error:
        details = [(_mnemonic(detail), detail) for detail in error.errors(include_url=False)]
        mnemonic, detail = min(details, key=lambda item: _PRIORITY.index(item[0]))
        no_value = mnemonic in ("required_parameter_missed", "invalid_parameters_combination")
        value = None if no_value else detail["input"]
        path = [str(part) for part in detail["loc"]]
        raise _rpc_error(mnemonic, path, value) from None
    for name, sent in params.items():
        if isinstance(sent, str) and getattr(request, name) != sent:
            raise _rpc_error("invalid_parameter_value", [name], sent)
    return request


def _reject_null(params: Mapping[str, Any], path: tuple[str, ...] = ()) -> None:
    """Check that no parameter of a request is null, not even an optional or a nested parameter.

    :raises RpcError: a parameter is null.
    """
    for name, value in params.items():
        if value is None:
            raise _rpc_error("data_type_error", [*path, name], None)
        if isinstance(value, Mapping):
            _reject_null(value, (*path, name))


def _mnemonic(detail: ErrorDetails) -> str:
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return "unexpected_parameters"
    if kind == "missing":
        return "required_parameter_missed"
    if not detail["loc"]:
        return "invalid_parameters_combination"
    wrong_type = kind.endswith("_type") or kind.endswith("_parsing")
    # For a literal or a validated value, pydantic reports a wrong type as a wrong value.
    if wrong_type or isinstance(value, bool) or (kind == "literal_error" and type(value) is not str):
        return "data_type_error"
    return "invalid_parameter_value"


def _rpc_error(mnemonic: str, path: list[str], value: Any) -> RpcError:
    parent = ".".join(path[:-1]) or None
    return RpcError(mnemonic, ".".join(path) or None, value, object=parent)
