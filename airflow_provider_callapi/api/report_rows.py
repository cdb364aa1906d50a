"""Requests for the report of calls and the report of legs.

Each row of the answer stays as the service has sent the row: a dict with field → value.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.api.data_api import GetCallLegsReport, GetCallsReport
from airflow_provider_callapi.api.entries import Entries


def _read_rows(data: Any) -> Entries[Any]:
    """Return the rows in ``result.data`` of an answer, without any conversion. Leave out no row.

    A single object counts as one row.

    :raises ValueError: the data is neither an object nor a list of objects.
    """
    rows = [data] if isinstance(data, dict) else data
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("a list of objects is needed")
    return Entries(rows)


class CallRows(GetCallsReport):
    """Request one page of the report of calls. Each row of the answer is a dict: field → value."""

    def convert_answer(self, data: Any) -> Entries[Any]:
        return _read_rows(data)


class LegRows(GetCallLegsReport):
    """Request one page of the report of legs. Each row of the answer is a dict: field → value."""

    def convert_answer(self, data: Any) -> Entries[Any]:
        return _read_rows(data)
