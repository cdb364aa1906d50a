"""Times as local text with the name of the time zone, for the lines of a task's log."""

from __future__ import annotations

import pendulum


def local_time(at: float, timezone: str) -> str:
    """Return a time in epoch seconds as local text: ``2026-03-02 12:00:00 Europe/Moscow``.

    :param at: epoch seconds.
    :param timezone: IANA name of the time zone.
    """
    return pendulum.from_timestamp(at, tz=timezone).format("YYYY-MM-DD HH:mm:ss z")
