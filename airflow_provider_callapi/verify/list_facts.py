"""Facts about ``list.calls`` that follow from the findings of a run.

A function returns None if the findings do not show the fact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from airflow_provider_callapi.api.models import LegState, leg_state
from airflow_provider_callapi.verify.findings import CallSeen, Findings

TalkIsListed = Literal["at_answer", "in_talk", "never"]

_TALKING = (LegState.TALKING, LegState.OPERATORS_TALKING)


def appear_delay(findings: Findings) -> float | None:
    """Return the longest time in seconds from the start of a call until ``list.calls`` showed the call."""
    return max((call.appeared for call in findings.placed() if call.appeared is not None), default=None)


def gap(findings: Findings) -> tuple[float, float] | None:
    """Return when and for how long ``list.calls`` left out an active call, for the longest gap.

    The result is (seconds from the first appearance to the gap, length of the gap in seconds). (0, 0): no
    call was left out.
    """
    listed = [call for call in findings.placed() if call.appeared is not None]
    gaps = [gap for call in listed for gap in call.gaps]
    if not listed:
        return None
    return max(gaps, key=lambda gap: gap[1], default=(0.0, 0.0))


def left_early(findings: Findings) -> float | None:
    """Return the largest number of seconds by which a call left ``list.calls`` before the end of the call."""
    early = [
        call.ended - call.left_list
        for call in findings.placed()
        if call.ended is not None and call.left_list is not None
    ]
    return max(early, default=None)


def states(findings: Findings) -> list[str]:
    """Return all states of legs that ``list.calls`` has shown, without repetition."""
    return list(dict.fromkeys(state for call in findings.placed() for _, _, state in call.states))


def state_language(findings: Findings) -> Literal["russian", "english"] | None:
    """Return the language of the names of the legs' states."""
    known = [state for state in states(findings) if leg_state(state) is not None]
    if not known:
        return None
    return "english" if known[0].isascii() else "russian"


def talk_is_listed(findings: Findings) -> TalkIsListed | None:
    """Return from which moment ``list.calls`` shows a state of talking for the contact's leg."""
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
    """Return whether the contact's leg has shown a state of talking in one of the given periods."""
    shown: bool | None = None
    for call, begins, ends in periods:
        if begins is None or ends is None or not call.is_listed_between(begins + 1, ends):
            continue
        in_period = call.states_of("contact", begins + 1, ends)
        shown = bool(shown) or any(leg_state(state) in _TALKING for state in in_period)
    return shown


def operator_leg_is_operator(findings: Findings) -> bool | None:
    """Return the value of ``is_operator`` for the leg of an operator who is no employee."""
    for call in findings.placed():
        if call.listed_operator is not None:
            return call.listed_operator
    legs = [call.leg("operator") for call in findings.placed()]
    return next((leg.is_operator for leg in legs if leg and leg.is_operator is not None), None)


def shows_talk(call: CallSeen) -> bool:
    """Return whether the contact's leg showed a state of talking at any time."""
    return any(who == "contact" and leg_state(state) in _TALKING for _, who, state in call.states)
