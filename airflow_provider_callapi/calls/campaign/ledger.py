"""The ledger of a campaign stores attempts: one `Attempt` for each call that the campaign dials.

`Ledger` is the protocol of all ledgers, such as a ledger in an SQL database.

A campaign stores an attempt before it sends the start request. If the request gets no answer, the call may
have been placed. The campaign then does not repeat the request, but searches for the call by the attempt's
``external_id``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import asdict, replace

from airflow_provider_callapi.api.values.private_repr import RichRepr, shown
from airflow_provider_callapi.calls.campaign.outcomes import RANG_NO_PHONE, Result
from airflow_provider_callapi.calls.outcomes.outcome import Outcome


class Status(StrEnum):
    """The status of one attempt in the ledger: how far the attempt has come."""

    DIALLING = "dialling"
    """The intent is stored. It is unknown whether the start request was sent."""
    NOT_PLACED = "not_placed"
    """The call was certainly not placed. The same attempt may be dialled again."""
    ACTIVE = "active"
    """The service placed the call."""
    ENDED = "ended"
    """The call is over. The report of the call, or one of its tags, is missing."""
    FINISHED = "finished"
    """Nothing is left to do for this attempt, and its result is known."""


_MICROSECOND = 1e-6
OPEN = frozenset({Status.DIALLING, Status.ACTIVE, Status.ENDED})
"""The statuses of an open attempt. A person with an open attempt must not be dialled again."""


class Attempt(RichRepr, Struct, frozen=True, gc=False):
    """One attempt of a campaign to call one person. Times are epoch seconds.

    :ivar person: the person's key in the ledger. Ledgers store the key under the name ``person``. Only this
        field can hold a phone number.
    :ivar attempt: the number of the attempt. This campaign's first attempt to call the person has number 1.
    :ivar unrung: how many earlier attempts rang no phone. They do not count against ``max_attempts``.
    :ivar intended_at: when the campaign decided to make the attempt, shortly before the start request.
    :ivar result: what became of the attempt; None: not known yet.
    :ivar result_known_at: when the result became known; None: not known yet.
    :ivar call: what is known of the call; None: it is not known that the service placed a call.
    :ivar refused_with: the name of the error with which the service refused the call; None: the service has
        not refused the call, or the error has no name.
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

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # In an SQL ledger, the person's key is the phone number.
        return [*(asdict(self) | {"person": shown("person", self.person)}).items()]

    @property
    def rang_no_phone(self) -> bool:
        """Whether the attempt certainly rang no phone, because the account had no free line or no money."""
        # With two participants, the first one's phone may have rung before the call failed.
        return self.result in RANG_NO_PHONE and (self.call is None or self.call.answered is False)

    @property
    def called_at(self) -> float:
        """When the call started. If this is unknown: when the intent was stored, shortly before."""
        return (self.call and self.call.started_at) or self.intended_at

    def with_status(self, status: Status, **changes: object) -> Attempt:
        """Return a copy of the attempt with another status.

        :param changes: name of a further field of the attempt → the field's new value.
        """
        return replace(self, status=status, **changes)

    def with_call(self, call: Outcome) -> Attempt:
        """Return a copy of the attempt with a newer outcome of the call."""
        return replace(self, call=call)


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """The ledger's answer to a claim: whether this process may dial the person of an intent.

    :ivar granted: True: the intent is stored, and only this process may dial the person. False: this process
        must not dial the person.
    :ivar held: the attempt of another process because of which the ledger refused the claim. None: no such
        attempt.
    :ivar not_before: if the ledger refused the claim for another reason, such as a recent call: from when the
        person may be called, epoch seconds. None: unknown.
    """

    granted: bool
    held: Attempt | None = None
    not_before: float | None = None


def is_taken(newest: Attempt | None, intent: Attempt) -> bool:
    """Return whether a ledger must refuse an intent, because the person could get a second call.

    The ledger must refuse the intent if the newest attempt has

    - a higher number than the intent;
    - the same number, and a status other than ``not_placed``; or
    - a lower number, and one of the statuses in `OPEN`: ``dialling``, ``active``, or ``ended`` (the call has
      ended, but its result is not known yet).

    :param newest: the person's newest attempt in the ledger. None: the person has no attempt, so the
        result is False.
    :param intent: the attempt that a process wants to dial.
    """
    if newest is None:
        return False
    if newest.attempt == intent.attempt:
        return newest.status is not Status.NOT_PLACED
    return newest.attempt > intent.attempt or newest.status in OPEN


def is_same_intent(held: Attempt, intent: Attempt) -> bool:
    """Return whether an attempt in the ledger is the given intent, and is unchanged.

    False: another process has stored the attempt, or a process has recorded more about it.

    :param held: the person's newest attempt in the ledger.
    :param intent: the intent that this process has stored, or has tried to store.
    """
    return (held.attempt, held.status, held.external_id) == (
        intent.attempt,
        Status.DIALLING,
        intent.external_id,
    ) and abs(held.intended_at - intent.intended_at) < _MICROSECOND  # a database rounds times


Listener = Callable[[Sequence[Attempt]], None]
"""Gets attempts that a ledger stores."""


class Ledger(Protocol):
    """Stores a campaign's attempts, for example in an SQL database.

    A method returns only after its changes are stored.
    """

    def load(self, keys: Iterable[str]) -> Iterable[Attempt]:
        """Yield the stored attempts to call these people.

        The attempts to call one person are in order, oldest attempt first. The ledger reads the attempts in
        portions, because there may be many people.

        :param keys: the ledger keys of the people.
        """

    def claim(self, intents: Sequence[Attempt], changed: Sequence[Attempt] = ()) -> list[ClaimResult]:
        """Reserve attempts for this process, so that no other process dials the same people.

        The ledger must refuse each intent for which the function `is_taken` returns True. It may also refuse
        an intent for reasons of its own.

        :param intents: the attempts that this process wants to dial.
        :param changed: newer versions of other attempts. The ledger stores them before the intents.
        :return: for each intent, in the same order, whether this process may dial the person.
        """

    def record(self, attempts: Sequence[Attempt]) -> None:
        """Store newer versions of attempts, for example after a call was placed or has ended.

        :param attempts: attempts that `claim` has stored before.
        """


class ClosableLedger(Ledger, Protocol):
    """A ledger that may keep connections open, for example to an SQL database."""

    def close(self) -> None:
        """Close the connections that the ledger has opened."""


class LedgerWithListeners:
    """A ledger that stores all attempts in another ledger, and calls listeners.

    A listener is a function that takes attempts, for example to count them for a metric.

    :param ledger: the other ledger.
    :param before: the listener for changed attempts. It is called before they are stored.
    :param after: the listeners for changed and new attempts. They are called after these were stored.
    """

    def __init__(self, ledger: Ledger, *, before: Listener, after: Sequence[Listener]) -> None:
        self._ledger = ledger
        self._before = before
        self._after = after

    def load(self, keys: Iterable[str]) -> Iterable[Attempt]:
        return self._ledger.load(keys)

    def claim(self, intents: Sequence[Attempt], changed: Sequence[Attempt] = ()) -> list[ClaimResult]:
        self._before(changed)
        claims = self._ledger.claim(intents, changed)
        granted = [intent for intent, claim in zip(intents, claims, strict=True) if claim.granted]
        self._notify([*changed, *granted])
        return claims

    def record(self, attempts: Sequence[Attempt]) -> None:
        self._before(attempts)
        self._ledger.record(attempts)
        self._notify(attempts)

    def _notify(self, stored: Sequence[Attempt]) -> None:
        for listener in self._after:
            listener(stored)
