"""Elect the one candidate that rings for an alert, without an atomic operation.

Fifty tasks may fail in the same second, and one of them may ring. The service has no idempotency key. The
tasks share a key-value store (an Airflow Variable) that can be read and written, but has no compare-and-swap.
Timing replaces it (Fischer's mutual exclusion):

1. A candidate reads the store. If a rival has claimed the alert, it waits for the rival's call.
2. If there is no claim, the candidate writes its own and waits ``settle`` seconds. By then every rival that
   also read "no claim" has written, too.
3. The candidate reads again. Only the last writer finds its own claim, and wins.

Exactly one candidate wins if none needs more than ``settle`` seconds from reading to writing. A candidate
that exceeded ``settle`` waits five more seconds so that a rival's call becomes visible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_callapi.calls.stores import KeyValueStore

_LISTED_WITHIN = 5.0
"""Seconds until the service lists a call that it has accepted."""
_LEASE = 15.0
"""Seconds after ``settle`` during which a claim without a call is valid. Later, its owner counts as gone."""
_LONGEST_RIVALRY = 60.0
"""Seconds after which a candidate stops waiting for its rivals and rings."""
_RECHECK_INTERVAL = 0.5
"""Seconds between two checks whether a rival has rung."""


@dataclass(frozen=True)
class Progress:
    """The last call of an alert.

    :ivar person: the person called, by position in the list of people; the first is 1.
    :ivar call_session_id: the session of that call.
    """

    person: int
    call_session_id: int


@dataclass(frozen=True)
class _Claim:
    """The stored claim: which candidate rings for an alert, and its last call.

    :ivar alert: the alert's external_id.
    :ivar by: the id of the candidate that wrote the claim.
    :ivar at: when the claim was written, epoch seconds.
    :ivar until: when the claim expires, epoch seconds. It can be deleted then.
    :ivar person: the person called last, from 1; 0 means that no call was placed yet.
    :ivar call_session_id: the session of that call.
    """

    alert: str
    by: str
    at: float
    until: float
    person: int = 0
    call_session_id: int | None = None

    @classmethod
    def from_json(cls, value: Any) -> _Claim | None:
        """Return the claim that a stored value describes, or None if the value is not a claim.

        A person may edit a Variable by hand, so the value can have any shape.
        """
        try:
            claim = cls(**value)
        except TypeError:
            return None
        numbers = (claim.at, claim.until, claim.person)
        return claim if all(isinstance(number, int | float) for number in numbers) else None


def is_expired(value: Any, now: float) -> bool:
    """Return whether a stored value is a claim that expired before ``now``, in epoch seconds.

    A value that is not a claim does not expire.
    """
    claim = _Claim.from_json(value)
    return claim is not None and claim.until < now


@dataclass(frozen=True)
class Candidate:
    """One of several callbacks that try to ring for the same alert.

    :ivar store: the store that all candidates share.
    :ivar key: the store's key for this alert. Each alert has its own.
    :ivar alert: the alert's external_id.
    :ivar candidate_id: unique among the candidates. It stays the same when a callback is restarted.
    :ivar quiet_for: seconds after a call during which the alert does not ring again.
    :ivar settle: seconds in which every candidate gets from reading the store to writing its claim.
    :ivar clock: returns epoch seconds.
    """

    store: KeyValueStore
    key: str
    alert: str
    candidate_id: str
    quiet_for: float
    settle: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def rival_has_rung(self) -> bool:
        """Return whether a rival placed a call for this alert in the last ``quiet_for`` seconds."""
        claim = self._read()
        return claim is not None and not self._owns(claim) and self._has_rung(claim)

    def progress(self) -> Progress | None:
        """Return the last call that this candidate placed before a restart, or None."""
        claim = self._read()
        if claim is None or not self._owns(claim) or not self._has_rung(claim):
            return None
        return Progress(claim.person, claim.call_session_id or 0)

    def acquire(self) -> bool:
        """Take part in the election and return whether this candidate won. False: a rival has rung.

        Waits at least ``settle`` seconds, and longer while a rival holds a valid claim without a call. A
        claim whose lease is over is replaced. After a minute without a winner the result is True, because an
        alert must ring.
        """
        give_up_at = self.clock() + _LONGEST_RIVALRY
        while self.clock() < give_up_at:
            began = self.clock()
            claim = self._read()
            if claim and not self._owns(claim):
                if self._has_rung(claim):
                    return False
                if not claim.person and 0 <= began - claim.at < self.settle + _LEASE:
                    self.sleep(_RECHECK_INTERVAL)
                    continue
            self._write(began)
            slow = self.clock() - began > self.settle
            self.sleep(self.settle + (_LISTED_WITHIN if slow else 0.0))
            claim = self._read()
            if claim and self._owns(claim):
                return True
        return True

    def renew(self) -> bool:
        """Return whether the claim that `acquire` won is still this candidate's.

        Holds a new election if the lease is over. A candidate calls this shortly before it rings.
        """
        claim = self._read()
        if claim and self._owns(claim) and self.clock() - claim.at < self.settle + _LEASE:
            return True
        return self.acquire()

    def record_call(self, progress: Progress) -> None:
        """Store in the claim that this call was placed."""
        self._write(self.clock(), progress)

    def withdraw(self) -> None:
        """Let the rivals ring at once, because this candidate could place no call.

        Changes nothing if the claim is a rival's.
        """
        claim = self._read()
        if claim and self._owns(claim):
            self._write(0.0)

    def _owns(self, claim: _Claim) -> bool:
        return claim.by == self.candidate_id

    def _has_rung(self, claim: _Claim) -> bool:
        return bool(claim.person) and self.clock() - claim.at < self.quiet_for

    def _read(self) -> _Claim | None:
        return _Claim.from_json(self.store.get(self.key))

    def _write(self, at: float, progress: Progress | None = None) -> None:
        until = self.clock() + self.quiet_for
        claim = asdict(_Claim(self.alert, self.candidate_id, at, until))
        self.store.set(self.key, claim | (asdict(progress) if progress else {}))
