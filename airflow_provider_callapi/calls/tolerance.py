"""How a wait decides that its call has ended, and how many failed polls the wait tolerates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PollTolerance:
    """How many snapshots without a call prove that the call ended, and how many failed polls a wait allows.

    :ivar misses: this many successful snapshots in a row without a call prove that the call is not active.
        One is not enough, because ``list.calls`` may omit an active call for a moment.
    :ivar failures: how many failed polls in a row a wait tolerates. One more ends the wait with an error.
    """

    misses: int = 2
    failures: int = 10


LAST_POLL_SECONDS = 10.0
"""The longest time in seconds of a poll that is under way when a wait's time is up."""
TOLERANCE = PollTolerance()
"""The default tolerance of a wait for a call."""
