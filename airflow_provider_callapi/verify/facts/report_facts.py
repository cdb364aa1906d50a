"""Conclude from the findings of all probes how the Data API's reports behave, e.g. how late they are.

Each function of this module concludes one fact about the reports. Most functions return None if the findings
do not show the fact.
"""

from __future__ import annotations

from typing import Literal

from airflow_provider_callapi.verify.facts.list_facts import shows_talk
from airflow_provider_callapi.verify.findings import CallSeen, Findings

SessionReason = Literal["ending_leg", "contact", "operator", "any"]

_LONG_ENOUGH = 3.0
"""The shortest talk from which a function concludes a fact, in seconds. Such a talk spans several polls."""
_LONG_ENOUGH_FOR_A_REPORT = 10.0
_HANG_UP = "_disconnects"
"""The ending of a finish reason such as ``operator_disconnects``.

The ending means that the leg was connected, and that the leg ended together with the other leg.
"""


def own_leg_reasons(findings: Findings) -> bool | None:
    """Return whether the two legs of one call can have different finish reasons in the report of legs.

    A call counts if exactly one participant picked up, and if the report contains the reasons of both legs.

    :return: True: the reasons differ in at least one of these calls. False: they are equal in each of them.
        None: no call counts.
    """
    pairs = [pair for call in findings.placed() if (pair := _reasons(call)) is not None]
    return any(failed != answered for failed, answered in pairs) if pairs else None


def session_reason(findings: Findings) -> SessionReason | None:
    """Return which leg gives the whole call its ``finish_reason`` in the report of calls.

    The probe ``dead_operator`` must have run. Without the probe ``second_number``, the result is less
    certain.

    :return: ``ending_leg`` (the leg that ended the call), ``contact``, ``operator``, or ``any`` (no fixed
        leg). None: the calls of the probe ``dead_operator`` do not show which leg.
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
    # Two answers → the result. First answer: whether the call has the operator's reason if only the contact
    # picks up. Second answer: whether the call has the contact's reason if only the operator picks up. None:
    # not known.
    (True, True): "ending_leg",
    (True, None): "ending_leg",
    (True, False): "operator",
    (False, True): "contact",
    (False, None): "contact",
    (False, False): "any",
}


def _reasons(call: CallSeen) -> tuple[str, str] | None:
    """Return two finish reasons: of the participant who did not pick up, and of the participant who did.

    None: the call has no such pair of reasons.
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
    """Return the longest time from the end of a call until the report contained the finished call.

    The times are more exact for calls that ``list.calls`` has shown, and that the program has not released
    (ended). If there are such calls, only these calls count. Otherwise, all calls count.

    :return: seconds, e.g. 7.5; None: no report contained a finished call.
    """
    reported = [call for call in findings.placed() if call.report_after is not None]
    # After a release, the program first asks for the report a second after the end.
    exact = [call for call in reported if call.appeared is not None and not call.released]
    return max((call.report_after or 0.0 for call in exact or reported), default=None)


def ongoing_delay(findings: Findings) -> float | Literal["never"] | None:
    """Return the longest delay from the start of a call until a report contained the active call.

    :return: seconds, e.g. 3.0. ``never``: no report contained an active call. None: not known, because no
        report was asked for during the call, ten seconds or more after its start.
    """
    asked = [call for call in findings.placed() if call.ongoing_asked_until is not None]
    seen = [call.ongoing_at for call in asked if call.ongoing_at is not None]
    if seen:
        return max(seen)
    longest = max((call.ongoing_asked_until or 0.0 for call in asked), default=0.0)
    return "never" if longest >= _LONG_ENOUGH_FOR_A_REPORT else None


def ongoing_talk(findings: Findings) -> bool | None:
    """Return whether the report of an active call contains the duration of the talk so far.

    Only a call of this kind counts: the program got a report while the call was active, and the report of the
    finished call shows a talk of 3 seconds or longer.

    :return: True: for at least one of these calls, a report during the call showed a ``talk_duration`` of
        more than 0. False: for none of them. None: no call counts.
    """
    shown = [
        call.ongoing_talk
        for call in findings.placed()
        if call.ongoing_talk is not None and (call.talk_duration or 0) >= _LONG_ENOUGH
    ]
    return any(shown) if shown else None


def ongoing_legs(findings: Findings) -> bool | None:
    """Return whether the report of legs contains the legs of an active call.

    None: not known, because no probe has asked for the legs during a call.
    """
    shown = [call.ongoing_legs for call in findings.placed() if call.ongoing_legs is not None]
    return any(shown) if shown else None


def informer_has_talk(findings: Findings) -> bool | None:
    """Return whether ``talk_duration`` in the report includes the time in which the contact hears a message.

    The function looks at a call with a message, without an operator, in which the contact stayed on the line
    for 3 seconds or longer.

    :return: True: ``talk_duration`` is more than 0, so the message counts as talk. False: it is 0, so only a
        talk with an operator counts. None: the findings contain no report of such a call.
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

    None: the findings contain no unanswered call of the probe ``not_answered``, or the report of the call
    does not contain ``is_lost``.
    """
    for call in findings.placed("not_answered"):
        if call.legs and call.picked_up("contact") is None:
            return call.is_lost
    return None


def connected(findings: Findings, *names: str) -> list[bool]:
    """Return, for each named call, whether the report of legs shows that the contact picked up.

    The result leaves out calls without a report of legs.

    :param names: the names of calls in `Findings.calls`, e.g. ``not_answered``.
    :return: one value for each remaining call, e.g. ``[True, False]``. Empty: no named call has a report of
        legs.
    """
    return [call.picked_up("contact") is not None for call in findings.placed(*names) if call.legs]


def connected_if_answered(findings: Findings, *names: str) -> list[bool]:
    """Return, for each named call that the contact answered, whether the report of legs shows the answer.

    A call counts as answered if any finding shows that the contact picked up, e.g. a state of talking in
    ``list.calls``. Calls without a report of legs are left out.

    :param names: the names of calls in `Findings.calls`, e.g. ``heard``.
    :return: one value for each remaining call, e.g. ``[True, False]``. Empty: no call is left.
    """
    return [
        call.picked_up("contact") is not None
        for call in findings.placed(*names)
        if call.legs and (call.picked_up("contact") is not None or _shows_answer(call))
    ]


def _shows_answer(call: CallSeen) -> bool:
    """Return whether the contact picked up: a talk time, a state of talking or an operator's leg shows it."""
    # The contact's own leg does not count here, because the caller checks whether this leg shows the answer.
    return bool(call.talk_duration) or shows_talk(call) or call.leg("operator") is not None
