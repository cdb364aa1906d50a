"""How the package decides whether the contact of a call picked up the phone.

Three sources can prove that the contact picked up:

- the legs of an active call; a leg is the line of one participant;
- the Data API's report of the finished call;
- the Data API's report of the call's legs.

Only the two reports can prove that the contact did not pick up. The finish reason of the call alone often
proves nothing, because it can concern any participant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from airflow_provider_callapi.api.data_api import CallReport, LegReport, is_filled_time
from airflow_provider_callapi.api.entries import tells
from airflow_provider_callapi.api.models import CallSession, Leg, LegState, leg_state
from airflow_provider_callapi.calls.outcomes.finish_reasons import category_of, proves_no_answer
from airflow_provider_callapi.calls.phone_numbers.comparison import (
    is_same_number,
    may_be_same_number,
    sip_user,
)

LEGS_DELAY = 30.0
"""For this many seconds after a call's end, the Data API may still lack legs that it will report."""
_SUCCESS = "success_finish"
"""The finish reason of a call that has reached its aim."""
_ANSWERED_STATES = frozenset(LegState) - {LegState.DIALING, LegState.QUEUED, LegState.DISCONNECTED}
"""States of a contact's leg that prove an answer. A state that `LegState` lacks proves no answer."""


def contact_has_answered(session: CallSession) -> bool:
    """Return whether the legs (participants) of an active call prove that the contact picked up.

    Only the contact's leg counts. An employee's leg does not count, even if the employee picks up first.
    Return False if the legs do not prove an answer.
    """
    contact = session.contact_phone_number
    return contact is not None and any(
        _is_contacts_leg(leg, contact, inbound=_may_be_callers(leg, session))
        and leg_state(leg.state) in _ANSWERED_STATES
        for leg in session.legs
    )


def _may_be_callers(leg: Leg, session: CallSession) -> bool:
    """Return whether a leg is possibly the leg of a contact who has called the account."""
    # A start request can set the direction ``in``, too. Then the operator's leg can come from the contact's
    # number. Only a started call has an external_id.
    if session.direction != "in" or _is_called(session.contact_phone_number, session.legs):
        return False
    return not session.external_id or is_same_number(leg.called_phone_number, session.virtual_phone_number)


def _is_called(contact: str | None, legs: Iterable[Leg | LegReport]) -> bool:
    """Return whether one of the legs is a call to the contact's number. False if the contact is None."""
    return any(_is_address_of(contact, leg.called_phone_number) for leg in legs)


def _is_address_of(contact: str | None, number: str | None) -> bool:
    """Return whether a number is the contact's, or a SIP address with the contact's number before the ``@``.

    The exchange may call the contact through a SIP trunk: ``sip:79260000001@trunk.example.com``.
    """
    return is_same_number(sip_user(contact or ""), sip_user(number or ""))


def _is_contacts_leg(leg: Leg, contact: str, *, inbound: bool) -> bool:
    """Return whether a leg (the line of one participant) belongs to the contact.

    ``inbound`` states whether the contact has called the account.
    """
    if leg.is_operator:
        return False
    # By its calling number, a leg counts only if the service states that it is no operator's leg.
    is_told_apart = leg.is_operator is not None and tells(leg, "is_operator")
    calls_in = inbound and is_told_apart and is_same_number(leg.calling_phone_number, contact)
    return calls_in or is_same_number(leg.called_phone_number, contact)


@dataclass(frozen=True)
class FinishedCall:
    """What the Data API reports about one finished call.

    :ivar report: the Data API's report of the call.
    :ivar answered: whether the contact picked up. None: not known.
    :ivar contact_finish_reason: the mnemonic of the finish reason of the contact's newest leg (line), if
        the contact's legs prove that the contact did not pick up. Otherwise None.
    :ivar is_early: whether a later report may show more: ``answered`` is None, and the legs of the call are
        missing, or contradict the call's finish reason. The Data API may report legs later than calls, see
        `LEGS_DELAY`.
    :ivar if_contact_is_last: True: ``answered`` is False only if the contact is called last. The legs of
        other participants exist. If the contact is called first, the exchange calls the others only after
        the contact has picked up.
    """

    report: CallReport
    answered: bool | None
    contact_finish_reason: str | None = None
    is_early: bool = False
    if_contact_is_last: bool = False


