"""Fetching all calls of an interval, though the Data API sends only some at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from data_api import DataApi

from airflow_provider_callapi.api.data_api import GetCallLegsReport
from airflow_provider_callapi.api.times import report_time
from airflow_provider_callapi.calls.reports import report_requests
from airflow_provider_callapi.calls.reports.finished_calls import fetch_finished_calls

ZONE = "Europe/Moscow"
NOW = 1_800_000_000.0
PAGE, FURTHEST = 10, 40
"""Entries in one answer, and the largest offset: together 50 entries of one interval can be read."""
CONTACTS_LEG = {"connect_time": "then", "is_operator": False}


def refuse_large_pages(request: Any) -> None:
    assert request.limit <= PAGE
    assert (request.offset or 0) <= FURTHEST


def data_api_with(
    calls: Iterable[tuple[int, float]], *, closed: bool = True, kind: type[DataApi] = DataApi, **report: Any
) -> DataApi:
    """Return a Data API with calls, and a leg of each contact. An interval's end belongs to it if closed."""
    begun = [(number, report_time(at, ZONE)) for number, at in calls]
    return kind(
        [{"id": number, "start_time": at, "finish_time": at, **report} for number, at in begun],
        [{"id": number, "call_session_id": number, "start_time": at, **CONTACTS_LEG} for number, at in begun],
        refuse=refuse_large_pages,
        end_is_inside=closed,
        total=lambda request, count: None,
    )


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
    calls = [(number + 1, NOW + number * 3600 / (count + 1)) for number in range(count)]

    everything = found(data_api_with(calls, closed=closed))

    assert sorted(everything) == [(number, True) for number in range(1, count + 1)]


def test_legs_are_fetched_only_if_a_call_has_no_talk() -> None:
    data_api = data_api_with([(1, NOW)], finish_reason="subscriber_disconnects", talk_duration=3)

    assert found(data_api) == [(1, True)]
    assert not any(isinstance(request, GetCallLegsReport) for request in data_api.asked)


def test_an_interval_that_fits_into_the_pages_is_fetched_once() -> None:
    data_api = data_api_with([(number + 1, NOW + number) for number in range(25)])
    found(data_api)

    assert [request.offset for request in data_api.asked] == [None, 10, 20] * 2


def test_more_calls_in_one_second_than_the_service_sends_cause_no_endless_loop() -> None:
    data_api = data_api_with([(number, NOW + 1800) for number in range(1, 61)])

    assert len(found(data_api)) == 50


def test_an_unfinished_call_is_left_out() -> None:
    assert found(
        DataApi(
            [{"id": 1}, {"id": 2, "finish_time": "2036-01-01 10:00:00", "finish_reason": "subscriber_busy"}]
        )
    ) == [(2, False)]


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
    talk = {
        "id": 1,
        "finish_time": "2036-01-01 10:00:00",
        "finish_reason": "operator_disconnects",
        "talk_duration": 40,
    }
    busy = {
        "id": 1,
        "finish_time": "2036-01-01 10:00:00",
        "finish_reason": "subscriber_busy",
        "talk_duration": 0,
    }

    assert found(DataApi([busy, talk] if turned else [talk, busy])) == [(1, True)]


class Reordering(DataApi):
    """A Data API whose rows have another order in each answer, so a row can be on two pages or on none."""

    def call(self, request: Any) -> Any:
        for rows in (self.calls, self.legs):
            rows.append(rows.pop(0))
        return super().call(request)


@pytest.mark.parametrize("count", [9, 10, 11, 20, 25, 49, 130])
def test_no_report_and_no_leg_is_lost_if_rows_change_their_page_during_the_reading(count: int) -> None:
    calls = [(number + 1, NOW + number * 20) for number in range(count)]

    everything = found(data_api_with(calls, kind=Reordering))

    assert sorted(everything) == [(number, True) for number in range(1, count + 1)]


def test_rows_of_one_second_that_change_their_page_make_the_reports_incomplete() -> None:
    data_api = data_api_with([(number, NOW + 1800) for number in range(1, 26)], kind=Reordering)

    calls = fetch_finished_calls(data_api, since=NOW, until=NOW + 3600, timezone=ZONE)

    assert not calls.complete
    assert len(data_api.asked) < 400


def test_no_report_is_lost_if_a_row_before_it_leaves_the_list_during_the_reading() -> None:
    class Shrinking(DataApi):
        def call(self, request: Any) -> Any:
            page = super().call(request)
            if len(self.calls) == 25:
                del self.calls[0], self.legs[0]
            return page

    calls = [(number + 1, NOW + number * 20) for number in range(25)]

    shrinking = data_api_with(calls, kind=Shrinking)
    shrinking.total = lambda request, count: len(shrinking.calls)

    assert {number for number, _ in found(shrinking)} == set(range(1, 26))
