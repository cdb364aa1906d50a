"""Judge the assumptions about calls in ``list.calls``, and about who picked up.

Each function judges one assumption. A function returns a `Judgement` without a verdict if the findings show
nothing.
"""

from __future__ import annotations

from airflow_provider_callapi.api.models import leg_state
from airflow_provider_callapi.verify import account_facts, list_facts, report_facts
from airflow_provider_callapi.verify.findings import Findings
from airflow_provider_callapi.verify.judgement import (
    APPEAR_TIMEOUT,
    POLL_INTERVAL,
    Context,
    Judgement,
    seconds_text,
    with_margin,
)

_CALLS_WITH_AN_ANSWER = ("heard", "hung_up", "released", "dead_operator_1", "dead_operator_2", "talk")


def appears(context: Context) -> Judgement:
    """Judge the assumption that ``list.calls`` soon shows a placed call."""
    delay = list_facts.appear_delay(context.findings)
    if delay is None:
        never = bool(context.findings.placed())
        return Judgement("list.calls showed no call" if never else "", False if never else None)
    needed = with_margin(delay)
    if needed <= APPEAR_TIMEOUT:
        return Judgement(f"after {seconds_text(delay)} at most", True)
    return Judgement(f"after {seconds_text(delay)} at most", False, {"appear_timeout": str(needed)})


def stays(context: Context) -> Judgement:
    """Judge the assumption that ``list.calls`` shows an active call until its end."""
    gap, early = list_facts.gap(context.findings), list_facts.left_early(context.findings)
    if gap is None:
        return Judgement()
    lost = max(gap[1], (early or 0.0) - 2)
    if lost <= 0:
        return Judgement("in each poll until the end", True)
    text = f"missing for {seconds_text(lost)}, {seconds_text(gap[0])} after its appearance"
    holds = lost < POLL_INTERVAL
    return Judgement(text, holds, {} if holds else {"poll_interval": str(with_margin(lost))})


def start_time(context: Context) -> Judgement:
    """Judge the assumption that ``start_time`` in ``list.calls`` has a known form."""
    forms = {call.start_time_form for call in context.findings.placed()} - {None}
    if not forms:
        return Judgement()
    return Judgement(", ".join(sorted(str(form) for form in forms)), "other" not in forms)


def zone(context: Context) -> Judgement:
    """Judge the assumption that the connection has the account's time zone."""
    offset = account_facts.account_offset(context.findings)
    found = account_facts.account_zone(context.findings, context.timezone, context.now)
    if found is None:
        return Judgement()
    if context.timezone in (None, found):
        return Judgement(found, True)
    ahead = "" if offset is None else f", {offset / 4:+g} h from UTC"
    return Judgement(f"{found}{ahead}; the connection has {context.timezone}", False, {"timezone": found})


def external_id(context: Context) -> Judgement:
    """Judge the assumption that ``list.calls`` contains the ``external_id`` of each call."""
    listed = [call.external_id_listed for call in context.findings.placed()]
    known = [value for value in listed if value is not None]
    if not known:
        return Judgement()
    if all(known):
        return Judgement("in each call", True)
    return Judgement("missing in list.calls", False, context.second_witness)


def talk_state(context: Context) -> Judgement:
    """Judge the assumption that the contact's leg shows a state of talking from the answer on."""
    when = list_facts.talk_is_listed(context.findings)
    if when is None:
        return Judgement()
    text = {
        "at_answer": "a state of talking from the answer on",
        "in_talk": "a state of talking only when both sides talk",
        "never": "no state of talking while the contact speaks",
    }[when]
    return Judgement(text, when == "at_answer", {} if when == "at_answer" else context.second_witness)


def state_names(context: Context) -> Judgement:
    """Judge the assumption that the states of legs have names that the package knows."""
    states = list_facts.states(context.findings)
    unknown = [state for state in states if leg_state(state) is None]
    if not states:
        return Judgement()
    return Judgement(", ".join(states), not unknown)


def hold(context: Context) -> Judgement:
    """Judge the assumption that a contact on hold has a state that the package knows."""
    held = [call.held_state for call in context.findings.placed("talk") if call.held_state]
    return Judgement(held[0], leg_state(held[0]) is not None) if held else Judgement()


def is_operator(context: Context) -> Judgement:
    """Judge the assumption that ``is_operator`` is true for an operator who is no employee."""
    value = list_facts.operator_leg_is_operator(context.findings)
    return Judgement() if value is None else Judgement(f"is_operator is {str(value).lower()}", value)


def _call_text(findings: Findings, names: tuple[str, ...]) -> str:
    """Return one line of text for each call: its finish reason, its talk, and which legs were connected."""
    lines = []
    for name in names:
        call = findings.calls.get(name)
        if call is None or not call.legs:
            continue
        legs = [
            f"{leg.side} {'connected' if leg.connected is not None else 'not connected'}"
            + ("" if leg.finish_reason == call.finish_reason else f" ({leg.finish_reason})")
            for leg in call.legs
        ]
        lines.append(f"{name}: {call.finish_reason}; {call.talk_duration} s of talk; {', '.join(legs)}")
    return "\n".join(lines)


def answered(context: Context) -> Judgement:
    """Judge the assumption that the report of the legs shows that the contact picked up."""
    seen = report_facts.connected_if_answered(context.findings, *_CALLS_WITH_AN_ANSWER)
    text = _call_text(context.findings, _CALLS_WITH_AN_ANSWER)
    return Judgement(text, all(seen) if seen else None)


def not_answered(context: Context) -> Judgement:
    """Judge the assumption that the report of the legs shows that the contact did not pick up."""
    names = ("not_answered", "second_number")
    seen = report_facts.connected(context.findings, *names)
    text = _call_text(context.findings, names)
    if any(seen):
        text += "\na mailbox or a person has answered"
    return Judgement(text, not any(seen) if seen else None)


def session_reason(context: Context) -> Judgement:
    """Judge the assumption that the finish reason of a call can be the finish reason of any leg."""
    whose = report_facts.session_reason(context.findings)
    if whose is None:
        return Judgement()
    text = {
        "ending_leg": "the reason of the leg that ended the call",
        "contact": "the reason of the contact's leg",
        "operator": "the reason of the operator's leg",
        "any": "the reason of one leg or the other",
    }[whose]
    return Judgement(text, whose != "contact")
