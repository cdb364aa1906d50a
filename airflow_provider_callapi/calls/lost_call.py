"""The search for a lost call. A call is lost if its start request got no answer.

A lost call may have been placed or not. Tasks with one call and campaigns both use this search.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.models import CallSession, parse_time
from airflow_provider_callapi.calls.answers import is_same_number
from airflow_provider_callapi.calls.snapshot import Snapshot
from airflow_provider_callapi.calls.tolerance import TOLERANCE

CLOCK_DIFFERENCE = 600.0
"""Seconds by which the service's clock may be behind the clock of this computer."""
SMALL_CLOCK_DIFFERENCE = 10.0
"""The same, if another task may have called the same person with the same ``external_id`` before."""
_OWN_ID = re.compile(r"af(c|-alert)?-[0-9a-f]{24,32}-\d+(-\d+)?")
"""Matches an ``external_id`` that this package made for a task, a campaign or an alert."""
_ID_USED_ONCE = re.compile(r"af-[0-9a-f]{32}-\d+")
"""Matches an ``external_id`` that this package made from dag, run, task, map index and attempt."""


def is_own_id(external_id: str) -> bool:
    """Return whether this package made an ``external_id``. Several tasks may use an id of an author."""
    return _OWN_ID.fullmatch(external_id) is not None


@dataclass
class LostCall:
    """A lost call, and the progress of the search for it.

    :ivar external_id: the ``external_id`` of the start request.
    :ivar contact: the phone number in the start request; None: a call to any number matches.
    :ivar since: when the intent was stored, epoch seconds; None: a call with any start time matches.
    :ivar timezone: IANA name of the account's time zone. The services report start times in this zone.
    :ivar others: session ids of calls that were active before the start request was sent.
    :ivar clock_difference: seconds by which the service's clock may be behind the clock of this computer.
    :ivar search_until: epoch seconds. The search ends at this time, or later if too few snapshots were taken.
    :ivar misses: the number of consecutive successful snapshots that prove that the call is not active.
    :ivar missing_since: the time of the first snapshot that ``misses`` counts, epoch seconds; None: no
        snapshot counts.
    """

    external_id: str
    contact: str | None = field(repr=False)
    since: float | None
    timezone: str
    search_until: float = 0.0
    others: Collection[int] = ()
    clock_difference: float = CLOCK_DIFFERENCE
    misses: int = 0
    missing_since: float | None = None

    def matches(self, found: CallSession | CallReport) -> bool:
        """Return whether a call that a service reports can be the lost call.

        The reported call must have the lost call's ``external_id`` and contact, and must not have started
        more than ``clock_difference`` seconds before the intent was stored. Contact and start time are
        checked because the author of a DAG may use one ``external_id`` for several calls. If the service does
        not report the contact or the start time, the missing value passes the check. A call in ``others`` is
        never the lost call.

        The start time is not checked if this package created the ``external_id``, and either the reported
        call is active or the package uses the id for one call only. Otherwise, a wrong time zone in the
        connection could hide the lost call and so cause a second call.

        :param found: the reported call: an active call, or a call in a report of the Data API.
        """
        found_id = found.external_id if isinstance(found, CallSession) else found.call_api_external_id
        if found_id != self.external_id:
            return False
        if not self._is_to_contact(found):
            return False
        if (found.call_session_id if isinstance(found, CallSession) else found.id) in self.others:
            return False
        is_ours = (_OWN_ID if isinstance(found, CallSession) else _ID_USED_ONCE).fullmatch(self.external_id)
        if self.since is None or found.start_time is None or is_ours:
            return True
        try:
            began = parse_time(found.start_time, self.timezone).timestamp()
        except ValueError:
            return True
        return began >= self.since - self.clock_difference

    def is_absent_from(self, snapshot: Snapshot) -> bool:
        """Return whether a successful snapshot proves that the lost call is not active.

        Two kinds of active calls may be the lost call: a call whose session id cannot be read, and a call to
        the same contact whose ``external_id`` cannot be read.
        """
        return not snapshot.left_out and not any(
            self._is_to_contact(session) for session in snapshot.without_external_id
        )

    def count_snapshot(self, snapshot: Snapshot) -> None:
        """Update ``misses`` and ``missing_since`` with a successful snapshot that does not show the call."""
        if not self.is_absent_from(snapshot):
            self.misses, self.missing_since = 0, None
            return
        self.misses += 1
        if self.missing_since is None:
            self.missing_since = snapshot.at

    def _is_to_contact(self, found: CallSession | CallReport) -> bool:
        """Return whether a call can be a call to the lost call's contact."""
        number = _signs(found.contact_phone_number)
        if self.contact is None or not number or number == _signs(self.contact):
            return True
        return is_same_number(found.contact_phone_number, self.contact)

    def is_given_up(self, at: float) -> bool:
        """Return whether to end the search for the lost call without a result.

        The search ends if the search time is over and enough snapshots have proven the call's absence.

        :param at: the time of the newest snapshot, epoch seconds.
        """
        return at >= self.search_until and self.misses >= TOLERANCE.misses


def _signs(number: str | None) -> str:
    """Return the digits and Latin letters of a phone number or SIP number."""
    return re.sub(r"[^0-9A-Za-z]", "", number or "")
