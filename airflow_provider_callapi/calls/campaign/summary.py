"""The summary of a campaign: the counts that the next task receives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from airflow_provider_callapi.calls.campaign.ledger import Attempt
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.people import Person, Skipped


@dataclass(frozen=True, slots=True)
class Ending:
    """The result of one person.

    :ivar attempts: the attempts that the ledger has, the oldest first.
    """

    person: Person
    result: Result
    attempts: Sequence[Attempt] = ()

    @property
    def why(self) -> str | None:
        """Return the name of the service's error that refused the call; None: not refused."""
        return self.attempts[-1].refused_with if self.attempts else None

    @property
    def calls(self) -> list[Attempt]:
        """Return the attempts that the service accepted: only these cost points."""
        return [attempt for attempt in self.attempts if attempt.call is not None]

    @property
    def accepted(self) -> int:
        """Return how many attempts the service accepted, with those that the ledger has dropped.

        A ledger may drop attempts that rang no phone.
        """
        forgotten = self.attempts[-1].attempt - len(self.attempts) if self.attempts else 0
        return len(self.calls) + forgotten


@dataclass(frozen=True)
class Summary:
    """A campaign in numbers. Holds no phone number.

    Shares are fractions of ``callable``, unless stated otherwise. They are 0.0 if it is 0.

    :ivar people: how many people are on the list, with invalid rows and without duplicates.
    :ivar duplicates: how many rows have the number of an earlier row.
    :ivar callable: ``people`` without the results ``invalid`` and ``do_not_call``.
    :ivar results: how many people have each `Result`, 0 included. The sum is ``people``.
    :ivar calls: how many calls the service accepted, without unresolved ones.
    :ivar answered_share: the people who answered.
    :ivar unreached_share: ``1 - answered_share``, or 0.0 if ``callable`` is 0. It includes people with an
        unknown result and people who were not called.
    :ivar unknown_share: the people with the results ``unknown`` and ``unresolved``. They are also unreached.
    :ivar invalid_share: the invalid rows, as a fraction of ``people``.
    :ivar points_used: the points that the calls cost, without polls and tags; None: the cost is unknown.
    :ivar started_at: epoch seconds, as ``ended_at``.
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
        """Return plain JSON: times as ISO 8601 text in UTC, shares rounded to four digits."""
        shares = {name: round(value, 4) for name, value in asdict(self).items() if name.endswith("_share")}
        return {
            **asdict(self),
            **shares,
            "results": {result.value: number for result, number in self.results.items()},
            "duration_seconds": round(self.duration_seconds, 3),
            "started_at": iso(self.started_at),
            "ended_at": iso(self.ended_at),
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
    """Return the summary of a campaign.

    :param invalid: the rows from which no call could be made.
    :param duplicates: how many rows have the number of an earlier row.
    :param started_at: epoch seconds, as ``ended_at``.
    :param points_per_call: the observed cost of one call; None: unknown.
    """
    counts = Counter(ending.result for ending in endings)
    counts[Result.INVALID] += len(invalid)
    people = counts.total()
    callable_ = people - counts[Result.INVALID] - counts[Result.DO_NOT_CALL]
    answered = counts[Result.ANSWERED]
    calls = sum(ending.accepted for ending in endings)
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


def iso(at: float) -> str:
    """Return epoch seconds as ISO 8601 text in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
