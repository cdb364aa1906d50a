"""Make it an error if a template or another task gives None for a limit, such as calling hours.

None in the DAG file itself means: no limit. From a template or another task, None means that the limit is
lost, and people would be called without the limit that the author wants.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.operators._mapped_data import MappedDataIsNoTemplate, resolve_values
from airflow_provider_callapi.parameters.templates import is_template


class LostLimitIsAnError(MappedDataIsNoTemplate):
    """Mixin for operators with parameters that limit whom or when the task calls.

    The mixin remembers which of these parameters a template or another task gives. If such a parameter is
    None when the task runs, `refuse_lost_limits` raises an error.
    """

    # The parameters that limit whom or when the task calls.
    limit_parameters: ClassVar[Collection[str]] = ()
    # Those limits, and keys of them, that must have a value. The rendering adds what templates or tasks give.
    given_limits: frozenset[str] = frozenset()
    # The limits that other rows of `expand_kwargs(rows)` have, and the row of this map index lacks.
    missing_limits: Sequence[str] = ()

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, *args: Any, **kwargs: Any
    ) -> None:
        # A subclass or a cluster policy may have set a template after the constructor.
        rendered = _rendered_names(vars(self), self.limit_parameters) if parent is self else frozenset()
        super()._do_render_template_fields(parent, template_fields, context, *args, **kwargs)
        if parent is self:
            from_tasks = (name for name in self.data_parameters if name in self.limit_parameters)
            self.given_limits |= rendered.union(from_tasks)
            if self.data_parameters:
                self.missing_limits = _limits_of_other_rows(self, context)

    def refuse_lost_limits(self) -> None:
        """Check that no template and no other task gives None for one of ``limit_parameters``.

        These parameters limit whom or when the task calls. None means: no limit.

        :raises InvalidParameter: a template or another task gives None for such a parameter. Or the task is
            mapped with ``expand_kwargs(rows)``, and its row lacks such a parameter, which another row has.
        """
        _refuse_lost(self.given_limits, vars(self), self.limit_parameters)
        if self.missing_limits:
            raise InvalidParameter(
                f"{self.missing_limits[0]}: the row of this map index has no such key, and other rows have "
                "it. Give every row the key, or write the parameter in the DAG file"
            )


def _rendered_names(values: Mapping[str, Any], names: Collection[str]) -> frozenset[str]:
    """Return those of ``names`` whose values contain a template or the output of another task.

    The result also names the keys of dicts. For example,
    ``do_not_call={"blacklist": True, "list": other_task.output}`` gives ``do_not_call`` and
    ``do_not_call.list``.
    """
    return frozenset(name for name, value in _with_keys(values, names).items() if is_template(value))


def _refuse_lost(rendered: Collection[str], values: Mapping[str, Any], names: Collection[str]) -> None:
    """Check that no template and no other task gives None for a limit of this task.

    None means: no limit. Only None in the DAG file itself is allowed. Without this check, the task would
    call without the limit that the author wants.

    :param rendered: the names of those limits that a template or another task gives. If the value of a limit
        is a dict, also names such as ``do_not_call.list``: the key ``list`` of this dict.
    :param values: all parameters of the task when it runs: name → value.
    :param names: the names of all limits.
    :raises InvalidParameter: a limit in ``rendered``, or a key of its dict, is None or missing.
    """
    now = _with_keys(values, names)
    # A dict from another task may contain None, too: ``{"blacklist": True, "list": None}``.
    given = {name for name in now if name.partition(".")[0] in rendered}.union(rendered)
    if lost := sorted(name for name in given if now.get(name) is None):
        raise InvalidParameter(
            f"{lost[0]}: the value is missing, because its template or its task gave None. Only None in the "
            "DAG file itself switches it off"
        )


def _with_keys(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return the named parameters: name → value.

    If a value is a dict, the result also has its keys: ``do_not_call.list`` → value of the key ``list``.
    """
    named = {name: values[name] for name in names}
    for name in names:
        if isinstance(values[name], Mapping):
            named |= {f"{name}.{key}": inner for key, inner in values[name].items()}
    return named


def _limits_of_other_rows(operator: Any, context: Mapping[str, Any]) -> list[str]:
    """Return the limits that another row of ``expand_kwargs(rows)`` has, and this task's row lacks."""
    # A limit is a parameter in `limit_parameters`.
    dag = operator.get_dag()
    task = dag.task_dict[operator.task_id]
    rows = task._get_specified_expand_input().value
    if isinstance(rows, Mapping):  # expand(name=…)
        return []
    rows = resolve_values(rows, context)
    if not isinstance(rows, list | tuple):  # e.g. rows.map(function), where each row can cost a request
        return []
    others = {name for row in rows if isinstance(row, Mapping) for name in row}
    given = {*operator.data_parameters, *task.partial_kwargs, *dag.default_args}
    return sorted(others.intersection(operator.limit_parameters) - given)
