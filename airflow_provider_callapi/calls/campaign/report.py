"""Renders the campaign report: one HTML page about a finished campaign, without scripts or phone numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.campaign.figures import MINUTE, Bin, Tally, count_calls, split_into_bins
from airflow_provider_callapi.calls.campaign.outcomes import RESULT_MEANINGS, Result
from airflow_provider_callapi.calls.campaign.people import Skipped
from airflow_provider_callapi.calls.campaign.summary import Ending, Summary, share

MOST_BINS = 400
_MOST_TABLE_ROWS = 60
_MOST_REASONS = 12
_MOST_TICKS = 9
FEW = 30
"""An answer rate of fewer calls than this is not reliable. The report draws it pale."""
_SHORTEST_GAP = 60 * MINUTE
"""The chart marks a time without calls as a gap if it has at least this many seconds."""
_TICK_STEPS = (
    *(timedelta(minutes=step) for step in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=step) for step in (1, 2, 3, 6, 12)),
    *(timedelta(days=step) for step in (1, 2, 7, 14, 28, 91, 364)),
)
_DOUBTFUL = frozenset({Result.UNKNOWN, Result.UNRESOLVED, Result.ACCOUNT})


def render_report(
    summary: Summary,
    endings: Sequence[Ending],
    invalid: Sequence[Skipped],
    *,
    calls_per_minute: float | None,
    timezone: str,
    unfinished: str | None = None,
) -> str:
    """Return the campaign report: an HTML page with charts about a finished campaign.

    The page contains no phone number and no other value from the contact list.

    :param summary: the campaign's counts, such as how many people answered.
    :param endings: the result and the attempts of each person.
    :param invalid: the rows from which no call could be made.
    :param calls_per_minute: how many calls per minute the account's points (rate-limit units) pay for; None:
        unknown.
    :param timezone: IANA name of the time zone of the page's dates and times.
    :param unfinished: why the campaign stopped dialling before the end of the list, as text. None: it did
        not.
    """
    figures = count_calls(endings, invalid)
    span = (figures.minutes, summary.started_at, summary.ended_at, timezone)
    return _template().render(
        summary=summary,
        calls=figures.all,
        not_called=summary.results[Result.NOT_CALLED],
        unfinished=mask_phones(unfinished) if unfinished else None,
        began=_moment(summary.started_at, timezone),
        ended=_moment(summary.ended_at, timezone),
        timezone=timezone,
        zones=len(figures.zones),
        limit=calls_per_minute,
        outcomes=_outcomes(summary),
        unused_results=[_words(result) for result, number in summary.results.items() if not number],
        reasons=figures.reasons.most_common(_MOST_REASONS),
        more_reasons=sum(n for _, n in figures.reasons.most_common()[_MOST_REASONS:]),
        line=_TimeLine.of(split_into_bins(*span, MOST_BINS), calls_per_minute, timezone),
        intervals=split_into_bins(*span, _MOST_TABLE_ROWS),
        hours=list(enumerate(figures.hours)),
        rates=_rate_scale(figures.hours),
        hourly=max(hour.calls for hour in figures.hours),
        few=FEW,
        scarce=any(hour.calls and hour.rang < FEW for hour in figures.hours),
        calling_seconds=len(figures.minutes) * MINUTE,
        attempts=sorted(figures.by_attempt.items()),
        most_rung=max((tally.rang for tally in figures.by_attempt.values()), default=0),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """The scale of a chart's axis, from 0 to a round number."""

    top: float
    marks: tuple[float, ...]  # the numbers that are marked on the axis, without 0

    @classmethod
    def to(cls, most: float) -> _Scale:
        if most <= 0:
            return cls(1.0, (1.0,))
        power = 10.0 ** math.floor(math.log10(most / 3))
        step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if most <= power * factor * 4)
        marks = tuple(step * number for number in range(1, math.ceil(most / step - 1e-9) + 1))
        return cls(marks[-1], marks)


def _rate_scale(hours: Sequence[Tally]) -> _Scale:
    """Return the scale of the chart that shows the answer rate of each hour of the day."""
    # A rate of few calls is not reliable. It does not widen the scale.
    reliable = [hour.answer_rate for hour in hours if hour.rang >= FEW]
    return _Scale.to(max(reliable or [hour.answer_rate for hour in hours]))


@dataclass(frozen=True, slots=True)
class _Tick:
    """A tick of the time axis of a chart, with the labels of the tick."""

    at: float  # the position, in percent from the left
    hour: str  # such as 09:00; empty: no label
    day: str  # such as 2 Mar; empty: no label
    minor: bool  # a narrow chart leaves out the label of the hour

    @property
    def anchor(self) -> str:
        return "start" if self.at < 4 else "end" if self.at > 96 else "middle"


