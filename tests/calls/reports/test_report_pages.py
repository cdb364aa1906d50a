"""Windows and pages of a report: every row exactly once, even if rows arrive while the report is read."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from data_api import DataApi
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.report_rows import CallRows
from airflow_provider_callapi.calls.reports import report_pages
from airflow_provider_callapi.calls.reports.report_dates import read_report_time
from airflow_provider_callapi.calls.reports.report_pages import ReportIncomplete, ReportPages, ReportQuery

START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
DAY = 86_400
BERLIN = "Europe/Berlin"


def epoch(text: str, zone: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


class Service(DataApi):
    """A Data API with calls, each an id and the time of its beginning, in any order within a second.

    :ivar visible: the ids of the calls that were visible when a request for a period with their beginning was
        answered. A call that arrives after the last such request cannot be read.
    """

    def __init__(
        self,
        zone: str,
        calls: dict[int, int],
        arriving: list[tuple[int, int]] | None = None,
        *,
        names_total: bool = True,
        shuffle: random.Random | None = None,
        **options: Any,
    ) -> None:
        self.zone = zone
        draw = shuffle or random.Random(1)
        options = {
            "total": lambda request, count: count if names_total else None,
            "order": lambda rows: sorted(rows, key=lambda row: (row["start_time"], draw.random())),
            **options,
        }
        super().__init__([self.row(number, begin) for number, begin in calls.items()], **options)
        self.arriving = [self.row(number, begin) for number, begin in arriving or []]
        self.visible: set[int] = set()

    def row(self, number: int, begin: int) -> dict[str, Any]:
        local = datetime.fromtimestamp(begin, ZoneInfo(self.zone)).strftime("%Y-%m-%d %H:%M:%S")
        return {"id": number, "start_time": local}

    def call(self, request: CallRows) -> Entries[Any]:
        since, until = (epoch(text, self.zone) for text in (request.date_from, request.date_till))
        assert until - since <= 92 * DAY
        assert request.limit is not None
        self.visible |= {row["id"] for row in self.calls if self.is_inside(row, request)}
        return super().call(request)


def read(service: Service, since: int, until: int, *, page_size: int = 3, last_offset: int = 9) -> list[int]:
    """Return the ids of the rows, as they are read."""
    pages = ReportPages(service, service.zone)
    query = ReportQuery(
        CallRows,
        {"fields": ["id", "start_time"]},
        key=lambda raw: raw["id"],
        position=lambda raw: read_report_time(raw["start_time"], service.zone, since),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_pages, "LARGEST_PAGE", page_size)
        patch.setattr(report_pages, "LAST_OFFSET", last_offset)
        return [raw["id"] for portion in pages.read(query, since, until) for raw in portion]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Service, dict[int, int], dict[int, int], int]:
    """An interval of up to two years, with calls inside, outside and at its ends, some of them arriving."""
    length = draw(st.one_of(st.integers(1, 50), st.integers(51, 700 * DAY)))
    edges = [0, 1, length // 2, length - 1, length, length + 1, -1, 80 * DAY, 80 * DAY - 1]
    begins = st.one_of(st.sampled_from(edges), st.integers(-5, length + 5))
    numbers = st.lists(begins, max_size=30)
    calls = {number: START + at for number, at in enumerate(draw(numbers), start=1)}
    late = draw(st.lists(begins, max_size=8))
    arriving = {number: START + at for number, at in enumerate(late, start=101)}
    service = Service(
        "Asia/Yekaterinburg",  # no clock changes
        calls,
        [*arriving.items()],
        names_total=draw(st.booleans()),
        shuffle=draw(st.randoms(use_true_random=False)),
    )
    return service, calls, arriving, START + length


@settings(max_examples=300)
@given(world=worlds(), page_size=st.integers(1, 12), pages=st.integers(0, 4))
def test_every_row_is_read_exactly_once_for_any_interval_page_and_arrival(world, page_size, pages):
    service, calls, arriving, until = world
    here = {number for number, begin in calls.items() if START <= begin < until}
    late = {number for number, begin in arriving.items() if START <= begin < until}
    in_a_second = Counter([*calls.values(), *arriving.values()])
    # Both ends of a period may belong to it: a window of one second contains the calls of two seconds.
    most = 2 * max(in_a_second.values(), default=0)
    # Behind a full page, only a second page or the number of all rows shows that there are no more.
    assume(page_size > most if pages == 0 else page_size >= most)

    found = read(service, START, until, page_size=page_size, last_offset=page_size * pages)

    assert len(found) == len(set(found))
    assert here <= set(found) <= here | late


@settings(max_examples=300)
@example(begins=[0, 1, 2, 31, 32], arrives=[0, 1, 31, 2], names_total=True)
@example(begins=[0, 1, 2, 31, 32], arrives=[0, 1, 31, 2], names_total=False)
@given(
    names_total=st.booleans(),
    begins=st.lists(st.integers(0, 40), min_size=1, max_size=25, unique=True),
    arrives=st.lists(st.integers(0, 40), max_size=12, unique=True),
)
def test_a_row_that_is_visible_to_the_last_request_for_its_time_is_in_the_result(
    begins, arrives, names_total
):
    calls = {number: START + at for number, at in enumerate(begins)}
    arriving = [(100 + number, START + at) for number, at in enumerate(arrives)]
    service = Service("UTC", calls, arriving, names_total=names_total)

    found = read(service, START, START + 60, page_size=4, last_offset=1000)

    assert len(found) == len(set(found))
    assert service.visible <= set(found)


def test_the_service_without_a_number_of_all_rows_is_read_to_its_last_page():
    calls = {number: START + number % 50 for number in range(1, 48)}
    service = Service("UTC", calls, names_total=False)

    assert sorted(read(service, START, START + 60, page_size=4, last_offset=8)) == sorted(calls)


def test_pages_that_are_shorter_than_requested_lose_no_row():
    service = Service("UTC", {number: START + number for number in range(1, 30)}, longest_page=2)

    assert len(read(service, START, START + 60, page_size=10, last_offset=100)) == 29


def test_an_interval_of_a_year_is_read_in_windows_of_at_most_three_months():
    calls = {number: START + number * DAY for number in range(365)}
    service = Service("UTC", calls)

    assert read(service, START, START + 365 * DAY, page_size=10_000, last_offset=100_000) == [*range(365)]
    assert len(service.asked) == 5


@pytest.mark.parametrize(("rows", "requests"), [(0, 1), (11, 1), (12, 2), (13, 2), (84, 7)])
def test_an_interval_that_fits_into_the_pages_is_read_once(rows, requests):
    """If the last page is full, a further request shows that no row follows, up to the largest offset."""
    service = Service("UTC", {number: START + number for number in range(rows)})

    assert read(service, START, START + 3600, page_size=12, last_offset=72) == [*range(rows)]
    assert len(service.asked) == requests


def test_an_interval_with_too_many_rows_costs_one_request_before_it_is_halved():
    service = Service("UTC", {number: START + number for number in range(19)})

    assert read(service, START, START + 20, page_size=5, last_offset=10) == [*range(19)]
    assert [request.offset for request in service.asked] == [None, None, 5, 10, None, 5]


def test_an_empty_interval_costs_one_request():
    service = Service("UTC", {})

    assert read(service, START, START + 3600) == []
    assert len(service.asked) == 1


@pytest.mark.parametrize("fold", [0, 1])
def test_no_call_is_lost_in_the_hour_that_occurs_twice(fold):
    begin = int(epoch("2025-10-26 02:30:00", BERLIN, fold))
    hour = begin - begin % 3600
    service = Service(BERLIN, {1: begin})

    assert read(service, hour, hour + 3600) == [1]
    assert read(service, hour - 3 * 3600, hour + 3 * 3600) == [1]


def test_a_period_that_is_too_young_begins_earlier_and_contains_no_earlier_calls():
    refused = {"code": -32602, "data": {"mnemonic": "invalid_parameter_value", "field": "date_from"}}
    youngest = START + 3600 - 21_600
    service = Service(
        "UTC",
        {1: START - 100, 2: START + 5},
        refuse=lambda request: refused if epoch(request.date_from, "UTC") > youngest else None,
    )

    assert read(service, START, START + 3600) == [2]
    assert service.asked[-1].date_from == "2026-03-01 00:00:00"


def test_more_calls_in_one_second_than_the_service_sends_are_an_error():
    service = Service("UTC", dict.fromkeys(range(30), START))

    with pytest.raises(ReportIncomplete, match="one second"):
        read(service, START, START + 60)


def test_a_service_that_counts_rows_and_sends_none_is_an_error():
    silent = Service("UTC", {}, total=lambda request, count: 5)

    with pytest.raises(ReportIncomplete, match="more rows for one second than it sends"):
        read(silent, START, START + 60)


def test_two_equal_rows_in_one_page_count_as_one_row_and_are_no_error():
    service = Service("UTC", {1: START})
    service.calls *= 2

    assert read(service, START, START + 60) == [1]


def test_a_row_in_place_of_which_a_page_repeats_another_row_is_not_lost():
    class Repeating(Service):
        def call(self, request: CallRows) -> Entries[Any]:
            page = super().call(request)
            if len(page) == 3:
                page[2] = page[1]
            return page

    service = Repeating("UTC", {number: START + 2 * number for number in range(5)})

    assert sorted(read(service, START, START + 60)) == [*range(5)]


def test_an_ignored_offset_loses_no_row():
    for names_total in (True, False):
        calls = {number: START + 2 * number for number in range(9)}
        service = Service("UTC", calls, names_total=names_total, ignores=["offset"])
        assert sorted(read(service, START, START + 60)) == [*range(9)]
