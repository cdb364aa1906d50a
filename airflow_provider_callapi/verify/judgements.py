"""What the findings show about each assumption of the package: one function for each assumption.

A function returns a `Judgement` without a verdict if the findings show nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from airflow_provider_callapi.api.models import leg_state
from airflow_provider_callapi.verify import facts
from airflow_provider_callapi.verify.findings import Findings
from airflow_provider_callapi.verify.profile import odd_shapes

Settings = dict[str, str]

APPEAR_TIMEOUT, REPORT_TIMEOUT, POLL_INTERVAL = 60.0, 120.0, 5.0
"""The defaults of the operators, in seconds."""
_DAY = 86_400.0
_LEAST_ABSENCE = 300
"""Seconds. If a placed call shows later than ``absence_proven_after``, the person is called twice."""
_CALLS_WITH_AN_ANSWER = ("heard", "hung_up", "released", "dead_operator_1", "dead_operator_2", "talk")


@dataclass(frozen=True)
class Judgement:
    """What the findings show about one assumption.

    :ivar seen: what was seen; empty: nothing.
    :ivar holds: whether the assumption holds; None: not known.
    :ivar settings: setting → value with a margin. These settings need a change.
    """

    seen: str = ""
    holds: bool | None = None
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """The findings, with the facts about the connection that a judgement needs.

    :ivar timezone: the time zone in the connection; None: the connection leaves the zone to the account.
    :ivar has_data_api: whether the connection uses the Data API.
    :ivar now: epoch seconds.
    """

    findings: Findings
    timezone: str | None
    has_data_api: bool
    now: float

    @property
    def second_witness(self) -> Settings:
        """The setting that makes the Data API the second witness, if the connection lacks it."""
        return {} if self.has_data_api else {"data_api": "true"}


def with_margin(seconds: float) -> int:
    """Return a time limit that is safe if a measurement took this many seconds."""
    return math.ceil((2 * seconds + 10) / 5) * 5


def _seconds(value: float) -> str:
    return f"{value:g} s"


# --- list.calls ---


def appears(context: Context) -> Judgement:
    """Return when ``list.calls`` shows a call."""
    delay = facts.appear_delay(context.findings)
    if delay is None:
        never = bool(facts.calls(context.findings))
        return Judgement("list.calls showed no call" if never else "", False if never else None)
    needed = with_margin(delay)
    if needed <= APPEAR_TIMEOUT:
        return Judgement(f"after {_seconds(delay)} at most", True)
    return Judgement(f"after {_seconds(delay)} at most", False, {"appear_timeout": str(needed)})


def stays(context: Context) -> Judgement:
    """Return whether ``list.calls`` leaves out an active call."""
    gap, early = facts.gap(context.findings), facts.left_early(context.findings)
    if gap is None:
        return Judgement()
    lost = max(gap[1], (early or 0.0) - 2)
    if lost <= 0:
        return Judgement("in each poll until the end", True)
    text = f"missing for {_seconds(lost)}, {_seconds(gap[0])} after its appearance"
    holds = lost < POLL_INTERVAL
    return Judgement(text, holds, {} if holds else {"poll_interval": str(with_margin(lost))})


def start_time(context: Context) -> Judgement:
    """Return the form of ``start_time``."""
    forms = {call.start_time_form for call in facts.calls(context.findings)} - {None}
    if not forms:
        return Judgement()
    return Judgement(", ".join(sorted(str(form) for form in forms)), "other" not in forms)


def zone(context: Context) -> Judgement:
    """Return the account's time zone."""
    offset = facts.account_offset(context.findings)
    found = facts.account_zone(context.findings, context.timezone, context.now)
    if found is None:
        return Judgement()
    if context.timezone in (None, found):
        return Judgement(found, True)
    ahead = "" if offset is None else f", {offset / 4:+g} h from UTC"
    return Judgement(f"{found}{ahead}; the connection has {context.timezone}", False, {"timezone": found})


