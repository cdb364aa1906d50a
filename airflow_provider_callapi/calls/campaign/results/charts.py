"""The geometry of the charts in the campaign report: scales, ticks, gaps and outlines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow_provider_callapi.calls.campaign.results.figures import MINUTE, Bin, Tally

FEW = 30
"""An answer rate of fewer calls than this is not reliable. The report draws it pale."""
_SHORTEST_GAP = 60 * MINUTE
"""The chart marks a time without calls as a gap if it has at least this many seconds."""
_TICK_STEPS = (
    *(timedelta(minutes=step) for step in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=step) for step in (1, 2, 3, 6, 12)),
    *(timedelta(days=step) for step in (1, 2, 7, 14, 28, 91, 364)),
)
_MOST_TICKS = 9


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of a chart's axis, from 0 to a round number.

    :ivar top: the number at the end of the axis.
    :ivar marks: the numbers that are marked on the axis, in ascending order. 0 is not marked.
    """

    top: float
    marks: tuple[float, ...]

    @classmethod
    def to(cls, most: float) -> Scale:
        """Return a scale with at most four marks, on which ``most`` fits.

        :param most: the largest number in the chart. If it is 0 or less, the scale ends at 1.
        """
        if most <= 0:
            return cls(1.0, (1.0,))
        power = 10.0 ** math.floor(math.log10(most / 3))
        step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if most <= power * factor * 4)
        marks = tuple(step * number for number in range(1, math.ceil(most / step - 1e-9) + 1))
        return cls(marks[-1], marks)


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick of the time axis of a chart, with the labels of the tick.

    :ivar at: the position, in percent from the left.
    :ivar hour: the label of the hour, such as ``09:00``; ``""``: no label.
    :ivar day: the label of the day, such as ``2 Mar``; ``""``: no label.
    :ivar minor: True: a narrow chart leaves out the label of the hour.
    """

    at: float
    hour: str
    day: str
    minor: bool

    @property
    def anchor(self) -> str:
        """The SVG ``text-anchor`` with which the labels stay inside the chart."""
        return "start" if self.at < 4 else "end" if self.at > 96 else "middle"


@dataclass(frozen=True, slots=True)
class TimeLine:
    """The chart of calls per minute over time.

    :ivar bins: the steps of the chart, in the order of time.
    :ivar scale: the scale of calls per minute.
    :ivar limit_fits: whether the chart draws how many calls per minute the account's points pay for.
    :ivar ticks: the ticks of the time axis.
    :ivar gaps: the long times without calls, as pairs (left, width) in percent of the chart.
    """

    bins: list[Bin]
    scale: Scale
    limit_fits: bool
    ticks: list[Tick]
    gaps: list[tuple[float, float]]

    @classmethod
    def of(cls, bins: list[Bin], limit: float | None, timezone: str) -> TimeLine:
        """Return the chart of these bins.

        :param bins: the bins of `split_into_bins`; at least one.
        :param limit: how many calls per minute the account's points pay for; None: unknown.
        :param timezone: IANA name of the time zone of the time axis.
        """
        busiest = max(each.busiest for each in bins)
        fits = limit is not None and limit <= 5 * busiest
        return cls(
            bins=bins,
            scale=Scale.to(max(busiest, limit or 0) if fits else busiest),
            limit_fits=fits,
            ticks=list(_ticks(bins, timezone)),
            gaps=list(_gaps(bins)),
        )

    @property
    def busiest(self) -> int:
        """How many calls started in the busiest minute of the campaign."""
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


def _ticks(bins: Sequence[Bin], timezone: str) -> Iterator[Tick]:
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
            yield Tick(
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


def rate_scale(hours: Sequence[Tally]) -> Scale:
    """Return the scale of the chart that shows the answer rate of each hour of the day.

    :param hours: the `Tally` of each hour; at least one.
    """
    # A rate of few calls is not reliable. It does not widen the scale.
    reliable = [hour.answer_rate for hour in hours if hour.rang >= FEW]
    return Scale.to(max(reliable or [hour.answer_rate for hour in hours]))
