"""Place one call at most once. All calls that belong to no campaign are placed by this module.

A placed call cannot be undone, and the service has no idempotency key. So `place` stores an intent in the
task's journal before it sends the start request. A table in the docstring of
`airflow_provider_callapi.calls.single_call.call_journal` shows what each try does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from airflow_provider_callapi.api.errors import CallApiError, Unanswered
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.calling_hours.hours import OutsideCallingHours
from airflow_provider_callapi.calls.external_ids import has_id
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.single_call.call_gateway import CallGateway
from airflow_provider_callapi.calls.single_call.call_journal import DIALLING_STEPS, Journal, Step
from airflow_provider_callapi.calls.single_call.call_record import Record
from airflow_provider_callapi.calls.single_call.call_search import (
    FoundCall,
    find_other_calls,
    find_unconfirmed_call,
)
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall

Delivery = Literal["at_most_once", "at_least_once"]
"""What a task does if it is unknown whether a call was placed, and a search has not found the call.

``at_most_once``: the task fails. ``at_least_once``: the task places a new attempt.
"""


@dataclass(frozen=True)
class ProveAbsence:
    """If a search does not find a call: place the same attempt again, once the call's absence is proven.

    :ivar after: seconds from the end of the first search. If no service shows the call after this time, the
        call was never placed.
    """

    after: float


_NOT_FOUND = "An earlier search did not find the call"


class Killed(Exception):
    """Raised if the task was killed. The try sends no further start request, and its result is not used."""


class Unresolved(Exception):
    """A start request got no answer, and the search did not find the call. The call may have been placed.

    :param may_redial: True: a retry may place a new call, because the delivery is ``at_least_once``.
    :ivar cause: why it is unknown whether the call was placed.
    """

    def __init__(self, external_id: str, cause: str, *, may_redial: bool = False) -> None:
        super().__init__(
            f"{cause}. The call may have been placed. Because delivery is at_least_once, a retry searches "
            f"for external_id {external_id} once more, and places a new call if it does not find this call"
            if may_redial
            else f"{cause}. The call may have been placed, so it is not placed again. Search the account's "
            f"calls for external_id {external_id}; if it is not there, clear this task to place a new call"
        )
        self.external_id = external_id
        self.cause = cause


class AnswerNotStored(Exception):
    """The service has accepted a call, and the journal could not store the call's session id.

    The journal still contains the intent. So the next try searches for the call before it dials.
    """

    def __init__(self, call_session_id: int, external_id: str, cause: Exception) -> None:
        super().__init__(
            f"The call is placed as call session {call_session_id}: the phone rings or has rung. The session "
            f"could not be stored ({type(cause).__name__}: {cause}). The next try of this task, also after a "
            f"clear, searches for external_id {external_id} before it dials"
        )
        self.call_session_id = call_session_id


class AbsenceNotProven(Exception):
    """A search has not found an unconfirmed call, but does not prove yet that the call was never placed.

    :ivar search_again_at: when to search again, epoch seconds.
    """

    def __init__(self, external_id: str, search_again_at: float) -> None:
        super().__init__(f"neither list.calls nor the Data API shows external_id {external_id} yet")
        self.search_again_at = search_again_at


class _Unconfirmed(Exception):
    """It is unknown whether a start request has placed a call. The text of the error states the cause."""


def place(
    journal: Journal,
    request: StartCall,
    gateway: CallGateway,
    *,
    appear_timeout: float,
    if_not_found: Delivery | ProveAbsence = "at_most_once",
    search_first: bool = False,
    may_have_placed: bool = False,
    id_is_unique: bool = False,
) -> Outcome:
    """Place a task's call, or continue with the call that an earlier try of the task placed.

    If a start request got no answer, the function searches for its call before anyone is dialled again.

    :param journal: the stored record of the task's call. The function updates the record.
    :param request: the start request of the call.
    :param appear_timeout: how many seconds to search for an unconfirmed call in ``list.calls``.
    :param if_not_found: what follows if an unconfirmed call is not found. ``at_most_once``: raise
        `Unresolved`. ``at_least_once``: place a new attempt, at most once per try. The person's phone may
        then ring twice. `ProveAbsence`: place the same attempt again once the absence is proven.
    :param search_first: True: before dialling, search for a call that an earlier try may have placed. Use
        True if the journal of the earlier try is lost.
    :param may_have_placed: only with ``search_first``. True: an earlier try may have placed a call. If the
        search does not find the call, ``if_not_found`` counts. False: no earlier try has placed a call.
    :param id_is_unique: True: only this task uses the request's ``external_id``. False: a search ignores
        calls that were active before dialling. With ``search_first``, this parameter has no effect.
    :return: the outcome so far of the call.
    :raises AbsenceNotProven: only with `ProveAbsence`: the unconfirmed call was not found, and may have been
        placed. Use this function again at the error's ``search_again_at``.
    :raises OutsideCallingHours: the contact may not be called now. The call was not placed.
    :raises Killed: the task was killed before the start request, or during the search for the call.
    :raises Unresolved: it stays unknown whether the call was placed.
    :raises AnswerNotStored: the call was placed, and the journal could not store its session id.
    :raises CallApiError: the call was not placed, or the search for the call failed.
    """
    journal.turn_to(request.contact)
    step = journal.next_step(request)
    if search_first and journal.record is None:
        gateway.log("The journal of earlier tries is lost: searching for their call before dialling")
    else:
        gateway.log(f"{journal.describe(request)}: {step}")
    if step is Step.ADOPT:
        return journal.current.outcome
    if step is Step.GIVE_UP and if_not_found == "at_most_once":
        raise Unresolved(journal.current.external_id, _NOT_FOUND)
    cause, search_seconds = "An earlier try ended before it got an answer", appear_timeout
    if step in DIALLING_STEPS:
        others = () if search_first or id_is_unique else None
        try:
            return _dial(
                journal,
                request,
                gateway,
                if_not_found,
                search_first=search_first,
                may_have_placed=may_have_placed,
                appear_timeout=appear_timeout,
                others=others,
            )
        except _Unconfirmed as error:
            cause = str(error)
    elif step is Step.GIVE_UP or journal.current.missing_since is not None:
        # The call was searched for appear_timeout, perhaps by this try, which has waited since then.
        cause, search_seconds = _NOT_FOUND, 0.0
    must_work = isinstance(if_not_found, ProveAbsence)  # a search that fails proves nothing
    if call := _search(journal, request, gateway, cause, seconds=search_seconds, must_work=must_work):
        return call
    if isinstance(if_not_found, ProveAbsence):
        return _place_absent_call(journal, request, gateway, if_not_found)
    journal.mark_unresolved()
    if if_not_found == "at_most_once":
        raise Unresolved(journal.current.external_id, cause)
    gateway.log(f"{cause}; the call was not found, and delivery is at_least_once: {Step.DIAL_AGAIN}")
    return _place_another_attempt(journal, request, gateway, appear_timeout)


def _place_another_attempt(
    journal: Journal, request: StartCall, gateway: CallGateway, appear_timeout: float
) -> Outcome:
    """Place a new attempt and return its outcome, although the earlier call may have been placed.

    :raises Unresolved: the new call is unresolved, too.
    """
    try:
        return _dial(journal, request, gateway, "at_least_once")
    except _Unconfirmed as error:
        cause = str(error)
    if call := _search(journal, request, gateway, cause, seconds=appear_timeout):
        return call
    journal.mark_unresolved()
    raise Unresolved(journal.current.external_id, cause, may_redial=True)


def _place_absent_call(
    journal: Journal, request: StartCall, gateway: CallGateway, if_absent: ProveAbsence
) -> Outcome:
    """Send an unconfirmed call's start request again, if it is proven that the call was never placed.

    :raises AbsenceNotProven: it is not proven yet.
    """
    unconfirmed = journal.current
    proven_at = journal.mark_missing(gateway.clock()) + if_absent.after
    if gateway.clock() < proven_at:
        raise AbsenceNotProven(unconfirmed.external_id, proven_at)
    _refuse_doubtful_absence(journal, request, gateway)
    others, is_complete = find_other_calls(unconfirmed.external_id, request, gateway)
    if not is_complete or not set(others) <= set(unconfirmed.others):
        raise AbsenceNotProven(unconfirmed.external_id, gateway.clock())  # the next search finds the call
    gateway.log(
        f"No service shows external_id {unconfirmed.external_id}, {if_absent.after:g} s after a first "
        "search. So the call was never placed, and the same attempt is placed again"
    )
    journal.mark_not_placed()
    try:
        return _dial(journal, request, gateway, if_absent, others=tuple({*unconfirmed.others, *others}))
    except _Unconfirmed:
        raise AbsenceNotProven(journal.current.external_id, gateway.clock()) from None


def _refuse_doubtful_absence(journal: Journal, request: StartCall, gateway: CallGateway) -> None:
    # Before an unconfirmed call counts as never placed: raises an error if a report of the Data API may
    # belong to the call.
    unconfirmed = journal.current
    if gateway.reported_calls is None:  # the connection does not use the Data API
        return
    reports = gateway.reported_calls(unconfirmed.intended_at)
    sought = UnconfirmedCall(
        unconfirmed.external_id,
        request.contact,
        unconfirmed.intended_at,
        gateway.timezone(),
        others=unconfirmed.others,
    )
    for report in reports:
        if sought.matches(report) or sought.may_be(report):
            has = "has this task's" if has_id(report, unconfirmed.external_id) else "has no"
            journal.mark_unresolved()
            raise Unresolved(
                unconfirmed.external_id,
                f"Call session {report.id} {has} external_id, and may be the call of this task",
            )
    if not reports.complete:
        raise Unanswered(
            "a report cannot be read, and may be the report of the call", method="get.calls_report"
        )


def _dial(
    journal: Journal,
    request: StartCall,
    gateway: CallGateway,
    if_not_found: Delivery | ProveAbsence,
    *,
    search_first: bool = False,
    may_have_placed: bool = False,
    appear_timeout: float = 0.0,
    others: tuple[int, ...] | None = None,
) -> Outcome:
    """Store the next attempt's intent, then dial. Return the call's outcome.

    :raises _Unconfirmed: it is unknown whether the call was placed.
    """
    if others is None:  # other tasks' calls, which a search ignores; if the poll fails, it ignores none
        others, _ = find_other_calls(journal.external_id(request, journal.next_attempt), request, gateway)
    # Read before the send: a store may fail, and the answer must reach the log.
    earlier = {*journal.placed_sessions, *others, *journal.calls_of_others(request)}
    intended = journal.store_intent(request, gateway.clock(), others)
    if search_first and (
        found := find_unconfirmed_call(
            journal,
            request,
            gateway,
            search_until=gateway.clock() + appear_timeout if may_have_placed else 0.0,
            must_work=if_not_found != "at_least_once",
            intent_is_lost=True,
        )
    ):
        gateway.log(
            f"Found call session {found.call_session_id} by its external_id: an earlier try placed it"
        )
        return _store_found(journal, request, found)
    if may_have_placed and if_not_found == "at_most_once":
        journal.mark_unresolved()
        raise Unresolved(journal.current.external_id, "An earlier try ended, and may have placed the call")
    intended_at = journal.current.intended_at

    def refuse_late_send() -> None:
        seconds = gateway.clock() - intended_at
        if isinstance(if_not_found, ProveAbsence) and seconds >= if_not_found.after:
            # Another try may have proven that the call was never placed, and may have placed it.
            raise _Unconfirmed(f"The worker was suspended for {seconds:.0f} s before the start request")

    try:
        session_id = gateway.send(intended, refuse_late_send).call_session_id
    except (OutsideCallingHours, Killed):
        journal.mark_not_placed()
        raise
    except CallApiError as error:
        if error.maybe_done:
            raise _Unconfirmed(str(error)) from error
        journal.mark_not_placed()
        raise
    if session_id in earlier:  # this does not show whether a new call was placed
        raise _Unconfirmed(f"The answer names call session {session_id}, which is an earlier call")
    gateway.log(f"Call session {session_id}: the call is placed")
    return _store_placed(journal, request, session_id, gateway.clock())


def _store_found(journal: Journal, request: StartCall, found: FoundCall) -> Outcome:
    """Store that a search has found the call, see `_store_placed`."""
    attempt = found.attempt
    return _store_placed(journal, request, found.call_session_id, attempt.intended_at, attempt=attempt)


def _store_placed(
    journal: Journal,
    request: StartCall,
    session_id: int,
    started_at: float,
    *,
    attempt: Record | None = None,
) -> Outcome:
    """Store that the call is placed. Return what is known of the call.

    :param attempt: the record of the attempt that has placed the call. None: the newest attempt.
    :raises AnswerNotStored: the session id could not be stored.
    """
    try:
        # The callers log the session id before, because the store may fail.
        return journal.mark_started(
            session_id, started_at, contact_first=request.may_call_contact_first, attempt=attempt
        )
    except Exception as error:  # a store may raise anything
        raise AnswerNotStored(session_id, journal.current.external_id, error) from error


def _search(
    journal: Journal,
    request: StartCall,
    gateway: CallGateway,
    cause: str,
    *,
    seconds: float,
    must_work: bool = False,
) -> Outcome | None:
    """Search for a call whose start request got no answer. Store and return its outcome. None: not found.

    :param must_work: False: after a permanent error of the search, return None. True: raise the error.
    """
    record = journal.current
    gateway.warn(f"{cause}; searching for external_id {record.external_id}")
    found = find_unconfirmed_call(
        journal,
        request,
        gateway,
        # not from the intent: the start request may have waited for a rate limit
        search_until=gateway.clock() + seconds,
        must_work=must_work,
    )
    if found is None:
        return None
    gateway.log(f"Found call session {found.call_session_id} by its external_id: it was placed")
    return _store_found(journal, request, found)
