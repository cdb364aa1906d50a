"""Find the templates in the parameters of a DAG file, before Airflow renders them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import PathLike
from typing import Any

from airflow.providers.common.compat.sdk import Param

from airflow_provider_callapi.api.values.value_kinds import is_template_text
from airflow_provider_callapi.calls.texts.single_braces import PROBLEM, find_single_braces
from airflow_provider_callapi.exceptions import InvalidParameter


def is_template(value: Any) -> bool:
    """Return whether a value contains a Jinja template (``{{ ds }}``), or is the output of another task.

    The function also searches in lists, tuples, sets and the values of dicts. A function counts as a
    template, because Airflow calls it, but not inside a list or a dict.
    """
    if isinstance(value, str):
        return is_template_text(value)
    return callable(value) or _contains_template(value)


def _contains_template(value: Any) -> bool:
    if isinstance(value, str):
        return is_template_text(value)
    if value is None or isinstance(value, int | float):
        return False
    if isinstance(value, Mapping):
        return any(_contains_template(inner) for inner in value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return any(_contains_template(inner) for inner in value)
    # The output of another task has a method `resolve`. Airflow does not render a Param or a path.
    return hasattr(value, "resolve") and not isinstance(value, Param | PathLike)


def split_templates(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    """Return (constants, templates): the values that contain no template, and the paths of the others.

    For ``{"contact_message": {"type": "tts", "value": "{{ ds }}"}}``, the constants are ``{"contact_message":
    {"type": "tts"}}``. The templates are ``[("contact_message", "value")]``.

    :param values: parameter name → value. The function splits dicts, but not lists.
    """
    constants: dict[str, Any] = {}
    templates: list[tuple[str, ...]] = []
    for name, value in values.items():
        if not is_template(value):
            constants[name] = value
        elif isinstance(value, Mapping):
            constants[name], inner = split_templates(value)
            templates += [(name, *path) for path in inner]
        else:
            templates.append((name,))
    return constants, templates


_OTHER_TEXTS = frozenset({"op_args", "op_kwargs", "templates_dict"})
"""Template fields with arguments of an author's function, whose texts may be anything."""
_LISTS = frozenset({"contacts", "do_not_call"})
"""Template fields with data, such as rows or a SQL statement. Only a path is a text of the author."""


def refuse_single_braces(values: Mapping[str, Any], names: Collection[str]) -> None:
    """Check that the DAG file has no name in single braces where its author wants a template.

    :param values: parameter name → value, before the templates are rendered.
    :param names: the names of the parameters to check.
    :raises InvalidParameter: a text contains a name in single braces, such as ``{ params.name }``.
    """
    for name in names:
        value = values.get(name)
        if value is None or name in _OTHER_TEXTS or (name in _LISTS and not isinstance(value, str)):
            continue
        for where in find_single_braces(value, name):
            raise InvalidParameter(f"{where}: {PROBLEM}")


def refuse_unrendered(values: Mapping[str, Any], names: Collection[str]) -> None:
    """Check that no parameter contains a template that Airflow would not render.

    :param values: parameter name → value, before the templates are rendered.
    :param names: the template fields of this package that ``template_fields`` of an author's subclass lacks.
    :raises InvalidParameter: one of these parameters contains a template. A person would hear its braces.
    """
    for name in names:
        if is_template(values.get(name)):
            raise InvalidParameter(
                f"{name}: the value contains a template, and template_fields of the subclass does not name "
                f"{name}. Add the template fields of the base class: template_fields = (…, "
                "*Base.template_fields)"
            )