def external_id(context: Context) -> Judgement:
    """Return whether ``list.calls`` contains the ``external_id``."""
    listed = [call.external_id_listed for call in facts.calls(context.findings)]
    known = [value for value in listed if value is not None]
    if not known:
        return Judgement()
    if all(known):
        return Judgement("in each call", True)
    return Judgement("missing in list.calls", False, context.second_witness)


def talk_state(context: Context) -> Judgement:
    """Return when the contact's leg shows a state of talking."""
    when = facts.talk_is_listed(context.findings)
    if when is None:
        return Judgement()
    text = {
        "at_answer": "a state of talking from the answer on",
        "in_talk": "a state of talking only when both sides talk",
        "never": "no state of talking while the contact speaks",
    }[when]
    return Judgement(text, when == "at_answer", {} if when == "at_answer" else context.second_witness)


def state_names(context: Context) -> Judgement:
    """Return the states of legs."""
    states = facts.states(context.findings)
    unknown = [state for state in states if leg_state(state) is None]
    if not states:
        return Judgement()
    return Judgement(", ".join(states), not unknown)


def hold(context: Context) -> Judgement:
    """Return the state of a contact on hold."""
    held = [call.held_state for call in facts.calls(context.findings, "talk") if call.held_state]
    return Judgement(held[0], leg_state(held[0]) is not None) if held else Judgement()


def is_operator(context: Context) -> Judgement:
    """Return ``is_operator`` of an operator who is no employee."""
    value = facts.operator_leg_is_operator(context.findings)
    return Judgement() if value is None else Judgement(f"is_operator is {str(value).lower()}", value)


# --- who picked up ---


def _call_text(findings: Findings, names: tuple[str, ...]) -> str:
    """Return a line for each call with its legs: who was connected, and all reasons."""
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
    """Return the legs of the calls that the contact answered."""
    seen = facts.connected_if_answered(context.findings, *_CALLS_WITH_AN_ANSWER)
    text = _call_text(context.findings, _CALLS_WITH_AN_ANSWER)
    return Judgement(text, all(seen) if seen else None)


def not_answered(context: Context) -> Judgement:
    """Return the legs of the calls that the contact did not answer."""
    names = ("not_answered", "second_number")
    seen = facts.connected(context.findings, *names)
    text = _call_text(context.findings, names)
    if any(seen):
        text += "\na mailbox or a person has answered"
    return Judgement(text, not any(seen) if seen else None)


def session_reason(context: Context) -> Judgement:
    """Return whose leg gives the call its reason."""
    whose = facts.session_reason(context.findings)
    if whose is None:
        return Judgement()
    text = {
        "ending_leg": "the reason of the leg that ended the call",
        "contact": "the reason of the contact's leg",
        "operator": "the reason of the operator's leg",
        "any": "the reason of one leg or the other",
    }[whose]
    return Judgement(text, whose != "contact")


# --- reports ---


def report(context: Context) -> Judgement:
    """Return when the report contains a finished call."""
    delay = facts.report_delay(context.findings)
    if delay is None:
        return Judgement()
    needed = with_margin(delay)
    holds = needed <= REPORT_TIMEOUT
    text = f"{_seconds(delay)} after the end at most"
    return Judgement(text, holds, {} if holds else {"report_timeout": str(needed)})


def ongoing(context: Context) -> Judgement:
    """Return when the report contains an active call."""
    delay = facts.ongoing_delay(context.findings)
    if delay is None:
        return Judgement()
    if delay == "never":
        return Judgement(
            "the report never contained an active call", False, {"absence_proven_after": "leave empty"}
        )
    finished = facts.report_delay(context.findings) or 0.0
    longest = max(facts.appear_delay(context.findings) or 0.0, delay, finished)
    needed = max(_LEAST_ABSENCE, with_margin(5 * longest))
    return Judgement(f"after {_seconds(delay)}", True, {"absence_proven_after": str(needed)})


