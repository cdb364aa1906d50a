"""Check the values that an expression of a Jinja template turns into text, as in ``'Hello ' ~ params.name``.

If ``params.name`` is None, the expression gives the text "Hello None", and a person would hear it. A check of
the rendered text cannot recognise the None any more. So the check must be a part of the expression, also in
the files that a template includes or imports.
"""
# ruff: noqa: N802 - Jinja finds the methods by the names of its classes

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from jinja2 import Environment, Undefined, nodes
from jinja2.filters import FILTERS
from jinja2.visitor import NodeTransformer

from airflow_provider_callapi.calls.number_filters import to_float, to_int

_TEXT_FILTERS = frozenset(
    {"capitalize", "center", "e", "escape", "forceescape", "format", "indent", "join", "lower", "pprint"}
    | {"replace", "safe", "string", "striptags", "title", "tojson", "trim", "truncate", "upper", "urlencode"}
    | {"urlize", "wordcount", "wordwrap"}
)
"""The filters of Jinja that convert their value to text."""
_CHECK, _CHECK_ALL = "_check_value", "_check_values"
_INSERT, _INSERT_ALL = "_insert_value", "_insert_values"
_JOINED, _PERCENT = "_joined_values", "_percent"
"""The names of filters: ``_check…`` returns a value unchanged, and ``_insert…`` as it stands in a text."""
_WITH_INSERTED_ARGUMENTS = frozenset({"join", "replace"})
"""The filters of Jinja that also convert their arguments to text."""
_TEXT_METHODS = {"format": _CHECK, "join": _INSERT_ALL, "format_map": _CHECK_ALL}
"""Method of a text that inserts its arguments → the check of each argument."""
_NUMBER_PLACE = re.compile(r"%[^%a-zA-Z]*[diouxXeEfFgGc]|\{[^{}]*:[^{}]*\}")
"""Matches a place for a number in a text, such as ``%.2f`` or ``{:.2f}``."""


def add_checks(environment: Environment, check: Callable[[Any], Any], insert: Callable[[Any], Any]) -> None:
    """Change an environment: its templates check each value that an expression turns into text.

    The conditions of a template, such as those behind ``if``, stay unchanged: the text does not contain them.
    A filter of the DAG's author stays unchanged, too, even if it has the name of a filter of Jinja.

    :param environment: a copy of the DAG's environment.
    :param check: takes a value that a text inserts in a form of its own, as ``'%.2f' % value`` does, and
        returns the value unchanged. It raises an error for an unsuitable value.
    :param insert: takes a value that a text inserts, and returns the value in the form for the text. It
        raises an error for an unsuitable value.
    """
    jinjas = {name for name, function in FILTERS.items() if environment.filters.get(name) is function}
    numbers = {"int": to_int, "float": to_float}

    def check_all(values: Any) -> Any:
        values = list(values) if isinstance(values, Iterator) else values  # e.g. the result of `map`
        _convert_all(check, values)
        return values

    environment.filters = {
        **environment.filters,
        **{name: function for name, function in numbers.items() if name in jinjas},
        _CHECK: check,
        _CHECK_ALL: check_all,
        _INSERT: insert,
        _INSERT_ALL: lambda values: _convert_all(insert, values),
        _JOINED: lambda values: (
            insert(values) if isinstance(values, Mapping) else _convert_all(insert, values)
        ),
        _PERCENT: partial(_percent, check, insert),
    }
    parse, text_filters = environment._parse, (_TEXT_FILTERS | {"map"}) & jinjas

    def parse_with_checks(source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Checks(text_filters).visit(parse(source, name, filename))
        tree.set_environment(environment)
        return tree

    # Jinja parses each template with this method, also an included one.
    environment._parse = parse_with_checks  # type: ignore[method-assign]


def _convert_all(convert: Callable[[Any], Any], values: Any) -> Any:
    """Convert each value of a collection, or one value that is no collection."""
    if isinstance(values, Mapping):
        return {name: convert(value) for name, value in values.items()}
    if isinstance(values, tuple):
        return tuple(map(convert, values))
    if isinstance(values, str | bytes | Undefined) or not isinstance(values, Collection | Iterator):
        return convert(values)
    return list(map(convert, values))


def _percent(check: Callable[[Any], Any], insert: Callable[[Any], Any], left: Any, right: Any) -> Any:
    """Return ``left % right``. If ``left`` is a text, check each value that the text inserts."""
    if isinstance(left, str):
        convert = check if _may_format_number(left) else insert
        inserts_items = isinstance(right, tuple) or (isinstance(right, Mapping) and "%(" in left)
        right = _convert_all(convert, right) if inserts_items else convert(right)
    return left % right


class _Checks(NodeTransformer):
    """Put a check around each value that an expression converts to text.

    :param text_filters: the names of the filters that convert their value to text, and ``map``.
    """

    def __init__(self, text_filters: Collection[str]) -> None:
        self._text_filters = text_filters

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # 'Hello ' ~ params.name
        self.generic_visit(node)
        node.nodes = _checked(node.nodes, _INSERT)
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # params.name | upper
        self.generic_visit(node)
        if node.name not in self._text_filters:
            return node
        if node.name == "join":
            _take_attribute(node)
        if node.name == "format":
            _check_arguments(node, _CHECK if _has_number_place(node.node) else _INSERT)
        elif node.name in _WITH_INSERTED_ARGUMENTS:
            _check_arguments(node, _INSERT)
        elif node.name == "map" and _mapped_filter(node) in _WITH_INSERTED_ARGUMENTS:
            name, *node.args = node.args
            _check_arguments(node, _INSERT)
            node.args.insert(0, name)
        if node.node is not None and (check := self._check_of_filter(node)):
            (node.node,) = _checked([node.node], check)
        return node

    def _check_of_filter(self, node: nodes.Filter) -> str | None:
        """Return the check of the value that a filter gets. None: the filter makes no text of the value."""
        if node.name == "join":
            return _JOINED  # of a dict, it would insert the keys
        if node.name == "urlencode":
            return _INSERT_ALL
        if node.name == "map":  # names | map('upper')
            return _INSERT_ALL if _mapped_filter(node) in self._text_filters else None
        return _CHECK_ALL if node.name == "tojson" else _INSERT

    def visit_Mod(self, node: nodes.Mod) -> nodes.Node:  # 'Hello %s' % params.name
        self.generic_visit(node)
        return nodes.Filter(node.left, _PERCENT, [node.right], [], None, None, lineno=node.lineno)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # 'Hello {}'.format(params.name)
        self.generic_visit(node)
        if isinstance(node.node, nodes.Getattr) and (check := _TEXT_METHODS.get(node.node.attr)):
            can_insert = check is _CHECK and not _has_number_place(node.node.node)
            _check_arguments(node, _INSERT if can_insert else check)
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


def _checked(values: Iterable[nodes.Expr], check: str) -> list[nodes.Expr]:
    return [nodes.Filter(value, check, [], [], None, None, lineno=value.lineno) for value in values]


def _check_arguments(node: nodes.Filter | nodes.Call, check: str) -> None:
    node.args = _checked(node.args, check)
    for argument in node.kwargs:
        if isinstance(argument, nodes.Keyword):
            (argument.value,) = _checked([argument.value], check)
    check_all = _CHECK_ALL if check is _CHECK else _INSERT_ALL
    if node.dyn_args is not None:  # 'Hello %s and %s' | format(*params.names)
        (node.dyn_args,) = _checked([node.dyn_args], check_all)
    if node.dyn_kwargs is not None:
        (node.dyn_kwargs,) = _checked([node.dyn_kwargs], check_all)


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