@dataclass(frozen=True, slots=True)
class _TimeLine:
    """The chart of calls per minute over time."""

    bins: list[Bin]
    scale: _Scale
    limit_fits: bool  # whether the chart draws how many calls per minute the account's points pay for
    ticks: list[_Tick]
    gaps: list[tuple[float, float]]  # long times without calls: (left, width) in percent of the chart

    @classmethod
    def of(cls, bins: list[Bin], limit: float | None, timezone: str) -> _TimeLine:
        busiest = max(each.busiest for each in bins)
        fits = limit is not None and limit <= 5 * busiest
        return cls(
            bins=bins,
            scale=_Scale.to(max(busiest, limit or 0) if fits else busiest),
            limit_fits=fits,
            ticks=list(_ticks(bins, timezone)),
            gaps=list(_gaps(bins)),
        )

    @property
    def busiest(self) -> int:
        return max(each.busiest for each in self.bins)

    @property
    def width(self) -> int:
        """How many minutes each bin (one step of the chart of calls over time) contains."""
        return self.bins[0].minutes

    def outline(self, height: float, *, busiest: bool) -> str:
        """Return the SVG path of the chart's filled area.

        Each bin (step) is as high as its busiest minute, or as its average minute if ``busiest`` is False.
        """
        tops = [each.busiest if busiest else each.calls / each.minutes for each in self.bins]
        # h1: each bin is one unit wide
        steps = (f"V{height * (1 - top / self.scale.top):.1f}h1" for top in tops)
        return f"M0 {height:g}{''.join(steps)}V{height:g}z"

    def place(self, at: float) -> float:
        """Return the position of a time on the chart, in percent from the left.

        :param at: epoch seconds.
        """
        return _place(self.bins, at)


def _place(bins: Sequence[Bin], at: float) -> float:
    begins, ends = bins[0].begins, bins[-1].ends
    return round(100 * (at - begins) / (ends - begins), 2)


def _ticks(bins: Sequence[Bin], timezone: str) -> Iterator[_Tick]:
    begins, ends = bins[0].begins, bins[-1].ends
    step = next(
        (step for step in _TICK_STEPS if (ends - begins) / step.total_seconds() < _MOST_TICKS),
        _TICK_STEPS[-1],
    )
    first = datetime.fromtimestamp(begins, ZoneInfo(timezone))
    mark = first.replace(hour=0, minute=0, second=0, microsecond=0)
    day = None
    number = 0
    while mark.timestamp() <= ends:
        if mark.timestamp() >= begins:
            new_day, day = day != mark.date(), mark.date()
            yield _Tick(
                at=_place(bins, mark.timestamp()),
                hour=f"{mark:%H:%M}" if step < timedelta(days=1) else "",
                day=f"{mark.day} {mark:%b}" if new_day else "",
                minor=number % 2 == 1,
            )
            number += 1
        mark += step  # The sum is local time, so marks stay at round times after a clock change.


def _gaps(bins: Sequence[Bin]) -> Iterator[tuple[float, float]]:
    since: float | None = None
    for each in [*bins, None]:
        if each is not None and not each.calls:
            since = each.begins if since is None else since
            continue
        until = each.begins if each is not None else bins[-1].ends
        if since is not None and until - since >= _SHORTEST_GAP:
            left = _place(bins, since)
            yield left, round(_place(bins, until) - left, 2)
        since = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    name: str
    meaning: str
    people: int
    share: float
    width: float
    kind: str


def _outcomes(summary: Summary) -> list[_Outcome]:
    """Return the results that at least one person has: ``answered`` first, then by falling frequency."""
    most = max(summary.results.values())
    ordered = sorted(summary.results.items(), key=lambda item: (item[0] is not Result.ANSWERED, -item[1]))
    return [
        _Outcome(
            name=_words(result),
            meaning=RESULT_MEANINGS[result],
            people=number,
            share=share(number, summary.people),
            width=100 * share(number, most),
            kind="good" if result is Result.ANSWERED else "doubt" if result in _DOUBTFUL else "rest",
        )
        for result, number in ordered
        if number
    ]


def _words(result: Result) -> str:
    return result.value.replace("_", " ")


def _breakable(name: str) -> Markup:
    """Return a name as HTML, in which a browser may begin a new line after each dot and underscore."""
    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(name))))  # noqa: S704 - escaped


def _moment(at: float, timezone: str) -> str:
    moment = datetime.fromtimestamp(at, ZoneInfo(timezone))
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    largest = [f"{number} {unit}" for number, unit in parts if number][:2]
    return " ".join(largest).replace(" ", "\u00a0") or "0\u00a0s"


def _number(value: float) -> str:
    """Return a whole number as text such as ``12,345``, and any other number with one decimal: ``7.5``."""
    return f"{value:,.0f}" if math.isclose(value, round(value)) else f"{value:,.1f}"


def _percent(value: float) -> str:
    """Return a fraction as percent: 0.125 becomes ``12.5 %``, and 0.0001 becomes ``< 0.1 %``."""
    if 0 < value < 0.001:
        return "< 0.1 %"
    if 0.999 < value < 1:
        return "> 99.9 %"
    return f"{100 * value:.3g} %" if value >= 0.1 else f"{100 * value:.1f} %"


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        number=_number,
        percent=_percent,
        duration=_duration,
        moment=_moment,
        words=_words,
        breakable=_breakable,
    )
    return environment.from_string(files(__package__).joinpath("report.html.j2").read_text("utf-8"))
