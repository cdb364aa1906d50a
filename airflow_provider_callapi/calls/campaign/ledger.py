"""Who was called, with what result: one `Attempt` a dialled call, and where they are kept.

The rules are those of the journal of one call: the intent is stored before the request leaves, and one
without a result is searched for by its ``external_id``, never simply dialled again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.outcome import Outcome


class Status(StrEnum):
    """How far one attempt has got, as written down."""

    DIALLING = "dialling"
    """The intent is stored; the request may or may not have left."""
    NOT_PLACED = "not_placed"
    """Proven not to be placed: the same attempt may be dialled."""
    ACTIVE = "active"
    """The service accepted the call."""
    ENDED = "ended"
    """The call is over; its report, or a tag, is still to come."""
    SETTLED = "settled"
    """What became of it is in ``result``."""


OPEN = frozenset({Status.DIALLING, Status.ACTIVE, Status.ENDED})
"""Something is still to be found out: nobody may dial the next attempt."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to call one person. Holds no phone number.

    :ivar person: the person's key in the ledger, see `Person.key`.
    :ivar attempt: 1 for the first call of this campaign to the person.
    :ivar unrung: how many attempts before this one rang no phone, and do not count.
    :ivar intended_at: when the intent was stored, epoch seconds.
    :ivar settled_at: when its result was known.
    :ivar call: what is known of the call, from `Status.ACTIVE` on.
    :ivar refused_with: the service's name of the error, where it refused the call for this person.
    """

    person: str
    attempt: int
    status: Status
    external_id: str
    intended_at: float
    unrung: int = 0
    result: Result | None = None
    settled_at: float | None = None
    call: Outcome | None = None
    refused_with: str | None = None

    def now(self, status: Status, **changes: object) -> Attempt:
        """The same attempt, one step further."""
        return replace(self, status=status, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What a ledger says to an intent.

    :ivar granted: the intent is stored: this process, and no other, dials this attempt.
    :ivar held: where not: what the ledger knows of the attempt that somebody else dials; or None:
        ``not_before`` says when the person may be called again.
    """

    granted: bool
    held: Attempt | None = None
    not_before: float | None = None


def is_taken(newest: Attempt | None, intent: Attempt) -> bool:
    """Whether an intent is not to be granted: its attempt was dialled, or the one before it is still open.

    :param newest: the newest attempt that the ledger has of the person.
    """
    if newest is None:
        return False
    if newest.attempt == intent.attempt:
        return newest.status is not Status.NOT_PLACED
    return newest.attempt > intent.attempt or newest.status in OPEN


class Ledger(Protocol):
    """Where attempts are kept; everything is stored when a method returns."""

    def load(self, people: Iterable[str]) -> Iterable[Attempt]:
        """Every attempt to call these people that the ledger still knows, each person's oldest first.

        Some at a time, as they are asked for: the people may be many.
        """

    def claim(self, intents: Sequence[Attempt]) -> list[ClaimResult]:
        """Store intents, each only if it is not taken, see `is_taken`; the answers are in the same order."""

    def write(self, attempts: Sequence[Attempt]) -> None:
        """Store what is newly known of claimed attempts."""


class MemoryLedger:
    """A ledger that ends with the process: for simulations and tests."""

    def __init__(self) -> None:
        self._attempts: dict[str, list[Attempt]] = {}

    def load(self, people: Iterable[str]) -> Iterable[Attempt]:
        return (attempt for person in people for attempt in self._attempts.get(person, ()))

    def claim(self, intents: Sequence[Attempt]) -> list[ClaimResult]:
        return [self._claim(intent) for intent in intents]

    def write(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._attempts[attempt.person][attempt.attempt - 1] = attempt

    def _claim(self, intent: Attempt) -> ClaimResult:
        known = self._attempts.setdefault(intent.person, [])
        newest = known[-1] if known else None
        if is_taken(newest, intent):
            return ClaimResult(granted=False, held=newest)
        known[intent.attempt - 1 :] = [intent]
        return ClaimResult(granted=True)
