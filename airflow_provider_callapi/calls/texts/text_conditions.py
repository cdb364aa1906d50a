"""Check the conditions and comparisons of Jinja templates, because a text takes the wrong branch unnoticed.

A CSV file and a form contain only texts. For Jinja, the text ``нет`` is true, and the text ``0`` does not
equal the number 0. If an author writes a template for booleans and numbers, and a text comes, a person would
hear of a debt that she does not have, the wrong phone would ring, or a dry run would dial.
"""
# ruff: noqa: N802 - Jinja finds the methods by the names of its classes

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from functools import wraps
from itertools import pairwise
from numbers import Number
from typing import Any

from jinja2 import Environment, TemplateRuntimeError, nodes
from jinja2.tests import TESTS
from jinja2.visitor import NodeTransformer

from airflow_provider_callapi.calls.texts.checked_templates import change_templates, checked
from airflow_provider_callapi.calls.texts.number_filters import to_float
from airflow_provider_callapi.calls.texts.text_arithmetic import is_amount

_FALSE = frozenset({"false", "no", "off", "0", "нет", "ложь"})
"""The texts, in lower case, that mean "no", but count as true in a condition of Jinja."""
_TRUE = frozenset({"true", "yes", "on", "1", "да", "истина"})
"""The texts, in lower case, that mean "yes"."""
_NO_CONDITION = (
    "a condition gets a text such as False, 0 or no, which counts as true; compare it, as in {{ … == 'yes' }}"
)
_NO_COMPARISON = (
    "a comparison of a text with a number; write `| float` or `| int` behind the text, or compare it with a "
    "text, as in {{ … == 'yes' }}"
)
_NO_ORDER = (
    "a comparison of two texts that are numbers, which compares them letter by letter; write `| float` or "
    "`| int` behind each"
)


def condition(value: Any) -> Any:
    """Return the value of a condition unchanged.

    :raises TemplateRuntimeError: the value is a text that means "no", such as ``False`` or ``нет``.
    """
    if isinstance(value, str) and _folded(value) in _FALSE:
        raise TemplateRuntimeError(_NO_CONDITION)
    return value


def check_equality(value: Any, other: Any) -> None:
    """Check two values that a template asks whether they are equal.

    :param other: if only one of the values is the author's constant, this one.
    :raises TemplateRuntimeError: the value is a text, and the other one a number or boolean. Or the value is
        a number, and the other one the text of a number. But a number may be asked whether it is a word.
    """
    if isinstance(value, str) == isinstance(other, str):
        return
    if isinstance(value, str):
        is_wrong = isinstance(other, Number)
    else:
        is_wrong = isinstance(value, Number) and _may_mean(other, value)
    if is_wrong:
        raise TemplateRuntimeError(_NO_COMPARISON)


def check_order(value: Any, other: Any) -> None:
    """Check two values of which a template asks which one is greater.

    :raises TemplateRuntimeError: one is a text, and the other a number. Or both are texts of numbers, which
        may have another order than their numbers: ``'1500' < '200'``.
    """
    are_texts = isinstance(value, str), isinstance(other, str)
    if all(are_texts):
        are_digits = len(value) == len(other) and (value + other).isdecimal()  # as of dates: 20261201
        if not are_digits and is_amount(value) and is_amount(other):
            raise TemplateRuntimeError(_NO_ORDER)
    elif any(are_texts) and isinstance(other if are_texts[0] else value, Number):
        raise TemplateRuntimeError(_NO_COMPARISON)


def check_member(value: Any, items: Any) -> None:
    """Check a value that a template searches in a list, such as ``contact.debt in (0, 1500)``.

    :raises TemplateRuntimeError: the value is a text, and the list has only numbers, or has a number that the
        text means. Or the value is a number, and the list has only texts, of which one is a number.
    """
    if not isinstance(value, str | Number) or isinstance(items, str) or not isinstance(items, Collection):
        return
    if value in items:
        return
    kinds = {int} if isinstance(items, range) else set(map(type, items))
    has_texts, has_numbers = (any(issubclass(kind, base) for kind in kinds) for base in (str, Number))
    if isinstance(value, str):
        is_wrong = has_numbers and not (has_texts and not any(_means(value, item) for item in items))
    else:
        is_wrong = not has_numbers and any(isinstance(item, str) and _may_mean(item, value) for item in items)
    if is_wrong:
        raise TemplateRuntimeError(_NO_COMPARISON)


