"""Judge, by the findings, the package's assumptions about reports, points, and the answers of both services.

Each public function judges one assumption, and returns a `Judgement`. If the findings show nothing about the
assumption, `Judgement.holds` is None.
"""

from __future__ import annotations

import math
from typing import Literal

from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.verify.facts import account_facts, list_facts, report_facts
from airflow_provider_callapi.verify.findings import Findings
from airflow_provider_callapi.verify.judgements.judgement import (
    REPORT_TIMEOUT,
    Context,
    Judgement,
    seconds_text,
    with_margin,
)
from airflow_provider_callapi.verify.profile import odd_shapes

_DAY = 86_400.0
_LEAST_ABSENCE = 300
"""The smallest advised value of the parameter ``absence_proven_after``, in seconds.

If an unconfirmed call stays absent for ``absence_proven_after``, the package calls the person again. If the
service shows the unconfirmed call only later, the person is called twice.
"""


def report(context: Context) -> Judgement:
    """Judge whether the default ``report_timeout``, 120 s after a call's end, is long enough.

    The function takes the longest time that passed until the report contained a call that had ended, and adds
    a margin, see `with_margin`. If the sum is more than 120 s, the default is too short, and the result
    advises the sum as ``report_timeout``.

    :return: the judgement. ``holds`` is None if no report contained a finished call.
    """
    delay = report_facts.report_delay(context.findings)
    if delay is None:
        return Judgement()
    needed = with_margin(delay)
    holds = needed <= REPORT_TIMEOUT
    text = f"{seconds_text(delay)} after the end at most"
    return Judgement(text, holds, {} if holds else {"report_timeout": str(needed)})


def ongoing(context: Context) -> Judgement:
    """Judge whether the Data API's report with ``include_ongoing_calls`` contains active calls.

    The result also advises a value of the parameter ``absence_proven_after``. If the report shows active
    calls soon, an unconfirmed call that it does not show was never placed.

    :return: the judgement. ``holds`` is None if it is not known whether the report contains active calls.
    """
    delay = report_facts.ongoing_delay(context.findings)
    if delay is None:
        return Judgement()
    text = "never" if delay == "never" else f"after {seconds_text(delay)}"
    return Judgement(text, delay != "never", {"absence_proven_after": _absence(context.findings, delay)})


def _absence(findings: Findings, delay: float | Literal["never"]) -> str:
    """Return the advised ``absence_proven_after``: seconds, such as ``300``, or ``leave empty``.

    ``delay``: how many seconds after its start a call first appeared in a report. ``never``: no report
    contained an active call.
    """
    ids = [call.external_id_listed for call in findings.placed() if call.external_id_listed is not None]
    # Without reports, only list.calls can show an unconfirmed call, and only by its external_id.
    if delay == "never" and not (ids and all(ids)):
        return "leave empty"
    delays = (list_facts.appear_delay(findings), report_facts.report_delay(findings), delay)
    longest = max(value for value in (0.0, *delays) if isinstance(value, float))
    return str(max(_LEAST_ABSENCE, with_margin(5 * longest)))


def second_witness(context: Context) -> Judgement:
    """Judge whether the Data API's reports show, during a call, that the contact has picked up.

    There are two ways: a report of an active call contains the ``talk_duration`` so far, or the report of
    legs shows which legs of an active call are connected.

    :return: the judgement. ``holds`` is True if a finding shows one of the two ways, False if the findings
        exclude both, and None in all other cases.
    """
    talk, legs = report_facts.ongoing_talk(context.findings), report_facts.ongoing_legs(context.findings)
    if talk is None and legs is None:
        return Judgement()
    names = {True: "yes", False: "no", None: "not known"}
    text = f"talk_duration of an active call: {names[talk]}; its legs: {names[legs]}"
    holds = True if talk or legs else None if talk is None or legs is None else False
    return Judgement(text, holds)


def dates(context: Context) -> Judgement:
    """Judge whether the Data API accepts requests for reports with a ``date_from`` of one day ago.

    :return: the judgement. ``holds`` is None if no probe has tried dates.
    """
    rule = context.findings.dates
    if rule is None:
        return Judgement()
    if rule.accepted is None:
        return Judgement(f"refused even at an age of {seconds_text(rule.refused or 0.0)}", False)
    text = "any date_from" if rule.accepted == 0 else f"a date_from of {seconds_text(rule.accepted)} or older"
    future = context.findings.report_rules.future_date_till
    text += "" if future is None else f"; a date_till in the future: {'accepted' if future else 'refused'}"
    return Judgement(text, rule.accepted <= _DAY)


