"""Check and convert the parameters of an operator or hook by a schema: parameter name → `Kind`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow_provider_callapi.api.values.value_parts import InvalidPart
from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter
from airflow_provider_callapi.parameters.kind import Kind
from airflow_provider_callapi.parameters.templates import is_template

Schema = Mapping[str, Kind]
"""Parameter name → the `Kind` that checks and converts the parameter's value."""


def read_parameters(
    schema: Schema, values: Mapping[str, Any], *, not_rendered: Collection[str] = ()
) -> dict[str, Any]:
    """Check and convert the parameters of a schema. Return parameter name → converted value.

    :param schema: parameter name → the `Kind` that checks and converts the value.
    :param values: parameter name → value. Names that are not in the schema are ignored.
    :param not_rendered: names of parameters. If the value of such a parameter contains a template
        (``{{ ds }}``) or is another task's output, the value stays unchanged.
    :raises InvalidParameter: a value is not allowed. The error message names the parameter.
    """
    read: dict[str, Any] = {}
    for name, kind in schema.items():
        value = values[name]
        is_constant = name not in not_rendered or not is_template(value)
        read[name] = read_parameter(name, value, kind) if is_constant else value
    return read


def read_parameter(name: str, value: Any, kind: Kind) -> Any:
    """Check and convert the value of one parameter, and return the converted value.

    :param name: the name of the parameter, for error messages.
    :param kind: the kind that checks and converts the value.
    :raises InvalidParameter: the value is not allowed. The error message names the parameter, the part of the
        value that is not allowed, and the type of the part. It does not contain the value.
    """
    try:
        return kind.read_named(name, value)
    except InvalidPart as error:
        raise InvalidParameter(str(error)) from None


@contextmanager
def as_invalid_parameter(name: str = "") -> Iterator[None]:
    """Context manager: convert a ValueError of the ``with`` block into `InvalidParameter`.

    :param name: the parameter, with which the message then begins. Empty: the message names it already.
    """
    try:
        yield
    except ValueError as error:
        raise InvalidParameter(f"{name}: {error}" if name else str(error)) from None


@contextmanager
def nothing_sent(effect: str = "This try placed no call") -> Iterator[None]:
    """Context manager: say in the error message of a `CallApiFailure` that nothing was sent.

    Use the ``with`` block only before the request is sent.

    :param effect: the sentence that follows the message of the error, without a full stop.
    :raises CallApiFailure: the ``with`` block raised a `CallApiFailure`, such as an `InvalidParameter`.
    """
    try:
        yield
    except CallApiFailure as error:
        raise CallApiFailure(f"{error}. {effect}.") from None
