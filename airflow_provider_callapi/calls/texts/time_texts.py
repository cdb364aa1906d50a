"""Times as text: local text for people, and ISO 8601 text for data.

Times for people are in UTC, like the times at which Airflow logs. Exception: times that concern calling hours
are in the zone of the calling hours.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pendulum


def local_time(at: float, timezone: str) -> str:
    """Return a time in epoch seconds as local text: ``2026-03-02 12:00:00 Europe/Moscow``.

    :param at: epoch seconds.
    :param timezone: IANA name of the time zone.
    """
    return pendulum.from_timestamp(at, tz=timezone).format("YYYY-MM-DD HH:mm:ss z")


def utc_text(at: float, *, seconds: bool = False) -> str:
    """Return a time in epoch seconds as short text in UTC for a table, such as ``2026-03-02 09:00``.

    The heading of the column must name the zone.
    """
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def iso_time(at: float) -> str:
    """Return a time in epoch seconds as ISO 8601 text in UTC, such as ``2026-03-02T09:00:00Z``.

    If the number has a fraction, the text contains microseconds: ``2026-03-02T09:00:00.250000Z``.
    """
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def iso_second(at: float) -> str:
    """Return a time in epoch seconds as ISO 8601 text in UTC, without the fraction of the second."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
