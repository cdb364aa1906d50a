"""Elect one of several failed tasks to call people for an alert.

Fifty tasks can fail in the same second, but only one of them may ring. The tasks share a key-value store (an
Airflow Variable), which cannot check and replace a value in one step. So the election relies on waiting times
(Fischer's mutual exclusion).

Each task is a candidate, and the other tasks are its rivals. A claim in the store shows that a candidate
wants to ring. ``settle`` is a number of seconds that the user can set:

1. The candidate reads the store. If it finds a rival's claim, it waits for the rival's call. If the rival
   places the call, the candidate does not ring. Exception: see `Candidate.abandoned_after`. If the rival
   withdraws the claim, or the claim is ``settle`` + 15 seconds old and the rival has placed no call, the
   candidate continues with step 2.
2. The candidate writes its own claim and waits ``settle`` seconds. Each claim replaces the one before.
3. The candidate reads the store again. If the claim is its own, the candidate wins. Otherwise, it begins
   again with step 1. After a minute without a winner, it rings without having won, see `NoWinner`.

Exactly one candidate wins if each needs at most ``settle`` seconds to read the store and write its claim. If
a candidate has needed more time, there may be two winners. So a slow candidate waits five more seconds in
step 2, until ``list.calls`` certainly shows the call of another winner. Before it rings, each winner looks
into ``list.calls``, and does not ring if it finds such a call.

Airflow ends some callbacks after 20 seconds. Such a candidate decides in time, see `Candidate.ring_by`. If it
then still waits for a rival's call, it leaves the alert to the rival. If it need not wait for a rival, but
has little time, it waits less than ``settle`` seconds in step 2. If no time is left for steps 2 and 3, it
rings without having won. It then writes no claim, because others would wait in vain for the call of a
callback that has ended.

Airflow can start a callback again while its first process still runs. Both processes are the same candidate.
Each process therefore has a token, and the newer process writes its token into the claim. Before each call, a
process checks that no other process has continued the alert.

A candidate can find a call of the alert in ``list.calls``, and not know who placed it. Such a call is stored
in a claim of nobody: the others do not ring, and the process that has placed the call goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace

from airflow_provider_callapi.calls.alerts.claims import Claim, Progress
from airflow_provider_callapi.calls.stores import KeyValueStore

_NOBODY = ("", "")
"""The owner of a claim with a call that somebody has found in ``list.calls``."""
_LISTED_WITHIN = 5.0
"""Seconds until the service lists a call that it has accepted."""
_LEASE = 15.0
"""A claim without a call is valid for ``settle`` seconds plus this number of seconds.

