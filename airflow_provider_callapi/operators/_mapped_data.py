"""Keeps a mapped operator from rendering another task's data as Jinja templates."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator, MappedOperator
from airflow.sdk.execution_time.lazy_sequence import LazyXComSequence

from airflow_provider_callapi.operators._checked import CheckedOperator
from airflow_provider_callapi.parameters.own_classes import fields_of_package, parameters_of
from airflow_provider_callapi.parameters.templates import refuse_single_braces, refuse_unrendered


class MappedDataIsNoTemplate(BaseOperator, metaclass=CheckedOperator):
    """Mixin that prevents Airflow from rendering the values that a mapped operator gets from another task."""

    # Template field → the parameter that sets it, if the names differ, e.g. {"is_dry_run": "dry_run"}.
    parameter_of_field: ClassVar[Mapping[str, str]] = {}
    # The parameters that this mapped task gets from another task. Empty until Airflow renders the templates.
    data_parameters: Collection[str] = ()

    @classmethod
    def partial(cls, *, default_args: Mapping[str, Any] | None = None, **kwargs: Any) -> Any:
        """Return Airflow's partial operator, whose ``expand`` maps the operator.

        :param default_args: default values of the operator's parameters. Airflow itself would use only those
            of its own parameters, and call without the others.
        """
        kwargs = {**defaults_of(cls, default_args), **kwargs}
        return super().partial(default_args=default_args, **kwargs)

    @property
    def may_have_data(self) -> bool:
        """Whether the task is mapped. The values of its parameters can then come from another task."""
        # Airflow has no public attribute for this.
        return bool(getattr(self, "_BaseOperator__from_mapped", False))

    def check_constants(self) -> None:
        """Check the parameters whose values contain no template. Templates are not rendered at this time.

        :raises InvalidParameter: a value cannot be used.
        """
        fields = fields_of_package(type(self))
        refuse_unrendered(vars(self), [name for name in fields if name not in self.template_fields])
        if not self.may_have_data:  # otherwise, the rendering checks the texts of the DAG file
            refuse_single_braces(vars(self), fields)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, *args: Any, **kwargs: Any
    ) -> None:
        names: Collection[str] = [*template_fields]
        # Airflow itself would render the rows of `expand_kwargs(rows)`, even if another task returned the
        # rows. If a person's name in a row were `{{ conn.callapi_default.password }}`, the call's message
        # would contain the password. Texts in the DAG file, e.g. in `partial(...)`, are still rendered.
        if parent is self:
            self.data_parameters = data = self.mapped_parameters(context)
            names = [name for name in names if self._parameter_of(name) not in data]
            fields = fields_of_package(type(self))
            refuse_single_braces(vars(self), [name for name in names if name in fields])
        super()._do_render_template_fields(parent, names, context, *args, **kwargs)

    def _parameter_of(self, field: str) -> str:
        return self.parameter_of_field.get(field, field)

    def mapped_parameters(self, context: Mapping[str, Any]) -> Collection[str]:
        """Return the names of the parameters that this mapped operator gets from another task."""
        return mapped_from_tasks(self, context)

    def expanded(self, context: Mapping[str, Any]) -> Mapping[str, Any] | list[Any]:
        """Return what the DAG file maps this operator over.

        :return: of ``expand(name=values)``: a dict, in which each value is a list or the output of a task. Of
            ``expand_kwargs(rows)``: the rows. An empty list: the operator is not mapped, or maps only the
            arguments of a decorated function.
        """
        task = mapped_operator(self)
        if task is None:
            return []
        mapped = task.expand_input.value  # of a decorated function, it is empty
        return mapped if isinstance(mapped, Mapping) else [*resolve_values(mapped, context)]


def defaults_of(operator_type: type, default_args: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return those default arguments that are parameters of an operator class."""
    known = parameters_of(operator_type.__mro__)
    return {name: value for name, value in (default_args or {}).items() if name in known}


def mapped_operator(operator: Any) -> Any:
    """Return the `MappedOperator` of an operator in its DAG. None: the operator is not mapped."""
    dag = operator.get_dag()
    task = dag.task_dict.get(operator.task_id) if dag else None
    return task if isinstance(task, MappedOperator) else None


def mapped_from_tasks(operator: Any, context: Mapping[str, Any]) -> Collection[str]:
    """Return the names of the parameters that a mapped operator gets from another task.

    For ``expand(contact=people.output, region=["RU"])``: ``contact``.
    """
    # For a decorator such as `@task.callapi_informer`, the names are arguments of the decorated function.
    task = mapped_operator(operator)
    if task is None:
        return ()
    expand_input = task._get_specified_expand_input()
    mapped = expand_input.value
    if isinstance(mapped, Mapping):  # expand(name=…)
        return [name for name, value in mapped.items() if not _is_in_dag_file(value)]
    # expand_kwargs(…)
    if _is_in_dag_file(mapped) and isinstance(mapped[context["ti"].map_index], Mapping):
        return ()
    row, _ = expand_input.resolve(context)
    return list(row)


def resolve_values(values: Any, context: Mapping[str, Any]) -> Any:
    """Return the values of all map indexes: a list in the DAG file, or what a task returned.

    :param values: the list, or the output of the task.
    """
    if not _is_in_dag_file(values):
        values = values.resolve(context)
    return _read_all(values)


def _read_all(values: Any) -> Any:
    """Return a sequence as Airflow resolves it, with the results of mapped tasks in memory."""
    if isinstance(values, LazyXComSequence):
        return values[:]  # one request for all results; an index would cost a request for each
    if isinstance(values, list | tuple | Mapping):
        return values
    # The result of `rows.map(function)` has the attribute `value`, those of `concat` and `zip` have `values`.
    copied = copy.copy(values)
    if hasattr(copied, "value"):
        copied.value = _read_all(copied.value)
    elif hasattr(copied, "values"):
        copied.values = [*map(_read_all, copied.values)]
    return copied


def _is_in_dag_file(value: Any) -> bool:
    """Return whether a value is in the DAG file itself. False: the value is the output of another task."""
    return isinstance(value, Sequence | Mapping)
