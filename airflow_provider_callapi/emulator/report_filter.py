"""Filters of the Data API's reports: one comparison, or a tree of comparisons with and / or."""

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
"""The operators that the client uses. The service has more."""

_CONDITIONS: Mapping[str, Callable[[list[bool]], bool]] = {"and": all, "or": any}


def build_predicate(tree: Any, columns: Columns, filterable: frozenset[str]) -> Predicate:
    """Return a predicate for a ``filter``. Without a filter, every row matches.

    :raises RpcError: the filter names an unknown or forbidden field or operator.
    """
    if tree is None:
        return lambda _: True
    if not isinstance(tree, dict):
        raise RpcError("data_type_error", "filter", tree)
    if "filters" in tree:
        condition = _CONDITIONS.get(tree.get("condition", "and"))
        if condition is None:
            raise RpcError("invalid_parameter_value", "filter.condition", tree["condition"])
        parts = [build_predicate(part, columns, filterable) for part in tree["filters"]]
        return lambda row: condition([part(row) for part in parts])
    name, expected = tree.get("field"), tree.get("value")
    if name not in columns:
        raise RpcError("unexpected_parameters", "filter.field", name)
    if name not in filterable:
        raise RpcError("filter_prohibited", "filter.field", name)
    compare = _OPERATORS.get(str(tree.get("operator")))
    if compare is None or (tree["operator"] == "in" and not isinstance(expected, list)):
        raise RpcError("invalid_parameter_value", "filter", tree.get("operator"))
    column = columns[name]
    return lambda row: compare(column(row), expected)
