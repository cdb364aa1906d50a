"""Windows and pages of a report: every row exactly once, even if rows arrive while the report is read."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import rejection
from airflow_provider_callapi.api.report_rows import CallRows
from airflow_provider_callapi.calls.reports import report_pages
from airflow_provider_callapi.calls.reports.report_dates import read_report_time
from airflow_provider_callapi.calls.reports.report_pages import ReportIncomplete, ReportPages, ReportQuery

START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
DAY = 86_400
BERLIN = "Europe/Berlin"


def epoch(text: str, zone: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


@dataclass
class Service:
    """A Data API with calls, each an id and the time of its beginning.

    :ivar arriving: calls of which one becomes visible after each answer, and when nothing else is asked.
    :ivar names_total: whether an answer names the number of all rows.
    :ivar visible: the ids of the calls that were visible when a request for a period with their beginning was
        answered. A call that arrives after the last such request cannot be read.
    :ivar shuffle: a source of chance for the order of calls that began in the same second.
    """

    zone: str
    calls: dict[int, int]
    arriving: list[tuple[int, int]] = field(default_factory=list)
    names_total: bool = True
    youngest: float = 0.0
    now: float = START + 400 * DAY
    most_rows: int | None = None
    shuffle: random.Random = field(default_factory=lambda: random.Random(1))
    asked: list[CallRows] = field(default_factory=list)
    visible: set[int] = field(default_factory=set)

    def call(self, request: CallRows) -> Entries[Any]:
        since, until = (epoch(text, self.zone) for text in (request.date_from, request.date_till))
        assert until - since <= 92 * DAY
        assert request.limit is not None
        if self.youngest and since > self.now - self.youngest:
            refused = {"mnemonic": "invalid_parameter_value", "field": "date_from"}
            raise rejection({"code": -32602, "data": refused}, method=request.method)
        self.asked.append(request)
        self.visible |= {number for number, begin in self.calls.items() if since <= begin <= until}
        known = [(begin, self.shuffle.random(), number) for number, begin in self.calls.items()]
        rows = [
            {"id": number, "start_time": self.local(begin)}
            for begin, _, number in sorted(known)
            if since <= epoch(self.local(begin), self.zone) <= until
        ]
        offset = request.offset or 0
        page = Entries(rows[offset : offset + min(request.limit, self.most_rows or request.limit)])
        page.total = len(rows) if self.names_total else None
        if self.arriving:
            number, begin = self.arriving.pop()
            self.calls[number] = begin
        return page

    def local(self, begin: int) -> str:
        return datetime.fromtimestamp(begin, ZoneInfo(self.zone)).strftime("%Y-%m-%d %H:%M:%S")


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
def worlds(draw: st.DrawFn) -> tuple[Service, int, int]:
    """An interval of up to two years, with calls inside, outside and at its ends, some of them arriving."""
    length = draw(st.one_of(st.integers(1, 50), st.integers(51, 700 * DAY)))
    edges = [0, 1, length // 2, length - 1, length, length + 1, -1, 80 * DAY, 80 * DAY - 1]
    begins = st.one_of(st.sampled_from(edges), st.integers(-5, length + 5))
    numbers = st.lists(begins, max_size=30)
    calls = dict(enumerate(draw(numbers), start=1))
    arriving = list(enumerate(draw(st.lists(begins, max_size=8)), start=101))
    service = Service(
        "Asia/Yekaterinburg",  # no clock changes
        {number: START + at for number, at in calls.items()},
        [(number, START + at) for number, at in arriving],
        names_total=draw(st.booleans()),
        now=START + 2 * length + 400 * DAY,
        shuffle=draw(st.randoms(use_true_random=False)),
    )
    return service, START, START + length


@settings(max_examples=300)
@given(world=worlds(), page_size=st.integers(1, 12), pages=st.integers(0, 4))
def test_every_row_is_read_exactly_once_for_any_interval_page_and_arrival(world, page_size, pages):
    service, since, until = world
    here = {number for number, begin in service.calls.items() if since <= begin < until}
    late = {number for number, begin in service.arriving if since <= begin < until}
    in_a_second = Counter([*service.calls.values(), *(begin for _, begin in service.arriving)])
    # Both ends of a period may belong to it: a window of one second contains the calls of two seconds.
    assume(page_size >= 2 * max(in_a_second.values(), default=0))

    found = read(service, since, until, page_size=page_size, last_offset=page_size * pages)

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
    service = Service("UTC", calls, names_total=names_total)
    service.arriving = [(100 + number, START + at) for number, at in enumerate(arrives)]

    found = read(service, START, START + 60, page_size=4, last_offset=1000)

    assert len(found) == len(set(found))
    assert service.visible <= set(found)


def test_the_service_without_a_number_of_all_rows_is_read_to_its_last_page():
    calls = {number: START + number % 50 for number in range(1, 48)}
    service = Service("UTC", calls, names_total=False)

    assert sorted(read(service, START, START + 60, page_size=4, last_offset=8)) == sorted(calls)


def test_pages_that_are_shorter_than_requested_lose_no_row():
    service = Service("UTC", {number: START + number for number in range(1, 30)}, most_rows=2)

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
    service = Service("UTC", {1: START - 100, 2: START + 5}, youngest=21_600, now=START + 3600)

    assert read(service, START, START + 3600) == [2]
    assert service.asked[-1].date_from == "2026-03-01 00:00:00"


def test_more_calls_in_one_second_than_the_service_sends_are_an_error():
    service = Service("UTC", dict.fromkeys(range(30), START))

    with pytest.raises(ReportIncomplete, match="one second"):
        read(service, START, START + 60)


def test_a_service_that_counts_rows_and_sends_none_is_an_error():
    class Silent(Service):
        def call(self, request: CallRows) -> Entries[Any]:
            page: Entries[Any] = Entries()
            page.total = 5
            return page

    with pytest.raises(ReportIncomplete, match="more rows for one second than it sends"):
        read(Silent("UTC", {}), START, START + 60)


def test_two_equal_rows_in_one_page_count_as_one_row_and_are_no_error():
    class Repeating(Service):
        def call(self, request: CallRows) -> Entries[Any]:
            row = {"id": 1, "start_time": self.local(START)}
            page = Entries([row, row])
            page.total = 2
            return page

    assert read(Repeating("UTC", {}), START, START + 60) == [1]


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
    class Ignoring(Service):
        def call(self, request: CallRows) -> Entries[Any]:
            return super().call(request.model_copy(update={"offset": None}))

    for names_total in (True, False):
        service = Ignoring(
            "UTC", {number: START + 2 * number for number in range(9)}, names_total=names_total
        )
        assert sorted(read(service, START, START + 60)) == [*range(9)]
