"""Base of the Airflow operators that send a request for one API method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_callapi.api.request import Request
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._lost_values import LostValueIsAnError
from airflow_provider_callapi.operators._requests import check_request, read_request
from airflow_provider_callapi.parameters.kinds import TEXT
from airflow_provider_callapi.parameters.rendering import TextStaysText
from airflow_provider_callapi.parameters.schema import Schema, read_parameter, read_parameters
from airflow_provider_callapi.parameters.templates import is_template

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook


class RequestOperator(LostValueIsAnError, TextStaysText, BaseOperator):
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
    values_with_none = frozenset({"call_session_id"})  # the result of a start operator
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

        :raises InvalidParameter: a value cannot be used, or it is lost, see `refuse_lost_values`.
        """
        self.refuse_lost_values()
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

        return CallApiHook(self.callapi_conn_id)
