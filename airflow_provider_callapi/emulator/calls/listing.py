"""The active calls that the emulator's ``list.calls`` shows at a moment, and the form of each entry.

The emulator's `Profile` determines which calls and which form, because the vendor's services differ.

The forms come from the vendor's Call API v4.0 document. The English texts of the legs' states come from the
newer documentation of the vendor's brand CallGear.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_callapi.api.models import LegState
from airflow_provider_callapi.emulator.calls.call import Call, Leg
from airflow_provider_callapi.emulator.calls.state_diagram import Role
from airflow_provider_callapi.emulator.profile import Profile

ENGLISH_STATES: dict[LegState, str] = {
    LegState.DIALING: "Dial",
    LegState.TALKING: "Conversation",
    LegState.QUEUED: "Next in line",
    LegState.DISCONNECTED: "Disconnected",
    LegState.OPERATORS_TALKING: "Operators talking",
    LegState.ON_HOLD: "On hold",
    LegState.TRANSFERRING: "Call Transfer",
    LegState.SENDING_DTMF: "Sending DTMF",
    LegState.RECEIVING_FAX: "Receiving a fax",
    LegState.FAX_RECEIVED: "Fax received",
    LegState.SENDING_FAX: "Sending a fax",
    LegState.FAX_SENT: "Fax sent",
}
"""State of a leg → the state's English text in CallGear's documentation of ``list.calls``."""

_TALKING = (LegState.TALKING, LegState.OPERATORS_TALKING)


def is_listed(call: Call, profile: Profile, now: float) -> bool:
    """Return True if ``list.calls`` shows an active call at a moment.

    The result is False in two cases: ``list.calls`` does not show the call yet, or the moment is in the time
    for which the profile hides the call (`Profile.vanish_seconds`).

    :param now: the moment, in epoch seconds.
    """
    since = now - call.listed_at - profile.appear_delay
    vanished = profile.vanish_after <= since < profile.vanish_after + profile.vanish_seconds
    return since >= 0 and not vanished


def is_operator(leg: Leg, profile: Profile) -> bool:
    """Return the value of ``is_operator`` that ``list.calls`` and the report of legs show for a leg.

    - The leg of an operator who is an employee of the account: True.
    - The leg of an operator who is not an employee, e.g. in ``start.simple_call``: the value of
      `Profile.operator_leg_is_operator`, by default True.
    - The leg of another participant, e.g. of the contact: False.
    """
    return leg.role is Role.OPERATOR and (profile.operator_leg_is_operator or leg.employee is not None)


def list_entry(call: Call, profile: Profile) -> dict[str, Any]:
    """Return the entry of a call in the answer to ``list.calls``, as a dict for a JSON object.

    The profile decides, for example, the form of ``start_time`` and the language of the legs' states.
    """
    entry = call.listing()
    if not profile.external_id_is_listed:
        entry["external_id"] = None
    entry["start_time"] = _start_time(call, profile)
    for shown, leg in zip(entry["legs"], call.legs, strict=True):
        shown["is_operator"] = is_operator(leg, profile)
        shown["state"] = _state(call, leg, profile)
        if "no_employee_id" in profile.odd_shapes:
            del shown["employee_id"]
    return entry


def _start_time(call: Call, profile: Profile) -> str:
    if profile.start_time_format == "milliseconds":
        return call.start_time
    if profile.start_time_format == "utc":
        return datetime.fromtimestamp(call.started_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    zone = ZoneInfo(call.account.timezone)
    return datetime.fromtimestamp(call.started_at, zone).strftime("%Y-%m-%d %H:%M:%S")


def _state(call: Call, leg: Leg, profile: Profile) -> str:
    hidden = profile.talk_is_listed == "never" or (
        profile.talk_is_listed == "in_talk" and call.talked_at is None
    )
    state = LegState.DIALING if hidden and leg.state in _TALKING else leg.state
    return ENGLISH_STATES[state] if profile.state_language == "english" else state.value
