"""How the package decides whether the contact of a call picked up the phone.

There are three sources: the legs of an active call, the Data API's report of a finished call, and the Data
API's report of the call's legs. All three can prove an answer. Only the two reports can prove that the
contact did not answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_callapi.api.data_api import CallReport, LegReport
from airflow_provider_callapi.api.models import CallSession, Leg, LegState
from airflow_provider_callapi.calls.finish_reasons import PROVE_NO_ANSWER

_ANSWERED_STATES = frozenset(LegState) - {LegState.DIALING, LegState.QUEUED, LegState.DISCONNECTED}
"""States of a contact's leg that prove an answer. A state that `LegState` lacks proves no answer."""


def contact_has_answered(session: CallSession) -> bool:
    """Return whether the legs of an active call prove that the contact picked up.

    Only the contact's leg counts. An employee's leg does not count, even if the employee picks up first.
    Return False if the legs do not prove an answer.
    """
    contact = _without_dtmf(session.contact_phone_number)
    return bool(contact) and any(
        _is_contacts_leg(leg, contact, inbound=session.direction == "in") and leg.state in _ANSWERED_STATES
        for leg in session.legs
    )


def _is_contacts_leg(leg: Leg, contact: str, *, inbound: bool) -> bool:
    """Return whether a leg belongs to the contact: the leg calls the contact, or comes from the contact."""
    if leg.is_operator:
        return False
    calls_in = inbound and leg.calling_phone_number == contact
    return calls_in or _without_dtmf(leg.called_phone_number) == contact


def _without_dtmf(number: str | None) -> str:
    """Return a phone number without the dot and the DTMF tones that may follow the number."""
    return (number or "").partition(".")[0]


def answered_from_report(report: CallReport) -> bool | None:
    """Return whether the contact picked up, according to the Data API's report of the call; None: not known.

    After None, the Data API's report of the call's legs may still prove an answer. Without a talk time, the
    finish reason ``success_finish`` gives None, because the Data API describes it as "not determined".
    """
    if report.talk_duration:
        return True
    return False if report.finish_reason in PROVE_NO_ANSWER else None


def answered_from_legs(legs: Iterable[LegReport]) -> bool | None:
    """Return whether the contact picked up, according to the Data API's report of one call's legs.

    A connected leg of the contact proves an answer. None: the report has no leg of the contact.
    """
    connected = [leg.connect_time is not None for leg in legs if not leg.is_operator]
    return any(connected) if connected else None
