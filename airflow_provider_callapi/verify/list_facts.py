"""Facts about ``list.calls`` that follow from several findings.

Each function returns None if the findings do not show the fact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from airflow_provider_callapi.api.models import LegState, leg_state
from airflow_provider_callapi.verify.findings import CallSeen, Findings

TalkIsListed = Literal["at_answer", "in_talk", "never"]

_TALKING = (LegState.TALKING, LegState.OPERATORS_TALKING)


def appear_delay(findings: Findings) -> float | None:
    """Return the longest time in seconds until ``list.calls`` showed a call."""
    return max((call.appeared for call in findings.placed() if call.appeared is not None), default=None)


def gap(findings: Findings) -> tuple[float, float] | None:
    """Return when an active call was missing in ``list.calls``, and for how long.

    (0, 0): no call was ever missing.

    Both values are seconds. The first value counts from the first appearance of the call. The longest gap of
    all calls counts.
    """
    listed = [call for call in findings.placed() if call.appeared is not None]
    gaps = [gap for call in listed for gap in call.gaps]
    if not listed:
        return None
    return max(gaps, key=lambda gap: gap[1], default=(0.0, 0.0))


def left_early(findings: Findings) -> float | None:
    """Return how many seconds before its end a call left ``list.calls``: the largest number of all calls."""
    early = [
        call.ended - call.left_list
        for call in findings.placed()
        if call.ended is not None and call.left_list is not None
    ]
    return max(early, default=None)


def states(findings: Findings) -> list[str]:
    """Return all states of legs that were seen, each one once."""
    return list(dict.fromkeys(state for call in findings.placed() for _, _, state in call.states))


def state_language(findings: Findings) -> Literal["russian", "english"] | None:
    """Return the language of the texts with which ``list.calls`` names the states of legs."""
    known = [state for state in states(findings) if leg_state(state) is not None]
    if not known:
        return None
    return "english" if known[0].isascii() else "russian"


def talk_is_listed(findings: Findings) -> TalkIsListed | None:
    """Return when ``list.calls`` begins to show that the contact talks."""
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
    """Return whether ``list.calls`` showed, in one of the periods, that the contact talks."""
    shown: bool | None = None
    for call, begins, ends in periods:
        if begins is None or ends is None or not call.is_listed_between(begins + 1, ends):
            continue
        in_period = call.states_of("contact", begins + 1, ends)
        shown = bool(shown) or any(leg_state(state) in _TALKING for state in in_period)
    return shown


def operator_leg_is_operator(findings: Findings) -> bool | None:
    """Return the value of ``is_operator`` in the leg of an operator who is not an employee."""
    for call in findings.placed():
        if call.listed_operator is not None:
            return call.listed_operator
    legs = [call.leg("operator") for call in findings.placed()]
    return next((leg.is_operator for leg in legs if leg and leg.is_operator is not None), None)


def shows_talk(call: CallSeen) -> bool:
    """Return whether the contact's leg was ever in a state that means talking."""
    return any(who == "contact" and leg_state(state) in _TALKING for _, who, state in call.states)
