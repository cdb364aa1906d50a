"""Read and write local times of an account whose time zone is not known yet."""

from __future__ import annotations

from datetime import UTC, datetime

QUARTER_HOUR = 900
_LENGTH = len("2016-10-19 12:26:48")


def report_text(epoch_seconds: float) -> str:
    """Return epoch seconds as text in UTC, in the form of the dates of reports."""
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def local_seconds(text: object) -> float | None:
    """Return a local time as epoch seconds, as if it were in UTC. None: the text is not a time."""
    try:
        moment = datetime.fromisoformat(str(text).replace("T ", "T")[:_LENGTH])
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC).timestamp()


def quarter_hours_ahead(text: object, epoch_seconds: float) -> int | None:
    """Return by how many quarter hours a local time is ahead of UTC. None: the text is not a time.

    :param text: the local time of the account.
    :param epoch_seconds: the same moment as epoch seconds, exact to a few minutes.
    """
    local = local_seconds(text)
    return None if local is None else round((local - epoch_seconds) / QUARTER_HOUR)
