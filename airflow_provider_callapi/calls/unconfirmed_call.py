"""The search for an unconfirmed call. A call is unconfirmed if its start request got no answer.

An unconfirmed call may have been placed or not. Tasks with one call and campaigns both use this search.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.entries import tells
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.api.times import parse_time
from airflow_provider_callapi.calls.external_ids import (
    has_another_id,
    has_id,
    is_own_id,
    is_same_id,
    is_shown,
    is_used_once,
    shown_external_id,
)
from airflow_provider_callapi.calls.phone_numbers.comparison import is_same_number, may_be_same_number
from airflow_provider_callapi.calls.watching.end_rule import TOLERANCE
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

CLOCK_DIFFERENCE = 10.0
"""Seconds by which the service's clock may be behind the clock of this computer.

Not more: another task, campaign or alert may have called the same person with the same ``external_id``
shortly before.
"""
_LARGEST_ZONE_ERROR = 15 * 3600.0
"""Seconds by which a reported start time may be too early if the time zone in the connection is wrong."""
_LONGEST_DOUBT = 3600.0
"""For this many seconds after the search time, a campaign searches for a call whose absence is not proven."""


@dataclass
class UnconfirmedCall:
    """A call whose start request got no answer, and the progress of the search for the call.

    Times are epoch seconds.

    :ivar external_id: the ``external_id`` of the start request.
    :ivar contact: the phone number in the start request. None: a call to any number can be the unconfirmed
        call.
    :ivar since: when the intent was stored. None: a call with any start time can be the unconfirmed call.
    :ivar timezone: IANA name of the account's time zone.
    :ivar others: session ids of calls that cannot be the unconfirmed call, because they were active before
        the start request.
    :ivar search_until: the earliest time at which the search ends without a result, see `is_given_up`.
    :ivar misses: how many successful snapshots in a row have proven that the call is not active.
    :ivar missing_since: the time of the first of these snapshots. None: there is no such snapshot.
    """

    external_id: str
    contact: str | None = field(repr=False)
    since: float | None
    timezone: str
    search_until: float = 0.0
    others: Collection[int] = ()
    misses: int = 0
    missing_since: float | None = None

    def matches(self, found: CallSession | CallReport) -> bool:
        """Return whether a found call counts as the unconfirmed call.

        The found call must meet all of these conditions:

        - It has the unconfirmed call's ``external_id``, see `has_id`.
        - It is not in ``others``.
        - Its contact may be the unconfirmed call's contact, see `may_be_same_number`.
        - It did not start more than ten seconds before the intent was stored.

        Exceptions:

        - If this package made the ``external_id`` for one attempt, and the service has not cut the id, only
          the first two conditions apply.
        - If this package made the ``external_id`` for an alert, an active call may have any start time.
        - A number or start time that cannot be read meets its condition.

        :param found: an active call, or a call in a report of the Data API.
        """
        if not has_id(found, self.external_id) or _session_id(found) in self.others:
            return False
        # A further check can fail by mistake, e.g. if the connection has a wrong time zone. The unconfirmed
        # call is then not found, and the contact may be called a second time.
        shown, _ = shown_external_id(found)
        if is_used_once(self.external_id) and is_same_id(shown or "", self.external_id):
            return True
        if not may_be_same_number(found.contact_phone_number, self.contact):
            return False
        is_ours = isinstance(found, CallSession) and is_own_id(self.external_id)
        return bool(is_ours) or self._may_have_begun_later(found, CLOCK_DIFFERENCE)

    def may_be(self, found: CallSession | CallReport) -> bool:
        """Return whether a reported call may be the unconfirmed call, although `matches` returned False.

        True means: the unconfirmed call may have been placed. The reported call must meet all of these
        conditions:

        - It is not in ``others``.
        - The service does not show another ``external_id`` than that of the unconfirmed call, see
          `has_another_id`. For an active call to the unconfirmed call's contact, only an id that this package
          made counts as another one: the service may show any text in place of an id.
        - Its contact may be the unconfirmed call's contact, see `may_be_same_number`.
        - It is active, or it started no earlier than 15 hours before the intent was stored.

        If the service shows that the reported call has no ``external_id``, two more conditions must be met:

        - The unconfirmed call's contact is known.
        - The service shows a digit of the number of the reported call's contact, or does not send this field.
          Or the reported call is no inbound call, or is active and dials the unconfirmed call's contact.

        :param found: an active call, or a call in a report of the Data API.
        """
        # A snapshot may show thousands of calls, and comparing numbers takes longest.
        if self._is_anothers(found):
            return False
        if _session_id(found) in self.others:
            return False
        if not may_be_same_number(found.contact_phone_number, self.contact):
            return False
        external_id, id_field = shown_external_id(found)
        has_no_id = not is_shown(external_id) and tells(found, id_field)
        if has_no_id and (self._is_hidden_caller(found) or self.contact is None):
            return False
        return isinstance(found, CallSession) or self._may_have_begun_later(found, _LARGEST_ZONE_ERROR)

    def _is_anothers(self, found: CallSession | CallReport) -> bool:
        """Return whether the ``external_id`` of a reported call shows that it is not the unconfirmed call."""
        if not has_another_id(found, self.external_id):
            return False
        if isinstance(found, CallReport) or found.direction == "in":
            return True
        is_certain = is_own_id(found.external_id or "")
        return is_certain or not is_same_number(found.contact_phone_number, self.contact)

    def _is_hidden_caller(self, found: CallSession | CallReport) -> bool:
        """Return whether a reported call is a call from somebody who hides the number."""
        number = found.contact_phone_number
        if re.search(r"\d", number or "") or not tells(found, "contact_phone_number"):
            return False
        legs = found.legs if isinstance(found, CallSession) else ()  # a report does not contain the legs
        is_dialled = any(is_same_number(leg.called_phone_number, self.contact) for leg in legs)
        return found.direction == "in" and not is_dialled

    def doubt_about(self, snapshot: Snapshot) -> str | None:
        """Return why a successful snapshot does not prove that the unconfirmed call is not active.

        One of the calls in the snapshot may be the unconfirmed call. A call whose session id cannot be read
        may be the unconfirmed call, too.

        :return: a text for an error message. None: the snapshot proves that the call is not active.
        """
        if snapshot.left_out:
            return "an active call cannot be read, and may be the unconfirmed call"
        session = next(filter(self.may_be, snapshot.sessions.values()), None)
        if session is None:
            return None
        reason = (
            "has its external_id, but began before the request, if the clock of this computer is right"
            if has_id(session, self.external_id)
            else "does not show its external_id"
        )
        return f"call session {session.call_session_id} may be the unconfirmed call: it {reason}"

    def count_snapshot(self, snapshot: Snapshot) -> str | None:
        """Update ``misses`` and ``missing_since`` with a successful snapshot.

        Use this method only if `matches` is False for each call of the snapshot.

        - If the snapshot proves that the unconfirmed call is not active (see `doubt_about`), ``misses``
          becomes one larger. The first such snapshot sets ``missing_since`` to its time.
        - Otherwise, e.g. because a call of the snapshot cannot be read, the count begins again: ``misses``
          becomes 0, and ``missing_since`` becomes None.

        :return: why the snapshot does not prove this, see `doubt_about`. None: it proves this.
        """
        doubt = self.doubt_about(snapshot)
        if doubt is not None:
            self.misses, self.missing_since = 0, None
            return doubt
        self.misses += 1
        if self.missing_since is None:
            self.missing_since = snapshot.at
        return None

    def _may_have_begun_later(self, found: CallSession | CallReport, seconds: float) -> bool:
        """Return whether a reported call may have begun after the intent was stored.

        :param seconds: the tolerance for a wrong clock or time zone.
        :return: also True if one of the two times is unknown.
        """
        if self.since is None or found.start_time is None:
            return True
        try:
            began = parse_time(found.start_time, self.timezone).timestamp()
        except ValueError:
            return True
        return began >= self.since - seconds

    def is_given_up(self, at: float) -> bool:
        """Return whether the search for the unconfirmed call ends without a result.

        The search ends when the search time is over, and enough consecutive snapshots (by default 2) have
        proven that the call is not active.

        :param at: the time of the newest snapshot, epoch seconds.
        """
        return at >= self.search_until and self.misses >= TOLERANCE.misses

    def is_doubtful(self, at: float) -> bool:
        """Return whether the search time is over, but the unconfirmed call may still be active.

        The unconfirmed call may be active in two cases:

        - The newest successful snapshot contains an active call that may be the unconfirmed call, see
          `doubt_about`.
        - No poll of this search has succeeded yet.

        :param at: the time of the newest snapshot, epoch seconds.
        """
        return at >= self.search_until and not self.misses

    def is_overdue(self, at: float) -> bool:
        """Return whether the search must end in any case, because ``search_until`` was an hour ago.

        In this hour, the search continues if the snapshots leave it open whether the call is active.

        :param at: the time of the newest snapshot, epoch seconds.
        """
        return at >= self.search_until + _LONGEST_DOUBT


def _session_id(found: CallSession | CallReport) -> int:
    return found.call_session_id if isinstance(found, CallSession) else found.id
