"""Conclude from the findings of all probes how ``list.calls`` behaves.

Each function of this module concludes one fact, e.g. how soon ``list.calls`` shows a new call. Most functions
return None if the findings do not show the fact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from airflow_provider_callapi.api.models import LegState, leg_state
from airflow_provider_callapi.verify.findings import CallSeen, Findings

TalkIsListed = Literal["at_answer", "in_talk", "never"]

_TALKING = (LegState.TALKING, LegState.OPERATORS_TALKING)


def appear_delay(findings: Findings) -> float | None:
    """Return the longest time from the reply to a start request until ``list.calls`` showed the new call.

    :return: seconds, e.g. 2.0; None: ``list.calls`` showed no call.
    """
    return max((call.appeared for call in findings.placed() if call.appeared is not None), default=None)


def gap(findings: Findings) -> tuple[float, float] | None:
    """Return the longest gap: the time from a call's disappearance from ``list.calls`` until it came back.

    :return: a pair: the beginning of the gap, in seconds after the call first appeared, and its length in
        seconds. For example, ``(4.0, 2.0)``. ``(0.0, 0.0)``: no call had a gap. None: ``list.calls``
        showed no call.
    """
    listed = [call for call in findings.placed() if call.appeared is not None]
    gaps = [gap for call in listed for gap in call.gaps]
    if not listed:
        return None
    return max(gaps, key=lambda gap: gap[1], default=(0.0, 0.0))


def left_early(findings: Findings) -> float | None:
    """Return the longest time from the moment when a call left ``list.calls`` until the call's end.

    :return: seconds. Negative: each call left ``list.calls`` only after it had ended. None: for each call,
        one of the two times is not known.
    """
    early = [
        call.ended - call.left_list
        for call in findings.placed()
        if call.ended is not None and call.left_list is not None
    ]
    return max(early, default=None)


def states(findings: Findings) -> list[str]:
    """Return the different states of legs that ``list.calls`` showed, in the order of their appearance.

    :return: for example ``["Дозвон", "Разговор"]``; empty: ``list.calls`` showed no state.
    """
    return list(dict.fromkeys(state for call in findings.placed() for _, _, state in call.states))


def state_language(findings: Findings) -> Literal["russian", "english"] | None:
    """Return the language in which ``list.calls`` names the states of legs, e.g. ``Разговор``.

    :return: ``russian`` or ``english``; None: ``list.calls`` showed no state that the package knows.
    """
    known = [state for state in states(findings) if leg_state(state) is not None]
    if not known:
        return None
    return "english" if known[0].isascii() else "russian"


def talk_is_listed(findings: Findings) -> TalkIsListed | None:
    """Return when ``list.calls`` begins to show a state of talking, e.g. ``Разговор``, in the contact's leg.

    :return: ``at_answer``: when the contact picks up. ``in_talk``: only when the contact and the operator
        talk, or when a message begins. ``never``: not even while the contact hears a message. None: the
        findings do not show it.
    """
    waiting = _shows_talk(
        (call, call.picked_up("contact"), call.picked_up("operator") or call.ended)
        for call in findings.placed("dead_operator_1", "dead_operator_2", "talk")
    )
    talking = _shows_talk(
        (call, call.picked_up("contact"), call.ended)
        for call in findings.placed("heard", "hung_up", "released")
    )
    if waiting:
        return "at_answer"
    if talking is False:
        return "never"
    return "in_talk" if talking and waiting is False else None


def _shows_talk(periods: Iterable[tuple[CallSeen, float | None, float | None]]) -> bool | None:
    """Return whether ``list.calls`` showed a contact as talking in one of ``periods``.

    :param periods: for each period: a call, and the period's first and last second, counted from the call's
        start.
    :return: None: there is no period whose times are known and in which ``list.calls`` showed the call.
    """
    shown: bool | None = None
    for call, begins, ends in periods:  # in seconds since the start of the call
        if begins is None or ends is None or not call.is_listed_between(begins + 1, ends):
            continue
        in_period = call.states_of("contact", begins + 1, ends)
        shown = bool(shown) or any(leg_state(state) in _TALKING for state in in_period)
    return shown


def operator_leg_is_operator(findings: Findings) -> bool | None:
    """Return the value of ``is_operator`` in the leg of an operator who is not an employee.

    :return: the value in ``list.calls``. If ``list.calls`` has shown no such leg, the value in the Data API's
        report of legs. None: neither ``list.calls`` nor the report has shown the value.
    """
    for call in findings.placed():
        if call.listed_operator is not None:
            return call.listed_operator
    legs = [call.leg("operator") for call in findings.placed()]
    return next((leg.is_operator for leg in legs if leg and leg.is_operator is not None), None)


def shows_talk(call: CallSeen) -> bool:
    """Return whether ``list.calls`` showed, during a call, the contact's leg in a state of talking.

    Example of such a state: ``Разговор``.
    """
    return any(who == "contact" and leg_state(state) in _TALKING for _, who, state in call.states)
