"""The search for a lost call. A call is lost if its start request got no answer: it may have been placed.

A task with one call and a campaign search by the same rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.models import CallSession, parse_time
from airflow_provider_callapi.calls.tolerance import TOLERANCE

_CLOCK_DIFFERENCE = 600.0
"""Seconds by which the service's clock may be behind the clock of this computer."""
_OWN_ID = re.compile(r"af(c|-alert)?-[0-9a-f]{24,32}-\d+(-\d+)?")
"""An ``external_id`` that this package made: for a task, a campaign or an alert."""
_ID_USED_ONCE = re.compile(r"af-[0-9a-f]{32}-\d+")
"""An ``external_id`` made from dag, run, task, map index and attempt. Other ids may be used again."""


@dataclass
class LostCall:
    """A lost call, and the progress of the search for it.

    :ivar external_id: the ``external_id`` of the start request.
    :ivar contact: the number that the start request called; None: any.
    :ivar since: when the intent was stored, epoch seconds; None: any time.
    :ivar timezone: IANA name of the account's zone, which the start times of calls are in.
    :ivar search_until: epoch seconds before which the search does not end.
    :ivar misses: consecutive snapshots without the call.
    """

    external_id: str
    contact: str | None
    since: float | None
    timezone: str
    search_until: float = 0.0
    misses: int = 0

    def matches(self, found: CallSession | CallReport) -> bool:
        """Return whether a call that a service reports can be the lost call.

        The ``external_id`` must match. An author may use an id again, so the contact and the start time must
        match too; a fact that the service does not report counts as a match. The start time does not count
        for an id that this package made, if the id is used once or the call is still active. The reason: a
        wrong time zone of the connection must not cause a second call.
        """
        found_id = found.external_id if isinstance(found, CallSession) else found.call_api_external_id
        if found_id != self.external_id:
            return False
        if self.contact is not None and found.contact_phone_number not in (None, self.contact):
            return False
        is_ours = (_OWN_ID if isinstance(found, CallSession) else _ID_USED_ONCE).fullmatch(self.external_id)
        if self.since is None or found.start_time is None or is_ours:
            return True
        try:
            began = parse_time(found.start_time, self.timezone).timestamp()
        except ValueError:
            return True
        return began >= self.since - _CLOCK_DIFFERENCE

    def is_given_up(self, at: float) -> bool:
        """Return whether the search ends without a result at a time, in epoch seconds."""
        return at >= self.search_until and self.misses >= TOLERANCE.misses
