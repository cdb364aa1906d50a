"""The filters of the Data API's reports: a comparison, or a tree of them under and / or."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_callapi.emulator.errors import Refusal

Accept = Callable[[Any], bool]
Columns = Mapping[str, Callable[[Any], Any]]

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "in": lambda found, wanted: found in wanted,
}
"""Those that the client uses; the service has more."""

_CONDITIONS: Mapping[str, Callable[[list[bool]], bool]] = {"and": all, "or": any}


def accepts(tree: Any, columns: Columns, filterable: frozenset[str]) -> Accept:
    """Turn a ``filter`` into a predicate; without one everything is accepted.

    :raises Refusal: it names a field or an operator that does not exist or may not be used.
    """
    if tree is None:
        return lambda _: True
    if not isinstance(tree, dict):
        raise Refusal("data_type_error", "filter", tree)
    if "filters" in tree:
        condition = _CONDITIONS.get(tree.get("condition", "and"))
        if condition is None:
            raise Refusal("invalid_parameter_value", "filter.condition", tree["condition"])
        parts = [accepts(part, columns, filterable) for part in tree["filters"]]
        return lambda thing: condition([part(thing) for part in parts])
    name, wanted = tree.get("field"), tree.get("value")
    if name not in columns:
        raise Refusal("unexpected_parameters", "filter.field", name)
    if name not in filterable:
        raise Refusal("filter_prohibited", "filter.field", name)
    compare = _OPERATORS.get(str(tree.get("operator")))
    if compare is None or (tree["operator"] == "in" and not isinstance(wanted, list)):
        raise Refusal("invalid_parameter_value", "filter", tree.get("operator"))
    column = columns[name]
    return lambda thing: compare(column(thing), wanted)