def check_ordered(values: Any) -> Any:
    """Return the values that a template sorts, or of which it takes the greatest.

    :raises TemplateRuntimeError: see `check_order`.
    """
    values = list(values) if isinstance(values, Iterator) else values
    if isinstance(values, list | tuple):
        for pair in pairwise(values):
            check_order(*pair)
    return values


def _folded(text: str) -> str:
    return text.strip().lower()


def _may_mean(text: str, number: Any) -> bool:
    """Return whether a text is a number, or for a boolean a word such as ``yes``."""
    is_word = isinstance(number, bool) and _folded(text) in _TRUE | _FALSE
    return is_word or is_amount(text.strip())


def _means(text: str, number: Any) -> bool:
    """Return whether a text means a number or boolean: ``0,00`` for 0, and ``да`` for True."""
    if isinstance(number, bool):
        return _folded(text) in (_TRUE if number else _FALSE)
    if not isinstance(number, Number) or not is_amount(text.strip()):
        return False
    return bool(to_float(text, None) == number)


_Check = Callable[[Any, Any], None]


def _after(check: _Check, decide: Any) -> Callable[..., Any]:
    """Return an operator or a test of Jinja that first checks its two values."""

    def check_and_decide(value: Any, other: Any) -> Any:
        check(value, other)
        return decide(value, other)

    return check_and_decide


_OPERATORS: dict[str, Callable[..., Any]] = {
    "_eq": _after(check_equality, operator.eq),
    "_ne": _after(check_equality, operator.ne),
    "_gt": _after(check_order, operator.gt),
    "_gteq": _after(check_order, operator.ge),
    "_lt": _after(check_order, operator.lt),
    "_lteq": _after(check_order, operator.le),
    "_in": _after(check_member, lambda value, items: value in items),
    "_notin": _after(check_member, lambda value, items: value not in items),
}
"""The filters that stand for the operators of Jinja: ``_`` and Jinja's name of the operator."""
_CONDITION, _ORDERED, _KEY = "_condition", "_ordered_values", "_key"
_FILTERS = {
    **_OPERATORS,
    _CONDITION: condition,
    _ORDERED: check_ordered,
    _KEY: _after(check_member, lambda value, keys: value),
}
_TESTS: dict[str, _Check] = {
    **dict.fromkeys(("==", "eq", "equalto", "!=", "ne", "sameas"), check_equality),
    **dict.fromkeys((">", "gt", "greaterthan", ">=", "ge"), check_order),
    **dict.fromkeys(("<", "lt", "lessthan", "<=", "le"), check_order),
    "in": check_member,
}
"""The tests of Jinja with two values, as in ``contact.debt is eq 0`` and ``| select('>', 0)``."""
_ORDER_FILTERS = frozenset({"max", "min", "sort"})


def _asks_kind(test: Any, example: Any) -> Callable[[Any], Any]:
    """Return a test such as ``is number`` that refuses a text which means such a value.

    :param example: a value of the kind for which the test asks.
    """

    @wraps(test)
    def check_and_test(value: Any) -> Any:
        if isinstance(value, str) and _may_mean(value, example):
            raise TemplateRuntimeError(_NO_COMPARISON)
        return test(value)

    return check_and_test


_TESTS_OF_KIND: dict[str, Any] = {
    **dict.fromkeys(("true", "false", "boolean"), True),
    **dict.fromkeys(("number", "integer", "float"), 0),
}
"""The tests of Jinja for the kind of a value → an example of the kind."""


def add_condition_checks(environment: Environment, *, is_flag: bool = False) -> None:
    """Change an environment: its templates refuse a condition or a comparison that a text makes wrong.

    A test of the DAG's author stays unchanged, even if it has the name of a test of Jinja.

    :param environment: a copy of the DAG's environment.
    :param is_flag: True: the templates give a boolean, so in ``a or b``, too, ``a`` is a condition.
    """
    environment.filters = {**environment.filters, **_FILTERS}
    own = {name: test for name, test in environment.tests.items() if TESTS.get(name) is not test}
    environment.tests = {
        **environment.tests,
        **{name: _after(check, TESTS[name]) for name, check in _TESTS.items()},
        **{name: _asks_kind(TESTS[name], example) for name, example in _TESTS_OF_KIND.items()},
        **own,
    }
    change_templates(environment, lambda tree: _Conditions(tree, is_flag=is_flag).visit(tree))


