"""Convert the findings of ``airflow callapi verify`` to a profile for the emulator.

With the profile, the emulator (a program that imitates the service) behaves as the service behaves for the
user's account. The profile contains only the fields whose values the findings show.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.verify.facts import account_facts, list_facts, report_facts
from airflow_provider_callapi.verify.findings import Findings

Profile = dict[str, Any]

NOT_OBSERVED = {
    "allowed_ips": "a list of addresses shows only that the own address is allowed",
    "call_api_host": "the connection names the host",
    "data_api_host": "the connection names the host",
    "charset_is_required": "the package always sends the charset",
}
"""Field of a profile → the reason why no probe can find out the value of this field."""


def to_profile(findings: Findings, *, connection_zone: str | None, now: float) -> Profile:
    """Convert the findings to a profile for the emulator, with only the fields that the findings show.

    :param findings: what all probes (experiments) have found out.
    :param connection_zone: the time zone in the Airflow connection; None: the connection names no zone.
    :param now: the present time, epoch seconds.
    :return: field of the emulator's profile → JSON value, e.g.
        ``{"appear_delay": 2.0, "timezone": "Europe/Moscow"}``.
    """
    fields = {
        **_list_calls(findings),
        **_reports(findings),
        **_refusals(findings),
        **_errors_and_logins(findings),
        **_points(findings),
        "timezone": account_facts.account_zone(findings, connection_zone, now),
    }
    profile = {name: value for name, value in fields.items() if value is not None}
    delay = report_facts.ongoing_delay(findings)
    if delay is not None:
        profile["ongoing_report_delay"] = None if delay == "never" else delay
    if findings.login is not None:
        profile["token_end_field"] = findings.login.end_field
    return profile


def _list_calls(findings: Findings) -> Profile:
    calls = findings.placed()
    forms = [call.start_time_form for call in calls if call.start_time_form not in (None, "other")]
    listed_ids = [call.external_id_listed for call in calls if call.external_id_listed is not None]
    after, seconds = list_facts.gap(findings) or (None, None)
    return {
        "talk_is_listed": list_facts.talk_is_listed(findings),
        "state_language": list_facts.state_language(findings),
        "appear_delay": list_facts.appear_delay(findings),
        "vanish_after": after,
        "vanish_seconds": seconds,
        "start_time_format": next(iter(forms), None),
        "external_id_is_listed": all(listed_ids) if listed_ids else None,
        "operator_leg_is_operator": list_facts.operator_leg_is_operator(findings),
    }


def _reports(findings: Findings) -> Profile:
    has_talk = report_facts.informer_has_talk(findings)
    return {
        "session_reason": report_facts.session_reason(findings),
        "own_leg_reasons": report_facts.own_leg_reasons(findings),
        "report_delay": report_facts.report_delay(findings),
        "ongoing_talk_is_reported": report_facts.ongoing_talk(findings),
        "ongoing_legs_are_reported": report_facts.ongoing_legs(findings),
        "talk_duration_from": None if has_talk is None else "talk" if has_talk else "employee",
        "unanswered_calls_are_lost": report_facts.unanswered_is_lost(findings),
        "odd_shapes": odd_shapes(findings),
    }


def odd_shapes(findings: Findings) -> list[str] | None:
    """Return in which ways values in the service's answers differ in form from the vendor's document.

    :return: names of differences, for the field ``odd_shapes`` of an emulator's profile. For example,
        ``["null_tags"]``: ``tags`` of a call without tags is null. Empty: no difference was seen. None: the
        probes have seen no report of a finished call.
    """
    calls = [call for call in findings.placed() if call.report_after is not None]
    if not calls:
        return None
    contact_legs = [leg for call in calls for leg in call.legs if leg.side == "contact"]
    signs = {
        "empty_virtual_number": any(call.virtual_number_is_empty for call in calls),
        "large_communication_ids": any(call.communication_id_is_large for call in calls),
        "no_employee_id": any(call.has_employee_id is False for call in calls),
        "null_is_talked": bool(contact_legs) and all(leg.is_talked is None for leg in contact_legs),
        "null_tags": any(call.tags_are_null for call in calls),
        "record_list": any(call.record_list for call in calls),
    }
    return [name for name, is_seen in signs.items() if is_seen]


def _refusals(findings: Findings) -> Profile:
    rules = findings.report_rules
    if rules.future_date_till is None:
        return {}
    return {
        "youngest_date_from": findings.dates.accepted if findings.dates else None,
        "future_date_till_is_allowed": rules.future_date_till,
        "refused_fields": rules.refused_fields,
        "refused_filters": sorted(rules.refused_filters),
    }


def _errors_and_logins(findings: Findings) -> Profile:
    fields: Profile = {}
    if (form := findings.errors) is not None:
        fields["error_http_status"] = form.http_status
        fields["errors_repeat_id"] = form.repeats_id
        fields["errors_have_limits"] = form.has_limits
    if (login := findings.login) is not None:
        fields["login_metadata"] = login.has_metadata
        fields["tokens_are_shared"] = login.token_is_shared
    if (refusal := findings.limit_refusal) is not None and refusal.was_refused:
        fields["limit_exceeded_leaves_undone"] = not refusal.was_placed
    return fields


def _points(findings: Findings) -> Profile:
    if findings.day_limit is None:
        return {}
    weights = {
        method: points
        for service in findings.points.values()
        for method, points in service.items()
        if method != "login.user"
    }
    call_api, data_api = account_facts.login_points(findings)
    if call_api is not None and data_api in (None, call_api):
        weights["login.user"] = call_api
    return {
        "day_limit": findings.day_limit,
        "minute_limit": findings.minute_limit,
        "weights": {**weights, **account_facts.start_points(findings)},
    }
