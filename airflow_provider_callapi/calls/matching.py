"""Whether a call with the external_id of a lost one can be the lost one: such ids need not be unique."""

from __future__ import annotations

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.models import CallSession, parse_time

_CLOCKS = 600.0
"""Seconds by which the service's clock may be behind ours."""


def matches_lost_call(
    found: CallSession | CallReport, *, contact: str | None, since: float | None, timezone: str
) -> bool:
    """Whether this can be a call to the contact that was placed at a time or later; what is not told, can.

    :param contact: the number called; None: any.
    :param since: epoch seconds; None: any time.
    :param timezone: the account's, which the times of calls are in.
    """
    if contact is not None and found.contact_phone_number not in (None, contact):
        return False
    if since is None or found.start_time is None:
        return True
    try:
        began = parse_time(found.start_time, timezone).timestamp()
    except ValueError:
        return True
    return began >= since - _CLOCKS
