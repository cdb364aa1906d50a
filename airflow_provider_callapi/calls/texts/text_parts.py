"""Check the values that an expression of a Jinja template turns into text, as in ``'Hello ' ~ params.name``.

If ``params.name`` is None, the expression gives the text "Hello None", and a person would hear it. A check of
the rendered text cannot recognise the None any more. So the check must be a part of the expression, also in
the files that a template includes or imports.
"""
# ruff: noqa: N802 - Jinja finds the methods by the names of its classes

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, time
from functools import partial
from typing import Any

from jinja2 import Environment, TemplateRuntimeError, Undefined, nodes
from jinja2.filters import FILTERS
from jinja2.visitor import NodeTransformer

from airflow_provider_callapi.calls.texts.checked_templates import change_templates, checked
from airflow_provider_callapi.calls.texts.inserted_values import UnsuitableValue
from airflow_provider_callapi.calls.texts.number_filters import to_float, to_int
from airflow_provider_callapi.calls.texts.number_texts import whole_number_text
from airflow_provider_callapi.calls.texts.text_arithmetic import plus, times

_TEXT_FILTERS = frozenset(
    {"capitalize", "center", "e", "escape", "forceescape", "format", "indent", "join", "lower", "pprint"}
    | {"replace", "safe", "string", "striptags", "title", "tojson", "trim", "truncate", "upper", "urlencode"}
    | {"urlize", "wordcount", "wordwrap"}
)
"""The filters of Jinja that convert their value to text."""
_INSERT, _INSERT_ALL = "_insert_value", "_insert_values"
_FORMAT, _FORMAT_ALL = "_format_value", "_format_values"
_JOINED, _JSON, _PERCENT, _EACH = "_joined_values", "_json_value", "_percent", "_each"
"""The names of filters: ``_insert…`` returns a value as it stands in a text, and ``_format…`` as a number."""
_ARITHMETIC = {"_times": times, "_plus": plus}
"""The names of filters: the operators ``*`` and ``+``."""
_ARGUMENTS = {"join": _INSERT, "replace": _INSERT, "format": _FORMAT}
"""Filter of Jinja that also converts its arguments to text → the check of each argument."""
_COLLECTIONS = {"join": _JOINED, "urlencode": _INSERT_ALL, "tojson": _JSON}
"""Filter of Jinja that takes a list or a dict → the check of its value."""
_TEXT_METHODS = {"format": _FORMAT, "join": _INSERT_ALL, "format_map": _FORMAT_ALL}
"""Method of a text that inserts its arguments → the check of each argument."""
_NUMBER_PLACE = re.compile(r"%(?:\([^()]*\))?[^%a-zA-Z]*[diouxXeEfFgGc]|\{[^{}]*:[^{}]*\}")
"""Matches a place for a number in a text, such as ``%.2f`` or ``{:.2f}``."""


def add_checks(environment: Environment, insert: Callable[[Any], Any], *, is_spoken: bool = False) -> None:
    """Change an environment: its templates check each value that an expression turns into text.

    No value is inserted by the conditions of a template, such as those behind ``if``: the text does not
    contain them. A filter of the DAG's author stays unchanged, even if it has the name of a filter of Jinja.

    :param environment: a copy of the DAG's environment.
    :param insert: takes a value that a text inserts, and returns the value in the form for the text. It
        raises an `UnsuitableValue` or an error of Jinja for an unsuitable value.
    :param is_spoken: True: the templates also refuse to calculate with a text.
    """
    jinjas = {name for name, function in FILTERS.items() if environment.filters.get(name) is function}
    numbers = {"int": to_int, "float": to_float}

    def format_number(value: Any) -> Any:  # '%.2f' % value has a form of its own for the number
        if isinstance(value, date | time):  # and '{:%d %B}'.format(value) has one for the date
            return _FormattedDate(value, insert)
        insert(value)
        text = whole_number_text(value)
        return value if text is None else int(text)

    checks: dict[str, Callable[..., Any]] = {
        _INSERT: insert,
        _INSERT_ALL: partial(_convert_all, insert),
        _FORMAT: format_number,
        _FORMAT_ALL: partial(_convert_all, format_number),
        _JOINED: lambda values: (
            insert(values) if isinstance(values, Mapping) else _convert_all(insert, values)
        ),
        _JSON: partial(_check_json, insert),
        _PERCENT: partial(_percent, format_number, insert),
        _EACH: lambda values, check: [checks[check](value) for value in values],
    }
    environment.filters = {
        **environment.filters,
        **{name: function for name, function in numbers.items() if name in jinjas},
        **checks,
        **_ARITHMETIC,
    }
    text_filters = (_TEXT_FILTERS | {"map"}) & jinjas
    change_templates(environment, lambda tree: _Checks(text_filters, is_spoken).visit(tree))


