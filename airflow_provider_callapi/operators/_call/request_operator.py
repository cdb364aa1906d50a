"""Base of the Airflow operators that call one API method.

The base class builds the request from the operator's rendered parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import Request
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._call.numbers import read_numbers
from airflow_provider_callapi.operators._mapped_data import MappedDataIsNoTemplate

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook

Q = TypeVar("Q", bound=Request[Any])

Message = dict[str, Any]
"""``{"type": "tts", "value": "a text"}`` or ``{"type": "media", "value": "2034"}``."""
SessionRef = int | str | dict[str, Any]
"""A session id as a number or text, or the dict that a start operator or the sensor returned."""


def read_request(request_type: type[Q], values: Mapping[str, Any], *, region: str | None = None) -> Q:
    """Return an API request of the given type with the given values.

    If a value is a text, the function converts the text to the type of the request's field.

    :param values: field name → value. The value of ``call_session_id`` may be a session id, or the dict of a
        call.
    :param region: ISO 3166 code of a country. Numbers without a country code belong to this country. None:
        the request contains only numbers of the account, which are in the service's form.
    :raises CallApiFailure: a value cannot be used; nothing was sent. The text names the field.
    """
    session = values.get("call_session_id")
    if isinstance(session, Mapping):
        values = {**values, "call_session_id": session.get("call_session_id")}
    try:
        if region is not None:
            values = read_numbers(values, region, method=request_type.method)
        return request_type.from_values(values)
    except InvalidParameters as error:
        raise CallApiFailure(f"{error}. Nothing was sent.") from None


def read_call(call_session_id: Any) -> Outcome:
    """Return the call that an operator's parameter ``call_session_id`` names.

    :param call_session_id: a session id as a number or text, or the dict that a start operator returned.
    :raises CallApiFailure: the value names no call.
    """
    try:
        if isinstance(call_session_id, Mapping):
            call = Outcome.from_xcom(dict(call_session_id))
        else:
            call = Outcome(int(str(call_session_id)))
        if call.call_session_id > 0:
            return call
        raise ValueError("not an id of the service")
    except (TypeError, ValueError):
        raise CallApiFailure(
            "call_session_id: pass a session id as a number or text, or what a start operator returned"
        ) from None


class RequestOperator(MappedDataIsNoTemplate, BaseOperator):
    """Base of the Airflow operators for one API method.

    An attribute of the operator with the same name as a parameter of the API method is sent as this
    parameter. All these attributes are Airflow template fields.
    """

    request_type: ClassVar[type[Request[Any]]]
    also_templated: ClassVar[tuple[str, ...]] = ()
    region: str | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "request_type" in cls.__dict__:
            fields = cls.request_type.model_fields
            cls.template_fields = (*fields, *cls.also_templated, "callapi_conn_id")
            cls.template_fields_renderers = {name: "json" for name in fields if name.endswith("_message")}

    def __init__(self, *, callapi_conn_id: str = "callapi_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.callapi_conn_id = callapi_conn_id

    def make_request(self) -> Any:
        """Return the API request that consists of the operator's rendered attributes.

        :raises CallApiFailure: the value of an attribute cannot be used. The text names the field.
        """
        values = {name: getattr(self, name) for name in self.request_type.model_fields}
        return read_request(self.request_type, values, region=self.region)

    @property
    def hook(self) -> CallApiHook:
        """A new hook for the Airflow connection that this operator uses."""
        from airflow_provider_callapi.hooks.callapi import CallApiHook  # noqa: PLC0415 - parse time

        return CallApiHook(self.callapi_conn_id)
