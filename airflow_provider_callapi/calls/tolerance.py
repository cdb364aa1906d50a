"""What a poll tolerates before it draws a conclusion."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PollTolerance:
    """How many consecutive snapshots it takes to conclude something.

    :ivar misses: successful snapshots without a call that prove its absence. One is not enough: the service
        lists a call late, and may drop it for a moment.
    :ivar failures: failed polls that are survived.
    """

    misses: int = 2
    failures: int = 10


TOLERANCE = PollTolerance()
"""The default of every wait."""
