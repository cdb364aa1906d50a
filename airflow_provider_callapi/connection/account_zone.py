"""Asks the Data API for the account's time zone, and compares the offsets of two time zones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_provider_callapi.api.account import GetAccount
from airflow_provider_callapi.api.errors import CallApiError

DEFAULT_TIMEZONE = "Europe/Moscow"
"""The account's time zone if neither the connection nor the Data API names one."""


def is_iana_zone(name: str) -> bool:
    """Return whether a text is an IANA time zone that this machine knows, such as ``Europe/Moscow``."""
    try:
        ZoneInfo(name)  # a folder of zones raises an OSError
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def fetch_timezone(call: Callable[[Any], Any], warn: Callable[[str], object]) -> str:
    """Ask the Data API for the account's time zone, and return its IANA name, such as ``Asia/Omsk``.

    If the Data API refuses the request, or names a zone that this machine does not know, the function logs a
    warning and returns `DEFAULT_TIMEZONE`, which is ``Europe/Moscow``.

    :param call: a function that sends a request to the Data API and returns the answer.
    :param warn: a function that logs a warning.
    :raises CallApiError: the Data API does not answer now; a later request may succeed.
    """
    try:
        zone = call(GetAccount()).timezone
    except CallApiError as error:
        if not error.permanent:
            raise
        problem = str(error)
    else:
        if zone and is_iana_zone(zone):
            return str(zone)
        problem = f"get.account names no known zone: {zone!r}"
    warn(
        f"The account's time zone is not known, so {DEFAULT_TIMEZONE} is used; set extra.timezone of the "
        f"connection ({problem})"
    )
    return DEFAULT_TIMEZONE


def have_same_times(first: str, second: str, year: int) -> bool:
    """Return whether two time zones have the same UTC offset on the first day of each month of ``year``.

    Zones with different names may have the same offsets, such as ``Europe/Moscow`` and ``Europe/Simferopol``.

    :param first: IANA name of a zone that this machine knows.
    :param second: IANA name of a zone that this machine knows.
    """
    days = [datetime(year, month, 1, tzinfo=UTC) for month in range(1, 13)]
    return all(
        day.astimezone(ZoneInfo(first)).utcoffset() == day.astimezone(ZoneInfo(second)).utcoffset()
        for day in days
    )
