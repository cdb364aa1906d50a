"""Search the account's calls for a task's unconfirmed call. The search changes nothing in the journal.

A call is unconfirmed if its start request got no answer: the call may have been placed or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from airflow_provider_callapi.api.errors import AuthenticationFailed, CallApiError, Unanswered
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.external_ids import is_own_id
from airflow_provider_callapi.calls.single_call.call_gateway import CallGateway
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.single_call.call_record import Record
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall
from airflow_provider_callapi.calls.watching.end_rule import TOLERANCE

_LOST_INTENT = 600.0
"""Seconds before now in which a call may have begun whose intent is lost, in the Data API's reports."""


@dataclass(frozen=True)
class FoundCall:
    """The call that a search has found.

    :ivar attempt: the record of the attempt that has placed the call. An earlier attempt than the newest one
        is possible.
    """

    call_session_id: int
    attempt: Record


_Sought = tuple[Record, UnconfirmedCall]


def find_other_calls(
    external_id: str, request: StartCall, gateway: CallGateway
) -> tuple[tuple[int, ...], bool]:
    """Return session ids of active calls that a search could mistake for the new call, and a bool.

    Use this function before the start request. Without a poll, it returns no ids if this package made the
    ``external_id``. If the poll fails, it returns no ids, too.

    :param external_id: the ``external_id`` of the new call.
    :param request: the start request of the new call.
    :return: the ids and a bool. False: some of these ids may be missing.
    :raises AuthenticationFailed: the service refuses the login.
    """
    if is_own_id(external_id):  # no other task uses an id that this package made
        return (), True
    # Another task may call the same contact with the same external_id, if an author chose the id.
    like_ours = UnconfirmedCall(external_id, request.contact, since=None, timezone="UTC")
    snapshot = next(gateway.poll_snapshots())
    if isinstance(snapshot.failure, AuthenticationFailed):
        raise snapshot.failure  # the start request would fail in the same way
    others = tuple(
        number
        for number, session in snapshot.sessions.items()
        if like_ours.matches(session) or like_ours.may_be(session)
    )
    return others, snapshot.failure is None and not snapshot.left_out


def find_unconfirmed_call(
    journal: Journal,
    request: StartCall,
    gateway: CallGateway,
    *,
    search_until: float,
    must_work: bool,
    intent_is_lost: bool = False,
) -> FoundCall | None:
    """Search for a call whose start request got no answer: first in ``list.calls``, then in the Data API.

    :param journal: contains the attempts whose calls are unconfirmed, see `Record.unconfirmed`.
    :param request: the start request of the call.
    :param search_until: the earliest time at which the search in ``list.calls`` ends, epoch seconds.
    :param must_work: whether to raise a permanent error of the search. False: return None.
    :param intent_is_lost: True: an earlier try may have placed the call, and its journal is lost, so the call
        may have begun at any time. False: a call that began much earlier than the intent is another call.
    :return: the call of the newest or of an earlier attempt. None: the search did not find a call.
    :raises CallApiError: the search failed.
    """
    record = journal.current
    others = frozenset((*journal.placed_sessions, *journal.calls_of_others(request)))
    sought = [
        (
            attempt,
            UnconfirmedCall(
                attempt.external_id,
                request.contact,
                None if intent_is_lost else attempt.intended_at,
                # Only a start time needs the zone. The Data API, which tells the zone, may not answer now.
                "UTC" if is_own_id(attempt.external_id) else gateway.timezone(),
                search_until,
                others=others.union(attempt.others),
            ),
        )
        for attempt in record.unconfirmed
    ]
    earliest = record.intended_at - (_LOST_INTENT if intent_is_lost else 0.0)
    failures: list[CallApiError] = []
    for search in (_find_in_snapshots, partial(_find_in_reports, request.contact, earliest)):
        try:
            if found := search(sought, gateway):
                return found
        except CallApiError as error:
            failures.append(error)
    for failure in failures:
        gateway.log(f"Could not search for external_id {record.external_id}: {failure}")
        # After a permanent error, a retry would not help. The call then counts as not found.
        if must_work or not failure.permanent:
            raise failure
    return None


def _find_in_reports(
    contact: str, earliest: float, sought: list[_Sought], gateway: CallGateway
) -> FoundCall | None:
    """Ask the Data API for an unconfirmed call. Return the call. None: not found, or there is no Data API.

    :param earliest: the earliest start time of the newest attempt's call, epoch seconds.
    :param sought: the unconfirmed attempts, the newest first.
    :raises CallApiError: the Data API refuses the request, or does not answer.
    """
    if gateway.find_reported_call is None or gateway.reported_calls is None:
        return None
    (newest, unconfirmed), *before = sought
    session_id = gateway.find_reported_call(newest.external_id, contact, earliest, unconfirmed.others)
    if session_id:
        return FoundCall(session_id, newest)
    if before:
        try:
            reports = gateway.reported_calls(before[-1][0].intended_at)
        except CallApiError as error:  # many reports may need more points than the account has
            gateway.log(f"Could not search for the earlier attempts: {error}")
            return None
        for attempt, unconfirmed in before:
            if report := next(filter(unconfirmed.matches, reports), None):
                return FoundCall(report.id, attempt)
    return None


def _find_in_snapshots(sought: list[_Sought], gateway: CallGateway) -> FoundCall | None:
    """Poll to find an unconfirmed call. Return the call. None: not found.

    :param sought: the unconfirmed attempts, the newest first. Only the search for the newest one decides when
        the polls end.
    :raises CallApiError: a permanent error, or too many failed polls in a row.
    """
    failed_polls = 0
    _, unconfirmed = sought[0]
    for snapshot in gateway.poll_snapshots():
        for attempt, call in sought:
            if session := next(filter(call.matches, snapshot.sessions.values()), None):
                return FoundCall(session.call_session_id, attempt)
        failure = snapshot.failure
        if failure is None:
            doubt = unconfirmed.count_snapshot(snapshot)
            if doubt is not None:  # such a poll counts as failed
                failure = Unanswered(doubt, method="list.calls")
        if failure is not None:
            failed_polls += 1
            if failure.permanent or failed_polls > TOLERANCE.failures:
                raise failure
            continue
        failed_polls = 0
        if unconfirmed.is_given_up(snapshot.at):
            break
    return None
