"""Base of the Airflow operators that send a request for one API method.

The base class builds the request from the operator's rendered parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import Request
from airflow_provider_callapi.api.value_kinds import kind_of
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter
from airflow_provider_callapi.operators._call.numbers import read_numbers
from airflow_provider_callapi.operators._mapped_data import MappedDataIsNoTemplate
from airflow_provider_callapi.parameters.kinds import IDENTIFIER, TEXT
from airflow_provider_callapi.parameters.rendering import TextStaysText
from airflow_provider_callapi.parameters.schema import Schema, is_template, read_parameter, read_parameters

if TYPE_CHECKING:
    from airflow.sdk.bases.operator import BaseOperatorMeta

    from airflow_provider_callapi.hooks.callapi import CallApiHook
else:
    BaseOperatorMeta = type(BaseOperator)

Q = TypeVar("Q", bound=Request[Any])

Message = dict[str, Any]
"""``{"type": "tts", "value": "a text"}`` or ``{"type": "media", "value": "2034"}``."""
SessionRef = int | str | dict[str, Any]
"""A session id as a number or text, or the dict that a start operator or the sensor returned."""


def read_request(request_type: type[Q], values: Mapping[str, Any], *, region: str | None = None) -> Q:
    """Return an API request with the given values, converted to the types of the request's fields.

    :param values: field name → value. ``call_session_id`` may be a session id, or the dict of a call.
    :param region: ISO 3166 code of the country of numbers without a country code. None: numbers stay
        unchanged.
    :raises CallApiFailure: a value cannot be used; no request was sent. The error message names the field.
    """
    try:
        values = _with_session_id(values)
        if region is not None:
            values = read_numbers(values, region, method=request_type.method)
        return request_type.from_values(values)
    except InvalidParameters as error:
        raise CallApiFailure(f"{error}. Nothing was sent.") from None


def check_request(
    request_type: type[Request[Any]], values: Mapping[str, Any], *, region: str | None = None
) -> None:
    """While Airflow reads the DAG file, check those values of a request that contain no template.

    :param values: field name → value, before Airflow renders templates.
    :param region: ISO 3166 code of the country of numbers without a country code. None: phone numbers are
        already in the service's form.
    :raises InvalidParameter: a value without a template cannot be used. The error message names the field.
    """
    unknown = [name for name, value in values.items() if is_template(value)]
    known = {name: value for name, value in values.items() if name not in unknown}
    try:
        known = dict(_with_session_id(known))
        if region is not None:
            known = read_numbers(known, region, method=request_type.method)
        request_type.check_values(known, unknown=unknown)
    except InvalidParameters as error:
        raise InvalidParameter(str(error)) from None


def _with_session_id(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a request with ``call_session_id`` as a session id.

    If ``call_session_id`` is the dict of a call, replace the dict by the session id in the dict.
    """
    session = values.get("call_session_id")
    if not isinstance(session, Mapping):
        return values
    return {**values, "call_session_id": session.get("call_session_id")}


def read_call(call_session_id: Any) -> Outcome:
    """Return what is known of the call that an operator's parameter ``call_session_id`` names.

    :param call_session_id: a session id as a number or text, or the dict that a start operator returned.
    :return: for a dict: the outcome that the dict describes. For a number or text: an outcome that contains
        only the session id.
    :raises InvalidParameter: the value names no call.
    """
    try:
        if isinstance(call_session_id, Mapping):
            session_id = IDENTIFIER.read(call_session_id.get("call_session_id"))
            return Outcome.from_xcom({**call_session_id, "call_session_id": session_id})
        return Outcome(IDENTIFIER.read(call_session_id))
    except (TypeError, ValueError):
        raise InvalidParameter(
            "call_session_id: a session id as a number or text, or the dict that a start operator returned, "
            f"is needed, and {kind_of(call_session_id)} is given"
        ) from None


