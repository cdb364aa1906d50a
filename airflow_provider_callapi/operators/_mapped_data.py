"""Keeps a mapped operator from rendering another task's data as Jinja templates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator, MappedOperator
from airflow.sdk.execution_time.lazy_sequence import LazyXComSequence

from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.operators._checked import CheckedOperator
from airflow_provider_callapi.parameters.rendering import fields_of_package
from airflow_provider_callapi.parameters.schema import (
    refuse_lost,
    refuse_single_braces,
    refuse_unrendered,
    rendered_names,
)


class MappedDataIsNoTemplate(BaseOperator, metaclass=CheckedOperator):
    """Mixin that prevents Airflow from rendering the values that a mapped operator gets from another task.

    Its second purpose concerns the parameters that limit whom or when the task calls. None in the DAG file
    means: no limit. If a template or another task gives None for such a parameter, this is an error. To tell
    these cases apart, the mixin remembers where the values come from.
    """

    # Template field → the parameter that sets it, if the names differ, e.g. {"is_dry_run": "dry_run"}.
    parameter_of_field: ClassVar[Mapping[str, str]] = {}
    # The parameters that this mapped task gets from another task. Empty until Airflow renders the templates.
    data_parameters: Collection[str] = ()
    # The parameters that limit whom or when the task calls. None in the DAG file itself means: no limit.
    limit_parameters: ClassVar[Collection[str]] = ()
    # Those limits, and keys of them, that a template or another task gives. Empty until the rendering.
    given_limits: frozenset[str] = frozenset()
    # The limits that other rows of `expand_kwargs(rows)` have, and the row of this map index lacks.
    missing_limits: Sequence[str] = ()

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
            if data and self.limit_parameters:
                self.missing_limits = _limits_of_other_rows(self, context)
            # A subclass or a cluster policy may have set a template after the constructor.
            rendered = rendered_names(vars(self), self.limit_parameters)
            self.given_limits |= rendered.union(name for name in data if name in self.limit_parameters)
            names = [name for name in names if self.parameter_of_field.get(name, name) not in data]
            fields = fields_of_package(type(self))
            refuse_single_braces(vars(self), [name for name in names if name in fields])
        super()._do_render_template_fields(parent, names, context, *args, **kwargs)

    def mapped_parameters(self, context: Mapping[str, Any]) -> Collection[str]:
        """Return the names of the parameters that this mapped operator gets from another task."""
        return mapped_from_tasks(self, context)

    def expanded(self, context: Mapping[str, Any]) -> Mapping[str, Any] | list[Any]:
        """Return what the DAG file maps this operator over.

        :return: of ``expand(name=values)``: a dict, in which each value is a list or the output of a task. Of
            ``expand_kwargs(rows)``: the rows. An empty list: the operator is not mapped, or maps only the
            arguments of a decorated function.
        """
        dag = self.get_dag()
        task = dag.task_dict.get(self.task_id) if dag else None
        if not isinstance(task, MappedOperator):
            return []
        expand_input: Any = task.expand_input  # of a decorated function, it is empty
        mapped = expand_input.value
        return mapped if isinstance(mapped, Mapping) else values_of(mapped, context)

    def refuse_lost_limits(self) -> None:
        """Check that no template and no other task gives None for one of ``limit_parameters``.

        These parameters limit whom or when the task calls. None means: no limit.

        :raises InvalidParameter: a template or another task gives None for such a parameter. Or the task is
            mapped with ``expand_kwargs(rows)``, and its row lacks such a parameter, which another row has.
        """
        refuse_lost(self.given_limits, vars(self), self.limit_parameters)
        if self.missing_limits:
            raise InvalidParameter(
                f"{self.missing_limits[0]}: the row of this map index has no such key, and other rows have "
                "it. Give every row the key, or write the parameter in the DAG file"
            )


def mapped_from_tasks(operator: Any, context: Mapping[str, Any]) -> Collection[str]:
    """Return the names of the parameters that a mapped operator gets from another task.

    For ``expand(contact=people.output, region=["RU"])``: ``contact``.
    """
    # For a decorator such as `@task.callapi_informer`, the names are arguments of the decorated function.
    dag = operator.get_dag()
    task = dag.task_dict.get(operator.task_id) if dag else None
    if not isinstance(task, MappedOperator):
        return ()
    expand_input: Any = task._get_specified_expand_input()
    mapped = expand_input.value
    if isinstance(mapped, Mapping):  # expand(name=…)
        return [name for name, value in mapped.items() if not _is_in_dag_file(value)]
    # expand_kwargs(…)
    if _is_in_dag_file(mapped) and isinstance(mapped[context["ti"].map_index], Mapping):
        return ()
    row, _ = expand_input.resolve(context)
    return list(row)


def _limits_of_other_rows(operator: Any, context: Mapping[str, Any]) -> list[str]:
    """Return the limits that another row of ``expand_kwargs(rows)`` has, and this task's row lacks."""
    # A limit is a parameter in `limit_parameters`.
    dag = operator.get_dag()
    task = dag.task_dict[operator.task_id]
    rows = task._get_specified_expand_input().value
    if isinstance(rows, Mapping):  # expand(name=…)
        return []
    rows = _resolved(rows, context)
    if not isinstance(rows, list | tuple):  # e.g. rows.map(function), where each row can cost a request
        return []
    others = {name for row in rows if isinstance(row, Mapping) for name in row}
    given = {*operator.data_parameters, *task.partial_kwargs, *dag.default_args}
    return sorted(others.intersection(operator.limit_parameters) - given)


def values_of(values: Any, context: Mapping[str, Any]) -> list[Any]:
    """Return the values of all map indexes as a list.

    :param values: a list in the DAG file, or the output of a task.
    """
    return [*_resolved(values, context)]


def _resolved(values: Any, context: Mapping[str, Any]) -> Any:
    """Return values of the DAG file unchanged. Of the output of a task, return what the task returned."""
    if not _is_in_dag_file(values):
        values = values.resolve(context)
    # The results of a mapped task: a slice is one request for all of them.
    return values[:] if isinstance(values, LazyXComSequence) else values


def _is_in_dag_file(value: Any) -> bool:
    """Return whether a value is in the DAG file itself. False: the value is the output of another task."""
    return isinstance(value, Sequence | Mapping)