def _convert_all(convert: Callable[[Any], Any], values: Any) -> Any:
    """Convert each value of a collection, or one value that is no collection."""
    if isinstance(values, Mapping):  # e.g. a whole row, of which the text uses some values
        return {name: _convert_if_used(convert, value) for name, value in values.items()}
    if isinstance(values, tuple):
        return tuple(map(convert, values))
    if isinstance(values, str | bytes | Undefined) or not isinstance(values, Collection | Iterator):
        return convert(values)
    return list(map(convert, values))


def _convert_if_used(convert: Callable[[Any], Any], value: Any) -> Any:
    """Convert a value. If this fails, return an object that raises the error when a text inserts it."""
    try:
        return convert(value)
    except (UnsuitableValue, TemplateRuntimeError) as error:
        return _Unsuitable(error)


class _Unsuitable:
    """Stands for a value of a dict that a template must not insert into a text."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __str__(self) -> str:  # format() uses it, too
        raise self._error

    __repr__ = __str__


class _FormattedDate:
    """A date that a text inserts in the form that the text gives, such as ``{:%d %B}``.

    :param insert: returns what a text without such a form inserts, or raises an error.
    """

    def __init__(self, value: date | time, insert: Callable[[Any], Any]) -> None:
        self._value, self._insert = value, insert

    def __format__(self, form: str) -> str:
        return format(self._value, form) if form else str(self)

    def __str__(self) -> str:
        return str(self._insert(self._value))

    def __getattr__(self, name: str) -> Any:  # {0.year:04}
        return getattr(self._value, name)


def _check_json(insert: Callable[[Any], Any], value: Any) -> Any:
    """Check each value inside a list or dict, which the filter ``tojson`` writes. Return it unchanged."""
    value = list(value) if isinstance(value, Iterator) else value  # e.g. the result of `map`
    if isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            _check_json(insert, inner)
    else:
        insert(value)
    return value


def _percent(format_number: Callable[[Any], Any], insert: Callable[[Any], Any], left: Any, right: Any) -> Any:
    """Return ``left % right``. If ``left`` is a text, check each value that the text inserts."""
    if isinstance(left, str):
        convert = format_number if _may_format_number(left) else insert
        inserts_items = isinstance(right, tuple) or (isinstance(right, Mapping) and "%(" in left)
        right = _convert_all(convert, right) if inserts_items else convert(right)
    return left % right


class _Checks(NodeTransformer):
    """Put a check around each value that an expression converts to text.

    :param text_filters: the names of the filters that convert their value to text, and ``map``.
    :param is_spoken: True: also check ``*`` and ``+``.
    """

    def __init__(self, text_filters: Collection[str], is_spoken: bool) -> None:
        self._text_filters = text_filters
        self._is_spoken = is_spoken

    def visit_Mul(self, node: nodes.Mul) -> nodes.Node:  # contact.debt * 2
        return self._calculated(node, "_times")

    def visit_Add(self, node: nodes.Add) -> nodes.Node:  # contact.debt + contact.fee
        return self._calculated(node, "_plus")

    def _calculated(self, node: nodes.BinExpr, operator: str) -> nodes.Node:
        is_text = _is_text(node)  # as of '-' * 20, where the author means a text
        self.generic_visit(node)
        return node if is_text or not self._is_spoken else checked(node.left, operator, node.right)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # 'Hello ' ~ params.name
        self.generic_visit(node)
        node.nodes = [checked(value, _INSERT) for value in node.nodes]
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # params.name | upper
        self.generic_visit(node)
        if node.name not in self._text_filters:
            return node
        if node.name == "join":
            _take_attribute(node)
        if check := _ARGUMENTS.get(node.name):
            _check_arguments(node, check, node.node)
        elif node.name == "map" and (check := _ARGUMENTS.get(_mapped_filter(node))):
            name, *node.args = node.args
            _check_arguments(node, check)
            node.args.insert(0, name)
        if node.node is not None:
            node.node = self._checked_value(node, node.node)
        return node

    def _checked_value(self, node: nodes.Filter, value: nodes.Expr) -> nodes.Expr:
        """Return the value that a filter gets, with its check. Unchanged: the filter makes no text of it."""
        if node.name != "map":
            return checked(value, _COLLECTIONS.get(node.name, _INSERT))
        name = _mapped_filter(node)
        if name in _COLLECTIONS:  # lists | map('join')
            return checked(value, _EACH, nodes.Const(_COLLECTIONS[name], lineno=value.lineno))
        return checked(value, _INSERT_ALL) if name in self._text_filters else value

    def visit_Mod(self, node: nodes.Mod) -> nodes.Node:  # 'Hello %s' % params.name
        self.generic_visit(node)
        return checked(node.left, _PERCENT, node.right)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # 'Hello {}'.format(params.name)
        self.generic_visit(node)
        if isinstance(node.node, nodes.Getattr) and (check := _TEXT_METHODS.get(node.node.attr)):
            _check_arguments(node, check, node.node.node)
        return node

    def visit_If(self, node: nodes.If) -> nodes.Node:
        for branch in (node.body, node.elif_, node.else_):
            branch[:] = [self.visit(inner) for inner in branch]
        return node

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:
        node.expr1 = self.visit(node.expr1)
        node.expr2 = None if node.expr2 is None else self.visit(node.expr2)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        return node

    def visit_Test(self, node: nodes.Test) -> nodes.Node:
        return node


def _is_text(node: nodes.Node) -> bool:
    """Return whether an expression is certainly a text, because the author writes a part of it as text."""
    if isinstance(node, nodes.Add | nodes.Mul):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, nodes.Concat) or (isinstance(node, nodes.Const) and isinstance(node.value, str))


def _has_number_place(text: nodes.Node | None) -> bool:
    """Return whether a text may have a place for a number, such as ``%.2f``. True: also if not known."""
    if not isinstance(text, nodes.Const) or not isinstance(text.value, str):
        return True
    return _may_format_number(text.value)


def _may_format_number(text: str) -> bool:
    return _NUMBER_PLACE.search(text.replace("%%", "")) is not None


def _mapped_filter(node: nodes.Filter) -> Any:
    """Return the name of the filter that ``map`` applies to each value: ``upper`` of ``map('upper')``."""
    return node.args[0].value if node.args and isinstance(node.args[0], nodes.Const) else None


def _check_arguments(node: nodes.Filter | nodes.Call, check: str, text: nodes.Node | None = None) -> None:
    """Put a check around each argument. A text without a place such as ``%.2f`` formats no argument.

    :param text: the text into which the arguments are inserted. None: it is not known.
    """
    if check is _FORMAT and not _has_number_place(text):
        check = _INSERT
    node.args = [checked(value, check) for value in node.args]
    for argument in node.kwargs:
        if isinstance(argument, nodes.Keyword):
            argument.value = checked(argument.value, check)
    check_all = _FORMAT_ALL if check is _FORMAT else _INSERT_ALL
    if node.dyn_args is not None:  # 'Hello %s and %s' | format(*params.names)
        node.dyn_args = checked(node.dyn_args, check_all)
    if node.dyn_kwargs is not None:
        node.dyn_kwargs = checked(node.dyn_kwargs, check_all)


def _take_attribute(node: nodes.Filter) -> None:
    """Let the filter ``map`` take the attribute of ``join``, so that the values of the attribute are checked.

    ``x | join(',', 'name')`` becomes ``x | map(attribute='name') | join(',')``.
    """
    attributes = [*node.args[1:], *(one.value for one in node.kwargs if _is_attribute(one))]
    if attributes and node.node is not None:
        node.args = node.args[:1]
        node.kwargs = [one for one in node.kwargs if not _is_attribute(one)]
        named = [nodes.Keyword("attribute", attributes[0], lineno=node.lineno)]
        node.node = nodes.Filter(node.node, "map", [], named, None, None, lineno=node.lineno)


def _is_attribute(argument: nodes.Node) -> bool:
    return isinstance(argument, nodes.Keyword) and argument.key == "attribute"
