"""Learns, from the snapshots of an account, how soon a missing call counts as ended.

``list.calls`` may omit an active call for a moment. So a second snapshot without the call must confirm that
the call has ended. Usually, the second snapshot comes from the next regular poll.

On a *steady account*, missing calls do not come back. There, an extra poll 0.4 seconds later (a *second
look*) confirms the end sooner.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from airflow_provider_callapi.calls.watching.snapshot import Snapshot

SECOND_LOOK_AFTER = 0.4
"""Seconds from a snapshot without a watched call to the second look, on a steady account."""
_ENDS_OF_STEADY_ACCOUNT = 100
"""An account is steady after this many ended calls, if no missing call has come back."""
_ENDS_AFTER_RETURN = 2000
"""If a missing call has come back, an account is steady again after this many ended calls."""
ENDED_AFTER = 60.0
"""A call that is missing for this many seconds has ended."""
_LONGEST_RETURN = 60.0
"""The largest value of `AbsenceHistory.longest_return`, in seconds."""
_NEEDED_ABSENCE = 3.5
"""Seconds for which a call must be missing on an account that is not steady.

A short ``poll_interval`` of one task sets the pace of all tasks that share the polls of a connection. So a
number of polls alone proves too little.
"""
_MANY_CALLS = 5
"""If this many calls or more are missing at once, and no call is left, the service may have omitted them
all."""
_SHARE_OF_SECOND_LOOKS = 0.1
"""How many second looks a regular poll permits. A connection sends at most a tenth more requests."""
_SAVED_SECOND_LOOKS = 2.0
"""How many permitted second looks a connection can save for later."""


class AbsenceHistory:
    """Collects what consecutive snapshots of one account show about missing calls.

    If a missing call comes back, the call was active all the time.

    :ivar longest_return: the longest absence, in seconds, after which a call came back. At most 60. An
        absence lasts from the first to the last snapshot without the call.
    """

    def __init__(self) -> None:
        self.longest_return = 0.0
        self._listed: frozenset[int] = frozenset()
        self._missing: dict[int, tuple[float, float]] = {}
        """Session id of a missing call → the times of the first and the newest snapshot without the call."""
        self._ends_until_steady = _ENDS_OF_STEADY_ACCOUNT
        self._second_looks = 1.0
        self._is_second_look = False
        self._worth_second_look: frozenset[int] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Return the history as plain JSON, without phone numbers."""
        return {
            "longest_return": self.longest_return,
            "listed": sorted(self._listed),
            "missing": {str(session_id): times for session_id, times in self._missing.items()},
            "ends_until_steady": self._ends_until_steady,
            "second_looks": self._second_looks,
            "worth_second_look": sorted(self._worth_second_look),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> AbsenceHistory:
        """Return the history that a dict from `to_json` describes."""
        history = cls()
        history.longest_return = value["longest_return"]
        history._listed = frozenset(value["listed"])
        history._missing = {int(session_id): tuple(times) for session_id, times in value["missing"].items()}
        history._ends_until_steady = value["ends_until_steady"]
        history._second_looks = value["second_looks"]
        history._worth_second_look = frozenset(value["worth_second_look"])
        return history

    @property
    def is_steady(self) -> bool:
        """Whether calls that are missing in ``list.calls`` have ended, as a rule, and do not come back.

        A new account becomes steady after 100 ended calls. If a missing call comes back, the account is not
        steady until 2000 more calls have ended.
        """
        return self._ends_until_steady <= 0

    @property
    def needed_absence(self) -> float:
        """For how many seconds a call must be missing before it counts as ended.

        A call counts as ended only after a longer absence than each one after which a call came back. Until
        the account is steady, the absence must also be longer than 3.5 seconds.
        """
        return self.longest_return if self.is_steady else max(self.longest_return, _NEEDED_ABSENCE)

    def add(self, snapshot: Snapshot) -> None:
        """Add the newest snapshot of the account.

        A failed poll adds nothing. A snapshot with unreadable calls adds nothing either.
        """
        if snapshot.failure is not None or snapshot.left_out:
            self._worth_second_look = frozenset()
            return
        if not self._is_second_look:
            self._second_looks = min(self._second_looks + _SHARE_OF_SECOND_LOOKS, _SAVED_SECOND_LOOKS)
        self._is_second_look = False
        listed = frozenset(snapshot.sessions)
        self._count_returns(listed)
        newly_missing = self._listed - listed
        all_vanished = len(newly_missing) == len(self._listed) >= _MANY_CALLS
        self._worth_second_look = frozenset() if all_vanished else newly_missing
        self._missing.update(dict.fromkeys(newly_missing, (snapshot.at, snapshot.at)))
        self._count_ends(snapshot.at)
        self._listed = listed

    def extend(self, snapshot: Snapshot) -> Snapshot:
        """Add the newest snapshot of the account. Return a copy of the snapshot.

        The copy also contains `needed_absence`.
        """
        self.add(snapshot)
        return replace(snapshot, needed_absence=self.needed_absence)

    def permits_second_look(self, watched: Collection[int]) -> bool:
        """Return whether an extra poll (a second look) should follow the newest snapshot after 0.4 seconds.

        The result is True if all of these conditions hold:

        - The account is steady: missing calls do not come back, see `is_steady`.
        - A watched call is newly missing: the snapshot before shows the call, the newest one does not.
        - If the snapshot before shows five or more calls: the newest one still shows at least one of them.
        - Extra polls stay rare: their number so far is less than a tenth of the number of regular polls. If
          all watched calls are newly missing, this condition does not apply.

        :param watched: the session ids of the watched calls: the calls for whose end a task waits.
        """
        missing = self._worth_second_look.intersection(watched)
        has_share = self._second_looks >= 1.0 or len(missing) == len(watched)
        return self.is_steady and bool(missing) and has_share

    def begin_second_look(self) -> None:
        """Record that the next snapshot comes from a second look (an extra poll), not from a regular poll."""
        self._second_looks = max(self._second_looks - 1.0, 0.0)
        self._is_second_look = True

    def _count_returns(self, listed: frozenset[int]) -> None:
        for session_id in self._missing.keys() & listed:
            first, newest = self._missing.pop(session_id)
            self.longest_return = min(max(self.longest_return, newest - first), _LONGEST_RETURN)
            self._ends_until_steady = _ENDS_AFTER_RETURN

    def _count_ends(self, at: float) -> None:
        for session_id, (first, _) in list(self._missing.items()):
            if at - first >= ENDED_AFTER:
                del self._missing[session_id]
                self._ends_until_steady -= 1
            else:
                self._missing[session_id] = (first, at)