After this time, the candidate that wrote the claim counts as gone.
"""
_LEASE_AHEAD = 5.0
"""As `_LEASE`, for the claim of a clock that is ahead. A callback of 20 seconds must have time to ring."""
_LONGEST_RIVALRY = 60.0
"""Seconds after which a candidate rings without having won the election, because an alert must ring."""
_SHORTEST_SETTLE = 1.0
"""Seconds to settle for which a candidate with little time still claims."""
_RECHECK_INTERVAL = 0.5
"""Seconds between two checks whether a rival has placed a call."""
_PROGRESS_INTERVAL = 5.0
"""Seconds between two checks whether a rival that has placed a call has stopped before its last person."""


class AlertSuppressed(Exception):
    """Raised if a callback must not ring, because another callback rings or has rung for the same alert."""


class NoWinner(Exception):
    """Raised if this candidate cannot win the election in time. It must ring: an alert must reach someone."""


@dataclass
class Candidate:
    """One of several Airflow callbacks, e.g. of failed tasks, that want to ring for the same alert.

    Only one candidate may ring. Its right to ring is a claim in a store that all candidates share.

    :ivar store: the shared store.
    :ivar key: the key of the alert in the store.
    :ivar candidate_id: an id that no other candidate has. The id stays the same when Airflow restarts the
        candidate's callback, so two processes can have it.
    :ivar quiet_for: for this many seconds after a candidate's call, the other candidates do not ring.
    :ivar settle: how many seconds a candidate waits for others' claims after it has written its own. Reading
        the store and writing a claim must normally take less time.
    :ivar clock: a function that returns the present time in epoch seconds. Other hosts read these times.
    :ivar timer: a function that returns seconds since any moment. A user who sets the clock does not move it.
    :ivar sleep: a function that waits for a number of seconds.
    :ivar token: a text that no other process has.
    :ivar may_write: False: this process cannot write to the store. It only waits for the candidates that can.
    :ivar abandoned_after: if a rival has placed a call that is neither acknowledged nor the call to the last
        person, this candidate waits. If the rival's last call is older than this number of seconds, the rival
        has stopped, and this candidate calls the people who are left. Infinity: this candidate does not wait.
    :ivar ring_by: the latest time, in seconds of ``timer``, to begin the first call. Airflow ends the
        callback soon after this time. Infinity: the callback has no time limit.
    :ivar is_elected: whether this process has won its last election.
    """

    store: KeyValueStore
    key: str
    candidate_id: str
    quiet_for: float
    settle: float
    clock: Callable[[], float]
    timer: Callable[[], float]
    sleep: Callable[[float], None]
    token: str = ""
    may_write: bool = True
    abandoned_after: float = math.inf
    ring_by: float = math.inf
    is_elected: bool = field(default=False, init=False)
    _has_claimed: bool = field(default=False, init=False)  # whether this process has written a claim
    _slowest: float = field(default=0.0, init=False)  # seconds of the longest access to the store so far
    _read_at: float = field(default=0.0, init=False)  # when this process has begun to read the store
    _seen: Claim | None = field(default=None, init=False)  # the newest claim that this process has read
    _seen_at: float = field(default=0.0, init=False)  # when this process has read that claim first

    @property
    def seen_call(self) -> Progress | None:
        """The newest call that this process has seen in the store in the last ``quiet_for`` seconds."""
        return self._seen.progress if self._seen and self._has_rung(self._seen) else None

    def acquire(self) -> Progress | None:
        """Take part in the election that the module describes, and return when this process may ring.

        After the method, look into ``list.calls`` before you ring. If this process loses its right, use the
        method again. A process that has not claimed yet replaces the claim of an earlier process of this
        candidate. A process that has claimed waits for the other process as for a rival.

        :return: the call to continue with. An earlier process of this candidate has placed the call, or a
            rival that has stopped since. None: begin with the first person.
        :raises AlertSuppressed: another process rings or has rung. Or a person has acknowledged the alert.
        :raises NoWinner: this process cannot win. Ring nevertheless: someone must be called.
        :raises Exception: the store cannot be read or written. `seen_call` is then the newest known call.
        """
        self.is_elected = False
        give_up_at, lost, has_settled = self.timer() + _LONGEST_RIVALRY, 0, False
        while self.timer() < give_up_at:
            claim = self._read_or_remember()
            if claim and (pause := self._pause_for(claim)):
                if not self._has_time_for(pause):
                    raise AlertSuppressed(
                        "another callback is about to ring, and this one cannot wait longer"
                    )
                self.sleep(pause)
                if claim.person:  # an alert that rings is no rivalry
                    give_up_at += pause
                continue
            if not self.may_write:
                if has_settled:
                    return self.seen_call
                self.sleep(max(0.0, min(self.settle, self.ring_by - self.timer())))  # a rival may claim now
                has_settled = True
                continue
            stored = self._claim_and_settle(self.seen_call)  # also if a user has deleted the call since
            if stored and self._is_mine(stored):
                # An earlier process may have stored a call while this one waited.
                self._refuse_acknowledged(stored)
                self.is_elected = True
                return self.seen_call
            # A rival's claim would be a new one. A user may have deleted one claim, but hardly two.
            lost = lost + 1 if stored == claim else 0
            if lost == 2:
                raise NoWinner("the store does not keep a claim")
        raise NoWinner("no callback has won the election within a minute")

    def _read_or_remember(self) -> Claim | None:
        """Read the store. If this fails while a rival rings: return the rival's claim, as read last."""
        try:
            return self._read_in_time()
        except Exception:
            # Otherwise, one failed read would let both call the people.
            if self._seen and self._has_rung(self._seen) and self._pause_for(self._seen):
                return self._seen
            raise

    def _read_in_time(self) -> Claim | None:
        """Read the store. If no time is left for this: return the claim that was read last."""
        return self._read() if self._has_time_for(self._slowest) else self._seen

    def _claim_and_settle(self, progress: Progress | None = None) -> Claim | None:
        """Write a claim of this process, and wait for rivals. Return the claim that the store then contains.

        Use this method directly after the store was read. The wait is shorter if less time is left.

        :raises NoWinner: no time is left. A claim would only keep the rivals from ringing.
        """
        self._require_time_for(2 * self._slowest + min(self.settle, _SHORTEST_SETTLE))
        self._write(progress)
        self._require_time_for(self._slowest)  # to read
        is_slow = self.timer() - self._read_at > self.settle
        wanted = self.settle + (_LISTED_WITHIN if is_slow else 0.0)
        self.sleep(min(wanted, self.ring_by - self._slowest - self.timer()))
        return self._read()

    def _has_time_for(self, seconds: float) -> bool:
        return self.timer() + seconds <= self.ring_by

    def _require_time_for(self, seconds: float) -> None:
        if not self._has_time_for(seconds):
            raise NoWinner("no time is left for an election")

    def _pause_for(self, claim: Claim) -> float:
        """Return for how many seconds to wait because of a claim. 0: this process may replace the claim.

        :raises AlertSuppressed: this process must not ring.
        """
        self._refuse_acknowledged(claim)
        if self._is_mine(claim) or (self._is_of_my_callback(claim) and not self._has_claimed):
            return 0.0
        if not self._has_rung(claim):
            # The clock of another host may be ahead. Its claim then seems to come from the future.
            lease = _LEASE_AHEAD if claim.at > self.clock() else _LEASE
            is_valid = not claim.person and self._age(claim) < self.settle + lease
            return _RECHECK_INTERVAL if is_valid else 0.0
        if claim.is_last or math.isinf(self.abandoned_after):
            is_own = self._is_of_my_callback(claim)
            who = "another process of this callback" if is_own else "another callback"
            raise AlertSuppressed(f"{who} rings or has rung")
        return 0.0 if self._age(claim) > self.abandoned_after else _PROGRESS_INTERVAL

    def _refuse_acknowledged(self, claim: Claim) -> None:
        if self._has_rung(claim) and claim.acknowledged:
            raise AlertSuppressed("a person has acknowledged it")

    def may_begin(self) -> bool:
        """Return whether this process may place its first call. Use this method shortly before the call.

        If the claim of this process has become too old, the method renews the claim, and waits for rivals.
        If the result is False, use `acquire` again, and look into ``list.calls``: another process may have
        placed a call.
        """
        claim = self._read_in_time()
        if not self.is_elected:
            return claim is None or not self._has_rung(claim)
        if claim and self._is_mine(claim) and self._age(claim) >= self.settle + _LEASE:
            claim = self._claim_and_settle()  # a rival could replace the old claim
        return claim is not None and self._is_mine(claim) and not self._has_rung(claim)

    def may_continue(self, newest: Progress) -> bool:
        """Return whether this process may call the next person. Use this method shortly before the call.

        If the store contains no call, e.g. because a user has deleted it, the method stores the newest call
        again, and waits for rivals. If the store does not keep it, the result is True. If the result is
        False, do as after `may_begin`.

        :param newest: the newest call that this process has placed or continued with.
        """
        claim = before = self._read()
        if claim is None or not claim.person:
            if self.may_write:
                claim = self._claim_and_settle(newest)
            if claim is None or claim == before:
                return True
        # A claim of nobody contains a call that a rival has found: the newest call of this process.
        is_free = self._is_mine(claim) or claim.owner == _NOBODY
        return is_free and claim.person <= newest.person and not claim.acknowledged

    def record_call(self, progress: Progress) -> None:
        """Store that this process placed a call for the alert, or continues with a call, so no rival rings.

        If another process has continued the alert, that process keeps its right to ring.

        :param progress: the call, the person who was called, and whether the person has acknowledged.
        """
        try:
            claim = self._read()
        except Exception:  # the call must be stored, whoever has the claim
            claim = None
        # A newer process of this candidate has taken over, or a rival that has placed a call.
        if claim and (self._is_of_my_callback(claim) or (claim.by and self._has_rung(claim))):
            owner = claim.owner
        else:
            owner = self._me
        self._store_call(claim, progress, owner)

    def record_found_call(self, progress: Progress) -> None:
        """Store that somebody has placed a call for the alert, so that no rival rings.

        This process does not know who has placed the call, and calls no one else.

        :param progress: the call and the person who was called.
        """
        claim = self._read()
        owner = claim.owner if claim and claim.person else _NOBODY
        self._store_call(claim, progress, owner, at=progress.began_at)

    def _store_call(
        self,
        claim: Claim | None,
        progress: Progress,
        owner: tuple[str, str],
        *,
        at: float | None = None,
    ) -> None:
        """Store a call for an owner, and keep what ``claim``, the stored claim, knows beyond the call."""
        if claim and self._has_rung(claim):
            newest = claim.progress if claim.person > progress.person else progress
            progress = replace(newest, acknowledged=claim.acknowledged or progress.acknowledged)
        self._write(progress, owner, at=at)

    def withdraw(self) -> None:
        """Withdraw this candidate's claim, its right to ring. Other candidates then do not wait for its call.

        Use this method if the candidate could not place a call. If the stored claim belongs to another
        candidate or process, or contains a call, the method changes nothing.
        """
        claim = self._read()
        if claim and self._is_mine(claim) and not claim.person:
            self._write(at=0.0)

    def _is_of_my_callback(self, claim: Claim) -> bool:
        """Return whether this process, or another process of this candidate, has written a claim."""
        return claim.by == self.candidate_id

    @property
    def _me(self) -> tuple[str, str]:
        return self.candidate_id, self.token

    def _is_mine(self, claim: Claim) -> bool:
        """Return whether a claim gives this process the right to ring."""
        return claim.owner == self._me

    def _has_rung(self, claim: Claim) -> bool:
        # A time far ahead comes from a clock that was wrong. It must not silence the alert until then.
        return bool(claim.person) and abs(self.clock() - claim.at) < self.quiet_for

    def _age(self, claim: Claim) -> float:
        """Return how many seconds ago the claim that was read last was written, as far as this host knows."""
        return max(self.clock() - claim.at, self.timer() - self._seen_at)

    def _read(self) -> Claim | None:
        self._read_at = self.timer()
        with self._measured():
            claim = Claim.from_json(self.store.get(self.key))
        if claim and claim != self._seen:
            self._seen, self._seen_at = claim, self.timer()
        return claim

    def _write(
        self,
        progress: Progress | None = None,
        owner: tuple[str, str] | None = None,
        *,
        at: float | None = None,
    ) -> None:
        """Store a claim of an owner, by default of this process.

        :param at: when the claim was written, or when its call began. None: now.
        """
        if not self.may_write:
            return
        by, token = owner or self._me
        self._has_claimed = self._has_claimed or owner in (None, self._me)
        now = self.clock()
        # The claim must not be deleted before its rivals are gone, even if the alert is quiet for a second.
        until = now + max(self.quiet_for, self.settle + _LEASE + _LONGEST_RIVALRY)
        claim = Claim(by, now if at is None else at, until, token=token)
        if progress:
            called = {each.name: getattr(progress, each.name) for each in fields(Progress)}
            del called["began_at"]  # the claim has it as the time `at`
            claim = replace(claim, **called)
        with self._measured():
            self.store.set(self.key, asdict(claim))

    @contextmanager
    def _measured(self) -> Iterator[None]:
        """Measure how long an access to the store takes, also one that fails."""
        began = self.timer()
        try:
            yield
        finally:
            self._slowest = max(self._slowest, self.timer() - began)
