"""The strict check of a method's parameters, by the same class that the client builds its requests with.

The class only knows right from wrong; here its verdict becomes the vendor's mnemonic. Where the
class mends what a person wrote (``+7 926 …``), the exchange refuses, as the service would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from airflow_provider_callapi.api.methods import Request
from airflow_provider_callapi.emulator.errors import Refusal

AnyRequest = TypeVar("AnyRequest", bound=Request[Any])

_ORDER = (
    "unexpected_parameters",
    "required_parameter_missed",
    "data_type_error",
    "invalid_parameter_value",
    "invalid_parameters_combination",
)
"""Which error is told when there are several: shape before types, types before values."""


def check(request_type: type[AnyRequest], params: Mapping[str, Any]) -> AnyRequest:
    """Read parameters (without ``access_token``) strictly.

    :raises Refusal: one of `_ORDER`, with the dotted field.
    """
    _refuse_null(params)
    try:
        request = request_type.model_validate(params)
    except ValidationError as error:
        found = [(_mnemonic(detail), detail) for detail in error.errors(include_url=False)]
        mnemonic, detail = min(found, key=lambda item: _ORDER.index(item[0]))
        value = None if mnemonic == "required_parameter_missed" else detail["input"]
        path = [str(part) for part in detail["loc"]]
        whole = mnemonic == "invalid_parameters_combination"
        raise _refusal(mnemonic, path, None if whole else value) from None
    for name, sent in params.items():
        if isinstance(sent, str) and getattr(request, name) != sent:
            raise _refusal("invalid_parameter_value", [name], sent)
    return request


def _refuse_null(params: Mapping[str, Any], path: tuple[str, ...] = ()) -> None:
    """An absent parameter is left out; null is a value, and of the wrong type."""
    for name, value in params.items():
        if value is None:
            raise _refusal("data_type_error", [*path, name], None)
        if isinstance(value, Mapping):
            _refuse_null(value, (*path, name))


def _mnemonic(detail: ErrorDetails) -> str:
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return "unexpected_parameters"
    if kind == "missing":
        return "required_parameter_missed"
    if not detail["loc"]:
        return "invalid_parameters_combination"
    wrong_type = kind.endswith("_type") or kind.endswith("_parsing")
    # a literal's and a validator's errors do not say that the type was wrong already
    if wrong_type or isinstance(value, bool) or (kind == "literal_error" and type(value) is not str):
        return "data_type_error"
    return "invalid_parameter_value"


def _refusal(mnemonic: str, path: list[str], value: Any) -> Refusal:
    parent = ".".join(path[:-1]) or None
    return Refusal(mnemonic, ".".join(path) or None, value, object=parent)
