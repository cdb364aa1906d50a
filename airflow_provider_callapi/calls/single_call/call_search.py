"""Search the account's calls for a task's unconfirmed call. The search changes nothing in the journal.

A call is unconfirmed if its start request got no answer: the call may have been placed or not.
"""

from __future__ import annotations

from airflow_provider_callapi.api.errors import AuthenticationFailed, CallApiError, Unanswered
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.external_ids import is_own_id
from airflow_provider_callapi.calls.single_call.call_gateway import CallGateway
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall
from airflow_provider_callapi.calls.watching.end_rule import TOLERANCE

_LOST_INTENT = 600.0
"""Seconds before now in which a call may have begun whose intent is lost, in the Data API's reports."""


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
) -> int | None:
    """Search for a call whose start request got no answer: first in ``list.calls``, then in the Data API.

    :param journal: contains the ``external_id`` of the call.
    :param request: the start request of the call.
    :param search_until: the earliest time at which the search in ``list.calls`` ends, epoch seconds.
    :param must_work: whether to raise a permanent error of the search. False: return None.
    :param intent_is_lost: True: an earlier try may have placed the call, and its journal is lost, so the call
        may have begun at any time. False: a call that began much earlier than the intent is another call.
    :return: the session id of the call. None: the search did not find the call.
    :raises CallApiError: the search failed.
    """
    record = journal.current
    others = frozenset((*record.others, *journal.placed_sessions, *journal.calls_of_others(request)))
    unconfirmed = UnconfirmedCall(
        record.external_id,
        request.contact,
        None if intent_is_lost else record.intended_at,
        # Only a start time needs the zone. The Data API, which tells the zone, may not answer now.
        "UTC" if is_own_id(record.external_id) else gateway.timezone(),
        search_until,
        others=others,
    )
    failures: list[CallApiError] = []
    session_id: int | None = None
    try:
        session_id = _find_in_snapshots(unconfirmed, gateway)
    except CallApiError as error:
        failures.append(error)
    try:
        if session_id is None and gateway.find_reported_call:
            earliest = record.intended_at - (_LOST_INTENT if intent_is_lost else 0.0)
            session_id = gateway.find_reported_call(record.external_id, request.contact, earliest, others)
    except CallApiError as error:
        failures.append(error)
    if session_id:
        return session_id
    for failure in failures:
        gateway.log(f"Could not search for external_id {record.external_id}: {failure}")
        # After a permanent error, a retry would not help. The call then counts as not found.
        if must_work or not failure.permanent:
            raise failure
    return None


def _find_in_snapshots(unconfirmed: UnconfirmedCall, gateway: CallGateway) -> int | None:
    """Poll to find an unconfirmed call. Return its session id. None: not found.

    :raises CallApiError: a permanent error, or too many failed polls in a row.
    """
    failed_polls = 0
    for snapshot in gateway.poll_snapshots():
        for session in snapshot.sessions.values():
            if unconfirmed.matches(session):
                return session.call_session_id
        failure = snapshot.failure
        if failure is None:
            unconfirmed.count_snapshot(snapshot)
            if not unconfirmed.misses:  # a poll that may hide the unconfirmed call counts as failed
                failure = Unanswered(
                    "an active call cannot be read, and may be the unconfirmed call", method="list.calls"
                )
        if failure is not None:
            failed_polls += 1
            if failure.permanent or failed_polls > TOLERANCE.failures:
                raise failure
            continue
        failed_polls = 0
        if unconfirmed.is_given_up(snapshot.at):
            break
    return None
