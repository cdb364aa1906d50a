"""Compute with local times of the user's account before the account's time zone is known.

The functions treat each local time as if it were a time in UTC. The difference between two local times is
still correct. If the same moment is also known as epoch seconds, `quarter_hours_ahead` computes from both how
far the account's local time is ahead of UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime

QUARTER_HOUR = 900
_LENGTH = len("2016-10-19 12:26:48")


def report_text(epoch_seconds: float) -> str:
    """Convert epoch seconds to a date and time in UTC, e.g. ``2016-10-19 12:26:48``.

    The text has the form of the dates in requests to the Data API.
    """
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def local_seconds(text: object) -> float | None:
    """Convert a local time of the account to epoch seconds, as if the text were a time in UTC.

    The result is wrong by the account's offset from UTC. The difference between two results is correct,
    because both have the same error. Fractions of a second are dropped.

    :param text: for example ``2016-10-19 12:26:48`` or ``2016-10-19T12:26:48.418``.
    :return: epoch seconds; None: the text is not a time.
    """
    try:
        moment = datetime.fromisoformat(str(text).replace("T ", "T")[:_LENGTH])
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC).timestamp()


def quarter_hours_ahead(text: object, epoch_seconds: float) -> int | None:
    """Return how many quarter hours a local time is ahead of UTC.

    :param text: a local time of the account, e.g. ``2016-10-19 12:26:48``.
    :param epoch_seconds: the same moment as epoch seconds. An error of a few minutes does no harm.
    :return: for example 12 for Moscow (UTC+3). A negative number: the local time is behind UTC. None:
        ``text`` is not a time.
    """
    local = local_seconds(text)
    return None if local is None else round((local - epoch_seconds) / QUARTER_HOUR)
