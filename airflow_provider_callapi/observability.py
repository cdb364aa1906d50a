"""Metrics, log lines and trace spans about calls, for the users who run Airflow.

Metrics go to the backend for which Airflow is configured, e.g. StatsD. A metric that cannot be sent never
stops a task.

Metrics, log lines and spans contain no phone numbers and no secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import structlog
from airflow.providers.common.compat.sdk import conf

from airflow_provider_callapi.calls.call_journal import Stage
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.stores import KeyValueStore
from airflow_provider_callapi.calls.watching.watch import Phase, SessionWatch

if TYPE_CHECKING:  # keeps the parsing of DAG files fast
    from airflow_provider_callapi.api.models import Limits
    from airflow_provider_callapi.calls.campaign.ledger import Attempt
    from airflow_provider_callapi.calls.watching.snapshot import Snapshot

CallOutcomeTag = Literal["answered", "not_answered", "unknown", "started", "refused", "unresolved"]
"""The ``outcome`` tag of the metric ``callapi.calls``.

``started``: the call was placed, and the task does not wait for the call's end. ``unknown``: the call ended,
and it is unknown whether the contact answered.
"""
AlertResultTag = Literal["answered", "rang", "quiet", "nobody"]
"""The ``result`` tag of the metric ``callapi.alerts``.

``answered``: a person answered the alert's call. ``rang``: a phone rang, and it is unknown whether a person
answered. ``quiet``: an earlier alert suppressed this alert. ``nobody``: no phone rang.
"""


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


_EVENT_OF_STAGE = {
    Stage.STARTING: LogEvent.INTENDED,
    Stage.STARTED: LogEvent.STARTED,
    Stage.NOTHING: LogEvent.NOT_PLACED,
    Stage.UNRESOLVED: LogEvent.UNRESOLVED,
    Stage.DONE: LogEvent.DONE,
    Stage.REDIAL: LogEvent.DONE,
}
"""The event to log when the journal record of a call reaches a stage.

The stage ``ended`` has no entry, because `update_watch` logs the end of a call.
"""
_EVENT_OF_PHASE = {
    Phase.APPEARED: LogEvent.LISTED,
    Phase.ANSWERED: LogEvent.ANSWERED,
    Phase.ENDED: LogEvent.ENDED,
    Phase.NEVER_APPEARED: LogEvent.NEVER_LISTED,
    Phase.TIMED_OUT: LogEvent.TIMED_OUT,
}
"""The event to log when the watch of a call enters a phase."""
_OUTCOME_FIELDS = (
    "answered",
    "finish_reason",
    "talk_seconds",
    "tags",
    "attempt",
    "call_session_id",
    "external_id",
)
"""The fields of a call's outcome that log lines and spans contain.

A log line on Airflow's page shows the fields in this order, and the end of the line may be off the screen.
"""


# --- log lines ---


def log_call_event(event: LogEvent, call: Outcome) -> None:
    """Write a log line such as ``call answered`` about a change in a call's state.

    The line also contains the known fields of the call, e.g. its session id and its talk time.

    :param call: what is known of the call.
    """
    _log_event(event, **_outcome_fields(call.to_xcom()))


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
    _log_event(
        _EVENT_OF_PHASE[watch.phase],
        call_session_id=watch.call_session_id,
        external_id=watch.observation.external_id,
    )


def _log_event(event: LogEvent, **fields: Any) -> None:
    """Write the log line of an event. In JSON logs, each field is a key of the line's object.

    Omit fields that are None or an empty list.
    """
    # A standard Python logger, such as `self.log` on Airflow 3.0, loses keys that are passed as `extra=`.
    log = structlog.get_logger(logger_name="callapi")
    known = {name: value for name, value in fields.items() if value is not None and value != []}
    (log.warning if event is LogEvent.UNRESOLVED else log.info)(f"call {event}", **known)


def _outcome_fields(call: dict[str, Any] | None) -> dict[str, Any]:
    return {name: call.get(name) for name in _OUTCOME_FIELDS} if call else {}


# --- metrics ---


def count_call(outcome: CallOutcomeTag) -> None:
    """Add one to the metric ``callapi.calls``, which counts the calls of start operators by outcome.

    :param outcome: the metric's tag, e.g. ``answered``. For ``unresolved``, also add one to
        ``callapi.unresolved``.
    """
    _send("incr", "callapi.calls", outcome=outcome)
    if outcome == "unresolved":
        _send("incr", "callapi.unresolved")


def count_alert(result: AlertResultTag) -> None:
    """Add one to the metric ``callapi.alerts``, which counts the notifier's alerts by result.

    :param result: the metric's tag, e.g. ``quiet``.
    """
    _send("incr", "callapi.alerts", result=result)


def record_points_left(limits: Limits, *, conn_id: str, service: str) -> None:
    """Set the metrics that show how many points (rate-limit units) the account has left.

    The metrics are ``callapi.points.minute_remaining`` and ``callapi.points.day_remaining``. A number that
    the reply lacks changes no metric.

    :param limits: the limits in the reply of the service.
    :param conn_id: id of the Airflow connection, a tag of the metrics.
    :param service: ``call_api`` or ``data_api``, a tag of the metrics.
    """
    for name in ("minute_remaining", "day_remaining"):
        if (points := getattr(limits, name)) is not None:
            _send("gauge", f"callapi.points.{name}", points, conn_id=conn_id, service=service)


def record_poll_age(seconds: float, *, conn_id: str) -> None:
    """Set the metric ``callapi.poll.age`` of a triggerer. A growing value shows that polls fail.

    :param seconds: after a poll: the seconds since the last successful poll of the connection. When no
        trigger polls the connection any more: 0.
    :param conn_id: id of the Airflow connection.
    """
    _send("gauge", "callapi.poll.age", round(seconds, 3), conn_id=conn_id)


def record_request(seconds: float, *, method: str, result: str) -> None:
    """Record the duration of one request in the metric ``callapi.requests``.

    :param seconds: the time from the start of the send to the parsed answer or the error.
    :param method: the API method, e.g. ``list.calls``.
    :param result: ``ok``, or the class name of the error.
    """
    _send("timing", "callapi.requests", timedelta(seconds=seconds), method=method, result=result)


def _send(kind: Literal["incr", "gauge", "timing"], name: str, *values: Any, **tags: str) -> None:
    """Send a metric with tags.

    By default, also send it under a name with the tags' values, e.g. ``callapi.calls.answered``.
    """
    with suppress(Exception):
        send = getattr(_stats(), kind)
        send(name, *values, tags=tags)
        # Airflow's default StatsD setup drops tags, so Airflow itself also sends both forms.
        if tags and _sends_names_with_tags():
            send(".".join((name, *map(_name_part, tags.values()))), *values)


@cache  # a look-up of the option is slow
def _sends_names_with_tags() -> bool:
    """Return Airflow's option ``legacy_names_on``.

    True: each metric is also sent with the tags' values in its name.
    """
    return bool(conf.getboolean("metrics", "legacy_names_on", fallback=True))


@cache
def _stats() -> Any:
    """Return Airflow's ``Stats`` object, through which a task or a trigger sends metrics."""
    # Airflow 3.2 and newer have a second `Stats` object, for tasks and triggers. A triggerer does not
    # initialize this object. The import does.
    with suppress(ImportError):  # older versions of Airflow have one `Stats` object
        import airflow.sdk.serde  # noqa: F401, PLC0415

    from airflow.providers.common.compat.sdk import Stats  # noqa: PLC0415 - keeps DAG parsing fast

    return Stats


