"""The Airflow operators of the decorators ``@task.callapi_informer`` and ``@task.callapi_campaign``.

The function that a DAG author decorates returns the text to speak, or the contact list. Airflow does not
render templates in the returned value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import DecoratedOperator, determine_kwargs

from airflow_provider_callapi.api.value_kinds import kind_of
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._mapped_data import mapped_from_tasks
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class _LaterValue:
    """A placeholder for the value that a decorated Python function returns when the task runs.

    Like a template, the placeholder has no value when Airflow parses the DAG file. So the checks of the
    operator's parameters treat the placeholder like a template.
    """

    def resolve(self, context: Mapping[str, Any]) -> Any:
        raise AssertionError("the task replaces this value before anyone reads the value")


class FunctionOperator(DecoratedOperator):
    """Base class of operators that take the value of one parameter from a Python function.

    :param python_callable: the function, which runs in the task.
    :param op_args: the function's positional arguments.
    :param op_kwargs: the function's keyword arguments.
    :cvar returned: the parameter whose value the function returns, e.g. ``contact_message``.
    :raises TypeError: ``kwargs`` contains the parameter that ``returned`` names.
    """

    returned: ClassVar[str]

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
        kwargs[self.returned] = _LaterValue()
        super().__init__(python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, **kwargs)

    @property
    def xcom_push(self) -> bool:
        """Whether Airflow stores the operator's return value as an XCom.

        Airflow before 3.1 reads this property.
        """
        return bool(self.do_xcom_push)

    def call_function(self, context: Mapping[str, Any]) -> Any:
        """Run the Python function, and return its result.

        The function gets the arguments ``op_args`` and ``op_kwargs``. As with Airflow's ``@task``, a function
        with a parameter such as ``ds`` also gets ``ds`` from the task context.
        """
        names = {**context, **self.op_kwargs}
        return self.python_callable(
            *self.op_args, **determine_kwargs(self.python_callable, self.op_args, names)
        )

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Render the templates in the operator's parameters and in the Python function's arguments.

        An argument that comes from another task is data, and is not rendered.
        """
        if parent is not self:
            super()._do_render_template_fields(parent, template_fields, context, *args, **kwargs)
            return
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
        """Run the Python function, and then call the contact with the returned text.

        A retry runs the function again. If an earlier try has placed a call with which the retry can
        continue, the retry does not repeat the call, even if the function now returns a different text.

        :return: the call as a dict.
        :raises CallApiFailure: the function returned no text. This try has placed no call.
        """
        text = self.call_function(context)
        if not isinstance(text, str) or not text.strip():
            raise CallApiFailure(
                f"{self.python_callable.__name__}: the function must return the text of the message, and it "
                f"returned {kind_of(text)}. The task places no call."
            )
        self.contact_message = {"type": "tts", "value": text}
        return super().execute(context)


class CampaignFunctionOperator(FunctionOperator, CallApiCampaignOperator):
    """Call each person on the contact list that a Python function returns (``@task.callapi_campaign``).

    The function runs again after a deferral and in a retry. It must then return the same people as before.
    """

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