class _Conditions(NodeTransformer):
    """Put a check around each condition, and in place of each comparison."""

    def __init__(self, tree: nodes.Template, *, is_flag: bool) -> None:
        self._is_flag = is_flag
        self._constants: dict[str, list[Any]] = defaultdict(list)  # expression → with what it is compared
        for node in tree.find_all(nodes.Compare):
            value, constant = _in_order(node.expr, node.ops[0].expr)
            if isinstance(constant, nodes.Const):
                self._constants[repr(value)].append(constant.value)

    def visit_If(self, node: nodes.If) -> nodes.Node:
        self.generic_visit(node)
        node.test = self._condition(node.test)
        return node

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:
        self.generic_visit(node)
        node.test = self._condition(node.test)
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.test = None if node.test is None else self._condition(node.test)
        return node

    def visit_Not(self, node: nodes.Not) -> nodes.Node:
        self.generic_visit(node)
        node.node = self._condition(node.node)
        return node

    def visit_And(self, node: nodes.And) -> nodes.Node:
        self.generic_visit(node)
        node.left = self._condition(node.left)
        return node

    def visit_Or(self, node: nodes.Or) -> nodes.Node:
        self.generic_visit(node)
        if self._is_flag:  # otherwise, `contact.name or 'you'` may give the text 0
            node.left = self._condition(node.left)
        return node

    def _condition(self, test: Any) -> Any:
        """Return a condition that checks the truth of each value in it, as in ``a and not b``."""
        if isinstance(test, nodes.And | nodes.Or):
            test.left, test.right = self._condition(test.left), self._condition(test.right)
        elif not isinstance(test, nodes.Not | nodes.Test | nodes.Compare) and not _is_check(test):
            return checked(test, _CONDITION)
        return test

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        if len(node.ops) == 1:
            return self._comparison(node.expr, node.ops[0])
        values = [node.expr, *(each.expr for each in node.ops)]  # 0 < contact.debt < 1000
        result, *others = map(self._comparison, values, node.ops)
        for other in others:
            result = nodes.And(result, other, lineno=node.lineno)
        return result

    def _comparison(self, left: nodes.Expr, operand: nodes.Operand) -> nodes.Expr:
        right = operand.expr
        if operand.op in ("eq", "ne"):
            left, right = _in_order(left, right)
            if isinstance(right, nodes.Const) and self._has_twin(right.value, self._constants[repr(left)]):
                return nodes.Compare(left, [operand], lineno=left.lineno)
        return checked(left, f"_{operand.op}", right)

    def _has_twin(self, constant: Any, others: list[Any]) -> bool:
        """Return whether the author expects a text and a number of the same meaning: ``0`` and ``'0'``."""
        if isinstance(constant, str):
            return any(not isinstance(other, str) and _means(constant, other) for other in others)
        return any(isinstance(other, str) and _means(other, constant) for other in others)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # {0: 'no debt'}.get(contact.debt)
        self.generic_visit(node)
        method = node.node
        if isinstance(method, nodes.Getattr) and method.attr == "get" and isinstance(method.node, nodes.Dict):
            keys = nodes.List([pair.key for pair in method.node.items], lineno=node.lineno)
            node.args[:1] = [checked(key, _KEY, keys) for key in node.args[:1]]
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # [contact.debt, 100] | max
        self.generic_visit(node)
        if node.name in _ORDER_FILTERS and node.node is not None:
            node.node = checked(node.node, _ORDERED)
        return node


def _in_order(left: nodes.Expr, right: nodes.Expr) -> tuple[nodes.Expr, nodes.Expr]:
    """Return two compared expressions, the author's constant behind the other one."""
    is_constant_first = isinstance(left, nodes.Const) and not isinstance(right, nodes.Const)
    return (right, left) if is_constant_first else (left, right)


def _is_check(node: nodes.Expr) -> bool:
    return isinstance(node, nodes.Filter) and (node.name in _OPERATORS or node.name == _CONDITION)
