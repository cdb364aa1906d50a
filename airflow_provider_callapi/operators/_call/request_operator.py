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
from airflow_provider_callapi.calls.phone_numbers.request_numbers import read_numbers
from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter
from airflow_provider_callapi.operators._mapped_data import MappedDataIsNoTemplate
from airflow_provider_callapi.parameters.kinds import IDENTIFIER, TEXT
from airflow_provider_callapi.parameters.rendering import TextStaysText
from airflow_provider_callapi.parameters.schema import Schema, read_parameter, read_parameters
from airflow_provider_callapi.parameters.templates import is_template, split_templates

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook

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
    session = values.get("call_session_id")
    if isinstance(session, Mapping):
        if session.get("status") == "refused":
            raise InvalidParameters(_REFUSED, method=request_type.method)
        values = {**values, "call_session_id": session.get("call_session_id")}
    return values if region is None else read_numbers(values, region, method=request_type.method)


def read_call(call_session_id: Any) -> Outcome:
    """Convert a session id, or the result of a start operator, to the `Outcome` of a call.

    :raises InvalidParameter: the value names no call.
    """
    if isinstance(call_session_id, Mapping) and call_session_id.get("status") == "refused":
        raise InvalidParameter(_REFUSED)
    try:
        if isinstance(call_session_id, Mapping):
            session_id = IDENTIFIER.read(call_session_id.get("call_session_id"))
            return Outcome.from_xcom({**call_session_id, "call_session_id": session_id})
        return Outcome(IDENTIFIER.read(call_session_id))
    except (TypeError, ValueError):
        raise InvalidParameter(
            "call_session_id: a session id as a number or text, or the dict that a start operator returned, "
            f"is needed; the value is {kind_of(call_session_id)}"
        ) from None


class RequestOperator(MappedDataIsNoTemplate, TextStaysText, BaseOperator):
    """Base of the Airflow operators for one API method, e.g. ``hold.call``.

    Each field of the method is an attribute of the operator.
    """

    request_type: ClassVar[type[Request[Any]]]
    also_templated: ClassVar[tuple[str, ...]] = ()  # further attributes that may contain a template
    callapi_conn_id: str  # set by the constructor of a subclass
    region: str | None = None
    kinds: ClassVar[Schema] = {"callapi_conn_id": TEXT}  # the parameters that are no fields of the API method
    object_fields = frozenset(
        {"call_session_id", "contact_message", "employee", "employee_message", "operator_message"}
        | {"results", "tags", "to_message"}
    )
    _request: tuple[Any, Request[Any]] | None = None  # the newest try, and its request

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "request_type" in cls.__dict__:
            fields = cls.request_type.model_fields
            cls.template_fields = (*fields, *cls.also_templated, "callapi_conn_id")
            cls.spoken_fields = frozenset(name for name in fields if name.endswith("_message"))
            cls.template_fields_renderers = dict.fromkeys(cls.spoken_fields, "json")

    def check_constants(self) -> None:
        """Check the parameters whose values contain no template.

        :raises InvalidParameter: a value cannot be used.
        """
        super().check_constants()
        # Airflow has not rendered the templates yet, so a value with a template is passed unconverted.
        self.check_together(read_parameters(self.kinds, vars(self), not_rendered=self.template_fields))
        if not is_template(self.region):  # without the region, no number can be read
            check_request(self.request_type, self._request_values(), region=self._read_region())

    def check_together(self, values: Mapping[str, Any]) -> None:
        """Check the rules that concern several parameters. The base class has no rules.

        :raises InvalidParameter: two parameters cannot be used together.
        """

    def read_parameters(self) -> dict[str, Any]:
        """Return the converted values of the parameters that are not fields of the API method.

        :raises InvalidParameter: a value cannot be used.
        """
        return read_parameters(self.kinds, vars(self))

    def make_request(self) -> Any:
        """Return the API request with the values of the operator's attributes.

        :raises InvalidParameter: a value cannot be used.
        """
        return read_request(self.request_type, self._request_values(), region=self._read_region())

    def refuse_second_request(self, context: Mapping[str, Any], request: Request[Any]) -> None:
        """Check that this try has made no other request before, for example in a loop of a subclass.

        :raises CallApiFailure: this try has made another request. A task can remember only one request for
            its retries.
        """
        ti = context["ti"]
        this_try = (ti.run_id, ti.map_index, ti.try_number)
        if self._request is not None and self._request[0] == this_try and self._request[1] != request:
            raise CallApiFailure(
                f"Operator {self.task_id} was executed before with other values, and its task has only one "
                "journal. Map the operator instead, e.g. with expand(contact=[…]). This request was not sent."
            )
        self._request = (this_try, request)

    def _read_region(self) -> str | None:
        return None if self.region is None else str(read_parameter("region", self.region, TEXT))

    def _request_values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.request_type.model_fields}

    @property
    def hook(self) -> CallApiHook:
        """A new hook for the Airflow connection that this operator uses."""
        from airflow_provider_callapi.hooks.callapi import CallApiHook  # noqa: PLC0415 - parse time

        return CallApiHook(read_parameter("callapi_conn_id", self.callapi_conn_id, TEXT))
