"""Search for an earlier call of the same alert: first among the active calls, then in the Data API."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.times import parse_time
from airflow_provider_callapi.calls.alerts.claims import Progress
from airflow_provider_callapi.calls.alerts.escalation import Escalation
from airflow_provider_callapi.calls.watching.snapshot import take_snapshot

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook

_LONGEST_SEARCH = 80 * 86_400.0
"""How far back, in seconds, the Data API is searched for an earlier call."""


def find_earlier_call(
    hook: CallApiHook, escalation: Escalation, quiet_for: float, log: Any, *, until: float = math.inf
) -> Progress | None:
    """Return the person and the session id of a call that the same alert has already placed.

    The call is active, or it began at most ``quiet_for`` seconds ago. None: no such call was found. If a
    search fails, log a warning and raise no error.

    :param until: when the alert must begin to ring, in seconds of ``system_clock.monotonic()``. If the time
        is too short to ask the Data API, log a warning, and do not ask.
    """
    snapshot = take_snapshot(hook.get_conn(), system_clock.now)
    if snapshot.failure:  # a failed search must not prevent the alert
        log.warning("The active calls are not known, so a person may be called twice: %s", snapshot.failure)
    if active := escalation.newest_of(snapshot.sessions.values()):
        return active
    if snapshot.left_out:
        log.warning("Some active calls cannot be read, so a person may be called twice")
    if not hook.has_data_api:
        return None
    try:
        # A report covers at most three months.
        since = system_clock.now() - min(quiet_for, _LONGEST_SEARCH)
        return _find_in_data_api(hook, escalation, since, log, until=until)
    except (CallApiError, ValueError) as error:  # ValueError: a start time in an unknown format
        log.warning("The Data API did not report earlier calls, so a person may be called twice: %s", error)
    return None


def _find_in_data_api(
    hook: CallApiHook, escalation: Escalation, since: float, log: Any, *, until: float
) -> Progress | None:
    """Return a call of the alert that the Data API reports, and that began at ``since`` or later.

    Of several: the call to the last person in calling order. None: no such call is reported.
    """
    # A login may come before the first request.
    longest_request = 2 * hook.settings.timeout
    until = min(until, system_clock.monotonic() + 2 * longest_request)
    for person, external_id in escalation.call_ids:  # begins with the last person
        if system_clock.monotonic() + longest_request > until:
            log.warning(
                "The Data API is too slow to report the earlier calls to every person, so a person may be "
                "called twice"
            )
            break
        report = hook.reports.of_call(
            external_id=external_id, contact=escalation.contact_of(person), since=since
        )
        if report is None or report.start_time is None:
            continue
        began_at = parse_time(report.start_time, hook.timezone).timestamp()
        if began_at >= since:
            return Progress(person, report.id, began_at=began_at)
    return None
