"""Conclude from the findings of all probes how the Data API's reports behave, e.g. how late they are.

Each function of this module concludes one fact about the reports. Most functions return None if the findings
do not show the fact.
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
"""The last part of a finish reason.

It means that the leg was connected, and ended together with the other leg.
"""


def own_leg_reasons(findings: Findings) -> bool | None:
    """Return whether the legs of one call can have different finish reasons in the report of legs.

    None: no call has both a leg whose participant picked up and a leg whose participant did not.
    """
    pairs = [pair for call in findings.placed() if (pair := _reasons(call)) is not None]
    return any(failed != answered for failed, answered in pairs) if pairs else None


def session_reason(findings: Findings) -> SessionReason | None:
    """Return from whose leg the whole call gets its ``finish_reason`` in the report of calls.

    The function is certain only after two kinds of calls: calls in which only the contact picks up (the probe
    ``dead_operator``), and a call in which only the operator picks up (the probe ``second_number``).

    :return: ``ending_leg`` (the leg that ended the call), ``contact``, ``operator``, or ``any`` (no fixed
        leg). None: no call of the probe ``dead_operator`` shows the leg.
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
    """Return two finish reasons: of the leg that was not picked up, and of the leg that was picked up.

    None: the report of legs does not show exactly one leg of each kind with a finish reason.
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
    """Return the longest time from the end of a call until the report contained the call.

    :return: seconds, e.g. 7.5; None: no report contained a finished call.
    """
    reported = [call for call in findings.placed() if call.report_after is not None]
    # After a release, the first question comes a second late.
    exact = [call for call in reported if call.appeared is not None and not call.released]
    return max((call.report_after or 0.0 for call in exact or reported), default=None)


def ongoing_delay(findings: Findings) -> float | Literal["never"] | None:
    """Return the longest time from the start of a call until the report contained the active call.

    :return: seconds, e.g. 3.0. ``never``: no report contained an active call, although the program asked for
        reports for at least 10 seconds of a call. None: not known.
    """
    asked = [call for call in findings.placed() if call.ongoing_asked_until is not None]
    seen = [call.ongoing_at for call in asked if call.ongoing_at is not None]
    if seen:
        return max(seen)
    longest = max((call.ongoing_asked_until or 0.0 for call in asked), default=0.0)
    return "never" if longest >= _LONG_ENOUGH_FOR_A_REPORT else None


def ongoing_talk(findings: Findings) -> bool | None:
    """Return whether the report of an active call contains the duration of the talk so far.

    None: not known, because no call had a long enough talk.
    """
    shown = [
        call.ongoing_talk
        for call in findings.placed()
        if call.ongoing_talk is not None and (call.talk_duration or 0) >= _LONG_ENOUGH
    ]
    return any(shown) if shown else None


def ongoing_legs(findings: Findings) -> bool | None:
    """Return whether the report of legs contains the legs of an active call; None: not known."""
    shown = [call.ongoing_legs for call in findings.placed() if call.ongoing_legs is not None]
    return any(shown) if shown else None


def informer_has_talk(findings: Findings) -> bool | None:
    """Return whether ``talk_duration`` in the report includes the time in which the contact hears a message.

    False: the report counts only the talk with an operator. None: not known, because the findings contain no
    long enough call with a message.
    """
    for call in findings.placed("heard", "released", "hung_up"):
        answered = call.picked_up("contact")
        if answered is None or call.ended is None or call.talk_duration is None:
            continue
        if call.ended - answered >= _LONG_ENOUGH:
            return call.talk_duration > 0
    return None


def unanswered_is_lost(findings: Findings) -> bool | None:
    """Return the value of ``is_lost`` in the report of a call that the contact did not answer.

    None: the findings contain no such call, or its report does not contain ``is_lost``.
    """
    for call in findings.placed("not_answered"):
        if call.legs and call.picked_up("contact") is None:
            return call.is_lost
    return None


def connected(findings: Findings, *names: str) -> list[bool]:
    """Return, for each named call, whether the report of legs shows that the contact picked up.

    The result leaves out calls without a report of legs.

    :param names: the names of calls in `Findings.calls`, e.g. ``not_answered``.
    :return: for example ``[True, False]``; empty: no report shows anything.
    """
    return [call.picked_up("contact") is not None for call in findings.placed(*names) if call.legs]


def connected_if_answered(findings: Findings, *names: str) -> list[bool]:
    """Return, for each named call that the contact answered, whether the report of legs shows the answer.

    The user may have missed a call that the user should have answered. A call is therefore in the result only
    if the report of legs, ``list.calls`` or the talk shows that the contact picked up.

    :param names: the names of calls in `Findings.calls`, e.g. ``heard``.
    :return: for example ``[True, False]``; empty: no report shows anything.
    """
    return [
        call.picked_up("contact") is not None
        for call in findings.placed(*names)
        if call.legs and (call.picked_up("contact") is not None or _shows_answer(call))
    ]


def _shows_answer(call: CallSeen) -> bool:
    """Return whether the contact of a call picked up, as far as the findings show.

    A talk time, a state of talking in ``list.calls``, or an operator's leg shows that the contact picked up.
    """
    return bool(call.talk_duration) or shows_talk(call) or call.leg("operator") is not None
