"""Elect one of several failed tasks to call people for an alert.

Fifty tasks can fail in the same second, but only one of them may ring. The tasks share a key-value store (an
Airflow Variable), which cannot check and replace a value in one step. So the election relies on waiting times
(Fischer's mutual exclusion).

Each task is a candidate, and the other tasks are its rivals. A claim in the store shows that a candidate
wants to ring. ``settle`` is a number of seconds that the user can set:

1. The candidate reads the store. If it finds a rival's claim, it waits for the rival's call. If the rival
   places the call, the candidate does not ring. If the claim is ``settle`` + 15 seconds old and the rival
   has placed no call, the candidate continues with step 2.
2. The candidate writes its own claim and waits ``settle`` seconds. Each claim replaces the one before.
3. The candidate reads the store again. If the claim is its own, the candidate wins. Otherwise, it begins
   again with step 1. After a minute without a winner, it rings without having won.

Exactly one candidate wins if each needs at most ``settle`` seconds to read the store and write its claim. If
a candidate has needed more time, there may be two winners. So a slow candidate waits five more seconds in
step 2, until ``list.calls`` certainly shows the call of another winner. Before it rings, each winner looks
into ``list.calls``, and does not ring if it finds such a call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_callapi.calls.stores import KeyValueStore

_LISTED_WITHIN = 5.0
"""Seconds until the service lists a call that it has accepted."""
_LEASE = 15.0
"""A claim without a call is valid for ``settle`` seconds plus this number of seconds.

After this time, the candidate that wrote the claim counts as gone.
"""
_LONGEST_RIVALRY = 60.0
"""Seconds after which a candidate rings without having won the election, because an alert must ring."""
_RECHECK_INTERVAL = 0.5
"""Seconds between two checks whether a rival has placed a call."""


@dataclass(frozen=True)
class Progress:
    """The newest placed call of an alert, and the person who was called.

    :ivar person: the person's position in the alert's list of people; the first person is 1.
    :ivar call_session_id: the session id of the call.
    :ivar acknowledged: True: the person has acknowledged the alert, e.g. picked up, so no one else is called.
        False: not, or not yet.
    """

    person: int
    call_session_id: int
    acknowledged: bool = False


@dataclass(frozen=True)
class _Claim:
    """One task's claim to the right to ring for an alert, as the key-value store contains it."""

    alert: str  # the alert's external_id
    by: str  # the id of the candidate
    at: float  # when the claim was written, epoch seconds; 0: the claim is withdrawn
    until: float  # when the claim can be deleted, epoch seconds
    person: int = 0  # the position of the person whom the candidate called last, from 1; 0: no call
    call_session_id: int | None = None  # the session id of the candidate's last call
    acknowledged: bool = False  # whether the person has acknowledged the alert

    @classmethod
    def from_json(cls, value: Any) -> _Claim | None:
        """Return the claim that a JSON value from the store describes. None: the value describes no claim."""
        try:
            claim = cls(**value)
        except TypeError:  # any form is possible: a user may edit an Airflow Variable by hand
            return None
        numbers = (claim.at, claim.until, claim.person)
        return claim if all(isinstance(number, int | float) for number in numbers) else None


def is_expired(value: Any, now: float) -> bool:
    """Return whether a value of the key-value store is an expired claim, which can be deleted.

    A claim reserves the right to ring for an alert. It expires `Candidate.quiet_for` seconds after the
    candidate has stored it.

    :param value: any JSON value. If the value is not a claim, the result is False.
    :param now: epoch seconds.
    """
    claim = _Claim.from_json(value)
    return claim is not None and claim.until < now


@dataclass(frozen=True)
class Candidate:
    """One of several Airflow callbacks, e.g. of failed tasks, that want to ring for the same alert.

    Only one candidate may ring. Its right to ring is a claim in a store that all candidates share.

    :ivar store: the shared store.
    :ivar key: the key of the alert in the store.
    :ivar alert: the alert's external_id.
    :ivar candidate_id: an id that no other candidate has. The id stays the same when Airflow restarts the
        candidate's callback.
    :ivar quiet_for: for this many seconds after a candidate's call, the other candidates do not ring.
    :ivar settle: how many seconds a candidate waits for others' claims after it has written its own. Reading
        the store and writing a claim must normally take less time.
    :ivar clock: a function that returns the present time in epoch seconds.
    :ivar sleep: a function that waits for a number of seconds.
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
        """Return whether a rival placed a call for this alert in the last ``quiet_for`` seconds.

        A rival is another candidate for the same alert.
        """
        claim = self._read()
        return claim is not None and not self._owns(claim) and self._has_rung(claim)

    def progress(self) -> Progress | None:
        """Return the newest call that this candidate placed, and the person who was called.

        Use this method after Airflow has restarted the candidate's callback. The callback then continues with
        the person after the called person.

        :return: the call and the person. None: this candidate placed no call in the last ``quiet_for``
            seconds.
        """
        claim = self._read()
        if claim is None or not self._owns(claim) or not self._has_rung(claim):
            return None
        return Progress(claim.person, claim.call_session_id or 0, claim.acknowledged)

    def acquire(self) -> bool:
        """Take part in the election, and return whether this candidate may ring for the alert.

        A claim in the store shows that a candidate wants to ring. A rival is another candidate.

        1. The method reads the store. If a rival has placed a call in the last ``quiet_for`` seconds, the
           method returns False.
        2. If a rival has a claim and no call yet, the method waits until the rival withdraws the claim, or
           until the claim is ``settle`` + 15 seconds old.
        3. The method stores this candidate's claim, and waits ``settle`` seconds, or longer if the store is
           slow. If a rival replaces the claim in this time, the method begins again with step 1. Otherwise,
           it returns True.

        If there is no winner after a minute, the method returns True, because someone must be called.
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
        """Return whether this candidate may still ring, after it won the election in `acquire`.

        Use this method shortly before the call.

        - If this candidate's claim (its right to ring) is still in the store, and younger than ``settle`` +
          15 seconds: True.
        - Otherwise: the method holds a new election, and returns the result of `acquire`.
        """
        claim = self._read()
        if claim and self._owns(claim) and self.clock() - claim.at < self.settle + _LEASE:
            return True
        return self.acquire()

    def record_call(self, progress: Progress) -> None:
        """Store that this candidate placed a call for the alert, so that no other candidate rings.

        :param progress: the call, the person who was called, and whether the person has acknowledged.
        """
        self._write(self.clock(), progress)

    def withdraw(self) -> None:
        """Withdraw this candidate's claim, its right to ring. Other candidates then do not wait for its call.

        Use this method if the candidate could not place a call. If the stored claim belongs to another
        candidate, the method changes nothing.
        """
        claim = self._read()
        if claim and self._owns(claim):
            self._write(0.0)

    def _owns(self, claim: _Claim) -> bool:
        return claim.by == self.candidate_id

    def _has_rung(self, claim: _Claim) -> bool:
        # A time far ahead comes from a clock that was wrong. It must not silence the alert until then.
        return bool(claim.person) and abs(self.clock() - claim.at) < self.quiet_for

    def _read(self) -> _Claim | None:
        return _Claim.from_json(self.store.get(self.key))

    def _write(self, at: float, progress: Progress | None = None) -> None:
        until = self.clock() + self.quiet_for
        claim = asdict(_Claim(self.alert, self.candidate_id, at, until))
        self.store.set(self.key, claim | (asdict(progress) if progress else {}))
