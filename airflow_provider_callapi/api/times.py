"""Times in the answers and requests of the services, which often name no time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache

import pendulum

_TIME = re.compile(r"\s*\d{4}-\d\d-\d\d[T ] ?\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?\s*", re.ASCII)


@cache
def zone(name: str) -> pendulum.Timezone:
    """Return a time zone by its IANA name.

    The function caches the result, because the library pendulum reads the zone's file each time.
    """
    return pendulum.timezone(name)


def read_datetime(text: str) -> datetime:
    """Convert a date and time from the service, e.g. ``2026-10-19 12:26:48``. Without a zone, it has none.

    :param text: also ``2026-10-19T12:26:48.418`` or ``2026-10-19T 12:26:48Z``.
    :raises ValueError: the text has another form, or the date or time does not exist (``2026-02-30``).
    """
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text.strip().replace("T ", "T"))
    except ValueError:  # no such day or hour
        pass
    raise ValueError(f"not a date and time of the Call API: {text!r}")


def parse_time(text: str, timezone: str) -> datetime:
    """Convert a date and time from the service to UTC.

    If clocks are set back, a local time occurs twice. The result is then the later moment.

    :param text: see `read_datetime`.
    :param timezone: IANA name of the account's time zone, for a text that names no zone.
    :raises ValueError: the text has another form, or the date or time does not exist (``2026-02-30``).
    """
    moment, own_zone = read_datetime(text), zone(timezone)
    try:
        if moment.tzinfo is None:
            return max(moment.replace(tzinfo=own_zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the first or last day that a date can express
        raise ValueError(f"not a date and time of the Call API: {text!r}") from None


def report_time(epoch_seconds: float, timezone: str) -> str:
    """Return a time as text for a report request: ``YYYY-MM-DD hh:mm:ss`` in the time zone ``timezone``."""
    return pendulum.from_timestamp(epoch_seconds, tz=zone(timezone)).format("YYYY-MM-DD HH:mm:ss")
