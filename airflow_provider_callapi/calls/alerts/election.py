"""Many fail in the same second, one of them rings: a claim that needs no atomic operation.

The service has no idempotency key, and what tasks on several machines share (an Airflow Variable) can
be read and written, not compared and swapped. Time makes up for that (Fischer's mutual exclusion):
read; if nobody claims, write your claim; wait until everybody who read "nobody" before has written
too; read again. The last writer finds its own claim, and nobody else does.

Guaranteed to be one, as long as nobody needs more than ``settle`` from its reading to its writing.
Who was slower knows it, and gives a call that another may have placed time to be listed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

_LISTED_WITHIN = 5.0
_VOID_AFTER = 15.0
"""Seconds after which a claim that became no call counts no more: its owner is gone."""
_PATIENCE = 60.0
_PAUSE = 0.5


class Register(Protocol):
    """One text that everybody reads and writes."""

    def read(self) -> str | None:
        """What was written last, or None."""

    def write(self, value: str) -> None:
        """Put a text in place of the one before; everybody reads it when this returns."""


@dataclass(frozen=True)
class Progress:
    """How far an alert has got: whom it rang last, 1 for the first person, and with which call."""

    person: int
    call_session_id: int


@dataclass(frozen=True)
class _Claim:
    """Who rings for which alert, and how far that has got.

    :ivar at: when this was written, epoch seconds.
    :ivar until: when nobody needs to know it any more, epoch seconds.
    :ivar person: whom it rang last; 0: nobody yet.
    """

    alert: str
    by: str
    at: float
    until: float
    person: int = 0
    call_session_id: int | None = None

    @classmethod
    def read(cls, value: str | None) -> _Claim | None:
        try:
            claim: Any = json.loads(value or "{}")
            return cls(**claim) if claim else None
        except (TypeError, ValueError):  # somebody edited it
            return None


def is_over(value: str | None, now: float) -> bool:
    """Whether a register's text is a claim that nobody needs to know any more."""
    claim = _Claim.read(value)
    return claim is not None and claim.until < now


@dataclass(frozen=True)
class Candidate:
    """One of those who want to ring for an alert.

    :ivar register: the alert's own: another alert has another one.
    :ivar alert: what is rung for, e.g. an external_id.
    :ivar by: who wants to; unlike anybody else, but the same for whoever goes on after a restart.
    :ivar quiet_for: seconds for which one call is enough.
    :ivar settle: seconds within which everybody gets from reading to writing.
    """

    register: Register
    alert: str
    by: str
    quiet_for: float
    settle: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def others_have_rung(self) -> bool:
        """Whether this alert has been rung for by somebody else, less than ``quiet_for`` ago."""
        claim = self._read()
        return claim is not None and claim.by != self.by and self._has_rung(claim)

    def step(self) -> Progress | None:
        """How far we had got before a restart."""
        claim = self._read()
        if claim is None or claim.by != self.by or not self._has_rung(claim):
            return None
        return Progress(claim.person, claim.call_session_id or 0)

    def acquire(self) -> bool:
        """Whether it is on us to ring; False: somebody else has rung.

        A rival who claimed and does not ring is waited for, and then replaced. After a minute of
        rivalry the answer is True: an alert must ring.
        """
        patient_until = self.clock() + _PATIENCE
        while self.clock() < patient_until:
            began = self.clock()
            rival = self._read()
            if rival and rival.by != self.by:
                if self._has_rung(rival):
                    return False
                if not rival.person and 0 <= began - rival.at < self.settle + _VOID_AFTER:
                    self.sleep(_PAUSE)
                    continue
            self._write(began)
            slow = self.clock() - began > self.settle
            self.sleep(self.settle + (_LISTED_WITHIN if slow else 0.0))
            now = self._read()
            if now and now.by == self.by:
                return True
        return True

    def renew(self) -> bool:
        """Whether it is still on us to ring, some time after `acquire`; a claim that is void is made anew."""
        claim = self._read()
        if claim and claim.by == self.by and self.clock() - claim.at < self.settle + _VOID_AFTER:
            return True
        return self.acquire()

    def rang(self, step: Progress) -> None:
        """The call is placed."""
        self._write(self.clock(), step)

    def give_up(self) -> None:
        """No call could be placed: let the others try, unless somebody does already."""
        claim = self._read()
        if claim and claim.by == self.by:
            self._write(0.0)

    def _has_rung(self, claim: _Claim) -> bool:
        return bool(claim.person) and self.clock() - claim.at < self.quiet_for

    def _read(self) -> _Claim | None:
        return _Claim.read(self.register.read())

    def _write(self, at: float, step: Progress | None = None) -> None:
        until = self.clock() + self.quiet_for
        rung = {"person": step.person, "call_session_id": step.call_session_id} if step else {}
        self.register.write(json.dumps(asdict(_Claim(self.alert, self.by, at, until)) | rung))
