"""A Data API as a test needs it: a service that the emulator cannot be, and that the vendor's may be one day.

A test that needs no impossible service uses the emulator.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from airflow_provider_callapi.api.data_api import GetCallLegsReport, GetCallsReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import CallApiError, Unanswered, rejection
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.emulator.services.report_columns import CALL_FILTERS, LEG_FILTERS
from airflow_provider_callapi.emulator.services.report_filter import build_predicate

Row = dict[str, Any]
Refuse = Callable[[Any], CallApiError | dict[str, Any] | None]


class DataApi:
    """A Data API that sends rows as the vendor's document states, except for what a test changes.

    A row without a ``start_time`` lies in every period.

    :ivar calls, legs: the rows of the two reports. Any other JSON is sent as it is.
    :ivar lists: method → rows of a list of the account.
    :ivar refuse: gives the error with which a request is refused, as an exception or as JSON; None: no error.
    :ivar ignores: what the service ignores: ``filter``, ``period``, ``fields``, ``offset``, ``limit``.
    :ivar longest_page: the most rows of an answer, whatever the request allows.
    :ivar total: the number of all rows that an answer to a request states, given the true one.
    :ivar order: puts the rows of an answer, before they are divided into pages, into an order.
    :ivar arriving: rows of calls of which one becomes visible after each answer.
    :ivar asked: the requests.
    """

    def __init__(
        self,
        calls: Any = (),
        legs: Any = (),
        *,
        lists: Mapping[str, list[Row]] | None = None,
        refuse: Refuse = lambda request: None,
        ignores: Collection[str] = (),
        longest_page: int | None = None,
        total: Callable[[Any, int], int | None] = lambda request, count: count,
        order: Callable[[list[Any]], list[Any]] = list,
        end_is_inside: bool = True,
    ) -> None:
        self.calls = list(calls) if isinstance(calls, tuple) else calls
        self.legs = list(legs) if isinstance(legs, tuple) else legs
        self.lists = lists or {}
        self.refuse = refuse
        self.ignores = ignores
        self.longest_page = longest_page
        self.total = total
        self.order = order
        self.end_is_inside = end_is_inside
        self.arriving: list[Row] = []
        self.asked: list[Any] = []
        self.limits: Limits | None = None

    def call(self, request: Any) -> Entries[Any]:
        self.asked.append(request)
        if error := self.refuse(request):
            raise error if isinstance(error, CallApiError) else rejection(error, method=request.method)
        rows = {GetCallsReport.method: self.calls, GetCallLegsReport.method: self.legs, **self.lists}
        found, count = self._page(rows[request.method], request)
        try:
            page: Entries[Any] = request.convert_answer(found)
        except ValueError as error:
            raise Unanswered("not a list") from error
        page.total = self.total(request, count)
        if self.arriving:
            self.calls.append(self.arriving.pop())
        return page

    def is_inside(self, row: Row, request: Any) -> bool:
        """Return whether a call began in the period of a request."""
        began = row.get("start_time")
        if began is None or "period" in self.ignores or request.method in self.lists:
            return True
        is_at_end = self.end_is_inside and began == request.date_till
        return bool(request.date_from <= began < request.date_till or is_at_end)

    def _page(self, rows: Any, request: Any) -> tuple[Any, int]:
        """Return the rows of an answer, and how many rows all answers have."""
        if not isinstance(rows, list):
            return ([] if request.offset else rows), 1
        if request.filter and "filter" not in self.ignores:
            matches = build_predicate(request.filter, _Columns(), CALL_FILTERS | LEG_FILTERS)
            rows = [row for row in rows if matches(row)]
        rows = self.order([row for row in rows if not isinstance(row, dict) or self.is_inside(row, request)])
        start = 0 if "offset" in self.ignores else request.offset or 0
        most = None if "limit" in self.ignores else min(request.limit or 1000, self.longest_page or 10**9)
        page = rows[start:][:most]
        if request.fields and "fields" not in self.ignores:
            page = [{name: row.get(name) for name in request.fields} for row in page]
        return page, len(rows)


class _Columns(dict[str, Callable[[Row], Any]]):
    """Each field of a row is a column."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Callable[[Row], Any]:
        return lambda row: row.get(name)
