"""Airflow's task decorator, with default arguments that also count for mapped tasks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from airflow.providers.common.compat.sdk import task_decorator_factory
from airflow.sdk.bases.decorator import _TaskDecorator

from airflow_provider_callapi.operators._mapped_data import defaults_of


class TaskDecorator(_TaskDecorator[Any, Any, Any]):
    """A decorated function, whose task may be mapped.

    From ``default_args`` of the decorator, Airflow itself uses only its own parameters for a mapped task. The
    task would then call without the others, e.g. without the calling hours.
    """

    def expand(self, **arguments: Any) -> Any:
        """Add the task, mapped over arguments of the function, to the DAG. Return its output."""
        return super(TaskDecorator, self._with_defaults()).expand(**arguments)

    def expand_kwargs(self, rows: Sequence[Mapping[str, Any]] | Any, *, strict: bool = True) -> Any:
        """Add the task, mapped over rows of arguments, to the DAG. Return its output."""
        return super(TaskDecorator, self._with_defaults()).expand_kwargs(rows, strict=strict)

    def _with_defaults(self) -> TaskDecorator:
        changed = copy.copy(self)
        changed.kwargs = {**defaults_of(self.operator_class, self.kwargs.get("default_args")), **self.kwargs}
        return changed


def decorate(python_callable: Callable[..., Any] | None, operator_type: type, kwargs: Any) -> Any:
    """Return a function as a `TaskDecorator`.

    :param python_callable: the function. None: the result is a decorator, which takes the function.
    :param operator_type: the class of the task's operator.
    :param kwargs: parameters of the operator: name → value.
    """
    if python_callable is None:
        return partial(decorate, operator_type=operator_type, kwargs=kwargs)
    made: Any = task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=operator_type, **kwargs
    )
    return TaskDecorator(made.function, made.operator_class, made.multiple_outputs, made.kwargs)
