"""Checks the parameters of an operator as soon as its constructor has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.parameters.unknown_names import describe_unknown, refuse_ignored_attributes

if TYPE_CHECKING:
    from airflow.sdk.bases.operator import BaseOperatorMeta
else:
    BaseOperatorMeta = type(BaseOperator)


class CheckedOperator(BaseOperatorMeta):
    """Metaclass that calls an operator's method ``check_constants`` as soon as its constructors have ended.

    Airflow shows an error of this method as an error of the DAG file. The error names the task.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - a metaclass
        # Of an error of the DAG file, Airflow shows only the last two frames of the traceback. So this method
        # raises the errors anew: the frame before it is the line of the DAG file.
        task_id = kwargs.get("task_id")
        task = f"task {task_id}: " if task_id else ""
        try:
            operator = super().__call__(*args, **kwargs)
            # A constructor cannot check, because the constructor of a subclass may set attributes later.
            refuse_ignored_attributes(operator, kwargs)
            operator.check_constants()
        except InvalidParameter as error:
            raise InvalidParameter(f"{task}{error}") from None
        except TypeError as error:
            # Airflow's error shows the values, and a row of `expand_kwargs(rows)` may hold personal data.
            if unknown := describe_unknown(cls, kwargs):
                raise TypeError(f"{task}{unknown}") from None
            if (text := mask_phones(str(error))) != str(error):  # the constructor of a subclass passed it on
                raise TypeError(text) from None
            raise
        return operator
