"""Make it an error if a template or another task gives None for a parameter, or only a part of a list.

None in the DAG file itself means that the author wants no value, such as no calling hours. From a template or
another task, None means that the value is lost. Without it, people would be called at night, or would not
hear the message.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import XComArg
from airflow.sdk.execution_time.lazy_sequence import LazyXComSequence

from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.operators._mapped_data import (
    MappedDataIsNoTemplate,
    mapped_operator,
    resolve_values,
)
from airflow_provider_callapi.parameters.own_classes import fields_of_package, parameters_of_package
from airflow_provider_callapi.parameters.templates import is_template
from airflow_provider_callapi.task_context.mapped_task import states_by_index

_Path = tuple[Any, ...]
"""Where a value is: an attribute, then keys of dicts and indexes of lists: ``("do_not_call", "list", 1)``."""


class LostValueIsAnError(MappedDataIsNoTemplate):
    """Mixin for operators that must not run without a value that their author has asked for.

    The mixin remembers which values a template or another task gives. If such a value is lost when the task
    runs, `refuse_lost_values` raises an error.

    :cvar limit_parameters: the parameters that limit whom, when or how the task calls. The output of a mapped
        task for one of them must have a value of each map index. A template for one of them must give more
        than an empty text.
    :cvar optional_in_rows: the parameters that some rows of ``expand_kwargs(rows)`` may lack.
    :cvar values_with_none: the parameters whose dicts may contain None.
    """

    limit_parameters: ClassVar[Collection[str]] = ()
    optional_in_rows: ClassVar[Collection[str]] = ()
    values_with_none: ClassVar[Collection[str]] = ()
    # Where values of templates and of other tasks are. The rendering of the templates sets it.
    given_values: frozenset[_Path] = frozenset()
    # What else is lost, as the text of an error. The rendering of the templates sets it.
    lost_parts: str | None = None

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, *args: Any, **kwargs: Any
    ) -> None:
        if parent is not self:
            super()._do_render_template_fields(parent, template_fields, context, *args, **kwargs)
            return
        # A subclass or a cluster policy may have set a template after the constructor.
        rendered = [*_find_given({name: vars(self).get(name) for name in self._own_fields()})]
        outputs = {name: vars(self).get(name) for name in self.limit_parameters}
        super()._do_render_template_fields(parent, template_fields, context, *args, **kwargs)
        own = {*parameters_of_package(type(self)), *self.parameter_of_field}
        from_tasks = {(name,) for name in own if self._parameter_of(name) in self.data_parameters}
        self.given_values = self.given_values.union(rendered, from_tasks)
        self.lost_parts = _describe_missing_indexes(self, outputs, context) or (
            _describe_missing_key(self, context) if self.data_parameters else None
        )

    def refuse_lost_values(self) -> None:
        """Check that no template and no other task gives None for a parameter or for a part of it.

        Only None in the DAG file itself is allowed.

        :raises InvalidParameter: a template or another task gives None. Or the task is mapped with
            ``expand_kwargs(rows)``, and its row lacks a parameter that another row has. Or a parameter of
            ``limit_parameters`` is the output of a mapped task, and a map index gave no value.
        """
        for path in sorted(self.given_values, key=str):
            if lost := self._find_none(path):
                raise InvalidParameter(
                    f"{lost}: the value is missing, because its template or its task gave None or an empty "
                    "text. Only None in the DAG file itself means that there is no value"
                )
        if self.lost_parts:
            raise InvalidParameter(self.lost_parts)

    def _own_fields(self) -> Collection[str]:
        # A cluster policy may set a template for a limit that is no template field. The function of a
        # decorated task decides about None in its arguments.
        gaps: Collection[str] = getattr(self, "fields_with_gaps", ())
        return {*fields_of_package(type(self)), *self.limit_parameters}.difference(gaps)

    def _find_none(self, path: _Path) -> str | None:
        """Return where None is in the value at a path, e.g. ``do_not_call.list[1]``. None: nowhere."""
        value: Any = vars(self)
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None  # e.g. a subclass has its own attribute for the parameter
        name, *keys = path
        inner = () if name in self.values_with_none else _find_empty(value)
        is_lost = _is_lost(value, may_be_blank=name not in self.limit_parameters)
        where = () if is_lost else next(iter(inner), None)
        if where is None:
            return None
        parts = [f"[{key}]" if isinstance(key, int) else f".{key}" for key in (*keys, *where)]
        return "".join([self._parameter_of(name), *parts])


def _find_given(value: Any) -> Iterator[_Path]:
    """Yield where a value contains a template or the output of a task."""
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        parts = value.items()
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    elif is_template(value):
        yield ()
    for key, inner in parts:
        yield from ((key, *path) for path in _find_given(inner))


def _is_lost(value: Any, may_be_blank: bool) -> bool:
    """Return whether a template or a task gave no value. Templates that are not native give the text None."""
    if isinstance(value, AbstractSet):  # its elements have no paths
        return any(_is_lost(inner, may_be_blank) for inner in value)
    blank = isinstance(value, str) and value.strip() in ("", "None")
    return value is None or (blank and not may_be_blank)


def _find_empty(value: Any) -> Iterator[_Path]:
    """Yield where None is in a dict and its inner dicts: keys from the outermost to the innermost."""
    for name, inner in value.items() if isinstance(value, Mapping) else ():
        if inner is None:
            yield (name,)
        else:
            yield from ((name, *path) for path in _find_empty(inner))


def _describe_missing_key(operator: Any, context: Mapping[str, Any]) -> str | None:
    """Return which key another row of ``expand_kwargs(rows)`` has and this task's row lacks, as an error."""
    task = mapped_operator(operator)
    rows = task._get_specified_expand_input().value
    if isinstance(rows, Mapping):  # expand(name=…)
        return None
    others = {name for row in _each_row(resolve_values(rows, context)) for name in row}
    defaults = getattr(task.task_group, "default_args", None) or {}
    given = {*operator.data_parameters, *task.partial_kwargs, *task.dag.default_args, *defaults}
    own = parameters_of_package(type(operator)).keys() - operator.optional_in_rows
    missing = sorted(others & own - given)
    if not missing:
        return None
    return (
        f"{missing[0]}: the row of this map index has no such key, and other rows have it. Give every row "
        "the key, or write the parameter in the DAG file"
    )


