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
    # Those limits that must have a value, and keys of their dicts, such as ``do_not_call.list``. The
    # rendering adds what templates or tasks give.
    given_limits: frozenset[str] = frozenset()
    # The limits that other rows of `expand_kwargs(rows)` have, and the row of this map index lacks.
    missing_limits: Sequence[str] = ()

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, *args: Any, **kwargs: Any
    ) -> None:
        # A subclass or a cluster policy may have set a template after the constructor.
        limits = self._limits() if parent is self else {}
        rendered = {name for name, value in limits.items() if is_template(value)}
        super()._do_render_template_fields(parent, template_fields, context, *args, **kwargs)
        if parent is self:
            from_tasks = (name for name in self.data_parameters if name in self.limit_parameters)
            self.given_limits |= rendered.union(from_tasks)
            if self.data_parameters:
                self.missing_limits = _limits_of_other_rows(self, context)

    def refuse_lost_limits(self) -> None:
        """Check that no template and no other task gives None for one of ``limit_parameters``.

        These parameters limit whom or when the task calls. None means: no limit. Only None in the DAG file
        itself is allowed. Without this check, the task would call without the limit that the author wants.

        :raises InvalidParameter: a template or another task gives None for such a parameter or for a key of
            its dict, or the key is missing. Or the task is mapped with ``expand_kwargs(rows)``, and its row
            lacks such a parameter, which another row has.
        """
        now = self._limits()
        # A dict from another task may contain None, too: ``{"blacklist": True, "list": None}``.
        given = {name for name in now if name.partition(".")[0] in self.given_limits} | self.given_limits
        if lost := sorted(name for name in given if now.get(name) is None):
            raise InvalidParameter(
                f"{lost[0]}: the value is missing, because its template or its task gave None. Only None in "
                "the DAG file itself switches it off"
            )
        if self.missing_limits:
            raise InvalidParameter(
                f"{self.missing_limits[0]}: the row of this map index has no such key, and other rows have "
                "it. Give every row the key, or write the parameter in the DAG file"
            )

    def _limits(self) -> dict[str, Any]:
        """Return the parameters that limit whom or when the task calls: name → value.

        If a value is a dict, the result also has its keys: ``do_not_call.list`` → value of the key ``list``.
        """
        limits = {name: vars(self)[name] for name in self.limit_parameters}
        for name, value in list(limits.items()):
            if isinstance(value, Mapping):
                limits |= {f"{name}.{key}": inner for key, inner in value.items()}
        return limits


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