def refusals(context: Context) -> Judgement:
    """Judge whether the Data API accepts all fields and filters of the package's requests for reports.

    :return: the judgement. ``holds`` is None if no probe has asked for a report.
    """
    rules = context.findings.report_rules
    if rules.future_date_till is None:
        return Judgement()
    refused = [*rules.refused_fields, *rules.refused_filters]
    return Judgement(f"refused: {', '.join(refused)}" if refused else "nothing is refused", not refused)


def shapes(context: Context) -> Judgement:
    """Judge whether the values in the service's answers have the form that the vendor's document shows.

    For example, the assumption does not hold if ``tags`` of a call without tags is null.

    :return: the judgement. ``holds`` is None if the probes have seen no report of a finished call.
    """
    shapes = odd_shapes(context.findings)
    if shapes is None:
        return Judgement()
    return Judgement(", ".join(shapes) or "as documented", not shapes)


def free_polls(context: Context) -> Judgement:
    """Judge whether ``list.calls`` costs no points (rate-limit units).

    If ``list.calls`` costs points, the result advises a longer ``poll_interval``, which it calculates from
    the account's limit of points per day.

    :return: the judgement. ``holds`` is None if the cost or the limit is not known.
    """
    points = context.findings.points.get("call_api", {}).get("list.calls")
    limit = context.findings.day_limit
    if points is None or limit is None:
        return Judgement()
    text = (
        f"list.calls: {count_text(points, 'point')}; {limit} a day, {context.findings.minute_limit} a minute"
    )
    if not points:
        return Judgement(text, True)
    return Judgement(
        text, False, {"poll_interval": str(max(10, math.ceil(2 * points * _DAY / max(1, limit))))}
    )


def other_points(context: Context) -> Judgement:
    """Judge whether each request other than ``list.calls`` costs at most one point.

    :return: the judgement. ``holds`` is None if no cost is known.
    """
    methods = {
        f"{method} ({service.replace('_', ' ')})": points
        for service, found in context.findings.points.items()
        for method, points in found.items()
        if method != "list.calls"
    }
    methods.update(account_facts.start_points(context.findings))
    if not methods:
        return Judgement()
    text = ", ".join(f"{method}: {points}" for method, points in methods.items())
    logins = [points for points in account_facts.login_points(context.findings) if points is not None]
    return Judgement(text, all(points <= 1 for points in [*methods.values(), *logins]))


def login(context: Context) -> Judgement:
    """Describe the answer to ``login.user``.

    The description names the field with the token's expiry time, and states whether the Data API accepts the
    token. `Judgement.holds` only shows whether the answer is known: True if the probe (experiment) ``login``
    has run, otherwise None.
    """
    form = context.findings.login
    if form is None:
        return Judgement()
    shared = {True: "valid", False: "not valid", None: "not tried"}[form.token_is_shared]
    return Judgement(f"{form.end_field or 'no end'}; at the Data API: {shared}", True)


def errors(context: Context) -> Judgement:
    """Describe the answers with which the Call API reports errors.

    The description contains the HTTP status after a wrong parameter and after a wrong access key. It also
    states whether the answer to a wrong parameter contains the request's id and the limits of points. The
    function does not judge: `Judgement.holds` is True if the probe ``errors`` has run, and otherwise None.
    """
    form = context.findings.errors
    if form is None:
        return Judgement()
    request_id = "with" if form.repeats_id else "without"
    limits = "with" if form.has_limits else "without"
    return Judgement(
        f"HTTP {form.http_status} after a wrong parameter, {form.wrong_key_http_status} after a wrong key, "
        f"{request_id} the id of the request, {limits} limits",
        True,
    )


def limit_exceeded(context: Context) -> Judgement:
    """Judge whether a start request that fails with ``limit_exceeded`` places no call.

    :return: the judgement. ``holds`` is None if no start request has failed with ``limit_exceeded``.
    """
    refusal = context.findings.limit_refusal
    if refusal is None or not refusal.was_refused:
        return Judgement()
    return Judgement(
        "the call was placed" if refusal.was_placed else "no call was placed", not refusal.was_placed
    )
