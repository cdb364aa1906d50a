"""The finish reasons of the emulator's calls and legs.

A finish reason is a mnemonic of the Data API that states why a call or a leg ended, e.g. ``subscriber_busy``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from airflow_provider_callapi.emulator.calls.call import Call
from airflow_provider_callapi.emulator.calls.script import Reaction, Script, Side
from airflow_provider_callapi.emulator.calls.state_diagram import Role
from airflow_provider_callapi.emulator.profile import Profile

HANG_UP_REASONS: Mapping[Side, str] = {
    "contact": "subscriber_disconnects",
    "employee": "operator_disconnects",
}
"""Who ends the talk → finish reason."""

_NOT_REACHED_REASONS: Mapping[tuple[bool, Reaction], str] = {
    (True, "busy"): "subscriber_busy",
    (True, "no_answer"): "subscriber_not_responsible",
    (False, "busy"): "operator_busy",
    (False, "no_answer"): "operator_not_responsible",
}
"""(True for the contact's leg, `Script.answer`) → finish reason."""


def not_reached_reason(role: Role, script: Script) -> str | None:
    """Return why a participant's leg ends without an answer: a finish reason such as ``subscriber_busy``.

    :param role: the role of the leg. The contact's leg has other finish reasons than all other legs.
    :param script: the script of the participant's phone. A finish reason in `Script.fails_with` is returned
        for any role.
    :return: the finish reason. None: the participant answers.
    """
    return script.fails_with or _NOT_REACHED_REASONS.get((role is Role.CONTACT, script.answer))


def reason_of_other_legs(reason: str, ending: Role | None) -> str:
    """Return the finish reason of the legs that end only because the call ends.

    - If the contact's leg ended the call: ``subscriber_disconnects``.
    - If another leg ended the call: ``operator_disconnects``.
    - If no single leg ended the call: ``reason``.

    :param reason: why the call ended.
    :param ending: the role of the leg that ended the call. None: no single leg ended the call.
    """
    if ending is None:
        return reason
    return HANG_UP_REASONS["contact" if ending is Role.CONTACT else "employee"]


def session_reason(call: Call, reason: str, profile: Profile) -> str:
    """Return the finish reason that the Data API's report shows for a finished call.

    It is the finish reason of one leg. `Profile.session_reason` chooses the leg:

    - ``ending_leg``: the leg that ended the call.
    - ``contact``: the contact's newest leg.
    - ``operator``: the newest leg of an operator.
    - ``any``: one of the legs. The call's session id decides which.

    :param reason: why the call ended: the finish reason of the leg that ended the call. The function also
        returns it if the call has no leg of the chosen kind.
    """
    return _SESSION_REASONS[profile.session_reason](call) or reason


def _reason_of(role: Role) -> Callable[[Call], str | None]:
    def last_reason(call: Call) -> str | None:
        return next((leg.finish_reason for leg in reversed(call.legs) if leg.role is role), None)

    return last_reason


def _any_reason(call: Call) -> str | None:
    return call.legs[call.call_session_id % len(call.legs)].finish_reason if call.legs else None


_SESSION_REASONS: Mapping[str, Callable[[Call], str | None]] = {
    "ending_leg": lambda call: None,
    "contact": _reason_of(Role.CONTACT),
    "operator": _reason_of(Role.OPERATOR),
    "any": _any_reason,
}
"""`Profile.session_reason` → a function that returns the finish reason of a session.

If the function returns None, the session has the finish reason of the leg that ended the call.
"""
