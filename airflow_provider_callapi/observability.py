"""Metrics, log lines and trace spans about calls, for the people who run Airflow.

Metrics use Airflow's own metrics backend (StatsD, Datadog or OpenTelemetry; none by default). An error here
never fails a task, because the task must still record the call that it placed. Metrics, log lines and spans
contain no phone numbers and no secrets. No metric tag has a separate value for each call.
`airflow_provider_callapi.connection.clients` creates the spans of requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

import structlog
from airflow.providers.common.compat.sdk import conf

from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.placing import Stage
from airflow_provider_callapi.calls.stores import KeyValueStore
from airflow_provider_callapi.calls.watch import Phase, SessionWatch

if TYPE_CHECKING:  # keeps the parsing of DAG files fast
    from airflow_provider_callapi.api.models import Limits
    from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Ledger
    from airflow_provider_callapi.calls.snapshot import Snapshot

CallOutcomeTag = Literal["answered", "not_answered", "unknown", "started", "refused", "unresolved"]
"""The ``outcome`` tag of a call's metric. ``started``: placed, and the task does not wait for the end.
``unknown``: ended, and it is unknown whether the contact answered.
"""
AlertResultTag = Literal["answered", "rang", "quiet", "nobody"]
"""The ``result`` tag of an alert's metric. ``rang``: a phone rang, and it is unknown whether it was answered.
``quiet``: suppressed by an earlier alert. ``nobody``: no phone rang.
"""


class LogEvent(StrEnum):
    """A change in a call's state. The log line's text is ``call`` and the value, e.g. ``call answered``."""

    INTENDED = "intended"
    """The intent is stored; the start request follows."""
    STARTED = "started"
    """The service accepted the call."""
    NOT_PLACED = "not placed"
    """The call was not placed: no phone rang."""
    UNRESOLVED = "unresolved"
    """The call may have been placed; the search did not find it."""
    RESUMED = "resumed"
    """A later try of the task adopted the call."""
    LISTED = "listed"
    """A poll showed the call for the first time."""
    ANSWERED = "answered"
    """A poll showed for the first time that the contact talks."""
    ENDED = "ended"
    """The call is no longer among the active calls."""
    NEVER_LISTED = "never listed"
    """The call ended and no poll showed it."""
    TIMED_OUT = "timed out"
    """The task's timeout was up while the call was active."""
    SETTLED = "settled"
    """The Data API reported the final outcome."""
    TAGGED = "tagged"
    """The call got one more tag."""
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
"""The event to log when a journal record reaches a stage. The watch logs ``ended``."""
_EVENT_OF_PHASE = {
    Phase.APPEARED: LogEvent.LISTED,
    Phase.ANSWERED: LogEvent.ANSWERED,
    Phase.ENDED: LogEvent.ENDED,
    Phase.NEVER_APPEARED: LogEvent.NEVER_LISTED,
    Phase.TIMED_OUT: LogEvent.TIMED_OUT,
}
"""The event to log when a watch enters a phase."""
_OUTCOME_FIELDS = (
    "call_session_id",
    "external_id",
    "attempt",
    "answered",
    "finish_reason",
    "talk_seconds",
    "tags",
)
"""The fields of an outcome that log lines and spans contain."""


# --- log lines ---


def log_call_event(event: LogEvent, call: Outcome) -> None:
    """Log a change in a call's state, with the known fields of the call's outcome."""
    _log_event(event, **_outcome_fields(call.to_xcom()))


def update_watch(watch: SessionWatch, snapshot: Snapshot) -> Phase:
    """Update a watch with a snapshot, log a change of the call's state, and return the watch's phase.

    :raises CallApiError: see `SessionWatch.update`.
    """
    phase_before = watch.phase
    phase = watch.update(snapshot)
    if phase is not phase_before:
        _log_event(
            _EVENT_OF_PHASE[phase],
            call_session_id=watch.call_session_id,
            external_id=watch.observation.external_id,
        )
    return phase


def _log_event(event: LogEvent, **fields: Any) -> None:
    """Write the log line of an event. Unknown fields are left out.

    The fields become keys of the JSON line in Airflow's task log. This needs structlog: a standard Python
    logger, such as ``self.log`` on Airflow 3.0, loses keys that are passed as ``extra=``.
    """
    log = structlog.get_logger(logger_name="callapi")
    known = {name: value for name, value in fields.items() if value is not None and value != []}
    (log.warning if event is LogEvent.UNRESOLVED else log.info)(f"call {event}", **known)


