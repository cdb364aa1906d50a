"""Checks of options that start operators and campaigns have in common."""

from __future__ import annotations

from airflow_provider_callapi.calls.calling_hours.days import CallingDays
from airflow_provider_callapi.calls.calling_hours.production_calendar import NOT_INSTALLED, is_installed
from airflow_provider_callapi.exceptions import InvalidParameter


def check_absence_proven_after(seconds: float | None, appear_timeout: float) -> None:
    """Check the parameter ``absence_proven_after``, in seconds.

    :raises InvalidParameter: it is less than ``appear_timeout``.
    """
    # An unconfirmed call that is not found for this time counts as never placed. Too short a time could lead
    # to a second call, because `list.calls` may show a placed call only at the end of appear_timeout.
    if seconds is not None and seconds < appear_timeout:
        raise InvalidParameter(
            f"absence_proven_after: a number of seconds, at least appear_timeout ({appear_timeout:g}), is "
            f"needed; the value is {seconds:g}"
        )


def check_calling_days(days: CallingDays | None) -> None:
    """Check the parameter ``calling_days``.

    :raises InvalidParameter: the value needs the package ``holidays``, e.g. ``"workdays"``, and the package
        is not installed.
    """
    # A template that Airflow has not rendered yet is no CallingDays.
    if isinstance(days, CallingDays) and days.needs_calendar and not is_installed():
        raise InvalidParameter(NOT_INSTALLED)
