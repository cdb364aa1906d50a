"""Wait until a call is answered or has ended, and find out whether a person answered the call."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.watch import SessionWatch
from airflow_provider_callapi.notifications._alert.execution import Execution

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook

APPEAR_TIMEOUT = 10.0
"""Seconds within which ``list.calls`` shows a placed call, or stops showing an ended call."""
_REPORT_PAUSES = (2.0, 4.0)
"""Seconds of the pauses between the requests for the report of an ended call.

The pauses delay the call to the next person, so they are short.
"""
_DEFAULT_DIALING_TIMEOUT = 30
"""Seconds for which the service lets a phone ring if the start request sets no ``dialing_timeout``."""
_ANSWERED = {True: "answered", False: "not answered", None: "not known to be answered"}


def longest_wait(requests: Sequence[StartInformerCall]) -> float:
    """Return the longest time in seconds that an alert polls one call.

    After this time, the polls have shown the end of every call that was not answered.

    :param requests: the start requests of the alert. All of them have the same dialing timeout.
    """
    dialing_timeout = requests[0].dialing_timeout if requests else None
    return (dialing_timeout or _DEFAULT_DIALING_TIMEOUT) + APPEAR_TIMEOUT


def watch_of(call: Outcome, longest: float) -> SessionWatch:
    """Return the watch of a call: an object that each poll updates with what the poll shows of the call.

    :param longest: seconds from now after which the watch times out.
    """
    now = time.time()
    return SessionWatch(call.call_session_id, now + APPEAR_TIMEOUT, now + longest)


async def wait_for_answer(
    hook: CallApiHook, execution: Execution, call: Outcome, longest: float, log: Any
) -> bool:
    """Wait for the answer to a call, and return whether the call is known to be answered.

    A polling error is logged and ends the wait early.

    :param longest: the longest wait in seconds.
    """
    watch = watch_of(call, longest)
    try:
        await execution.watch(hook, watch)
    except execution.watch_errors as error:
        log.warning("Call session %s cannot be watched: %s", call.call_session_id, error)
    return await execution.run(is_answered, hook, watch, call, log)


def is_answered(hook: CallApiHook, watch: SessionWatch, call: Outcome, log: Any) -> bool:
    """Return whether the polls or the Data API show that a call was answered.

    The Data API is asked only if the polls show no answer. A short talk may begin and end between two polls,
    and some accounts never list a talk. An error of the Data API is logged and counts as "not answered".
    """
    outcome = watch.extend_outcome(call)
    answered = outcome.answered
    try:
        if not answered and hook.has_data_api and (final := _final_outcome(hook, outcome)):
            answered = final.answered
    except Exception as error:  # no error may keep the next person from being called
        log.warning("The Data API has no answer about call session %s: %s", call.call_session_id, error)
    log.info("Call session %s: %s", call.call_session_id, _ANSWERED[answered])
    return bool(answered)


def _final_outcome(hook: CallApiHook, outcome: Outcome) -> Outcome | None:
    """Return the outcome of a call according to the Data API's report; None: the Data API has no report.

    The Data API reports a call some seconds after the call's end. If the call has ended, the function
    therefore asks again after each of the `_REPORT_PAUSES`. If the call is still active, the function asks
    only once.
    """
    pauses = _REPORT_PAUSES if outcome.status == "ended" else ()
    for pause in (0.0, *pauses):
        time.sleep(pause)
        if final := hook.fetch_final_outcome(outcome):
            return final[0]
    return None
