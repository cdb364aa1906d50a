"""Counts for the charts of the campaign report: calls and answers by minute, by hour and by attempt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.campaign.contact_list.people import Skipped
from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.results.summary import Ending, share

MINUTE = 60
_DAY = 1440
_WIDTHS = (1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720)


@dataclass(slots=True)
class Tally:
    """Counts of a group of calls, such as all calls in one hour of the day.

    :ivar calls: how many calls are in the group.
    :ivar rang: how many of these calls may have rung a phone. A call rings no phone if the account has no
        free line, or cannot place calls (for example, it has no money).
    :ivar answered: how many of these calls the contact answered.
    """

    calls: int = 0
    rang: int = 0
    answered: int = 0

    def count(self, attempt: Attempt) -> None:
        """Add the call of one attempt: count it as a call, and perhaps as rung and as answered."""
        self.calls += 1
        self.rang += not attempt.rang_no_phone
        self.answered += attempt.result is Result.ANSWERED

    @property
    def answer_rate(self) -> float:
        """The share of answered calls among the calls that rang a phone, from 0.0 to 1.0.

        If no call rang a phone, the share is 0.0. The true share can be higher, because calls with an
        unknown result may have been answered.
        """
        return share(self.answered, self.rang)


@dataclass(slots=True)
class Figures:
    """The calls of a campaign, counted for charts.

    A `Tally` holds three counts of one group of calls: how many calls the group has, how many of them rang a
    phone, and how many were answered.

    :ivar all: the `Tally` of all calls.
    :ivar minutes: minutes since the epoch → how many calls started in this minute.
    :ivar hours: one `Tally` for each hour of the day, 0 to 23, in the time zone of the called person.
    :ivar by_attempt: n → the `Tally` of the calls that rang their person's phone for the n-th time. Calls
        that rang no phone are not in it.
    :ivar zones: IANA names of the time zones of the people who were called.
    :ivar reasons: (result, reason) → how many people or invalid rows. The reason is a text, such as the name
        of the service's error. People who answered are not counted.
    """

    all: Tally = field(default_factory=Tally)
    minutes: Counter[int] = field(default_factory=Counter)
    hours: list[Tally] = field(default_factory=lambda: [Tally() for _ in range(24)])
    by_attempt: dict[int, Tally] = field(default_factory=dict)
    zones: set[str] = field(default_factory=set)
    reasons: Counter[tuple[Result, str]] = field(default_factory=Counter)


def count_calls(endings: Sequence[Ending], invalid: Sequence[Skipped]) -> Figures:
    """Return the counts of a campaign's calls, and of the reasons why people were not reached.

    :param endings: the result and the attempts of each person.
    :param invalid: the invalid rows. The function counts their reasons, too.
    """
    figures = Figures()
    reasons = Counter((Result.INVALID, skipped.why) for skipped in invalid)
    for ending in endings:
        calls = ending.calls
        for attempt in calls:
            _count_call(figures, attempt, ending.person.zone)
        reason = _reason(ending, calls)
        if reason:
            reasons[ending.result, reason] += 1
    for (result, reason), number in reasons.items():
        figures.reasons[result, mask_phones(reason)] += number
    return figures


def _count_call(figures: Figures, attempt: Attempt, zone: str) -> None:
    figures.all.count(attempt)
    figures.minutes[int(attempt.called_at // MINUTE)] += 1
    figures.hours[datetime.fromtimestamp(attempt.called_at, _zone(zone)).hour].count(attempt)
    figures.zones.add(zone)
    if not attempt.rang_no_phone:
        figures.by_attempt.setdefault(attempt.attempt - attempt.unrung, Tally()).count(attempt)


_zone = cache(ZoneInfo)  # ZoneInfo's own cache holds only eight zones and reads the files of others again


def _reason(ending: Ending, calls: Sequence[Attempt]) -> str | None:
    if ending.result is Result.ANSWERED:
        return None
    if ending.why:
        return ending.why
    call = calls[-1].call if calls else None
    return call.finish_reason if call else None


@dataclass(frozen=True, slots=True)
class Bin:
    """One step of the chart of calls over time: some consecutive minutes, such as 09:00 to 09:15.

    :ivar begins: when the first minute begins, epoch seconds.
    :ivar minutes: how many minutes the bin has.
    :ivar calls: how many calls of the campaign started in the bin.
    :ivar busiest: how many of these calls started in the busiest minute of the bin.
    """

    begins: float
    minutes: int
    calls: int
    busiest: int

    @property
    def ends(self) -> float:
        return self.begins + self.minutes * MINUTE


def split_into_bins(
    minutes: Mapping[int, int], began: float, ended: float, timezone: str, most: int
) -> list[Bin]:
    """Count the calls of a campaign in periods of equal length (bins), such as 15 minutes.

    Each bin begins at a round local time, such as 09:15. The bins of a longer campaign are longer, so that
    there are at most ``most`` bins.

    :param minutes: minutes since the epoch → how many calls started in this minute.
    :param began: when the campaign began, epoch seconds.
    :param ended: when the campaign ended, epoch seconds.
    :param timezone: IANA name of the time zone of the local times.
    :param most: the largest number of bins.
    :return: the bins in the order of time, including bins without calls.
    """
    first = min([int(began // MINUTE), *minutes])
    last = max([int(ended // MINUTE), *minutes])
    offset = datetime.fromtimestamp(first * MINUTE, ZoneInfo(timezone)).utcoffset()
    shift = int(offset.total_seconds() // MINUTE) if offset else 0
    width = _bin_minutes(last - first + 1, most)
    low, high = (first + shift) // width, (last + shift) // width
    calls, busiest = [0] * (high - low + 1), [0] * (high - low + 1)
    for minute, number in minutes.items():
        at = (minute + shift) // width - low
        calls[at] += number
        busiest[at] = max(busiest[at], number)
    return [
        Bin(((low + at) * width - shift) * MINUTE, width, calls[at], busiest[at])
        for at in range(high - low + 1)
    ]


def _bin_minutes(minutes: int, most: int) -> int:
    """Return how many minutes one step of a chart lasts, so that the chart needs at most ``most`` steps."""
    # One bin fewer, because the first bin can begin before the campaign.
    for width in _WIDTHS:
        if minutes <= width * (most - 1):
            return width
    days = -(-minutes // (_DAY * (most - 1)))
    return days * _DAY
