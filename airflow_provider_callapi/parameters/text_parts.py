"""Check the values that an expression of a Jinja template turns into text, as in ``'Hello ' ~ params.name``.

If ``params.name`` is None, the expression gives the text "Hello None", and a person would hear it. A check of
the rendered text cannot recognise the None any more. So the check must be a part of the expression.
"""
# ruff: noqa: N802 - Jinja finds the methods by the names of its classes

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from jinja2 import Environment, Undefined, nodes
from jinja2.visitor import NodeTransformer

from airflow_provider_callapi.calls.number_filters import to_float, to_int

_TEXT_FILTERS = frozenset(
    {"capitalize", "center", "e", "escape", "forceescape", "format", "indent", "join", "lower", "pprint"}
    | {"replace", "string", "striptags", "title", "trim", "truncate", "upper", "urlize", "wordwrap"}
)
"""The filters of Jinja that convert their value to text."""
_CHECK, _CHECK_ALL = "_check_text_part", "_check_text_parts"
_TEXT_METHODS = {"format": _CHECK, "join": _CHECK_ALL, "format_map": _CHECK_ALL}
"""Method of a text that inserts its arguments → the check of each argument."""


def parse_with_checks(text: str, environment: Environment, check: Callable[[Any], Any]) -> nodes.Template:
    """Parse a template. Return its syntax tree, which checks each value that an expression turns into text.

    The conditions of a template, such as those behind ``if``, stay unchanged: the text does not contain them.

    :param environment: a copy of the DAG's environment. The function adds filters to it.
    :param check: takes a value, and returns the value to insert. It raises an error for an unsuitable value.
    """

    def check_all(value: Any) -> Any:
        value = list(value) if isinstance(value, Iterator) else value  # e.g. the result of `map`
        for part in value.values() if isinstance(value, Mapping) else _items(value):
            check(part)
        return value

    own = {_CHECK: check, _CHECK_ALL: check_all, "int": to_int, "float": to_float}
    environment.filters = {**environment.filters, **own}
    tree: nodes.Template = _Checks().visit(environment.parse(text))
    tree.set_environment(environment)
    return tree


def _items(value: Any) -> Iterable[Any]:
    is_collection = isinstance(value, Collection) and not isinstance(value, str | bytes | Undefined)
    return value if is_collection else (value,)


class _Checks(NodeTransformer):
    """Put a check around each value that an expression converts to text."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # 'Hello ' ~ params.name
        self.generic_visit(node)
        node.nodes = _checked(node.nodes)
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # params.name | upper
        self.generic_visit(node)
        if node.name == "join":
            _take_attribute(node)
        if node.node is not None and (check := _check_of_filter(node)):
            (node.node,) = _checked([node.node], check)
        if node.name == "format":
            _check_arguments(node)
        return node

    def visit_Mod(self, node: nodes.Mod) -> nodes.Node:  # 'Hello %s' % params.name
        self.generic_visit(node)
        (node.right,) = _checked([node.right], _CHECK_ALL)
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # 'Hello {}'.format(params.name)
        self.generic_visit(node)
        if isinstance(node.node, nodes.Getattr) and (check := _TEXT_METHODS.get(node.node.attr)):
            _check_arguments(node, check)
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


def _checked(values: Iterable[nodes.Expr], check: str = _CHECK) -> list[nodes.Expr]:
    return [nodes.Filter(value, check, [], [], None, None, lineno=value.lineno) for value in values]


def _check_arguments(node: nodes.Filter | nodes.Call, check: str = _CHECK) -> None:
    node.args = _checked(node.args, check)
    for argument in node.kwargs:
        if isinstance(argument, nodes.Keyword):
            (argument.value,) = _checked([argument.value], check)
    if node.dyn_args is not None:  # 'Hello %s and %s' | format(*params.names)
        (node.dyn_args,) = _checked([node.dyn_args], _CHECK_ALL)
    if node.dyn_kwargs is not None:
        (node.dyn_kwargs,) = _checked([node.dyn_kwargs], _CHECK_ALL)


def _check_of_filter(node: nodes.Filter) -> str | None:
    """Return the check of the value that a filter gets. None: the filter makes no text of the value."""
    if node.name == "join":
        return _CHECK_ALL
    if node.name == "map" and node.args and isinstance(node.args[0], nodes.Const):  # names | map('upper')
        return _CHECK_ALL if node.args[0].value in _TEXT_FILTERS else None
    return _CHECK if node.name in _TEXT_FILTERS else None


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