def judge_finished_call(
    report: CallReport, legs: Iterable[LegReport] | None, *, complete: bool = True
) -> FinishedCall:
    """Judge by the Data API's two reports of a finished call whether the contact answered.

    A leg is the line of one participant. A leg is connected if its participant picked up. The first rule that
    fits decides:

    1. The call had a talk, or a leg with the contact's number is connected: answered. So is the call if all
       legs that may be the contact's are connected, unless the call's finish reason can concern only the
       contact, e.g. ``subscriber_busy``.
    2. A leg that may be the contact's is connected: not known. It may be the leg of an operator who is no
       employee.
    3. A leg of the call could not be read, or another participant has talked: not known. A talk needs two.
    4. A leg of an unknown participant is connected: not known. It may be the contact's leg, also if its
       number is a SIP address with the contact's number before the ``@``.
    5. The contact has legs, and none of them is connected: not answered. If the call's finish reason is
       ``success_finish``, the two contradict each other: not known.
    6. The call's finish reason can concern only the contact: not answered.
    7. All legs in the report certainly belong to others than the contact, none of them is connected, and the
       call's finish reason excludes a talk: not answered. A reason that is missing or no failure, such as
       ``subscriber_disconnects`` (the contact hung up), excludes no talk, so the report may lack a leg.
    8. Otherwise: not known.

    :param report: the report of the call.
    :param legs: the reports of this call's legs. The leg of a coach (a third person, who joins the talk of an
        employee and the contact) is ignored. Exception: a leg with the contact's number counts as the
        contact's leg, even if it is reported as a coach's. None: the account has no report of legs.
    :param complete: whether all legs of the call could be read.
    :return: ``report``, whether the contact answered (None: not known), why the contact's leg ended, and
        whether this holds only if the contact is called last.
    """
    may_follow = legs is not None and complete
    legs, contact = list(legs or ()), report.contact_phone_number
    is_started = bool(report.call_api_external_id) or _is_called(contact, legs)
    contacts, unclear, others = _sort_legs(contact, legs, is_started=is_started)
    connected = [leg for leg in contacts if _is_connected(leg)]
    is_certain = any(is_same_number(contact, _outer_number(leg, is_started)) for leg in connected) or (
        len(connected) == len(contacts) and not proves_no_answer(report.finish_reason)
    )
    if (report.talk_duration or 0) > 0 or (connected and is_certain):
        return FinishedCall(report, answered=True)
    has_talked = any(leg.is_talked for leg in (*unclear, *others))
    if not complete or connected or has_talked or any(map(_is_connected, unclear)):
        return FinishedCall(report, None)
    is_last = any(map(_is_connected, others))
    is_contradiction = bool(contacts) and report.finish_reason == _SUCCESS
    if contacts and not is_contradiction:
        newest = max(contacts, key=lambda leg: leg.id or 0)
        return FinishedCall(report, False, newest.finish_reason, if_contact_is_last=is_last)
    if proves_no_answer(report.finish_reason):
        return FinishedCall(report, False, if_contact_is_last=is_last)
    may_lack_leg = category_of(report.finish_reason) is None
    never_rang = bool(others) and not unclear and not is_last and not may_lack_leg
    if never_rang:
        return FinishedCall(report, False, if_contact_is_last=True)
    return FinishedCall(report, None, is_early=is_contradiction or (may_follow and not legs))


def contacts_leg_is_connected(contact: str | None, legs: Iterable[LegReport]) -> bool:
    """Return whether the Data API's reports of a call's legs show that the contact picked up.

    A leg is the line of one participant. A leg is connected if its participant picked up. The result is True
    in two cases:

    - Some legs have the contact's number, and at least one of these legs is connected.
    - No leg has the contact's number, but some legs may be the contact's, and all of these are connected.

    A leg may be the contact's if two conditions are met:

    - Its number may be the contact's, e.g. because the number is masked.
    - The Data API states that it is no operator's leg.

    :param contact: the contact's phone number. None: any phone number may be the contact's.
    :param legs: the reports of this call's legs. The call may still be active.
    """
    legs = list(legs)
    contacts, _, _ = _sort_legs(contact, legs)
    is_started = _is_called(contact, legs)
    numbered = [leg for leg in contacts if is_same_number(contact, _outer_number(leg, is_started))]
    if numbered:
        return any(map(_is_connected, numbered))
    return bool(contacts) and all(map(_is_connected, contacts))


def _sort_legs(
    contact: str | None, legs: Iterable[LegReport], *, is_started: bool = False
) -> tuple[list[LegReport], list[LegReport], list[LegReport]]:
    """Sort a call's legs (lines) into three lists: of the contact, of unknown participants, of others.

    ``is_started``: a start request placed the call.
    """
    legs = list(legs)
    is_started = is_started or _is_called(contact, legs)
    # The contact's number decides, even if a leg is reported as an operator's or a coach's. Other legs of
    # coaches are in no list. Without a contact, any number may be the contact's.
    outer = [(leg, _outer_number(leg, is_started) or "") for leg in legs]
    is_numbered = any(is_same_number(contact, number) for _, number in outer)
    contacts: list[LegReport] = []
    unclear: list[LegReport] = []
    others: list[LegReport] = []
    for leg, number in outer:
        user = sip_user(number)
        may_be_contacts = may_be_same_number(contact, user) and not any(map(str.isalpha, user))
        is_possible = leg.is_operator is False and not leg.is_coach and may_be_contacts and user == number
        if is_possible or is_same_number(contact, number):
            contacts.append(leg)
        elif _is_address_of(contact, number):
            unclear.append(leg)
        elif leg.is_coach:
            continue
        elif leg.is_operator or (is_numbered and not may_be_contacts):
            others.append(leg)
        else:
            unclear.append(leg)
    return contacts, unclear, others


def _outer_number(leg: LegReport, is_started: bool) -> str | None:
    # The phone number of a leg's participant. If a start request placed the call (`is_started`), no
    # participant is the caller: the number is the one that the exchange has called.
    # A start request can set the direction ``in``, too, but its contact does not call.
    is_caller = leg.direction == "in" and not is_started
    return leg.calling_phone_number if is_caller else leg.called_phone_number


def _is_connected(leg: LegReport) -> bool:
    """Return whether the participant of a leg picked up."""
    return is_filled_time(leg.connect_time) or bool(leg.is_talked)
