"""Check the values that an expression of a Jinja template turns into text, as in ``'Hello ' ~ params.name``.

If ``params.name`` is None, the expression gives the text "Hello None", and a person would hear it. A check of
the rendered text cannot recognise the None any more. So the check must be a part of the expression.
"""
# ruff: noqa: N802 - Jinja finds the methods by the names of its classes

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer

_TEXT_FILTERS = frozenset(
    ("capitalize", "e", "escape", "format", "join", "lower", "replace", "string", "title", "trim", "upper")
)
"""The filters of Jinja that convert their value to text."""
_CHECK, _CHECK_ALL = "_check_text_part", "_check_text_parts"


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

    environment.filters = {**environment.filters, _CHECK: check, _CHECK_ALL: check_all}
    tree: nodes.Template = _Checks().visit(environment.parse(text))
    tree.set_environment(environment)
    return tree


def _items(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple | set | frozenset) else (value,)


class _Checks(NodeTransformer):
    """Put a check around each value that an expression converts to text."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # 'Hello ' ~ params.name
        self.generic_visit(node)
        node.nodes = _checked(node.nodes)
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # params.name | upper
        self.generic_visit(node)
        if node.name in _TEXT_FILTERS and node.node is not None:
            (node.node,) = _checked([node.node], _CHECK_ALL if node.name == "join" else _CHECK)
        if node.name == "format":
            _check_arguments(node)
        return node

    def visit_Mod(self, node: nodes.Mod) -> nodes.Node:  # 'Hello %s' % params.name
        self.generic_visit(node)
        (node.right,) = _checked([node.right], _CHECK_ALL)
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # 'Hello {}'.format(params.name)
        self.generic_visit(node)
        if isinstance(node.node, nodes.Getattr) and node.node.attr == "format":
            _check_arguments(node)
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


def _check_arguments(node: nodes.Filter | nodes.Call) -> None:
    node.args = _checked(node.args)
    for argument in node.kwargs:
        if isinstance(argument, nodes.Keyword):
            (argument.value,) = _checked([argument.value])