def _outcome_fields(call: dict[str, Any] | None) -> dict[str, Any]:
    return {name: call.get(name) for name in _OUTCOME_FIELDS} if call else {}


# --- metrics ---


def count_call(outcome: CallOutcomeTag) -> None:
    """Count one call of a start operator, by its outcome."""
    _send("incr", "callapi.calls", outcome=outcome)
    if outcome == "unresolved":
        _send("incr", "callapi.unresolved")


def count_alert(result: AlertResultTag) -> None:
    """Count one failure that the notifier handled, by the result of the alert."""
    _send("incr", "callapi.alerts", result=result)


def record_points_left(limits: Limits, *, conn_id: str, service: str) -> None:
    """Record the points left in this minute and this day, from an answer's limits."""
    for name in ("minute_remaining", "day_remaining"):
        if (points := getattr(limits, name)) is not None:
            _send("gauge", f"callapi.points.{name}", points, conn_id=conn_id, service=service)


def record_poll_age(seconds: float, *, conn_id: str) -> None:
    """Record the age of the triggerer's last successful snapshot at the end of a poll."""
    _send("gauge", "callapi.poll.age", round(seconds, 3), conn_id=conn_id)


def record_request(seconds: float, *, method: str, result: str) -> None:
    """Record the duration of one request, from its first byte to the parsed answer.

    :param result: ``ok``, or the class name of the error.
    """
    _send("timing", "callapi.requests", timedelta(seconds=seconds), method=method, result=result)


def _send(kind: Literal["incr", "gauge", "timing"], name: str, *values: Any, **tags: str) -> None:
    """Send a metric twice, as Airflow does: with tags, and with the tags' values in the metric's name.

    Airflow's default StatsD setup drops tags. ``[metrics] legacy_names_on = False`` disables the second form.
    """
    with suppress(Exception):
        send = getattr(_stats(), kind)
        send(name, *values, tags=tags)
        if tags and conf.getboolean("metrics", "legacy_names_on", fallback=True):
            send(".".join((name, *map(_name_part, tags.values()))), *values)


def _stats() -> Any:
    """Return Airflow's metrics, initialized for this process.

    Airflow 3.2+ has two copies of its metrics: one for core processes and one for tasks and triggers. A
    triggerer initializes the first copy only. Importing the task SDK's serializers initializes the second.
    """
    with suppress(ImportError):  # older versions of Airflow have one copy
        import airflow.sdk.serde  # noqa: F401, PLC0415

    from airflow.providers.common.compat.sdk import Stats  # noqa: PLC0415 - keeps DAG parsing fast

    return Stats


def _name_part(tag: str) -> str:
    """Return a tag's value for use in a metric name. A dot becomes two underscores, as in Airflow."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", tag.replace(".", "__"))


# --- spans ---


def trace_call(call: Outcome, outcome: CallOutcomeTag) -> None:
    """Record a span of an ended call, from the call's start to its end, inside the task's span.

    The span is created after the call's end, because a call can outlive a process and a span cannot.
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
    """The store of a task's journal that also logs and counts the call's changes after they are stored."""

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
            fields = {"external_id": record["external_id"], **_outcome_fields(call)}
            _log_event(_EVENT_OF_STAGE[self._stage], **fields)


def _outcome_tag(call: dict[str, Any]) -> CallOutcomeTag:
    if call["answered"] is not None:
        return "answered" if call["answered"] else "not_answered"
    return "unknown" if call["status"] == "ended" else "started"


@dataclass
class MeteredLedger:
    """A campaign's ledger that also counts its settled attempts by their `Result`."""

    ledger: Ledger
    campaign: str

    def load(self, people: Iterable[str]) -> Iterable[Attempt]:
        return self.ledger.load(people)

    def claim(self, intents: Sequence[Attempt]) -> list[ClaimResult]:
        return self.ledger.claim(intents)

    def record(self, attempts: Sequence[Attempt]) -> None:
        self.ledger.record(attempts)
        for attempt in attempts:
            if attempt.status == "finished" and attempt.result is not None:
                _send("incr", "callapi.campaign.calls", campaign=self.campaign, result=attempt.result.value)
                if attempt.result == "unresolved":
                    _send("incr", "callapi.unresolved")
