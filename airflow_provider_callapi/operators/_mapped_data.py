"""Keep data that a task is mapped over from being rendered as a template.

Airflow renders the values of ``expand_kwargs(rows)`` like text that the author wrote. A name in a row that
reads ``{{ conn.callapi_default.password }}`` would be spoken to a person. Here only the author's text is a
template: ``partial(...)``, and lists that the DAG file spells out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import MappedOperator


class MappedDataIsNoTemplate:
    """Mixin for operators: values that come from another task through mapping stay as they are."""

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, *args: Any, **kwargs: Any
    ) -> None:
        names: Collection[str] = [*template_fields]
        if parent is self:
            data = _data_fields(parent, names, context)
            names = [name for name in names if name not in data]
        super()._do_render_template_fields(parent, names, context, *args, **kwargs)  # type: ignore[misc]


def _data_fields(operator: Any, names: Collection[str], context: Mapping[str, Any]) -> Collection[str]:
    """Return which of these fields got their value from another task through mapping."""
    dag = operator.get_dag()
    task = dag.task_dict.get(operator.task_id) if dag else None
    if not isinstance(task, MappedOperator):
        return ()
    mapped: Any = task._get_specified_expand_input().value
    if isinstance(mapped, Mapping):  # expand(name=…)
        return [name for name in names if name in mapped and not _is_in_dag_file(mapped[name])]
    # expand_kwargs(…)
    if _is_in_dag_file(mapped) and isinstance(mapped[context["ti"].map_index], Mapping):
        return ()
    return [name for name in names if name not in task.partial_kwargs]


def _is_in_dag_file(value: Any) -> bool:
    """Return whether the DAG file spells this value out. Otherwise it is a reference to another task."""
    return isinstance(value, Sequence | Mapping)
