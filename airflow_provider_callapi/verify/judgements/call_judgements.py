"""Judge what the package assumes about calls in ``list.calls`` and about answered calls.

Each public function judges one assumption by the findings, and returns a `Judgement`. If the findings show
nothing about the assumption, `Judgement.holds` is None.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow_provider_callapi.api.models import leg_state
from airflow_provider_callapi.calls.iana_zones import have_same_times
from airflow_provider_callapi.calls.watching.poll_interval import POLL_INTERVAL
from airflow_provider_callapi.verify.facts import account_facts, list_facts, report_facts
from airflow_provider_callapi.verify.findings import Findings
from airflow_provider_callapi.verify.judgements.judgement import (
    APPEAR_TIMEOUT,
    Context,
    Judgement,
    seconds_text,
    with_margin,
)

_CALLS_WITH_AN_ANSWER = ("heard", "hung_up", "released", "dead_operator_1", "dead_operator_2", "talk")


def appears(context: Context) -> Judgement:
    """Judge whether ``list.calls`` shows a new call within the operators' default ``appear_timeout`` (60 s).

    The function takes the longest time that passed until ``list.calls`` showed a call, and adds a margin, see
    `with_margin`. If the sum is more than 60 s, the default is too short, and the result advises the sum as
    ``appear_timeout``. The assumption does not hold either if ``list.calls`` has shown none of the calls.

    :return: the judgement. ``holds`` is None if no call was placed.
    """
    delay = list_facts.appear_delay(context.findings)
    if delay is None:
        never = bool(context.findings.placed())
        return Judgement("list.calls showed no call" if never else "", False if never else None)
    needed = with_margin(delay)
    if needed <= APPEAR_TIMEOUT:
        return Judgement(f"after {seconds_text(delay)} at most", True)
    return Judgement(f"after {seconds_text(delay)} at most", False, {"appear_timeout": str(needed)})


def stays(context: Context) -> Judgement:
    """Judge whether ``list.calls`` shows a call without long gaps until the call ends.

    In a gap, ``list.calls`` does not show an active call. From a gap that lasts until the call's end, the
    function subtracts a tolerance of 2 s. If each gap is shorter than the default ``poll_interval`` (5 s),
    the assumption holds. If not, the result advises a longer ``poll_interval``.

    :return: the judgement. ``holds`` is None if ``list.calls`` has shown no call.
    """
    gap, early = list_facts.gap(context.findings), list_facts.left_early(context.findings)
    if gap is None:
        return Judgement()
    begins, longest = gap
    lost_at_end = (early or 0.0) - 2
    lost = max(longest, lost_at_end)
    if lost <= 0:
        return Judgement("in each poll until the end", True)
    when = "before its end" if lost_at_end > longest else f"{seconds_text(begins)} after its appearance"
    text = f"missing for {seconds_text(lost)}, {when}"
    holds = lost < POLL_INTERVAL
    return Judgement(text, holds, {} if holds else {"poll_interval": str(with_margin(lost))})


def start_time(context: Context) -> Judgement:
    """Judge whether the package can read ``start_time`` in ``list.calls``, e.g. ``2016-10-19 12:26:48``.

    :return: the judgement. ``holds`` is None if ``list.calls`` showed no call.
    """
    forms = {call.start_time_form for call in context.findings.placed()} - {None}
    if not forms:
        return Judgement()
    return Judgement(", ".join(sorted(str(form) for form in forms)), "other" not in forms)


def zone(context: Context) -> Judgement:
    """Judge whether the time zone in the Airflow connection is the account's time zone.

    - If both zones have the same times all year, or the connection names no time zone: the assumption holds.
    - Otherwise: the assumption does not hold. The result advises a value of the connection's ``timezone``.

    :return: the judgement. ``holds`` is None if the account's time zone is not known.
    """
    offset = account_facts.account_offset(context.findings)
    found = account_facts.account_zone(context.findings, context.timezone, context.now)
    if found is None:
        return Judgement()
    year = datetime.fromtimestamp(context.now, UTC).year
    if context.timezone is None or have_same_times(context.timezone, found, year):
        return Judgement(found, True)
    ahead = "" if offset is None else f", {offset / 4:+g} h from UTC"
    return Judgement(f"{found}{ahead}; the connection has {context.timezone}", False, {"timezone": found})


def external_id(context: Context) -> Judgement:
    """Judge whether ``list.calls`` contains the ``external_id`` of each call.

    If an ``external_id`` is missing, the result advises the use of the Data API.

    :return: the judgement. ``holds`` is None if ``list.calls`` showed no call.
    """
    listed = [call.external_id_listed for call in context.findings.placed()]
    known = [value for value in listed if value is not None]
    if not known:
        return Judgement()
    if all(known):
        return Judgement("in each call", True)
    return Judgement("missing in list.calls", False, context.second_witness)


def talk_state(context: Context) -> Judgement:
    """Judge whether ``list.calls`` shows a state of talking as soon as the contact has picked up.

    A state of talking is a state of the contact's leg (line), e.g. ``Разговор``. If ``list.calls`` shows such
    a state later or never, the assumption does not hold. The result then advises the use of the Data API.

    :return: the judgement. ``holds`` is None if the findings do not show when the state begins.
    """
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
    """Judge whether the package knows all states of legs that ``list.calls`` has shown.

    :return: the judgement. ``holds`` is None if ``list.calls`` has shown no state.
    """
    states = list_facts.states(context.findings)
    unknown = [state for state in states if leg_state(state) is None]
    if not states:
        return Judgement()
    return Judgement(", ".join(states), not unknown)


def hold(context: Context) -> Judgement:
    """Judge whether `leg_state` recognises the state in which the service lists a contact on hold.

    :return: the judgement. If no contact was on hold during the probes, `Judgement.holds` is None.
    """
    held = [call.held_state for call in context.findings.placed("talk") if call.held_state]
    return Judgement(held[0], leg_state(held[0]) is not None) if held else Judgement()


def is_operator(context: Context) -> Judgement:
    """Judge whether the field ``is_operator`` is true in the leg of an operator who is not an employee.

    An example is the ``operator`` of ``start.simple_call``, if the phone belongs to no employee.

    :return: the judgement. ``holds`` is None if the findings contain no leg of such an operator.
    """
    value = list_facts.operator_leg_is_operator(context.findings)
    return Judgement() if value is None else Judgement(f"is_operator is {str(value).lower()}", value)


def _call_text(findings: Findings, names: tuple[str, ...]) -> str:
    """Describe the calls with these names, each in one line.

    For example, the line of the call ``heard`` is ``heard: success_finish; 20 s of talk; contact connected``.
    A call without a report of its legs has no line.
    """
    lines = []
    for name in names:
        call = findings.calls.get(name)
        if call is None or not call.legs:
            continue
        legs = [
            # "connected" means: picked up.
            f"{leg.side} {'connected' if leg.connected is not None else 'not connected'}"
            + ("" if leg.finish_reason == call.finish_reason else f" ({leg.finish_reason})")
            for leg in call.legs
        ]
        lines.append(f"{name}: {call.finish_reason}; {call.talk_duration} s of talk; {', '.join(legs)}")
    return "\n".join(lines)


def answered(context: Context) -> Judgement:
    """Judge whether the leg of each contact who has picked up is connected in the Data API's report of legs.

    :return: the judgement. ``holds`` is None if the findings contain no answered call with a report.
    """
    seen = report_facts.connected_if_answered(context.findings, *_CALLS_WITH_AN_ANSWER)
    text = _call_text(context.findings, _CALLS_WITH_AN_ANSWER)
    return Judgement(text, all(seen) if seen else None)


def not_answered(context: Context) -> Judgement:
    """Judge the assumption that the Data API's report of legs shows correctly that a contact did not pick up.

    Before some of its calls, the program asks the user not to pick up the contact's phone. If the report of
    such a call shows that the contact picked up, the assumption does not hold.

    :return: the judgement. ``holds`` is None if the findings contain no report of these calls.
    """
    names = ("not_answered", "second_number")
    seen = report_facts.connected(context.findings, *names)
    text = _call_text(context.findings, names)
    if any(seen):
        text += "\na mailbox or a person has answered"
    return Judgement(text, not any(seen) if seen else None)


def session_reason(context: Context) -> Judgement:
    """Judge the assumption that a call's finish reason can come from an operator's leg.

    :return: the judgement. ``holds`` is True if the reason of some calls does not come from the contact's
        leg, and False if it always does. ``holds`` is None if the findings do not show this.
    """
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
