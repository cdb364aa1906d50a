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
class _Claim:
    """Who rings for which alert: ``at`` in epoch seconds, ``rang`` once the call is placed."""

    alert: str
    by: str
    at: float
    rang: bool = False


@dataclass(frozen=True)
class Claimant:
    """One of those who want to ring for an alert.

    :ivar alert: what is rung for, e.g. an external_id.
    :ivar by: who wants to; unlike anybody else.
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

    def win(self) -> bool:
        """Whether it is on us to ring; False: somebody else has rung.

        A rival who claimed and does not ring is waited for, and then replaced. After a minute of
        rivalry the answer is True: an alert must ring.
        """
        patient_until = self.clock() + _PATIENCE
        while self.clock() < patient_until:
            began = self.clock()
            rival = self._read()
            if rival and rival.alert == self.alert and rival.rang and began - rival.at < self.quiet_for:
                return False
            if rival and not rival.rang and 0 <= began - rival.at < self._stands_for(rival):
                self.sleep(_PAUSE)
                continue
            self._write(_Claim(self.alert, self.by, began))
            slow = self.clock() - began > self.settle
            self.sleep(self.settle + (_LISTED_WITHIN if slow else 0.0))
            now = self._read()
            if now and now.by == self.by:
                return True
        return True

    def rang(self) -> None:
        """The call is placed."""
        self._write(_Claim(self.alert, self.by, self.clock(), rang=True))

    def give_up(self) -> None:
        """No call could be placed: let the others try."""
        self.register.write("{}")

    def _stands_for(self, rival: _Claim) -> float:
        """A rival for another alert needs the register only until it knows that it has won."""
        return self.settle + (_VOID_AFTER if rival.alert == self.alert else _PAUSE)

    def _read(self) -> _Claim | None:
        try:
            value: Any = json.loads(self.register.read() or "{}")
            return _Claim(**value) if value else None
        except (TypeError, ValueError):  # somebody edited it
            return None

    def _write(self, claim: _Claim) -> None:
        self.register.write(json.dumps(asdict(claim)))
