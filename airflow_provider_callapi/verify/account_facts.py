"""Facts about the account that follow from the findings of a run: the time zone and the points.

A function returns None if the findings do not show the fact.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from airflow_provider_callapi.verify.findings import Findings
from airflow_provider_callapi.verify.local_times import QUARTER_HOUR


def account_offset(findings: Findings) -> int | None:
    """Return by how many quarter hours the account's time zone is ahead of UTC."""
    offsets = [call.report_offset for call in findings.placed() if call.report_offset is not None]
    local_forms = ("milliseconds", "seconds")
    offsets += [
        call.start_time_offset
        for call in findings.placed()
        if call.start_time_form in local_forms and call.start_time_offset is not None
    ]
    return next(iter(offsets), findings.report_rules.offset)


def account_zone(findings: Findings, connection_zone: str | None, now: float) -> str | None:
    """Return the name of a time zone that fits the times which the services send for the account.

    The account's own zone is preferred, then the connection's zone, then any other zone.

    :param now: epoch seconds.
    """
    offset = account_offset(findings)
    named = findings.account_zone
    if offset is None:
        return named if named in available_timezones() else None
    hours = offset // 4
    candidates = [named, connection_zone, "UTC", f"Etc/GMT{-hours:+d}", *sorted(available_timezones())]
    return next((name for name in candidates if name and _offset_of(name, now) == offset), None)


def _offset_of(zone: str, now: float) -> int | None:
    try:
        ahead = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    except (ValueError, OSError, LookupError):
        return None
    return None if ahead is None else ahead // timedelta(seconds=QUARTER_HOUR)


def start_points(findings: Findings) -> dict[str, int]:
    """Return a dict: method → points (rate-limit units) of one start request or release request.

    The dict contains only the methods whose points are known.
    """
    poll = findings.points.get("call_api", {}).get("list.calls")
    if poll is None:
        return {}
    found: dict[str, int] = {}
    for method, names in (
        ("start.informer_call", ("heard", "hung_up", "released", "not_answered")),
        ("start.simple_call", ("dead_operator_1", "dead_operator_2", "talk", "second_number")),
    ):
        counted = [call.start_points for call in findings.placed(*names) if call.start_points is not None]
        if counted:
            found[method] = max(0, min(counted) - poll)
    released = [call.release_points for call in findings.placed() if call.release_points is not None]
    if released:
        found["release.call"] = max(0, min(released) - poll)
    return found


def login_points(findings: Findings) -> tuple[int | None, int | None]:
    """Return how many points (rate-limit units) a login costs at the Call API, and at the Data API."""
    points = findings.points
    return (
        points.get("call_api", {}).get("login.user"),
        points.get("data_api", {}).get("login.user"),
    )
