"""The summary of a campaign: the counts that the campaign's task returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_callapi.calls.campaign.contact_list.people import Person, Skipped
from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import NEVER_CALLABLE, Result
from airflow_provider_callapi.calls.texts.time_texts import iso_time


@dataclass(frozen=True, slots=True)
class Ending:
    """The final result of one person at the end of a campaign, with the attempts to call the person.

    :ivar result: what became of the person, such as ``answered``.
    :ivar attempts: the attempts that the ledger contains, the oldest first.
    :ivar not_called_because: why the campaign has not called the person; None: it has, or it is not known.
    """

    person: Person
    result: Result
    attempts: Sequence[Attempt] = ()
    not_called_because: str | None = None

    @property
    def why(self) -> str | None:
        """Why the person was not called: a text, or the name of the error of the service.

        None: the service did not refuse the last call, or the reason is not known.
        """
        refused_with = self.attempts[-1].refused_with if self.attempts else None
        return refused_with or self.not_called_because

    @property
    def calls(self) -> list[Attempt]:
        """The attempts with a call that the service placed.

        Only these attempts cost points (rate-limit units).
        """
        return [attempt for attempt in self.attempts if attempt.call is not None]

    @property
    def placed_calls(self) -> int:
        """How many calls to this person the service placed.

        It counts all placed calls, also those that rang no phone, e.g. because no line was free. The ledger
        deletes older attempts with such calls. But the attempts are numbered, so it is known how many there
        were.
        """
        forgotten = self.attempts[-1].attempt - len(self.attempts) if self.attempts else 0
        return len(self.calls) + forgotten


@dataclass(frozen=True)
class Summary:
    """The counts of a campaign, such as how many people answered, without phone numbers.

    A share is a number from 0.0 to 1.0. If there is no one to count, the share is 0.0.

    :ivar people: how many people are on the contact list. Invalid rows count, duplicates do not.
    :ivar duplicates: how many rows have the number of an earlier row.
    :ivar callable: how many people could be called: all ``people`` except those with the result ``invalid``,
        ``do_not_call`` or ``called_recently``.
    :ivar results: every `Result` → how many people have it, such as ``{Result.ANSWERED: 36, …}``.
    :ivar calls: how many calls the service placed. Unresolved calls do not count.
    :ivar answered_share: the share of ``callable`` with an answered call.
    :ivar unreached_share: the share of ``callable`` without an answered call. Unknown results count, too.
    :ivar unknown_share: the share of ``callable`` with the result ``unknown`` or ``unresolved``.
    :ivar invalid_share: the share of invalid rows in ``people``.
    :ivar points_used: the points that the calls cost, without polls and tags; None: unknown.
    :ivar started_at: when the campaign began, epoch seconds.
    :ivar ended_at: when the campaign ended, epoch seconds.
    """

    campaign: str
    people: int
    duplicates: int
    callable: int
    results: dict[Result, int]
    calls: int
    answered_share: float
    unreached_share: float
    unknown_share: float
    invalid_share: float
    points_used: int | None
    duration_seconds: float
    started_at: float
    ended_at: float

    def to_xcom(self) -> dict[str, Any]:
        """Return the summary as a dict of plain JSON values, which the campaign's task returns as its XCom.

        Times are ISO 8601 text in UTC. Shares are rounded to four decimals. ``results`` has the names of the
        results as keys: ``{"answered": 36, "busy": 4, …}``.
        """
        shares = {name: round(value, 4) for name, value in asdict(self).items() if name.endswith("_share")}
        return {
            **asdict(self),
            **shares,
            "results": {result.value: number for result, number in self.results.items()},
            "duration_seconds": round(self.duration_seconds, 3),
            "started_at": iso_time(self.started_at),
            "ended_at": iso_time(self.ended_at),
        }


def summarise(
    campaign: str,
    endings: Sequence[Ending],
    invalid: Sequence[Skipped],
    *,
    duplicates: int,
    started_at: float,
    ended_at: float,
    points_per_call: int | None,
) -> Summary:
    """Count the results and the calls of a campaign.

    :param campaign: the campaign's name.
    :param endings: the result and the attempts of each person.
    :param invalid: the rows from which no call could be made.
    :param duplicates: how many rows have the number of an earlier row.
    :param started_at: when the campaign began, epoch seconds.
    :param ended_at: when the campaign ended, epoch seconds.
    :param points_per_call: the points that one call costs; None: unknown.
    """
    counts = Counter(ending.result for ending in endings)
    counts[Result.INVALID] += len(invalid)
    people = counts.total()
    callable_ = people - sum(counts[result] for result in NEVER_CALLABLE)
    answered = counts[Result.ANSWERED]
    calls = sum(ending.placed_calls for ending in endings)
    return Summary(
        campaign=campaign,
        people=people,
        duplicates=duplicates,
        callable=callable_,
        results={result: counts[result] for result in Result},
        calls=calls,
        answered_share=share(answered, callable_),
        unreached_share=share(callable_ - answered, callable_),
        unknown_share=share(counts[Result.UNKNOWN] + counts[Result.UNRESOLVED], callable_),
        invalid_share=share(counts[Result.INVALID], people),
        points_used=calls * points_per_call if points_per_call is not None else None if calls else 0,
        duration_seconds=ended_at - started_at,
        started_at=started_at,
        ended_at=ended_at,
    )


def share(part: int, of: int) -> float:
    """Return the fraction ``part / of``; 0.0 if ``of`` is 0."""
    return part / of if of else 0.0
