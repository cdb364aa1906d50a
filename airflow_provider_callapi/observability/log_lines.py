"""Log lines about the changes of a call's state, and about the wait for a call.

The lines contain no phone numbers.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import structlog

from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.texts.time_texts import local_time
from airflow_provider_callapi.calls.watching.watch import Phase, SessionWatch, Until
from airflow_provider_callapi.observability.outcome_fields import outcome_fields

if TYPE_CHECKING:  # keeps the parsing of DAG files fast
    from airflow_provider_callapi.calls.watching.snapshot import Snapshot


class LogEvent(StrEnum):
    """The name of a change in a call's state, e.g. ``answered`` in the log line ``call answered``."""

    INTENDED = "intended"
    """The task has stored the intent to call, and sends the start request next."""
    STARTED = "started"
    """The service accepted the start request: the call is placed."""
    NOT_PLACED = "not placed"
    """The call was not placed: no phone rang."""
    UNRESOLVED = "unresolved"
    """The start request got no answer, and the search did not find the call. A phone may have rung."""
    RESUMED = "resumed"
    """A later try of the task continues with the call that an earlier try placed."""
    LISTED = "listed"
    """A poll showed the call for the first time."""
    ANSWERED = "answered"
    """A poll showed for the first time that the contact has answered."""
    ENDED = "ended"
    """The polls no longer show the call, which they showed before: the call has ended."""
    NEVER_LISTED = "never listed"
    """No poll showed the call, so the call counts as ended."""
    TIMED_OUT = "timed out"
    """The task's timeout was up before a poll showed that the call had ended."""
    SETTLED = "settled"
    """The Data API reported the final outcome of the call."""
    TAGGED = "tagged"
    """The task added a tag to the call."""
    DONE = "done"
    """The task has nothing left to do for the call."""


_EVENT_OF_PHASE = {
    Phase.APPEARED: LogEvent.LISTED,
    Phase.ANSWERED: LogEvent.ANSWERED,
    Phase.ENDED: LogEvent.ENDED,
    Phase.NEVER_APPEARED: LogEvent.NEVER_LISTED,
    Phase.TIMED_OUT: LogEvent.TIMED_OUT,
}
"""The event to log when the watch of a call enters a phase."""


def log_call_event(event: LogEvent, call: Outcome) -> None:
    """Write a log line such as ``call answered`` about a change in a call's state.

    The line also contains the known fields of the call, e.g. its session id and its talk time.

    :param call: what is known of the call.
    """
    log_event(event, **outcome_fields(call.to_xcom()))


def log_event(event: LogEvent, **fields: Any) -> None:
    """Write the log line of an event. In JSON logs, each field is a key of the line's object.

    Omit fields that are None or an empty list.
    """
    # A standard Python logger, such as `self.log` on Airflow 3.0, loses keys that are passed as `extra=`.
    log = structlog.get_logger(logger_name="callapi")
    known = {name: value for name, value in fields.items() if value is not None and value != []}
    (log.warning if event is LogEvent.UNRESOLVED else log.info)(f"call {event}", **known)


def log_wait(log: Any, call: Outcome, until: Until, deadline: float) -> None:
    """Write to a task's log for what the task waits, and until when.

    :param until: what the task waits for: ``answered`` or ``ended``.
    :param deadline: when the wait must end, epoch seconds.
    """
    event = "is answered or ends" if until == "answered" else "ends"
    latest = local_time(deadline, "UTC")
    log.info("Waiting until call session %s %s, at the latest until %s", call.call_session_id, event, latest)


def update_watch(watch: SessionWatch, snapshot: Snapshot) -> Phase:
    """Update the watch of a call with the result of a poll, and return the call's phase.

    A watch is an object that collects what the polls show of one call. If the poll changes the phase, e.g.
    from listed to answered, log the new phase.

    :param snapshot: the result of the poll.
    :raises CallApiError: the poll failed with a permanent error, or too many consecutive polls failed.
    """
    phase_before = watch.phase
    phase = watch.update(snapshot)
    if phase is not phase_before:
        _log_phase(watch)
    return phase


def time_out_watch(watch: SessionWatch) -> None:
    """End the watch of a call at its deadline, although no poll has shown the end of the call.

    Log ``call timed out``. A watch is an object that collects what the polls show of one call.
    """
    watch.time_out()
    _log_phase(watch)


def _log_phase(watch: SessionWatch) -> None:
    log_event(
        _EVENT_OF_PHASE[watch.phase],
        call_session_id=watch.call_session_id,
        external_id=watch.observation.external_id,
    )
