"""What the pictures of a campaign's report show, counted: when was called, how often, who answered when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import RANG_NO_PHONE, Result
from airflow_provider_callapi.calls.campaign.people import Skipped
from airflow_provider_callapi.calls.campaign.summary import Ending, share

MINUTE = 60
_DAY = 1440
_WIDTHS = (1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720)


@dataclass(slots=True)
class Tally:
    """Some of the calls.

    :ivar rang: calls at which somebody's phone could ring: without those that the account refused, or had
        no line for.
    """

    calls: int = 0
    rang: int = 0
    answered: int = 0

    def count(self, attempt: Attempt) -> None:
        self.calls += 1
        self.rang += attempt.result not in RANG_NO_PHONE
        self.answered += attempt.result is Result.ANSWERED

    @property
    def answer_rate(self) -> float:
        """A lower bound where the Data API was not asked: some calls of unknown result were answered."""
        return share(self.answered, self.rang)


@dataclass(slots=True)
class Figures:
    """Every call, counted in four ways.

    :ivar all: all of them.
    :ivar minutes: calls by the minute of the clock, in minutes since the epoch.
    :ivar hours: by the hour of the day on the called person's clock, 24 of them.
    :ivar turns: by how many times, this one included, the person's phone could ring; without calls at which
        it could not.
    :ivar zones: time zones of the people called.
    :ivar reasons: people who did not answer, by result and reason: an invalid row's words, or the last
        call's ``finish_reason``.
    """

    all: Tally = field(default_factory=Tally)
    minutes: Counter[int] = field(default_factory=Counter)
    hours: list[Tally] = field(default_factory=lambda: [Tally() for _ in range(24)])
    turns: dict[int, Tally] = field(default_factory=dict)
    zones: set[str] = field(default_factory=set)
    reasons: Counter[tuple[Result, str]] = field(default_factory=Counter)


def count(endings: Sequence[Ending], invalid: Sequence[Skipped]) -> Figures:
    """Count every call once, and everybody's reason."""
    figures = Figures()
    reasons = Counter((Result.INVALID, skipped.why) for skipped in invalid)
    for ending in endings:
        calls = ending.calls
        for attempt in calls:
            _count_call(figures, attempt, ending.person.zone)
        reason = _reason(ending, calls)
        if reason:
            reasons[ending.result, reason] += 1
    for (result, reason), people in reasons.items():
        figures.reasons[result, mask_phones(reason)] += people
    return figures


def _count_call(figures: Figures, attempt: Attempt, zone: str) -> None:
    at = called_at(attempt)
    figures.all.count(attempt)
    figures.minutes[int(at // MINUTE)] += 1
    figures.hours[datetime.fromtimestamp(at, _zone(zone)).hour].count(attempt)
    figures.zones.add(zone)
    if attempt.result not in RANG_NO_PHONE:
        figures.turns.setdefault(attempt.attempt - attempt.unrung, Tally()).count(attempt)


_zone = cache(ZoneInfo)  # which itself remembers eight, and reads the ninth from its file again


def _reason(ending: Ending, calls: Sequence[Attempt]) -> str | None:
    if ending.result is Result.ANSWERED:
        return None
    if ending.why:
        return ending.why
    call = calls[-1].call if calls else None
    return call.finish_reason if call else None


def called_at(attempt: Attempt) -> float:
    """When the service accepted the call, or else when it was meant to, epoch seconds."""
    if attempt.call is None or attempt.call.started_at is None:
        return attempt.intended_at
    return attempt.call.started_at


@dataclass(frozen=True, slots=True)
class Bin:
    """Some minutes on end.

    :ivar begins: epoch seconds.
    :ivar minutes: how many.
    :ivar busiest: calls in the busiest one.
    """

    begins: float
    minutes: int
    calls: int
    busiest: int

    @property
    def ends(self) -> float:
        return self.begins + self.minutes * MINUTE


def in_bins(minutes: Mapping[int, int], began: float, ended: float, timezone: str, most: int) -> list[Bin]:
    """Minutes from the first to the last, in at most ``most`` equal bins, full hours on the zone's clock.

    :param began: epoch seconds; a call before it, of an earlier try, moves the beginning.
    """
    first = min([int(began // MINUTE), *minutes])
    last = max([int(ended // MINUTE), *minutes])
    offset = datetime.fromtimestamp(first * MINUTE, ZoneInfo(timezone)).utcoffset()
    shift = int(offset.total_seconds() // MINUTE) if offset else 0
    width = _width(last - first + 1, most)
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


def _width(minutes: int, most: int) -> int:
    """Minutes of a bin; one bin may be more than fits, since the first need not begin where it should."""
    for width in _WIDTHS:
        if minutes <= width * (most - 1):
            return width
    days = -(-minutes // (_DAY * (most - 1)))
    return days * _DAY
