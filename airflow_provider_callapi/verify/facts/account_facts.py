"""Conclude the account's time zone, and the points that requests cost, from the findings of all probes.

Points are the rate-limit units of the API.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from airflow_provider_callapi.verify.findings import Findings
from airflow_provider_callapi.verify.local_times import QUARTER_HOUR


def account_offset(findings: Findings) -> int | None:
    """Return how many quarter hours the account's local time is ahead of UTC.

    :param findings: what all probes have found out.
    :return: for example 12 for Moscow (UTC+3), and a negative number west of UTC. None: no finding contains a
        local time of the account.
    """
    offsets = [call.report_offset for call in findings.placed() if call.report_offset is not None]
    local_forms = ("milliseconds", "seconds")
    offsets += [
        call.start_time_offset
        for call in findings.placed()
        if call.start_time_form in local_forms and call.start_time_offset is not None
    ]
    return next(iter(offsets), findings.report_rules.offset)


def account_zone(findings: Findings, connection_zone: str | None, now: float) -> str | None:
    """Return an IANA time zone that has, at present, the UTC offset of the account's local times.

    Many zones can have this offset. If the zone in the answer to ``get.account`` has it, the function returns
    this zone. Otherwise, it tries the zone of the Airflow connection, and then all other zones.

    :param findings: what all probes have found out.
    :param connection_zone: the time zone in the Airflow connection; None: the connection names no zone.
    :param now: the present time, epoch seconds.
    :return: for example ``Europe/Moscow``. If the offset is not known: the zone in the answer to
        ``get.account``. None: no zone is known.
    """
    offset = account_offset(findings)
    named = findings.account_zone
    if offset is None:
        return named if named in available_timezones() else None
    hours = offset // 4
    candidates = [named, connection_zone, "UTC", f"Etc/GMT{-hours:+d}", *sorted(available_timezones())]
    return next((name for name in candidates if name and offset_of(name, now) == offset), None)


def offset_of(zone: str, now: float) -> int | None:
    """Return how many quarter hours a time zone is ahead of UTC.

    :param zone: the name of the zone, e.g. ``Europe/Moscow``.
    :param now: epoch seconds. The offset of a zone may change in the course of a year.
    :return: for example 12 for Moscow (UTC+3); None: no time zone has this name.
    """
    try:
        ahead = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    except (ValueError, OSError, LookupError):
        return None
    return None if ahead is None else ahead // timedelta(seconds=QUARTER_HOUR)


def start_points(findings: Findings) -> dict[str, int]:
    """Return how many points (rate-limit units) a start request and a release cost.

    The probes have measured what such a request and one ``list.calls`` cost together. If the cost of
    ``list.calls`` is not known, the dict is empty.

    :param findings: what all probes have found out.
    :return: method → points, e.g. ``{"start.informer_call": 1, "release.call": 1}``. Methods of unknown cost
        are left out.
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
    """Return how many points a login to each of the two services costs.

    :param findings: what all probes have found out.
    :return: a pair: the points at the Call API, and the points at the Data API. None instead of a number: no
        probe has found the number.
    """
    points = findings.points
    return (
        points.get("call_api", {}).get("login.user"),
        points.get("data_api", {}).get("login.user"),
    )
