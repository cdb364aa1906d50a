"""Apply the filters of requests for the lists and reports of the emulated Data API.

A filter is one comparison of a column with a value, such as ``id = 7``, or a tree of comparisons. In a tree,
``and`` and ``or`` join the comparisons.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_callapi.emulator.errors import RpcError

Predicate = Callable[[Any], bool]
Columns = Mapping[str, Callable[[Any], Any]]

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "in": lambda actual, expected: actual in expected,
}
"""The filter operators that the emulator supports. The vendor's service supports more."""

_CONDITIONS: Mapping[str, Callable[[list[bool]], bool]] = {"and": all, "or": any}


def build_predicate(tree: Any, columns: Columns, filterable: frozenset[str]) -> Predicate:
    """Return a function that tests whether an entity of a list, such as a call, matches a filter.

    :param tree: the ``filter`` of the request, e.g. ``{"field": "id", "operator": "=", "value": 7}``. None:
        every entity matches.
    :param columns: column → function from an entity to the value in this column.
    :param filterable: the columns that the filter may use.
    :return: function from an entity to True (it matches) or False.
    :raises RpcError: the filter has a wrong form, or uses a column or an operator that is not allowed.
    """
    if tree is None:
        return lambda _: True
    if not isinstance(tree, dict):
        raise RpcError("data_type_error", "filter", tree)
    if "filters" in tree:
        condition = _CONDITIONS.get(str(tree.get("condition", "and")))
        if condition is None:
            raise RpcError("invalid_parameter_value", "filter.condition", tree["condition"])
        if not isinstance(tree["filters"], list):
            raise RpcError("data_type_error", "filter.filters", tree["filters"])
        parts = [build_predicate(part, columns, filterable) for part in tree["filters"]]
        return lambda row: condition([part(row) for part in parts])
    name, expected = tree.get("field"), tree.get("value")
    if not isinstance(name, str) or name not in columns:
        raise RpcError("unexpected_parameters", "filter.field", name)
    if name not in filterable:
        raise RpcError("filter_prohibited", "filter.field", name)
    compare = _OPERATORS.get(str(tree.get("operator")))
    if compare is None or (tree["operator"] == "in" and not (isinstance(expected, list) and expected)):
        raise RpcError("invalid_parameter_value", "filter", tree.get("operator"))
    column, expected = columns[name], _as_set(expected)
    return lambda row: compare(column(row), expected)


def _as_set(expected: Any) -> Any:
    """Return a list of texts and numbers as a frozenset, so that a search in the values is fast.

    Return any other value unchanged.
    """
    plain = isinstance(expected, list) and all(isinstance(value, str | int | float) for value in expected)
    return frozenset(expected) if plain else expected
