"""Facts about the reports of the Data API that follow from the findings of a run.

A function returns None if the findings do not show the fact.
"""

from __future__ import annotations

from typing import Literal

from airflow_provider_callapi.verify.findings import CallSeen, Findings
from airflow_provider_callapi.verify.list_facts import shows_talk

SessionReason = Literal["ending_leg", "contact", "operator", "any"]

_LONG_ENOUGH = 3.0
"""Seconds. A longer period contains several polls."""
_LONG_ENOUGH_FOR_A_REPORT = 10.0
_HANG_UP = "_disconnects"
"""The end of the reason of a leg that was connected, and ended with the other side's leg."""


def own_leg_reasons(findings: Findings) -> bool | None:
    """Return whether the report shows a separate finish reason for each leg."""
    pairs = [pair for call in findings.placed() if (pair := _reasons(call)) is not None]
    return any(failed != answered for failed, answered in pairs) if pairs else None


def session_reason(findings: Findings) -> SessionReason | None:
    """Return whose leg gives the session its reason.

    The calls with a switched-off operator and the call that only the operator answers show it together.
    """
    dead = {_is_of_failed_leg(call) for call in findings.placed("dead_operator_1", "dead_operator_2")} - {
        None
    }
    reverse = {_is_of_failed_leg(call) for call in findings.placed("second_number")} - {None}
    if not dead:
        return None
    if len(dead) > 1:
        return "any"
    return _SESSION_REASONS[dead.pop(), reverse.pop() if reverse else None]


_SESSION_REASONS: dict[tuple[bool | None, bool | None], SessionReason] = {
    # (the reason is the failed operator's, the reason is the unreached contact's)
    (True, True): "ending_leg",
    (True, None): "ending_leg",
    (True, False): "operator",
    (False, True): "contact",
    (False, None): "contact",
    (False, False): "any",
}


def _reasons(call: CallSeen) -> tuple[str, str] | None:
    """Return the finish reasons of the leg that failed and of the leg that answered.

    None: the call does not have exactly one failed leg and one answered leg with finish reasons.
    """
    legs = [leg for leg in (call.leg("contact"), call.leg("operator")) if leg is not None]
    failed = [leg.finish_reason for leg in legs if leg.connected is None]
    answered = [leg.finish_reason for leg in legs if leg.connected is not None]
    if len(failed) != 1 or len(answered) != 1 or failed[0] is None or answered[0] is None:
        return None
    return failed[0], answered[0]


def _is_of_failed_leg(call: CallSeen) -> bool | None:
    if _reasons(call) is None or call.finish_reason is None:
        return None
    return not call.finish_reason.endswith(_HANG_UP)


def report_delay(findings: Findings) -> float | None:
    """Return the longest time in seconds from the end of a call until the report contained the call."""
    reported = [call for call in findings.placed() if call.report_after is not None]
    # After a release, the first question comes a second late.
    exact = [call for call in reported if call.appeared is not None and not call.released]
    return max((call.report_after or 0.0 for call in exact or reported), default=None)


def ongoing_delay(findings: Findings) -> float | Literal["never"] | None:
    """Return the longest time in seconds from the start of a call until the report contained the active call.

    ``never``: the report never contained an active call.
    """
    asked = [call for call in findings.placed() if call.ongoing_asked_until is not None]
    seen = [call.ongoing_at for call in asked if call.ongoing_at is not None]
    if seen:
        return max(seen)
    longest = max((call.ongoing_asked_until or 0.0 for call in asked), default=0.0)
    return "never" if longest >= _LONG_ENOUGH_FOR_A_REPORT else None


def ongoing_talk(findings: Findings) -> bool | None:
    """Return whether the report of an active call contains the duration of the talk so far."""
    shown = [
        call.ongoing_talk
        for call in findings.placed()
        if call.ongoing_talk is not None and (call.talk_duration or 0) >= _LONG_ENOUGH
    ]
    return any(shown) if shown else None


def ongoing_legs(findings: Findings) -> bool | None:
    """Return whether the report of legs contains the legs of an active call."""
    shown = [call.ongoing_legs for call in findings.placed() if call.ongoing_legs is not None]
    return any(shown) if shown else None


def informer_has_talk(findings: Findings) -> bool | None:
    """Return whether ``talk_duration`` includes the time in which the contact hears a message."""
    for call in findings.placed("heard", "released", "hung_up"):
        answered = call.picked_up("contact")
        if answered is None or call.ended is None or call.talk_duration is None:
            continue
        if call.ended - answered >= _LONG_ENOUGH:
            return call.talk_duration > 0
    return None


def unanswered_is_lost(findings: Findings) -> bool | None:
    """Return the value of ``is_lost`` in the report of a call that the contact did not answer."""
    for call in findings.placed("not_answered"):
        if call.legs and call.picked_up("contact") is None:
            return call.is_lost
    return None


def connected(findings: Findings, *names: str) -> list[bool]:
    """Return for each of the named calls whether the contact's leg was connected.

    Calls without a report of their legs are left out.
    """
    return [call.picked_up("contact") is not None for call in findings.placed(*names) if call.legs]


def connected_if_answered(findings: Findings, *names: str) -> list[bool]:
    """Do the same as `connected`, but leave out the calls that the contact has perhaps not answered."""
    return [
        call.picked_up("contact") is not None
        for call in findings.placed(*names)
        if call.legs and (call.picked_up("contact") is not None or _shows_answer(call))
    ]


def _shows_answer(call: CallSeen) -> bool:
    """Return whether anything but the contact's leg in the report shows that the contact picked up."""
    return bool(call.talk_duration) or shows_talk(call) or call.leg("operator") is not None
