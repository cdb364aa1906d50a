"""Build one page of a list that the emulator's Data API returns, such as a report or the list of tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from airflow_provider_callapi.api.list_request import PagedRequest
from airflow_provider_callapi.emulator.errors import RpcError
from airflow_provider_callapi.emulator.services.report_filter import build_predicate
from airflow_provider_callapi.emulator.services.service import RpcResult


def build_page(
    entities: Iterable[Any],
    columns: Mapping[str, Callable[[Any], Any]],
    fields: list[str],
    request: PagedRequest[Any],
    *,
    filterable: frozenset[str],
    sortable: frozenset[str] | None = None,
    shown: Mapping[str, Callable[[Any], Any]] | None = None,
) -> RpcResult:
    """Return one page of a list of the Data API, filtered and sorted as the request asks.

    The list consists of objects, e.g. calls or employees. Each object gives one row.

    :param columns: column → function from an object to the value by which the request filters and sorts.
    :param request: the request, with ``filter``, ``sort``, ``offset`` and ``limit`` (default: 1000 rows).
        Values are sorted as texts.
    :param sortable: the columns by which a request may sort. None: all columns.
    :param shown: column → function from an object to the value in the row. Without an entry: the function in
        ``columns``.
    :return: a dict. ``data`` is a list of rows, each a dict: column → value. ``metadata["total_items"]`` is
        the number of objects on all pages.
    :raises RpcError: the filter has a wrong form, or a column does not exist, or cannot be filtered or
        sorted.
    """
    unknown = [name for name in fields if name not in columns]
    if unknown:
        raise RpcError("unexpected_parameters", "fields", unknown[0])
    matches = build_predicate(request.filter, columns, filterable)
    found = [entity for entity in entities if matches(entity)]
    for order in reversed(request.sort or []):
        name = str(order.get("field"))
        if name not in (columns if sortable is None else sortable):
            raise RpcError("sort_prohibited", "sort", name)
        found.sort(key=lambda entity: str(columns[name](entity)), reverse=order.get("order") == "desc")
    start = request.offset or 0
    page = found[start : start + (request.limit or 1000)]
    shown = {**columns, **(shown or {})}
    rows = [{name: shown[name](entity) for name in fields} for entity in page]
    return RpcResult(data=rows, metadata={"total_items": len(found)})