def _name_part(tag: str) -> str:
    """Return the value of a metric's tag in a form that can be a part of the metric's name.

    Underscores replace dots and forbidden characters.
    """
    return re.sub(r"[^A-Za-z0-9_-]", "_", tag.replace(".", "__"))  # two for a dot, as in Airflow


# --- spans ---


def trace_call(call: Outcome, outcome: CallOutcomeTag) -> None:
    """Record a trace span for an ended call, inside the task's span.

    The span covers the time from the call's start to the call's end. The function creates the span only after
    the call's end, because the process that placed the call may end before the call, and would lose an open
    span.
    """
    from opentelemetry import trace  # noqa: PLC0415 - keeps DAG parsing fast

    if not trace.get_current_span().is_recording() or call.started_at is None:
        return
    fields = {"outcome": outcome, **_outcome_fields(call.to_xcom())}
    span = trace.get_tracer("airflow_provider_callapi").start_span(
        "callapi call",
        start_time=_nanoseconds(call.started_at),
        attributes={f"callapi.{name}": value for name, value in fields.items() if value is not None},
    )
    if call.answered_at is not None:
        span.add_event("answered", timestamp=_nanoseconds(call.answered_at))
    ended_at = call.started_at if call.ended_at is None else max(call.ended_at, call.started_at)
    span.end(_nanoseconds(ended_at))


def _nanoseconds(epoch_seconds: float) -> int:
    return round(epoch_seconds * 1e9)


# --- stores that log and count ---


@dataclass
class ObservedStore:
    """A store for the journal of a call, which also logs and counts each change of the call's state.

    Example: the journal stores that the call was placed. This object then passes the change to ``store``, and
    logs ``call started``.

    :ivar store: the store that keeps the journal.
    """

    store: KeyValueStore
    _stage: Stage | None = field(default=None, init=False)

    def get(self, key: str) -> Any:
        record = self.store.get(key)
        self._stage = Stage(record["stage"]) if record else None
        return record

    def set(self, key: str, record: Any) -> None:
        self.store.set(key, record)
        stage_before, self._stage = self._stage, Stage(record["stage"])
        # without task state, a later try starts with an empty journal and adopts the call
        adopted = stage_before is None and self._stage is Stage.STARTED
        if self._stage is stage_before or adopted:
            return
        call = record["call"]
        if self._stage is Stage.UNRESOLVED:
            count_call("unresolved")
        elif self._stage in (Stage.DONE, Stage.REDIAL):
            count_call(outcome := _outcome_tag(call))
            if call["status"] != "ended":  # the task does not wait, and STARTED is already logged
                return
            with suppress(Exception):
                trace_call(Outcome.from_xcom(call), outcome)
        if self._stage in _EVENT_OF_STAGE:
            fields = {**_outcome_fields(call), "external_id": record["external_id"]}
            _log_event(_EVENT_OF_STAGE[self._stage], **fields)


def _outcome_tag(call: dict[str, Any]) -> CallOutcomeTag:
    if call["answered"] is not None:
        return "answered" if call["answered"] else "not_answered"
    return "unknown" if call["status"] == "ended" else "started"


def count_finished_attempts(campaign: str, attempts: Iterable[Attempt]) -> None:
    """Count each finished attempt of a campaign in the metric ``callapi.campaign.calls``.

    :param campaign: the campaign's name, a tag of the metric.
    :param attempts: attempts that the campaign's ledger has stored just now.
    """
    for attempt in attempts:
        if attempt.status == "finished" and attempt.result is not None:
            _send("incr", "callapi.campaign.calls", campaign=campaign, result=attempt.result.value)
            if attempt.result == "unresolved":
                _send("incr", "callapi.unresolved")
