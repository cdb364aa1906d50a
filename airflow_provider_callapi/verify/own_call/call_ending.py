"""End the call that ``airflow callapi verify`` has placed, even if the start request got no answer."""

from __future__ import annotations

from collections.abc import Collection

from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.phone_numbers.comparison import is_same_number, may_be_same_number
from airflow_provider_callapi.verify.gateway import Gateway
from airflow_provider_callapi.verify.local_times import QUARTER_HOUR, local_seconds
from airflow_provider_callapi.verify.report_reader import ReportReader
from airflow_provider_callapi.verify.resume_file import ActiveCall

_TICK = 1.0
"""Seconds between two polls, and between two tries to end the call."""
_LONGEST_APPEARANCE = 30.0
"""The longest time, in seconds, from the start of a call until the service shows the call."""
_NEEDED_PROOFS = 30
"""A search in ``list.calls`` ends after this many polls without a call that may be the wanted call."""
_LONGEST_SEARCH = 90.0
"""The longest time of a search in ``list.calls``, in seconds."""
_MOST_TRIES = 3
_LONGEST_UNNAMED_SEARCH = 600.0
"""For this many seconds after the start request, a call without an ``external_id`` can be the run's call.

It is less than a quarter hour, so that `_began_with` needs no time zone.
"""
_CLOCK_DIFFERENCE = 60.0
"""Seconds by which the service's clock may differ from this machine's clock, if a call is to be ended."""
_LARGEST_OFFSET = 15 * 3600.0
"""Seconds by which a local time may differ from UTC, with a wrong clock."""
_NOT_FOUND = "call_session_not_found"


class NotProven(Exception):
    """Raised if the program cannot find or cannot end a call that may still be active.

    The error message gives the reason:

    - A search did not find the call, but the call may still be active. For example, too many polls failed.
    - The service does not know the session id of a call that started less than 30 seconds ago.
    """