class _CheckedAfterConstruction(BaseOperatorMeta):
    """Metaclass that checks an operator when all its constructors have run.

    The base class cannot check the operator in its own constructor, because the constructor of a subclass may
    set attributes later. Therefore, this metaclass first runs the constructors, and then calls
    `RequestOperator.check_constants`.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - a metaclass
        operator = super().__call__(*args, **kwargs)
        operator.check_constants()
        return operator


class RequestOperator(
    MappedDataIsNoTemplate, TextStaysText, BaseOperator, metaclass=_CheckedAfterConstruction
):
    """Base of the Airflow operators for one API method, e.g. ``hold.call``.

    Each field of the API method is an attribute of the operator. These attributes and ``callapi_conn_id`` may
    contain templates.

    :ivar callapi_conn_id: id of the Airflow connection, set by the constructor of a subclass.
    :cvar request_type: the class of the API request.
    :cvar also_templated: further attributes that may contain a template, e.g. ``("region",)``.
    :cvar kinds: for each parameter that is not an API field, the `Kind` that checks and converts its value.
    :raises InvalidParameter: a value without a template cannot be used.
    """

    request_type: ClassVar[type[Request[Any]]]
    also_templated: ClassVar[tuple[str, ...]] = ()
    callapi_conn_id: str
    region: str | None = None
    kinds: ClassVar[Schema] = {"callapi_conn_id": TEXT}
    object_fields = frozenset(
        {"call_session_id", "contact_message", "employee", "employee_message", "operator_message"}
        | {"results", "tags", "to_message"}
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "request_type" in cls.__dict__:
            fields = cls.request_type.model_fields
            cls.template_fields = (*fields, *cls.also_templated, "callapi_conn_id")
            cls.template_fields_renderers = {name: "json" for name in fields if name.endswith("_message")}

    def check_constants(self) -> None:
        """Check the parameters whose values contain no template.

        The check runs right after the constructor, so Airflow shows a wrong value as an error of the DAG
        file. A value with a template is checked only in the worker, after Airflow has rendered the template.

        :raises InvalidParameter: the value of a parameter cannot be used. The error message names the
            parameter.
        """
        self.check_together(read_parameters(self.kinds, vars(self), not_rendered=self.template_fields))
        if not is_template(self.region):  # without the region, no number can be read
            check_request(self.request_type, self._request_values(), region=self._read_region())

    def check_together(self, values: Mapping[str, Any]) -> None:
        """Check the rules that concern several parameters, e.g. two parameters that exclude each other.

        The base class has no rules; a subclass may add some.

        :param values: parameter name → converted value, for the parameters that are not fields of the API
            method. A value that contains a template is not converted.
        :raises InvalidParameter: parameters cannot be used together. The error message names the parameters.
        """

    def read_parameters(self) -> dict[str, Any]:
        """Return the converted values of the operator's parameters that are not fields of the API method.

        :return: parameter name → value, e.g. ``{"callapi_conn_id": "callapi_default", "report_timeout":
            120.0}``.
        :raises InvalidParameter: the value of a parameter cannot be used. The error message names the
            parameter.
        """
        return read_parameters(self.kinds, vars(self))

    def make_request(self) -> Any:
        """Return the API request. Each of its fields has the value of the operator's attribute of this name.

        :raises CallApiFailure: the value of an attribute cannot be used. The error message names the field.
        """
        return read_request(self.request_type, self._request_values(), region=self._read_region())

    def _read_region(self) -> str | None:
        return None if self.region is None else str(read_parameter("region", self.region, TEXT))

    def _request_values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.request_type.model_fields}

    @property
    def hook(self) -> CallApiHook:
        """A new hook for the Airflow connection that this operator uses."""
        from airflow_provider_callapi.hooks.callapi import CallApiHook  # noqa: PLC0415 - parse time

        return CallApiHook(read_parameter("callapi_conn_id", self.callapi_conn_id, TEXT))
