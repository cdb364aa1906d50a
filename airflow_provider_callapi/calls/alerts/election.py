"""Elect one of several failed tasks to call people for an alert.

Fifty tasks can fail in the same second, but only one of them may ring. The tasks share a key-value store (an
Airflow Variable), which cannot check and replace a value in one step. So the election relies on waiting times
(Fischer's mutual exclusion).

Each task is a candidate, and the other tasks are its rivals. A claim in the store shows that a candidate
wants to ring. ``settle`` is a number of seconds that the user can set:

1. The candidate reads the store. If it finds a rival's claim, it waits for the rival's call. If the rival
   places the call, the candidate does not ring. Exception: see `Candidate.abandoned_after`. If the claim is
   ``settle`` + 15 seconds old and the rival has placed no call, the candidate continues with step 2.
2. The candidate writes its own claim and waits ``settle`` seconds. Each claim replaces the one before.
3. The candidate reads the store again. If the claim is its own, the candidate wins. Otherwise, it begins
   again with step 1. After a minute without a winner, it rings without having won.

Exactly one candidate wins if each needs at most ``settle`` seconds to read the store and write its claim. If
a candidate has needed more time, there may be two winners. So a slow candidate waits five more seconds in
step 2, until ``list.calls`` certainly shows the call of another winner. Before it rings, each winner looks
into ``list.calls``, and does not ring if it finds such a call.

Airflow can start a callback again while its first process still runs. Both processes are the same candidate.
Each process therefore has a token, and the newer process writes its token into the claim. Before each call, a
process checks that the claim contains its token.
"""

from __future__ import annotations

import math
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
_PROGRESS_INTERVAL = 5.0
"""Seconds between two checks whether a rival that has placed a call has stopped before its last person."""


