"""The counts behind the charts of a campaign's report: calls and answers by minute, hour and attempt."""

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
    """The counts of some calls.

    :ivar calls: all of them.
    :ivar rang: calls that may have rung a phone: without those that the account refused or had no line for.
    :ivar answered: calls that the contact answered.
    """

    calls: int = 0
    rang: int = 0
    answered: int = 0

    def count(self, attempt: Attempt) -> None:
        """Count one call."""
        self.calls += 1
        self.rang += attempt.result not in RANG_NO_PHONE
        self.answered += attempt.result is Result.ANSWERED

    @property
    def answer_rate(self) -> float:
        """Return the answered fraction of the calls that rang.

        It is a lower bound: calls with an unknown result may have been answered.
        """
        return share(self.answered, self.rang)


@dataclass(slots=True)
class Figures:
    """Every call of a campaign, counted in several dimensions.

    :ivar all: all calls.
    :ivar minutes: calls by minute, in minutes since the epoch.
    :ivar hours: calls by hour of the day in the person's time zone: 24 entries.
    :ivar by_attempt: calls that may have rung a phone. The key 1 holds everybody's first such call.
    :ivar zones: the time zones of the people called.
    :ivar reasons: people who did not answer, by result and reason. The reason is the error of an invalid
        row, the service's refusal, or the last call's ``finish_reason``.
    """

    all: Tally = field(default_factory=Tally)
    minutes: Counter[int] = field(default_factory=Counter)
    hours: list[Tally] = field(default_factory=lambda: [Tally() for _ in range(24)])
    by_attempt: dict[int, Tally] = field(default_factory=dict)
    zones: set[str] = field(default_factory=set)
    reasons: Counter[tuple[Result, str]] = field(default_factory=Counter)


def count_calls(endings: Sequence[Ending], invalid: Sequence[Skipped]) -> Figures:
    """Count every call once, and the reason of everybody who did not answer.

    :param invalid: the rows from which no call could be made.
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
        figures.by_attempt.setdefault(attempt.attempt - attempt.unrung, Tally()).count(attempt)


_zone = cache(ZoneInfo)  # ZoneInfo itself caches eight zones and reads the ninth from its file again


def _reason(ending: Ending, calls: Sequence[Attempt]) -> str | None:
    if ending.result is Result.ANSWERED:
        return None
    if ending.why:
        return ending.why
    call = calls[-1].call if calls else None
    return call.finish_reason if call else None


def called_at(attempt: Attempt) -> float:
    """Return when the service accepted the call, or else when the intent was stored, epoch seconds."""
    if attempt.call is None or attempt.call.started_at is None:
        return attempt.intended_at
    return attempt.call.started_at


@dataclass(frozen=True, slots=True)
class Bin:
    """Consecutive minutes, as one step of the time line.

    :ivar begins: epoch seconds.
    :ivar minutes: how many minutes.
    :ivar calls: how many calls.
    :ivar busiest: how many calls in the busiest minute.
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
    """Split a campaign's time into at most ``most`` equal bins that begin at round times of the zone.

    :param minutes: calls by minute, in minutes since the epoch.
    :param began: epoch seconds, as ``ended``. An earlier call, from an earlier try, moves the beginning.
    :param timezone: IANA name of the zone.
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
    """Return the minutes of a bin. One bin is spared, because the first begins before the first minute."""
    for width in _WIDTHS:
        if minutes <= width * (most - 1):
            return width
    days = -(-minutes // (_DAY * (most - 1)))
    return days * _DAY
