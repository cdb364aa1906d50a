"""How the package decides whether the contact of a call picked up the phone.

Three sources decide: the legs of an active call, the Data API's report of a finished call, and the Data API's
report of its legs. Each source can prove an answer. Only the two reports can prove that there was none.
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_callapi.api.data_api import CallReport, LegReport
from airflow_provider_callapi.api.models import CallSession, Leg, LegState
from airflow_provider_callapi.calls.finish_reasons import PROVE_NO_ANSWER

_ANSWERED_STATES = frozenset(LegState) - {LegState.DIALING, LegState.QUEUED, LegState.DISCONNECTED}
"""States of a contact's leg that prove an answer. A state that this version does not know proves nothing."""


def contact_has_answered(session: CallSession) -> bool:
    """Return whether the legs of an active call prove that the contact picked up.

    Only the contact's leg counts: an employee who picks up first is no answer.
    """
    contact = _without_dtmf(session.contact_phone_number)
    return bool(contact) and any(
        _is_contacts_leg(leg, contact, inbound=session.direction == "in") and leg.state in _ANSWERED_STATES
        for leg in session.legs
    )


def _is_contacts_leg(leg: Leg, contact: str, *, inbound: bool) -> bool:
    """Return whether a leg is the contact's: the leg calls them, or they call in with it."""
    if leg.is_operator:
        return False
    calls_in = inbound and leg.calling_phone_number == contact
    return calls_in or _without_dtmf(leg.called_phone_number) == contact


def _without_dtmf(number: str | None) -> str:
    """Return a phone number without the DTMF tones that may follow it after a dot."""
    return (number or "").partition(".")[0]


def answered_from_report(report: CallReport) -> bool | None:
    """Return whether the contact picked up, as the Data API's report of the call proves it.

    None: the report proves neither; the report of the call's legs may. The Data API describes the finish
    reason ``success_finish`` as "not determined", so it proves nothing.
    """
    if report.talk_duration:
        return True
    return False if report.finish_reason in PROVE_NO_ANSWER else None


def answered_from_legs(legs: Iterable[LegReport]) -> bool | None:
    """Return whether a leg of the contact was connected, from the Data API's report of one call's legs.

    None: the report has no leg of the contact.
    """
    connected = [leg.connect_time is not None for leg in legs if not leg.is_operator]
    return any(connected) if connected else None
