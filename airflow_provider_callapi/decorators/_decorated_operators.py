"""The Airflow operators of the decorators ``@task.callapi_informer`` and ``@task.callapi_campaign``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from inspect import iscoroutinefunction, isgeneratorfunction
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import DecoratedOperator, determine_kwargs

from airflow_provider_callapi.api.values.value_kinds import kind_of
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.operators._mapped_data import mapped_from_tasks
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class _LaterValue:
    """A placeholder for the value that a decorated Python function will return when the task runs."""

    # Checks of parameters skip an object with this method, as they skip a template: it has no value yet.
    def resolve(self, context: Mapping[str, Any]) -> Any:
        raise AssertionError("the task replaces this value before anyone reads the value")


class FunctionOperator(DecoratedOperator):
    """Base class of operators that take the value of one parameter from a Python function.

    :cvar returned: the name of the parameter.
    """

    returned: ClassVar[str]
    fields_with_gaps = frozenset(DecoratedOperator.template_fields)  # the function decides about None

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if self.returned in kwargs:
            raise TypeError(f"{self.returned}: the function returns the value, so the decorator takes none")
        if iscoroutinefunction(python_callable) or isgeneratorfunction(python_callable):
            raise TypeError(f"{self.returned}: the function must return the value, without async and yield")
        kwargs[self.returned] = _LaterValue()
        super().__init__(python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, **kwargs)

    def mapped_parameters(self, context: Mapping[str, Any]) -> Collection[str]:
        """Return no parameter names, because ``expand`` maps only the arguments of the function."""
        return ()

    @property
    def xcom_push(self) -> bool:
        """Whether Airflow stores the operator's return value as an XCom.

        Airflow before 3.1 reads this property.
        """
        return bool(self.do_xcom_push)

    def call_function(self, context: Mapping[str, Any]) -> Any:
        """Run the Python function and return its result.

        The function can take values of the task context, such as ``ds``.
        """
        names = {**context, **self.op_kwargs}
        return self.python_callable(
            *self.op_args, **determine_kwargs(self.python_callable, self.op_args, names)
        )

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Render the templates in the operator's parameters and the function's arguments.

        A template in a value from another task is not rendered.
        """
        if parent is not self:
            super()._do_render_template_fields(parent, template_fields, context, *args, **kwargs)
            return
        # Airflow renders no templates in the value that the function returns.
        names = [name for name in template_fields if name != self.returned]
        data = mapped_from_tasks(self, context)
        kept = {name: value for name, value in self.op_kwargs.items() if name in data}
        self.op_kwargs = {name: value for name, value in self.op_kwargs.items() if name not in kept}
        super()._do_render_template_fields(parent, names, context, *args, **kwargs)
        self.op_kwargs = {**self.op_kwargs, **kept}


class InformerFunctionOperator(FunctionOperator, CallApiStartInformerCallOperator):
    """Call a contact and speak the text that a Python function returns (``@task.callapi_informer``)."""

    custom_operator_name = "@task.callapi_informer"
    returned = "contact_message"
    template_fields = (*DecoratedOperator.template_fields, *CallApiStartInformerCallOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **DecoratedOperator.template_fields_renderers,
        **CallApiStartInformerCallOperator.template_fields_renderers,
    }

    def execute(self, context: Context) -> Any:
        """Run the Python function, and call the contact with the returned text.

        :raises CallApiFailure: the function returned no text.
        """
        # A retry runs the function again. If it continues with a call that an earlier try has placed, it does
        # not repeat the call, even if the function now returns a different text.
        text = self.call_function(context)
        if not isinstance(text, str) or not text.strip():
            with self._name_placed_call(context):
                raise InvalidParameter(
                    f"{self.python_callable.__name__}: the function must return the text of the message, and "
                    f"it returned {kind_of(text)}"
                )
        self.contact_message = {"type": "tts", "value": text}
        return super().execute(context)


class CampaignFunctionOperator(FunctionOperator, CallApiCampaignOperator):
    """Call each person on the contact list that a Python function returns (``@task.callapi_campaign``)."""

    # The function runs again after a deferral and in a retry. It must then return the same people as before.
    custom_operator_name = "@task.callapi_campaign"
    returned = "contacts"
    template_fields = (*DecoratedOperator.template_fields, *CallApiCampaignOperator.template_fields)

    def execute(self, context: Context) -> Any:
        """Run the Python function, and start or continue the campaign with the returned contact list.

        :return: the campaign's summary as a dict.
        """
        self.contacts = self.call_function(context)
        return super().execute(context)

    def execute_complete(self, context: Context, *args: Any, **kwargs: Any) -> Any:
        """Run the Python function again after a deferral. Continue the campaign with the returned list.

        :return: the campaign's summary as a dict.
        """
        self.contacts = self.call_function(context)
        return super().execute_complete(context, *args, **kwargs)
