"""Asks the Data API for the account's time zone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_callapi.api.account import GetAccount
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.iana_zones import is_iana_zone

DEFAULT_TIMEZONE = "Europe/Moscow"
"""The account's time zone if neither the connection nor the Data API names one."""


def fetch_timezone(call: Callable[[Any], Any], warn: Callable[[str], object]) -> str:
    """Ask the Data API for the account's time zone, and return its IANA name, such as ``Asia/Omsk``.

    If the Data API refuses the request, or names no known zone, the function warns and returns
    ``Europe/Moscow``.

    :param call: a function that sends a request to the Data API, and returns the answer.
    :param warn: a function that logs or prints the text of a warning.
    :raises CallApiError: a transient error. A later request may succeed.
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
