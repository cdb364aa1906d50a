"""The ledger of a campaign: one `Attempt` a dialled call, and the protocol of the places that store them.

The rules are those of the journal of one call. The intent is stored before the start request leaves. If the
request gets no answer, the campaign searches for the call by its ``external_id`` and does not dial again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.outcome import Outcome


class Status(StrEnum):
    """How far one attempt is, as the ledger stores it."""

    DIALLING = "dialling"
    """The intent is stored. The start request may or may not have left."""
    NOT_PLACED = "not_placed"
    """The call was proven not to be placed. The same attempt may be dialled again."""
    ACTIVE = "active"
    """The service placed the call."""
    ENDED = "ended"
    """The call is over. Its report, or a tag, is missing."""
    FINISHED = "finished"
    """Nothing is left to do for this attempt. It has a ``result``."""


OPEN = frozenset({Status.DIALLING, Status.ACTIVE, Status.ENDED})
"""The statuses of an open attempt. While a person has one, no process may dial the next attempt."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to call one person. Holds no phone number, unless the person's key is one.

    :ivar person: the person's key in the ledger, see `Person.key`.
    :ivar attempt: 1 for this campaign's first call to the person.
    :ivar unrung: how many earlier attempts rang no phone. They do not count against ``max_attempts``.
    :ivar intended_at: when the intent was stored, epoch seconds.
    :ivar result_known_at: when the result was known, epoch seconds.
    :ivar call: what is known of the call, from `Status.ACTIVE` on.
    :ivar refused_with: the service's name of the error with which it refused this person's call.
    """

    person: str
    attempt: int
    status: Status
    external_id: str
    intended_at: float
    unrung: int = 0
    result: Result | None = None
    result_known_at: float | None = None
    call: Outcome | None = None
    refused_with: str | None = None

    def with_status(self, status: Status, **changes: object) -> Attempt:
        """Return a copy with another status, and with other fields changed by name."""
        return replace(self, status=status, **changes)  # type: ignore[arg-type]

    def with_call(self, call: Outcome) -> Attempt:
        """Return a copy with more knowledge about its call."""
        return replace(self, call=call)


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """A ledger's answer to an intent.

    :ivar granted: the intent is stored. Only this process dials the attempt.
    :ivar held: if not granted: the attempt that another process has dialled; None: ``not_before`` applies.
    :ivar not_before: when the person may be called again, epoch seconds; None: unknown, try again soon.
    """

    granted: bool
    held: Attempt | None = None
    not_before: float | None = None


def is_taken(newest: Attempt | None, intent: Attempt) -> bool:
    """Return whether a ledger must refuse an intent.

    It must if the attempt was dialled already, or if the attempt before it is still open.

    :param newest: the person's newest attempt in the ledger; None: there is none.
    """
    if newest is None:
        return False
    if newest.attempt == intent.attempt:
        return newest.status is not Status.NOT_PLACED
    return newest.attempt > intent.attempt or newest.status in OPEN


class Ledger(Protocol):
    """A place that keeps attempts. Everything is stored when a method returns."""

    def load(self, people: Iterable[str]) -> Iterable[Attempt]:
        """Yield every attempt to call these people that the ledger has, each person's oldest first.

        The attempts are read in portions, because the people may be many.

        :param people: their keys.
        """

    def claim(self, intents: Sequence[Attempt]) -> list[ClaimResult]:
        """Store each intent that is not taken, see `is_taken`; return the answers in the same order."""

    def record(self, attempts: Sequence[Attempt]) -> None:
        """Store what is newly known of claimed attempts."""


class MemoryLedger:
    """A ledger that ends with the process: for simulations and tests."""

    def __init__(self) -> None:
        self._attempts: dict[str, list[Attempt]] = {}

    def load(self, people: Iterable[str]) -> Iterable[Attempt]:
        return (attempt for person in people for attempt in self._attempts.get(person, ()))

    def claim(self, intents: Sequence[Attempt]) -> list[ClaimResult]:
        return [self._claim(intent) for intent in intents]

    def record(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._attempts[attempt.person][attempt.attempt - 1] = attempt

    def _claim(self, intent: Attempt) -> ClaimResult:
        known = self._attempts.setdefault(intent.person, [])
        newest = known[-1] if known else None
        if is_taken(newest, intent):
            return ClaimResult(granted=False, held=newest)
        known[intent.attempt - 1 :] = [intent]
        return ClaimResult(granted=True)
