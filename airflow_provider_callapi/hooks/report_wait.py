"""Waits for the Data API's report of a call, for a caller that can do without the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_callapi import system_clock

if TYPE_CHECKING:  # requests is heavy, and DAG files are parsed all day
    from airflow_provider_callapi.calls.outcomes.outcome import Outcome
    from airflow_provider_callapi.hooks.callapi import CallApiHook

_PAUSE = 3.0
"""Seconds between two requests for the report of a call. The report appears some seconds after the end."""


def wait_for_report(
    hook: CallApiHook,
    call: Outcome,
    until: float,
    log: Any,
    *,
    operations: bool = False,
    retry_errors: bool = False,
) -> Outcome | None:
    """Request the report of a call again and again. Return the outcome with the report's facts.

    :param hook: a hook of a connection that uses the Data API.
    :param call: what is known of the call so far.
    :param until: epoch seconds of the last request. The first request is always sent.
    :param operations: True: also fetch the scenario's steps of the call.
    :param retry_errors: True: a failed request is repeated. False: it ends the wait.
    :return: the outcome. None: the report did not come in time, or a failed request has ended the wait.
    """
    while True:
        try:
            if final := hook.reports.final_outcome(call, until, operations=operations):
                return final[0]
        except Exception as error:  # the caller continues with what is known of the call
            log.warning("The Data API did not report call session %s: %s", call.call_session_id, error)
            if not retry_errors:
                return None
        remaining = until - system_clock.now()
        if remaining <= 0:
            return None
        system_clock.sleep(min(_PAUSE, remaining))
