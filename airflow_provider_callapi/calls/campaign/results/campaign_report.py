"""Renders the campaign report: one HTML page about a finished campaign, without scripts or phone numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.campaign.contact_list.people import Skipped
from airflow_provider_callapi.calls.campaign.outcomes import RESULT_MEANINGS, Result
from airflow_provider_callapi.calls.campaign.results.charts import FEW, TimeLine, rate_scale
from airflow_provider_callapi.calls.campaign.results.figures import MINUTE, count_calls, split_into_bins
from airflow_provider_callapi.calls.campaign.results.summary import Ending, Summary, share

MOST_BINS = 400
_MOST_TABLE_ROWS = 60
_MOST_REASONS = 12
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
        result_rows=_result_rows(summary),
        unused_results=[_words(result) for result, number in summary.results.items() if not number],
        reasons=figures.reasons.most_common(_MOST_REASONS),
        more_reasons=sum(n for _, n in figures.reasons.most_common()[_MOST_REASONS:]),
        line=TimeLine.of(split_into_bins(*span, MOST_BINS), calls_per_minute, timezone),
        intervals=split_into_bins(*span, _MOST_TABLE_ROWS),
        hours=list(enumerate(figures.hours)),
        rates=rate_scale(figures.hours),
        hourly=max(hour.calls for hour in figures.hours),
        few=FEW,
        scarce=any(hour.calls and hour.rang < FEW for hour in figures.hours),
        calling_seconds=len(figures.minutes) * MINUTE,
        attempts=sorted(figures.by_attempt.items()),
        most_rung=max((tally.rang for tally in figures.by_attempt.values()), default=0),
    )


@dataclass(frozen=True, slots=True)
class _ResultRow:
    name: str
    meaning: str
    people: int
    share: float
    width: float
    kind: str


def _result_rows(summary: Summary) -> list[_ResultRow]:
    """Return the results that at least one person has: ``answered`` first, then by falling frequency."""
    most = max(summary.results.values())
    ordered = sorted(summary.results.items(), key=lambda item: (item[0] is not Result.ANSWERED, -item[1]))
    return [
        _ResultRow(
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
    return environment.from_string(files(__package__).joinpath("campaign_report.html.j2").read_text("utf-8"))
