"""How many misses and failed polls a wait tolerates before it draws a conclusion."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PollTolerance:
    """How many consecutive polls it takes to conclude something about a call.

    :ivar misses: this many successful snapshots without a call prove its absence. One is not enough:
        list.calls shows a new call late, and may leave a call out for a moment.
    :ivar failures: a wait survives this many failed polls. One more ends it.
    """

    misses: int = 2
    failures: int = 10


TOLERANCE = PollTolerance()
"""The tolerance of a wait whose author sets none."""
