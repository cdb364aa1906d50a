"""The rule that decides that a call has ended, because the snapshots no longer show the call."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.snapshot import Snapshot


@dataclass(frozen=True)
class PollTolerance:
    """How many snapshots without a call prove that the call ended, and how many failed polls a wait allows.

    :ivar misses: this many successful snapshots in a row without a call prove that the call is not active.
        One is not enough, because ``list.calls`` may omit an active call for a moment.
    :ivar failures: how many failed polls in a row a wait tolerates. One more ends the wait with an error.
    """

    misses: int = 2
    failures: int = 10

    def has_ended(self, observation: Observation, snapshot: Snapshot) -> bool:
        """Return whether a call has been missing often enough and long enough to prove its end.

        - Often enough: in at least `misses` snapshots.
        - Long enough: for longer than `Snapshot.needed_absence`. If it is 0, any time is enough.

        :param observation: what the snapshots so far have shown of the call.
        :param snapshot: the newest snapshot. ``observation`` already includes the snapshot.
        """
        if observation.misses < self.misses:
            return False
        missing_for = snapshot.at - (observation.missing_since or snapshot.at)
        return not snapshot.needed_absence or missing_for > snapshot.needed_absence


TOLERANCE = PollTolerance()
"""The default tolerance of a wait for a call."""
