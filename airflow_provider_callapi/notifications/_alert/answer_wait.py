"""Wait until a call is answered or has ended, and find out whether a person acknowledged the alert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.outcomes.marks import Mark, first_mark, need_operations
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.watch import SessionWatch
from airflow_provider_callapi.hooks.report_wait import wait_for_report
from airflow_provider_callapi.notifications._alert.execution import Execution
from airflow_provider_callapi.notifications._alert.options import AlertOptions

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook

APPEAR_TIMEOUT = 10.0
"""Seconds within which ``list.calls`` shows a placed call, or stops showing an ended call."""
_ANSWER_REPORT_TIMEOUT = 6.0
"""Seconds for which an alert without marks waits for the report of an ended call.

The wait delays the call to the next person, so it is short.
"""
_DEFAULT_DIALING_TIMEOUT = 30
"""Seconds for which the service lets a phone ring if the start request sets no ``dialing_timeout``."""
_LONGEST_SCENARIO = 120.0
"""Seconds after the answer within which the scenario of an alert ends."""
_ANSWERED = {True: "answered", False: "not answered", None: "not known to be answered"}


@dataclass(frozen=True)
class Acknowledgement:
    """What acknowledges an alert: an answer, a scenario's step or a tag of the call.

    Examples: the step ``operation:Confirmed``, the tag ``tag:36``.
    """

    marks: tuple[Mark, ...]  # a call with one of them acknowledges the alert; empty: an answer does
    longest_wait: float  # for how many seconds one call is polled at most
    report_timeout: float  # with marks: for how many seconds after a call the alert waits for its report

    @classmethod
    def of(cls, options: AlertOptions, requests: Sequence[StartCall]) -> Acknowledgement:
        """Return how the people of an alert acknowledge it, and how long the alert waits for that.

        :param requests: the start requests of the alert.
        """
        # The dialing timeout is the same in all requests.
        dialing_timeout = getattr(requests[0], "dialing_timeout", None) if requests else None
        longest = (dialing_timeout or _DEFAULT_DIALING_TIMEOUT) + APPEAR_TIMEOUT
        marks = options.acknowledged_by
        return cls(marks, longest + (_LONGEST_SCENARIO if marks else 0.0), options.report_timeout)

    @property
    def longest_call(self) -> float:
        """The longest time, in seconds, that the alert spends on one call before it calls the next person."""
        return self.longest_wait + (self.report_timeout if self.marks else 0.0)


def watch_of(call: Outcome, longest: float) -> SessionWatch:
    """Return a watch of a call. The watch ends ``longest`` seconds from now at the latest."""
    now = system_clock.now()
    return SessionWatch(
        call.call_session_id,
        now + APPEAR_TIMEOUT,
        now + longest,
        observation=Observation.from_outcome(call),
    )


async def wait_for_acknowledgement(
    hook: CallApiHook, execution: Execution, call: Outcome, wanted: Acknowledgement, log: Any
) -> bool:
    """Watch an alert's call, and return whether the called person has acknowledged the alert.

    :param wanted: what acknowledges the alert: an answer, or a mark in the Data API's report of the call.
    :return: True: the alert is acknowledged. False: it is not, or no acknowledgement is known.
    """
    watch = watch_of(call, wanted.longest_wait)
    try:
        await execution.watch(hook, watch, "ended" if wanted.marks else "answered")
    except execution.watch_errors as error:  # the earlier polls and the Data API then decide
        reason = f"{type(error).__name__}: {error}"
        log.warning("Call session %s cannot be watched: %s", call.call_session_id, reason)
    if wanted.marks:
        return await execution.run(_has_mark, hook, watch, call, wanted, log)
    return await execution.run(_is_answered, hook, watch, call, log)


def _has_mark(
    hook: CallApiHook, watch: SessionWatch, call: Outcome, wanted: Acknowledgement, log: Any
) -> bool:
    """Wait for a call's report, and return whether it contains a mark that acknowledges the alert.

    A mark is a scenario's step or a tag. The result is False if the report does not come in time, or if the
    connection does not use the Data API.
    """
    if not hook.has_data_api:
        log.error(
            "acknowledged_by needs the Data API, so no call acknowledges the alert: set extra.data_api of "
            "connection %s to true",
            hook.callapi_conn_id,
        )
        return False
    call = watch.extend_outcome(call)
    now = system_clock.now()
    # If the polls have not shown the end, e.g. because they failed, the call may last until the deadline.
    ended_by = now if call.status == "ended" else max(now, watch.deadline)
    final = wait_for_report(
        hook,
        call,
        ended_by + wanted.report_timeout,
        log,
        operations=need_operations(wanted.marks),
        retry_errors=True,
    )
    mark = first_mark(wanted.marks, final)
    shown = f"acknowledged by {mark}" if mark else "not acknowledged"
    why = "" if final else f": no report came within report_timeout ({wanted.report_timeout:g} s)"
    log.info("Call session %s: %s%s", call.call_session_id, shown, why)
    if final and final.answered and final.operations is None and need_operations(wanted.marks):
        log.warning("The Data API does not report the operations of call session %s", call.call_session_id)
    return mark is not None


def _is_answered(hook: CallApiHook, watch: SessionWatch, call: Outcome, log: Any) -> bool:
    """Return whether the polls or the Data API show that the contact has answered a call.

    False also: it is not known whether the contact has answered.
    """
    call = watch.extend_outcome(call)
    # A short talk may begin and end between two polls. On some accounts, the polls never show a talk.
    if not call.answered and hook.has_data_api:
        timeout = _ANSWER_REPORT_TIMEOUT if call.status == "ended" else 0.0
        call = wait_for_report(hook, call, system_clock.now() + timeout, log) or call
    log.info("Call session %s: %s", call.call_session_id, _ANSWERED[call.answered])
    return bool(call.answered)
