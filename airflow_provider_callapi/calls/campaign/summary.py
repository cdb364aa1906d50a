"""What became of everybody, in a few numbers: what a campaign hands to the next task."""

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
    """What became of one person.

    :ivar attempts: everything the ledger knows of the person, the oldest first.
    """

    person: Person
    result: Result
    attempts: Sequence[Attempt] = ()

    @property
    def why(self) -> str | None:
        """The service's name of the error with which it refused to call this person."""
        return self.attempts[-1].refused_with if self.attempts else None

    @property
    def calls(self) -> list[Attempt]:
        """The attempts that the service accepted: those that cost points."""
        return [attempt for attempt in self.attempts if attempt.call is not None]

    @property
    def accepted(self) -> int:
        """How many these are: a ledger may have forgotten some that rang nobody's phone."""
        forgotten = self.attempts[-1].attempt - len(self.attempts) if self.attempts else 0
        return len(self.calls) + forgotten


@dataclass(frozen=True)
class Summary:
    """A campaign in numbers. Holds no phone number.

    Shares are of the people who could be called, ``callable``; they are 0.0 where there is nobody.

    :ivar people: how many are on the list, invalid rows included and duplicates not.
    :ivar duplicates: rows of people who were on the list already.
    :ivar callable: ``people`` without the results ``invalid`` and ``do_not_call``.
    :ivar results: how many people have each `Result`, also where it is nobody; their sum is ``people``.
    :ivar calls: calls that the service accepted. Of an unresolved one nobody knows: it is not counted.
    :ivar answered_share: ``answered``.
    :ivar unreached_share: everybody else: ``1 - answered_share``. Those of whom nothing is known, and those
        whose turn did not come, are not reached either.
    :ivar unknown_share: ``unknown`` and ``unresolved``; a part of the unreached.
    :ivar invalid_share: invalid rows, of all ``people``.
    :ivar points_used: by the calls; polling and tags are not counted. None: what one costs was not seen.
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
        """Plain JSON: times as ISO 8601 text in UTC, shares rounded to four digits."""
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
    """Count.

    :param invalid: the rows that made no call when the list was read.
    :param started_at: epoch seconds, as ``ended_at``.
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
    """0.0 of nobody."""
    return part / of if of else 0.0


def iso(at: float) -> str:
    """Epoch seconds as ISO 8601 text in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
