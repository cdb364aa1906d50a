"""One watched call, and the snapshots that show it, lack it or fail."""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.api.errors import (
    CallApiError,
    LimitExceeded,
    NotSent,
    ServiceFailed,
    Unanswered,
)
from airflow_provider_callapi.api.models import CallSession, Leg, LegState, Tag
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import SessionWatch

CALL = 206597836
CONTACT = "79260000001"
EMPLOYEE = "79262444393"
VIRTUAL = "74951045771"
TRANSIENT = [NotSent, Unanswered, ServiceFailed, LimitExceeded]
ANSWERED_STATES = [
    LegState.TALKING,
    LegState.OPERATORS_TALKING,
    LegState.ON_HOLD,
    LegState.TRANSFERRING,
    LegState.SENDING_DTMF,
    LegState.RECEIVING_FAX,
    LegState.FAX_RECEIVED,
    LegState.SENDING_FAX,
    LegState.FAX_SENT,
]


def session(
    contact: str | None,
    employee: str | None = None,
    *,
    dtmf: str = "",
    tags: tuple[int, ...] = (),
    external_id: str | None = None,
) -> CallSession:
    """The watched call; ``contact`` and ``employee`` are the states of their legs, None: no leg."""
    legs = []
    if employee is not None:
        legs.append(
            Leg(
                leg_id=2,
                calling_phone_number=CONTACT,
                called_phone_number=EMPLOYEE,
                is_operator=True,
                state=employee,
            )
        )
    if contact is not None:
        legs.append(
            Leg(leg_id=1, calling_phone_number=VIRTUAL, called_phone_number=CONTACT + dtmf, state=contact)
        )
    return CallSession(
        call_session_id=CALL,
        contact_phone_number=CONTACT,
        virtual_phone_number=VIRTUAL,
        external_id=external_id,
        tags=tuple(Tag(tag_id=tag) for tag in tags),
        legs=tuple(legs),
    )


OTHER_CALL = CallSession(
    call_session_id=CALL + 1,
    contact_phone_number=CONTACT,
    legs=(Leg(leg_id=9, called_phone_number=CONTACT, state=LegState.TALKING),),
)


def shows(at: float, call: CallSession) -> Snapshot:
    return Snapshot(at, {OTHER_CALL.call_session_id: OTHER_CALL, CALL: call})


def lacks(at: float) -> Snapshot:
    return Snapshot(at, {OTHER_CALL.call_session_id: OTHER_CALL})


def fails(at: float, kind: type[CallApiError] = Unanswered) -> Snapshot:
    return Snapshot(at, failure=kind("the poll failed"))


def new_watch(**rules: Any) -> SessionWatch:
    return SessionWatch(CALL, **{"appear_by": 60.0, "deadline": 3600.0, **rules})


STARTED = Outcome(CALL, external_id="af-1", started_at=0.0)