def second_witness(context: Context) -> Judgement:
    """Return what the reports show of an active call."""
    talk, legs = facts.ongoing_talk(context.findings), facts.ongoing_legs(context.findings)
    if talk is None and legs is None:
        return Judgement()
    names = {True: "yes", False: "no", None: "not known"}
    text = f"talk_duration of an active call: {names[talk]}; its legs: {names[legs]}"
    holds = True if talk or legs else None if talk is None or legs is None else False
    return Judgement(text, holds)


def dates(context: Context) -> Judgement:
    """Return which dates the reports accept."""
    rule = context.findings.dates
    if rule is None:
        return Judgement()
    if rule.accepted is None:
        return Judgement(f"refused even at an age of {_seconds(rule.refused or 0.0)}", False)
    text = "any date_from" if rule.accepted == 0 else f"a date_from of {_seconds(rule.accepted)} or older"
    future = context.findings.report_rules.future_date_till
    text += "" if future is None else f"; a date_till in the future: {'accepted' if future else 'refused'}"
    return Judgement(text, rule.accepted <= _DAY)


def refusals(context: Context) -> Judgement:
    """Return which fields and filters the reports refuse."""
    rules = context.findings.report_rules
    if rules.future_date_till is None:
        return Judgement()
    refused = [*rules.refused_fields, *rules.refused_filters]
    return Judgement(f"refused: {', '.join(refused)}" if refused else "nothing is refused", not refused)


def shapes(context: Context) -> Judgement:
    """Return the values with another shape."""
    shapes = odd_shapes(context.findings)
    if shapes is None:
        return Judgement()
    return Judgement(", ".join(shapes) or "as documented", not shapes)


# --- account ---


def free_polls(context: Context) -> Judgement:
    """Return the points of ``list.calls``."""
    points = context.findings.points.get("call_api", {}).get("list.calls")
    limit = context.findings.day_limit
    if points is None or limit is None:
        return Judgement()
    text = f"list.calls: {points} points; {limit} a day, {context.findings.minute_limit} a minute"
    if not points:
        return Judgement(text, True)
    return Judgement(
        text, False, {"poll_interval": str(max(10, math.ceil(2 * points * _DAY / max(1, limit))))}
    )


def other_points(context: Context) -> Judgement:
    """Return the points of all other requests."""
    methods = {
        f"{method} ({service.replace('_', ' ')})": points
        for service, found in context.findings.points.items()
        for method, points in found.items()
        if method != "list.calls"
    }
    methods.update(facts.start_points(context.findings))
    if not methods:
        return Judgement()
    text = ", ".join(f"{method}: {points}" for method, points in methods.items())
    logins = [points for points in facts.login_points(context.findings) if points is not None]
    return Judgement(text, all(points <= 1 for points in [*methods.values(), *logins]))


def login(context: Context) -> Judgement:
    """Return the form of the answer to a login."""
    form = context.findings.login
    if form is None:
        return Judgement()
    shared = {True: "valid", False: "not valid", None: "not tried"}[form.token_is_shared]
    return Judgement(f"{form.end_field or 'no end'}; at the Data API: {shared}", True)


def errors(context: Context) -> Judgement:
    """Return the form of an error."""
    form = context.findings.errors
    if form is None:
        return Judgement()
    text = f"HTTP {form.http_status}, {'with' if form.repeats_id else 'without'} the id of the request, "
    return Judgement(text + f"{'with' if form.has_limits else 'without'} limits", True)


def limit_exceeded(context: Context) -> Judgement:
    """Return what a start request without points left does."""
    refusal = context.findings.limit_refusal
    if refusal is None or not refusal.was_refused:
        return Judgement()
    return Judgement(
        "the call was placed" if refusal.was_placed else "no call was placed", not refusal.was_placed
    )