@dataclass(frozen=True)
class Progress:
    """The newest placed call of an alert, and the person who was called.

    :ivar person: the person's position in the alert's list of people; the first person is 1.
    :ivar call_session_id: the session id of the call.
    :ivar acknowledged: True: the person has acknowledged the alert, e.g. picked up, so no one else is called.
        False: not, or not yet.
    :ivar is_last: whether the person is the last one in the list.
    """

    person: int
    call_session_id: int
    acknowledged: bool = False
    is_last: bool = False


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
    is_last: bool = False  # whether no person follows the called person
    token: str = ""  # the token of the process that may call the next person

    @classmethod
    def from_json(cls, value: Any) -> _Claim | None:
        """Return the claim that a JSON value from the store describes. None: the value describes no claim."""
        try:
            claim = cls(**value)
        except TypeError:  # any form is possible: a user may edit an Airflow Variable by hand
            return None
        numbers = (claim.at, claim.until, claim.person)
        return claim if all(isinstance(number, int | float) for number in numbers) else None

    @property
    def is_over(self) -> bool:
        """Whether the candidate calls no one else: somebody has acknowledged, or the list is at its end."""
        return self.acknowledged or self.is_last

    @property
    def progress(self) -> Progress:
        """The candidate's last call."""
        return Progress(self.person, self.call_session_id or 0, self.acknowledged, self.is_last)


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
        candidate's callback, so two processes can have it.
    :ivar quiet_for: for this many seconds after a candidate's call, the other candidates do not ring.
    :ivar settle: how many seconds a candidate waits for others' claims after it has written its own. Reading
        the store and writing a claim must normally take less time.
    :ivar clock: a function that returns the present time in epoch seconds.
    :ivar sleep: a function that waits for a number of seconds.
    :ivar token: a text that no other process has.
    :ivar abandoned_after: if a rival has placed a call that is neither acknowledged nor the call to the last
        person, this candidate waits. If the rival's last call is older than this number of seconds, the rival
        has stopped, and this candidate calls the people who are left. Infinity: this candidate does not wait.
    """

    store: KeyValueStore
    key: str
    alert: str
    candidate_id: str
    quiet_for: float
    settle: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    token: str = ""
    abandoned_after: float = math.inf

    def rival_has_rung(self) -> bool:
        """Return whether a rival placed a call for this alert in the last ``quiet_for`` seconds.

        A rival is another candidate for the same alert.
        """
        claim = self._read()
        return claim is not None and self._has_rung(claim) and not self._may_continue(claim)

    def progress(self) -> Progress | None:
        """Return the newest call with which this candidate may continue, and the person who was called.

        This candidate placed the call before Airflow restarted its callback. Or a rival placed the call, and
        has stopped since, see ``abandoned_after``.

        :return: the call and the person. None: there is no such call in the last ``quiet_for`` seconds.
        """
        claim = self._read()
        return claim.progress if claim and self._has_rung(claim) and self._may_continue(claim) else None

    def acquire(self) -> tuple[bool, Progress | None]:
        """Take part in the election. Return (whether this candidate may ring, the call to continue with).

        The call is None if the candidate begins with the first person. For other calls, see `progress`.

        A claim in the store shows that a candidate wants to ring. A rival is another candidate.

        1. The method reads the store. If a rival has placed a call in the last ``quiet_for`` seconds, the
           method returns False, or waits for the rival's end, see ``abandoned_after``.
        2. If a rival has a claim and no call yet, the method waits until the rival withdraws the claim, or
           until the claim is ``settle`` + 15 seconds old.
        3. The method stores this candidate's claim, and waits ``settle`` seconds, or longer if the store is
           slow. If a rival, or another process of this candidate, replaces the claim in this time, the method
           begins again with step 1. Otherwise, it returns True.

        If there is no winner after a minute, the method returns True, because someone must be called.
        """
        return self._elect(is_new=True)

    def _elect(self, *, is_new: bool) -> tuple[bool, Progress | None]:
        # `is_new`: this process has no claim yet, so it replaces that of an earlier process of the candidate.
        # A process that a newer one has replaced waits for the newer one, as it waits for a rival.
        give_up_at, waits_until = self.clock() + _LONGEST_RIVALRY, 0.0
        progress: Progress | None = None
        while self.clock() < give_up_at:
            began = self.clock()
            try:
                claim = self._read()
            except Exception:
                if began >= waits_until:
                    raise
                # A rival rings. Without this pause, one failed read would let both call the people.
                self.sleep(_PROGRESS_INTERVAL)
                give_up_at += _PROGRESS_INTERVAL
                continue
            if claim and not self._owns(claim) and not (is_new and self._is_own(claim)):
                pause = self._pause_for(claim, began)
                if math.isinf(pause):
                    return False, None
                if pause:
                    self.sleep(pause)
                    if claim.person:  # an alert that rings is no rivalry
                        give_up_at, waits_until = give_up_at + pause, claim.at + self.abandoned_after
                    continue
            progress = claim.progress if claim and self._has_rung(claim) else None
            self._write(began, progress)
            is_new = False
            slow = self.clock() - began > self.settle
            self.sleep(self.settle + (_LISTED_WITHIN if slow else 0.0))
            claim = self._read()
            if claim and self._owns(claim):
                # An earlier process may have stored a call while this one waited.
                return True, claim.progress if self._has_rung(claim) else None
        return True, progress

    def _pause_for(self, claim: _Claim, now: float) -> float:
        """Return for how many seconds to wait because of another process's claim.

        0: this process may replace the claim. Infinity: this process must not ring.
        """
        if not self._has_rung(claim):
            is_valid = not claim.person and 0 <= now - claim.at < self.settle + _LEASE
            return _RECHECK_INTERVAL if is_valid else 0.0
        if self._is_own(claim):  # a newer process of this candidate continues the alert
            return math.inf
        if self._may_continue(claim):
            return 0.0
        return math.inf if claim.is_over or math.isinf(self.abandoned_after) else _PROGRESS_INTERVAL

    def renew(self) -> bool:
        """Return whether this candidate may still ring, after it won the election in `acquire`.

        Use this method shortly before the first call.

        - If this candidate's claim (its right to ring) is still in the store, and younger than ``settle`` +
          15 seconds: True, unless an earlier process of this candidate has placed a call meanwhile.
        - Otherwise: the method holds a new election, see `acquire`. If a rival has placed a call meanwhile,
          the result is False, also if the rival has stopped since.
        """
        claim = self._read()
        if claim and self._owns(claim) and self.clock() - claim.at < self.settle + _LEASE:
            return not self._has_rung(claim)  # an earlier process may have stored a call under this token
        won, progress = self._elect(is_new=False)
        return won and progress is None

    def may_call_next(self) -> bool:
        """Return whether this process may call the next person, after it has placed a call.

        False: another process of this candidate, or a rival, has continued the alert, or somebody has
        acknowledged it.
        """
        claim = self._read()
        return claim is None or (self._owns(claim) and not claim.acknowledged)

    def record_call(self, progress: Progress) -> None:
        """Store that this candidate placed a call for the alert, so that no other candidate rings.

        :param progress: the call, the person who was called, and whether the person has acknowledged.
        """
        try:
            claim = self._read()
        except Exception:  # the call must be stored, whoever has the claim
            claim = None
        owner = claim if claim and not self._owns(claim) and (self._is_own(claim) or claim.person) else None
        if owner and self._has_rung(owner) and owner.person > progress.person:
            return
        # The process that has taken over keeps the claim. This process then calls no one else.
        self._write(self.clock(), progress, owner)

    def withdraw(self) -> None:
        """Withdraw this candidate's claim, its right to ring. Other candidates then do not wait for its call.

        Use this method if the candidate could not place a call. If the stored claim belongs to another
        candidate or process, or contains a call, the method changes nothing.
        """
        claim = self._read()
        if claim and self._owns(claim) and not claim.person:
            self._write(0.0)

    def _is_own(self, claim: _Claim) -> bool:
        """Return whether this process, or another process of this candidate, has written a claim."""
        return claim.by == self.candidate_id

    def _owns(self, claim: _Claim) -> bool:
        return self._is_own(claim) and claim.token == self.token

    def _may_continue(self, claim: _Claim) -> bool:
        """Return whether this candidate may call the person who follows the last call in a claim.

        True: another process of this candidate has written the claim. Or a rival has written it, and has
        stopped before the end of the list.
        """
        if self._is_own(claim):
            return True
        return not claim.is_over and self.clock() - claim.at > self.abandoned_after

    def _has_rung(self, claim: _Claim) -> bool:
        # A time far ahead comes from a clock that was wrong. It must not silence the alert until then.
        return bool(claim.person) and abs(self.clock() - claim.at) < self.quiet_for

    def _read(self) -> _Claim | None:
        return _Claim.from_json(self.store.get(self.key))

    def _write(self, at: float, progress: Progress | None = None, owner: _Claim | None = None) -> None:
        """Store a claim of this process, or of the process that has written the claim ``owner``."""
        until = self.clock() + self.quiet_for
        by, token = (owner.by, owner.token) if owner else (self.candidate_id, self.token)
        claim = asdict(_Claim(self.alert, by, at, until, token=token))
        self.store.set(self.key, claim | (asdict(progress) if progress else {}))
