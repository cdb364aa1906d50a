"""Fetching all calls of an interval, though the Data API sends only some at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from airflow_provider_callapi.api.data_api import CallReport, GetCallLegsReport, LegReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.times import report_time
from airflow_provider_callapi.calls.reports import report_requests
from airflow_provider_callapi.calls.reports.finished_calls import fetch_finished_calls

ZONE = "Europe/Moscow"
NOW = 1_800_000_000.0
PAGE, FURTHEST = 10, 40
"""Entries in one answer, and the largest offset: together 50 entries of one interval can be read."""


class DataApi:
    """A Data API that sends calls in pages. The end of an interval belongs to it if ``closed``."""

    def __init__(self, calls: Iterable[tuple[int, float]], *, closed: bool, **report: Any) -> None:
        self.calls = [(number, report_time(at, ZONE)) for number, at in calls]
        self.closed = closed
        self.report = report
        self.asked: list[Any] = []

    def call(self, request: Any) -> Any:
        assert request.limit <= PAGE
        assert (request.offset or 0) <= FURTHEST
        self.asked.append(request)
        inside = [
            number
            for number, at in self.calls
            if request.date_from <= at < request.date_till or (self.closed and at == request.date_till)
        ]
        page = inside[request.offset or 0 :][: request.limit]
        if isinstance(request, GetCallLegsReport):
            return Entries(
                LegReport(id=number, call_session_id=number, connect_time="then", is_operator=False)
                for number in page
            )
        return Entries(CallReport(id=number, finish_time="then", **self.report) for number in page)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_requests, "LARGEST_PAGE", PAGE)
    monkeypatch.setattr(report_requests, "LAST_OFFSET", FURTHEST)


def found(data_api: DataApi) -> list[tuple[int, bool | None]]:
    calls = fetch_finished_calls(data_api, since=NOW, until=NOW + 3600, timezone=ZONE)
    return [(call.report.id, call.answered) for call in calls]


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 49, 50, 51, 400])
def test_every_call_and_leg_is_found_for_any_number_of_calls(count: int, closed: bool) -> None:
    """Some calls begin at the moments at which an interval is halved."""
    calls = [(number, NOW + number * 3600 / (count + 1)) for number in range(count)]

    everything = found(DataApi(calls, closed=closed))

    assert sorted(everything) == [(number, True) for number in range(count)]


def test_legs_are_fetched_only_if_a_call_has_no_talk() -> None:
    data_api = DataApi([(1, NOW)], closed=True, finish_reason="subscriber_disconnects", talk_duration=3)

    assert found(data_api) == [(1, True)]
    assert not any(isinstance(request, GetCallLegsReport) for request in data_api.asked)


def test_an_interval_that_fits_into_the_pages_is_fetched_once() -> None:
    data_api = DataApi([(number, NOW + number) for number in range(25)], closed=True)
    found(data_api)

    assert [request.offset for request in data_api.asked] == [None, 10, 20] * 2


def test_more_calls_in_one_second_than_the_service_sends_cause_no_endless_loop() -> None:
    data_api = DataApi([(number, NOW + 1800) for number in range(60)], closed=True)

    assert len(found(data_api)) == 50


def test_an_unfinished_call_is_left_out() -> None:
    class Ongoing(DataApi):
        def call(self, request: Any) -> Any:
            if isinstance(request, GetCallLegsReport):
                return Entries()
            return Entries([CallReport(id=1), CallReport(id=2, finish_reason="subscriber_busy")])

    assert found(Ongoing([], closed=True)) == [(2, False)]


def test_the_page_size_and_the_last_offset_are_those_that_the_service_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    request = GetCallLegsReport(
        date_from="", date_till="", limit=report_requests.LARGEST_PAGE, offset=report_requests.LAST_OFFSET
    )

    assert (request.limit, request.offset) == (10_000, 100_000)


@pytest.mark.parametrize("turned", [False, True])
def test_a_talk_counts_whichever_of_two_reports_of_one_call_shows_it(turned: bool) -> None:
    """The Data API sends no legs. The reason of the other report would prove that no one answered."""
    talk = CallReport(id=1, finish_time="then", finish_reason="operator_disconnects", talk_duration=40)
    busy = CallReport(id=1, finish_time="then", finish_reason="subscriber_busy", talk_duration=0)

    class Twice:
        def call(self, request: Any) -> Any:
            reports = [busy, talk] if turned else [talk, busy]
            return Entries(() if isinstance(request, GetCallLegsReport) else reports)

    calls = fetch_finished_calls(Twice(), since=NOW, until=NOW + 3600, timezone=ZONE)
    assert [(call.report.id, call.answered) for call in calls] == [(1, True)]


class Reordering(DataApi):
    """A Data API whose rows have another order in each answer, so a row can be on two pages or on none."""

    def call(self, request: Any) -> Any:
        self.calls.append(self.calls.pop(0))
        return super().call(request)


@pytest.mark.parametrize("count", [9, 10, 11, 20, 25, 49, 130])
def test_no_report_and_no_leg_is_lost_if_rows_change_their_page_during_the_reading(count: int) -> None:
    calls = [(number, NOW + number * 20) for number in range(count)]

    everything = found(Reordering(calls, closed=True))

    assert sorted(everything) == [(number, True) for number in range(count)]


def test_rows_of_one_second_that_change_their_page_make_the_reports_incomplete() -> None:
    data_api = Reordering([(number, NOW + 1800) for number in range(25)], closed=True)

    calls = fetch_finished_calls(data_api, since=NOW, until=NOW + 3600, timezone=ZONE)

    assert not calls.complete
    assert len(data_api.asked) < 400


def test_no_report_is_lost_if_a_row_before_it_leaves_the_list_during_the_reading() -> None:
    class Shrinking(DataApi):
        def call(self, request: Any) -> Any:
            page: Entries[Any] = super().call(request)
            page.total = len(self.calls)
            if len(self.calls) == 25:
                del self.calls[0]
            return page

    calls = [(number, NOW + number * 20) for number in range(25)]

    assert {number for number, _ in found(Shrinking(calls, closed=True))} == set(range(25))