class CallEnding:
    """Finds and ends the call that a run of ``airflow callapi verify`` has placed.

    :param gateway: the services, the clock, and the output to the user.
    :param reader: reads reports of the Data API. None: the connection does not use the Data API.
    :param numbers: the phone numbers that the run calls. In the first ten minutes, a number and the start
        time identify a call in ``list.calls`` that has no ``external_id``.
    """

    def __init__(self, gateway: Gateway, reader: ReportReader | None, numbers: Collection[str]) -> None:
        self._gateway = gateway
        self._reader = reader
        self._numbers = numbers

    def end(self, active: ActiveCall) -> bool:
        """End a call. If the session id of the call is not known, search for the call first.

        After a transient error, the method tries again, up to three times in all.

        :param active: the record of the call. If the method searches for the call and finds it, the method
            stores the session id in ``active.session_id``.
        :return: True: the call has ended, or no such call is active. False: the call may still be active.
        """
        self._gateway.say("A call of this command may be active. The command ends the call.")
        for _ in range(_MOST_TRIES):
            try:
                self._end(active)
            except (CallApiError, NotProven) as problem:
                self._gateway.say(f"The command could not end the call: {problem}")
                if isinstance(problem, NotProven) or problem.permanent:
                    return False
                self._gateway.sleep(_TICK)
            else:
                return True
        return False

    def find(self, active: ActiveCall) -> int | None:
        """Search for a call in ``list.calls``, and then in the Data API's report of calls.

        The method polls ``list.calls`` each second, for at most 90 seconds. The method stops polling earlier
        if one of these conditions is met:

        - A poll shows the call.
        - 30 polls have proved that the call is missing.
        - A poll fails with a permanent error.

        :param active: the record of the wanted call.
        :return: the session id. None: 30 polls have proved that the call is missing, and no report shows it.
        :raises NotProven: the method has not found the call, but the call may still be active.
        """
        gives_up_at = self._gateway.clock() + _LONGEST_SEARCH
        proofs, problem = 0, "list.calls shows a call that may be the sought call"
        while proofs < _NEEDED_PROOFS and self._gateway.clock() < gives_up_at:
            try:
                calls = self._gateway.call_api.send("list.calls").calls
            except CallApiError as error:
                problem = str(error)
                if error.permanent:
                    break
            else:
                if session_id := self._recognise(calls, active):
                    return session_id
                proofs += not self._may_hide(calls, active)
            self._gateway.sleep(_TICK)
        session_id = None if self._reader is None else self._reader.search(active.external_id)
        if session_id is None and proofs < _NEEDED_PROOFS:
            raise NotProven(problem)
        return session_id

    def _end(self, active: ActiveCall) -> None:
        if active.session_id is None:
            active.session_id = self.find(active)
        if active.session_id is None:
            self._gateway.say("No such call is active. The start request has perhaps placed no call.")
            return
        if self._release(active.session_id) or not self._is_new(active):
            return
        # The service may not know the new call yet.
        active.session_id = self.find(active) or active.session_id
        if not self._release(active.session_id) and self._is_new(active):
            raise NotProven("the service does not know the call session, although it shows the call")

    def _release(self, session_id: int) -> bool:
        """End a call. Return whether the service knows the call's session id.

        :raises CallApiError: the service refuses the request, or gives no answer.
        """
        answer = self._gateway.call_api.send("release.call", call_session_id=session_id)
        if answer.error == _NOT_FOUND:
            return False
        answer.raise_for_error()
        return True

    def _is_new(self, active: ActiveCall) -> bool:
        """Return whether a call started less than 30 seconds ago.

        Perhaps the service does not show such a new call yet. So an answer without the call does not prove
        that the call has ended.
        """
        return self._gateway.clock() < active.started_at + _LONGEST_APPEARANCE

    def _recognise(self, calls: Entries[CallSession], active: ActiveCall) -> int | None:
        """Find the call that the command has placed. Return its session id. None: the call is not found."""
        named = [
            call
            for call in calls
            if call.call_session_id == active.session_id or _external_id(call) == active.external_id
        ]
        # A call without an external_id can only be recognised by the called phone number and the start.
        # After some minutes, the user may talk to somebody else.
        is_recent = self._gateway.clock() < active.started_at + _LONGEST_UNNAMED_SEARCH
        unnamed = [
            call
            for call in self._unnamed(calls, active)
            if is_recent and self._is_to_the_user(call) and _began_with(call, active)
        ]
        return next((call.call_session_id for call in [*named, *unnamed]), None)

    def _may_hide(self, calls: Entries[CallSession], active: ActiveCall) -> bool:
        """Return whether the run's call may still be active, although `_recognise` did not find it.

        Example: `_recognise` cannot compare a masked phone number.
        """
        unclear = [
            call
            for call in self._unnamed(calls, active)
            if not self._numbers or self._may_be_to_the_user(call)
        ]
        # An incomplete list lacks the calls that cannot be read.
        return bool(unclear) or not calls.complete

    @staticmethod
    def _unnamed(calls: Entries[CallSession], active: ActiveCall) -> list[CallSession]:
        """Return the calls without an ``external_id`` that may be the run's call.

        Not included are calls that were active before the start request, or that began hours later. If the
        session id of the run's call is known, no other call can be the run's call.
        """
        if active.session_id is not None:
            return []
        return [
            call
            for call in calls
            if not _external_id(call)
            and call.call_session_id not in active.others
            and not _began_much_later(call, active)
        ]

    def _is_to_the_user(self, call: CallSession) -> bool:
        return any(is_same_number(call.contact_phone_number, number) for number in self._numbers)

    def _may_be_to_the_user(self, call: CallSession) -> bool:
        return any(may_be_same_number(call.contact_phone_number, number) for number in self._numbers)


def _external_id(call: CallSession) -> str:
    return (call.external_id or "").strip()


def _began_with(call: CallSession, active: ActiveCall) -> bool:
    """Return whether a call of the last ten minutes may have begun with the start request of the run's call.

    The account's time zone is perhaps not known. But each zone is whole quarter hours ahead of UTC.

    :return: also True if the call's start time cannot be read.
    """
    later = _seconds_later(call, active)
    if later is None:
        return True
    latest = _LONGEST_APPEARANCE + _CLOCK_DIFFERENCE
    return (later + _CLOCK_DIFFERENCE) % QUARTER_HOUR <= latest + _CLOCK_DIFFERENCE


def _began_much_later(call: CallSession, active: ActiveCall) -> bool:
    """Return whether a call began after the start request of the run's call, whatever the time zone is."""
    later = _seconds_later(call, active)
    return later is not None and later > _LARGEST_OFFSET


def _seconds_later(call: CallSession, active: ActiveCall) -> float | None:
    """Return how much later than the run's call a call began, plus the account's offset from UTC."""
    local = local_seconds(call.start_time)
    return None if local is None else local - active.started_at