def _each_row(rows: Any) -> Iterator[Mapping[str, Any]]:
    for index in range(len(rows)):
        # The function of `rows.map(function)` may raise an error, e.g. to skip this row.
        with suppress(Exception):
            if isinstance(row := rows[index], Mapping):
                yield row


def _describe_missing_indexes(
    operator: Any, values: Mapping[str, Any], context: Mapping[str, Any]
) -> str | None:
    """Return which output of a mapped task lacks the value of a map index, as the text of an error.

    With a trigger rule such as ``all_done``, an operator also runs if map indexes have failed or were
    skipped. Airflow then leaves them out of the output.

    :param values: the values of parameters before the templates are rendered: name → value.
    """
    group = operator.get_closest_mapped_task_group()
    for name, value in values.items():
        for task, key in XComArg.iter_xcom_references(value):
            its_group = task.get_closest_mapped_task_group()
            # In the same mapped group, a task gets the value of its own map index.
            if not task.is_mapped and (its_group is None or its_group is group):
                continue
            ti = context["ti"]
            # After a clear, Airflow marks the indexes of a former, longer list as removed.
            indexes = [state for state in states_by_index(ti, task.task_id).values() if state != "removed"]
            output: Any = XComArg(task, key)
            stored = len(LazyXComSequence(xcom_arg=output, ti=ti))
            if not indexes or stored < len(indexes):
                return (
                    f"{name}: task {task.task_id} gave a value for {stored} of its {len(indexes)} map "
                    "indexes. The others failed, were skipped or returned None, or there is no map index"
                )
    return None
