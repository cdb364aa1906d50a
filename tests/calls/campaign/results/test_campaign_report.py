"""The report shows the campaign's numbers and nothing of single people."""

from __future__ import annotations

import re
import sys
import time
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from campaign_endings import BEGAN, called, person, skipped, summary_of
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.campaign.contact_list.people import Skipped
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.results.campaign_report import MOST_BINS, render_report
from airflow_provider_callapi.calls.campaign.results.figures import count_calls, split_into_bins
from airflow_provider_callapi.calls.campaign.results.summary import Ending

R = Result
HOUR = 3600.0


class Tables(HTMLParser):
    """The cells of every table, by row."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._in_cell = True
        elif tag == "small":
            self._in_cell = False

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.tables[-1][-1][-1] += data

    def headed(self, first: str, last: str) -> list[list[str]]:
        """The rows of the table that begins and ends with these headings."""
        [found] = [rows[1:] for rows in self.tables if (rows[0][0], rows[0][-1]) == (first, last)]
        return found


def report(endings: list[Ending], invalid: list[Skipped], **known: Any) -> str:
    limit, timezone = known.pop("limit", 60.0), known.pop("timezone", "Europe/Moscow")
    unfinished = known.pop("unfinished", None)
    summary = summary_of(endings, invalid, **known)
    return render_report(
        summary, endings, invalid, calls_per_minute=limit, timezone=timezone, unfinished=unfinished
    )


def some_endings() -> list[Ending]:
    return [
        called(person(1), (0, R.ANSWERED)),
        called(person(2), (1, R.BUSY), (HOUR, R.ANSWERED)),
        called(
            person(3), (2, R.CAPACITY), (300, R.NOT_REACHED), (HOUR, R.NOT_REACHED), finish_reason="timeout"
        ),
        called(person(4, "Asia/Vladivostok"), (61, R.ANSWERED)),
        Ending(person(5), R.DO_NOT_CALL),
    ]


def drawings(page: str) -> list[ElementTree.Element]:
    """Every SVG that is not inside another; parsing fails if one is not well-formed."""
    found = re.findall(r"<svg\b(?:(?!<svg\b|</svg>).|<svg\b(?:(?!</svg>).)*</svg>)*</svg>", page, re.DOTALL)
    return [ElementTree.fromstring(text) for text in found]


# --- the numbers ---


def test_the_report_counts_results_by_people() -> None:
    rows = Tables(report(some_endings(), [skipped(6), skipped(7)])).headed("Result", "Share")
    assert [(row[0], row[-2]) for row in rows] == [
        ("answered", "3"),
        ("invalid", "2"),
        ("not reached", "1"),
        ("do not call", "1"),
    ]
    assert rows[0][-1] == "42.9 %"


def test_the_table_of_minutes_counts_all_calls() -> None:
    rows = Tables(report(some_endings(), [])).headed("From", "Busiest minute")
    assert rows == [
        ["14 Nov 2023, 09:00", "4", "3"],
        ["14 Nov 2023, 09:03", "1", "1"],
        ["14 Nov 2023, 10:00", "2", "2"],
        ["All", "7", "3"],
    ]


def test_the_table_of_hours_uses_the_time_zone_of_each_person() -> None:
    rows = Tables(report(some_endings(), [])).headed("Hour", "Rate")
    assert rows == [
        ["09:00", "4", "3", "1", "33.3 %"],
        ["10:00", "2", "2", "1", "50 %"],
        ["16:00", "1", "1", "1", "100 %"],
        ["All", "7", "6", "3", "50 %"],
    ]


def test_hours_with_equal_numbers_have_separate_rows() -> None:
    endings = [called(person(n), ((n - 1) * HOUR, R.ANSWERED)) for n in (1, 2, 3)]
    rows = Tables(report(endings, [], hours=3)).headed("Hour", "Rate")
    assert [row[0] for row in rows] == ["09:00", "10:00", "11:00", "All"]


def test_a_call_that_rang_no_phone_is_not_counted_as_an_attempt() -> None:
    page = report(some_endings(), [])
    assert Tables(page).headed("Attempt", "Rate") == [
        ["1", "", "4", "2", "50 %"],
        ["2", "", "2", "1", "50 %"],
    ]
    assert "1 more call rang no phone" in page


def test_the_report_counts_reasons_by_people() -> None:
    rows = Tables(report(some_endings(), [skipped(6), skipped(7)])).headed("Result", "People")
    assert rows == [["invalid", "contact: not a phone number", "2"], ["not reached", "timeout", "1"]]


# --- bins ---


@given(
    st.dictionaries(st.integers(28_000_000, 28_000_000 + 60 * 24 * 60), st.integers(1, 99), max_size=50),
    st.integers(0, 60 * 24 * 3600),
    st.sampled_from(["UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Moscow"]),
    st.sampled_from([2, 60, MOST_BINS]),
)
def test_the_bins_contain_every_call(minutes: dict[int, int], lasted: int, zone: str, most: int) -> None:
    began = 28_000_000 * 60.0
    bins = split_into_bins(minutes, began, began + lasted, zone, most)
    assert sum(each.calls for each in bins) == sum(minutes.values())
    assert max(each.busiest for each in bins) == max(minutes.values(), default=0)
    assert len(bins) <= most
    assert bins[0].begins <= began
    assert bins[-1].ends > began + lasted
    assert all(one.ends == another.begins for one, another in pairwise(bins))


def test_bins_begin_on_full_hours_in_the_time_zone_of_the_chart() -> None:
    bins = split_into_bins({}, BEGAN + 1234, BEGAN + 40 * HOUR, "Asia/Kolkata", 60)
    assert {each.minutes for each in bins} == {60}
    assert bins[0].begins % HOUR == HOUR / 2, "India's clocks are half an hour off"


def test_the_chart_contains_the_calls_of_an_earlier_try() -> None:
    endings = [called(person(1), (-5 * HOUR, R.BUSY), (0, R.ANSWERED))]
    assert count_calls(endings, []).all.calls == 2
    rows = Tables(report(endings, [])).headed("From", "Busiest minute")
    assert (rows[0][0], rows[-1][1]) == ("14 Nov 2023, 04:00", "2")


# --- the page ---


@pytest.mark.parametrize(
    ("endings", "invalid"),
    [([], []), ([], [skipped(1)]), ([called(person(1))], []), ([called(person(1), (0, R.ANSWERED))], [])],
    ids=["nobody", "only invalid rows", "one who was not called", "one"],
)
@pytest.mark.parametrize("limit", [None, 0.5, 60.0])
@pytest.mark.parametrize("hours", [0, 1, 5000])
def test_the_smallest_campaigns_have_a_report(endings: Any, invalid: Any, limit: Any, hours: float) -> None:
    page = report(endings, invalid, limit=limit, hours=hours)
    assert len(drawings(page)) >= 2
    assert Tables(page).headed("From", "Busiest minute")[-1][1] == str(
        len(endings[0].calls if endings else [])
    )


def test_every_chart_is_well_formed_and_has_a_label_and_a_title() -> None:
    pictures = drawings(report(some_endings(), [skipped(6)]))
    assert len(pictures) == report(some_endings(), [skipped(6)]).count("<svg") - 1, "one is inside another"
    visible = [each for each in pictures if each.get("aria-hidden") != "true"]
    assert len(visible) == 2
    for picture in visible:
        assert picture.get("role") == "img"
        assert picture.get("aria-label")
        assert picture.findtext("title")


def test_the_chart_marks_a_night_without_calls() -> None:
    endings = [called(person(1), (0, R.BUSY), (20 * HOUR, R.ANSWERED))]
    [quiet] = re.findall(
        r'class="quiet" x="([\d.]+)%" y="20" width="([\d.]+)%"', report(endings, [], hours=20)
    )
    assert float(quiet[0]) < 1
    assert float(quiet[1]) > 98


def test_a_limit_far_above_the_chart_is_a_text_instead_of_a_line() -> None:
    assert '<line class="limit" x1="0" x2="100%"' in report(some_endings(), [], limit=10.0)
    page = report(some_endings(), [], limit=1000.0)
    assert '<line class="limit"' not in page
    assert "The limit, 1,000 a minute, is far above the chart." in page


def test_the_page_omits_points_if_the_cost_of_a_call_is_unknown() -> None:
    assert re.search(r"per person, \d+ points<", report(some_endings(), [], points_per_call=2))
    assert re.search(r"per person<", report(some_endings(), [], points_per_call=None))


def test_the_page_needs_no_other_files() -> None:
    page = report(some_endings(), [])
    assert not re.search(r"https?:|<script|<link|<img|url\(|@import|\bon\w+=", page)


def test_the_page_shows_no_data_of_a_person() -> None:
    endings = [
        *some_endings(),
        called(person(8), (1, R.REFUSED), refused_with="refused_79260000008"),
        called(person(9), (5, R.BUSY), finish_reason="busy at 79260000009"),
    ]
    page = report(endings, [skipped(6, "call.message: of +7 926 000-00-06")])
    for ending in endings:
        assert ending.person.contact not in page
        assert ending.person.key not in page
    assert "Secret" not in page
    assert "12-34" not in page
    assert "000-00-06" not in page
    assert "7926…0009" in page, "a number in a reason is masked"


def test_the_top_of_the_page_states_that_the_campaign_ended_before_it_called_everyone() -> None:
    page = report([called(person(1), (0, R.ANSWERED)), called(person(2))], [])
    top = page[: page.index("<dl")]
    assert "Unfinished." in top
    assert "1 person was not called" in top


def test_the_top_of_the_page_states_without_a_number_why_the_campaign_was_stopped() -> None:
    page = report([called(person(1), (0, R.ANSWERED))], [], unfinished="<b>79260000009</b> complained")
    assert "Why it was stopped: &lt;b&gt;7926…0009&lt;/b&gt; complained" in page[: page.index("<dl")]


def test_a_finished_campaign_is_not_called_unfinished() -> None:
    assert "Unfinished" not in report([called(person(1), (0, R.ANSWERED))], [])


def test_a_long_name_is_broken_only_after_dots_and_underscores() -> None:
    page = report([], [], campaign="my_campaign.tell.manual__2026-11-25")
    assert "<h1>my_<wbr>campaign.<wbr>tell.<wbr>manual_<wbr>_<wbr>2026-11-25</h1>" in page


def test_a_duration_stays_on_one_line() -> None:
    page = report([called(person(1), (0, R.ANSWERED))], [])
    assert re.search(r"<dt>Duration</dt><dd>\d+\u00a0\w+(\u00a0\d+\u00a0\w+)?</dd>", page)


def test_all_text_is_escaped() -> None:
    attack = "<script>alert('x')</script>\"&"
    page = report(
        [called(person(1), (0, R.BUSY), finish_reason=attack)], [skipped(2, attack)], campaign=attack
    )
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 4, "title, heading and two reasons"
    drawings(page)


def test_a_report_of_a_hundred_thousand_people_takes_seconds_and_is_small() -> None:
    zones = ["Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk"]
    zones += ["Asia/Krasnoyarsk", "Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan"]
    zones += ["Asia/Kamchatka"]
    endings = [
        called(
            person(n, zones[n % 11]), *([(n * 1.7, R.BUSY)] if n % 5 < 2 else []), (n * 1.7 + 600, R.ANSWERED)
        )
        for n in range(100_000)
    ]
    summary = summary_of(endings, [], hours=49)
    assert summary.calls == 140_000
    tracer = sys.gettrace()
    sys.settrace(None)  # coverage would more than double the time
    try:
        began = time.process_time()
        page = render_report(summary, endings, [], calls_per_minute=60, timezone="Europe/Moscow")
        seconds = time.process_time() - began
    finally:
        sys.settrace(tracer)
    assert seconds < 3
    assert len(page.encode()) < 300_000
