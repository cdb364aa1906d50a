"""Converts epoch seconds to the local times in the Data API's reports, which name no zone, and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow_provider_callapi.api.times import read_datetime, report_time, zone

_HOUR = 3600.0


def report_dates(since: float, until: float, timezone: str) -> dict[str, Any]:
    """Return the beginning and end of an interval as parameters of a Data API request.

    Example: ``{"date_from": "2026-03-02 00:00:00", "date_till": "2026-03-03 00:00:00"}``.

    Both texts are times in the account's time zone. If such a time occurs twice because clocks are set back,
    the parameters describe a longer interval, so that no call is missing.

    :param since: the beginning of the interval, epoch seconds.
    :param until: the end of the interval, epoch seconds.
    """
    earlier, later = (_seconds_set_back(at, timezone) for at in (since, until - _HOUR))
    return {
        "date_from": report_time(since - earlier, timezone),
        "date_till": report_time(until + later, timezone),
    }


def _seconds_set_back(at: float, timezone: str) -> float:
    """Return how many seconds a zone's clocks go back in the hour after ``at``: usually 0 or 3600.

    :param at: epoch seconds.
    """
    before, after = (datetime.fromtimestamp(each, zone(timezone)).utcoffset() for each in (at, at + _HOUR))
    assert before is not None
    assert after is not None
    return max(0.0, (before - after).total_seconds())


def read_report_time(text: str, timezone: str, not_before: float) -> float:
    """Return a time in a report as epoch seconds.

    When clocks are set back, one hour occurs twice. A time in this hour means the earlier moment, or the
    later moment if the earlier is before ``not_before``.

    :param text: ``YYYY-MM-DD hh:mm:ss`` in the account's time zone.
    :param timezone: IANA name of the account's time zone.
    :param not_before: the earliest possible moment, such as the beginning of the call, epoch seconds.
    :raises ValueError: the text is no date and time, such as a date alone.
    """
    at = read_datetime(text)
    if at.tzinfo is not None:
        return at.timestamp()
    first, second = (at.replace(tzinfo=zone(timezone), fold=fold).timestamp() for fold in (0, 1))
    return first if first >= not_before else second
