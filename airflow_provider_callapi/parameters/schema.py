"""Check and convert the parameters of an operator or hook by a schema: parameter name → `Kind`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import Any

from airflow.providers.common.compat.sdk import Param

from airflow_provider_callapi.api.value_kinds import is_template_text
from airflow_provider_callapi.api.value_parts import InvalidPart
from airflow_provider_callapi.calls.single_braces import PROBLEM, find_single_braces
from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter
from airflow_provider_callapi.parameters.kinds import Kind

Schema = Mapping[str, Kind]
"""Parameter name → the `Kind` that checks and converts the parameter's value."""


def read_parameters(
    schema: Schema, values: Mapping[str, Any], *, not_rendered: Collection[str] = ()
) -> dict[str, Any]:
    """Check and convert the parameters of a schema. Return parameter name → converted value.

    :param schema: parameter name → the `Kind` that checks and converts the value.
    :param values: parameter name → value. Names that are not in the schema are ignored.
    :param not_rendered: names of parameters. If the value of such a parameter contains a template
        (``{{ ds }}``) or is another task's output, the value stays unchanged.
    :raises InvalidParameter: a value is not allowed. The error message names the parameter.
    """
    read: dict[str, Any] = {}
    try:
        for name, kind in schema.items():
            value = values[name]
            is_constant = name not in not_rendered or not is_template(value)
            read[name] = kind.read_named(name, value) if is_constant else value
    except InvalidPart as error:
        raise InvalidParameter(str(error)) from None
    return read


def read_parameter(name: str, value: Any, kind: Kind) -> Any:
    """Check and convert the value of one parameter, and return the converted value.

    :param name: the name of the parameter, for error messages.
    :param kind: the kind that checks and converts the value.
    :raises InvalidParameter: the value is not allowed. The error message names the parameter, the part of the
        value that is not allowed, and the type of the part. It does not contain the value.
    """
    try:
        return kind.read_named(name, value)
    except InvalidPart as error:
        raise InvalidParameter(str(error)) from None


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


def rendered_names(values: Mapping[str, Any], names: Collection[str]) -> frozenset[str]:
    """Return those of ``names`` whose values contain a template or the output of another task.

    The result also names the keys of dicts. For example,
    ``do_not_call={"blacklist": True, "list": other_task.output}`` gives ``do_not_call`` and
    ``do_not_call.list``.
    """
    return frozenset(name for name, value in _with_keys(values, names).items() if is_template(value))


def refuse_lost(rendered: Collection[str], values: Mapping[str, Any], names: Collection[str]) -> None:
    """Check that no template and no other task gives None for a limit of this task.

    None means: no limit. Only None in the DAG file itself is allowed. Without this check, the task would
    call without the limit that the author wants.

    :param rendered: the names of those limits that a template or another task gives, see `rendered_names`. If
        the value of a limit is a dict, also names such as ``do_not_call.list``: the key ``list`` of this
        dict.
    :param values: all parameters of the task when it runs: name → value.
    :param names: the names of all limits.
    :raises InvalidParameter: a limit in ``rendered``, or a key of its dict, is None or missing.
    """
    now = _with_keys(values, names)
    # A dict from another task may contain None, too: ``{"blacklist": True, "list": None}``.
    given = {name for name in now if name.partition(".")[0] in rendered}.union(rendered)
    if lost := sorted(name for name in given if now.get(name) is None):
        raise InvalidParameter(
            f"{lost[0]}: the value is missing, because its template or its task gave None. None in the DAG "
            "file itself means: no limit"
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


@contextmanager
def nothing_sent(effect: str = "This try placed no call") -> Iterator[None]:
    """Context manager: say in the error message of a `CallApiFailure` that nothing was sent.

    Use the ``with`` block only before the request is sent.

    :param effect: the sentence that follows the message of the error, without a full stop.
    :raises CallApiFailure: the ``with`` block raised a `CallApiFailure`, such as an `InvalidParameter`.
    """
    try:
        yield
    except CallApiFailure as error:
        raise CallApiFailure(f"{error}. {effect}.") from None
