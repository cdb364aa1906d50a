"""What whoever runs Airflow sees of the calls: metrics, and one log line for each change of a call's state.

Metrics go the way Airflow's own go (StatsD, Datadog or OpenTelemetry; none by default). Nothing here can
fail a task: a call that was placed must not be forgotten because a counter could not be sent. Neither
phone numbers nor secrets are told, and no metric has a tag with a value of its own for each call.
The spans of requests are in `airflow_provider_callapi.connection.clients`.
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

if TYPE_CHECKING:  # DAG files are parsed all day
    from airflow_provider_callapi.api.models import Limits
    from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Ledger
    from airflow_provider_callapi.calls.snapshot import Snapshot

CallEnd = Literal["answered", "not_answered", "unknown", "started", "refused", "unresolved"]
"""``started``: accepted by the service, and not waited for."""
AlertEnd = Literal["answered", "rang", "quiet", "nobody"]
"""``rang``: a phone rang, and nobody is known to have answered."""


class Change(StrEnum):
    """What has happened to a call; ``call`` and one of these is the text of the log line."""

    INTENDED = "intended"
    """The intent is stored, the request is about to leave."""
    STARTED = "started"
    NOT_PLACED = "not placed"
    """Proven: nobody's phone rang."""
    UNRESOLVED = "unresolved"
    """Nobody knows whether it was placed."""
    RESUMED = "resumed"
    """A later try goes on with it."""
    LISTED = "listed"
    ANSWERED = "answered"
    ENDED = "ended"
    NEVER_LISTED = "never listed"
    TIMED_OUT = "timed out"
    SETTLED = "settled"
    """The Data API has told what became of it."""
    TAGGED = "tagged"
    DONE = "done"
    """Nothing is left to do."""


_OF_STAGE = {
    Stage.STARTING: Change.INTENDED,
    Stage.STARTED: Change.STARTED,
    Stage.NOTHING: Change.NOT_PLACED,
    Stage.UNRESOLVED: Change.UNRESOLVED,
    Stage.DONE: Change.DONE,
    Stage.REDIAL: Change.DONE,
}
"""Not ``ended``: the watch has told that."""
_OF_PHASE = {
    Phase.APPEARED: Change.LISTED,
    Phase.ANSWERED: Change.ANSWERED,
    Phase.ENDED: Change.ENDED,
    Phase.NEVER_APPEARED: Change.NEVER_LISTED,
    Phase.TIMED_OUT: Change.TIMED_OUT,
}
_FACTS = ("call_session_id", "external_id", "attempt", "answered", "finish_reason", "talk_seconds", "tags")


# --- log lines ---


def tell(change: Change, **facts: Any) -> None:
    """Write the line of a change.

    Its keys end in Airflow's log as keys of the JSON line. That takes structlog: the same keys, given as
    ``extra=`` to a logger of Python's, get lost. On Airflow 3.0 ``self.log`` is such a logger.
    """
    log = structlog.get_logger(logger_name="callapi")
    known = {name: value for name, value in facts.items() if value is not None and value != []}
    (log.warning if change is Change.UNRESOLVED else log.info)(f"call {change}", **known)


def log_call_event(change: Change, call: Outcome) -> None:
    """Write the line of a change, with what is known of the call."""
    tell(change, **_facts(call.to_xcom()))


def observe(watch: SessionWatch, snapshot: Snapshot) -> Phase:
    """Feed a look to a watch, and tell what is new.

    :raises CallApiError: see `SessionWatch.update`.
    """
    before = watch.phase
    phase = watch.update(snapshot)
    if phase is not before:
        tell(
            _OF_PHASE[phase],
            call_session_id=watch.call_session_id,
            external_id=watch.observation.external_id,
        )
    return phase


def _facts(call: dict[str, Any] | None) -> dict[str, Any]:
    return {name: call.get(name) for name in _FACTS} if call else {}


# --- metrics ---


def count_call(end: CallEnd) -> None:
    """One call more that came to this end, for its task."""
    _send("incr", "callapi.calls", outcome=end)
    if end == "unresolved":
        _send("incr", "callapi.unresolved")


def count_alert(end: AlertEnd) -> None:
    """One failure more of which the notifier was told, and what came of it."""
    _send("incr", "callapi.alerts", result=end)


def points_left(limits: Limits, *, conn_id: str, service: str) -> None:
    """The counters that an answer has told."""
    for name in ("minute_remaining", "day_remaining"):
        if (points := getattr(limits, name)) is not None:
            _send("gauge", f"callapi.points.{name}", points, conn_id=conn_id, service=service)


def poll_age(seconds: float, *, conn_id: str) -> None:
    """How old the last successful look was when a look of the triggerer's poll ended."""
    _send("gauge", "callapi.poll.age", round(seconds, 3), conn_id=conn_id)


def request_took(seconds: float, *, method: str, result: str) -> None:
    """One request, from the first byte to the answer that was read.

    :param result: ``ok``, or the class of the error.
    """
    _send("timing", "callapi.requests", timedelta(seconds=seconds), method=method, result=result)


def _send(kind: Literal["incr", "gauge", "timing"], name: str, *values: Any, **tags: str) -> None:
    """Send a metric, once with tags and once with their values in its name, as Airflow does with its own.

    StatsD as Airflow sets it up drops tags. ``[metrics] legacy_names_on = False`` ends the second form.
    """
    with suppress(Exception):
        send = getattr(_stats(), kind)
        send(name, *values, tags=tags)
        if tags and conf.getboolean("metrics", "legacy_names_on", fallback=True):
            send(".".join((name, *map(_part_of_a_name, tags.values()))), *values)


def _stats() -> Any:
    """Airflow's metrics, set up for this process.

    Airflow (3.2+) has two copies of them, one for its own processes and one for what we run in. In a
    triggerer it sets up its own only; the other is set up by the import of its serializers.
    """
    with suppress(ImportError):  # there is one copy
        import airflow.sdk.serde  # noqa: F401, PLC0415

    from airflow.providers.common.compat.sdk import Stats  # noqa: PLC0415 - parse time

    return Stats


def _part_of_a_name(tag: str) -> str:
    """Dots separate the parts of a name; Airflow writes two underscores for them."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", tag.replace(".", "__"))


# --- a span ---


def trace_call(call: Outcome, end: CallEnd) -> None:
    """Leave a span of a call that is over, from its start to its end, within the task's.

    It is made when all is known: between the two a call outlives processes, and no span does.
    """
    from opentelemetry import trace  # noqa: PLC0415 - parse time

    if not trace.get_current_span().is_recording() or call.started_at is None:
        return
    facts = {"outcome": end, **_facts(call.to_xcom())}
    span = trace.get_tracer("airflow_provider_callapi").start_span(
        "callapi call",
        start_time=_nanoseconds(call.started_at),
        attributes={f"callapi.{name}": value for name, value in facts.items() if value is not None},
    )
    if call.answered_at is not None:
        span.add_event("answered", timestamp=_nanoseconds(call.answered_at))
    ended_at = call.started_at if call.ended_at is None else max(call.ended_at, call.started_at)
    span.end(_nanoseconds(ended_at))


def _nanoseconds(at: float) -> int:
    return round(at * 1e9)


# --- where calls are written down ---


@dataclass
class ObservedStore:
    """A journal's store that tells, and counts, what changes, once it is stored."""

    store: KeyValueStore
    _stage: Stage | None = field(default=None, init=False)

    def get(self, key: str) -> Any:
        record = self.store.get(key)
        self._stage = Stage(record["stage"]) if record else None
        return record

    def set(self, key: str, record: Any) -> None:
        self.store.set(key, record)
        before, self._stage = self._stage, Stage(record["stage"])
        forgotten = before is None and self._stage is Stage.STARTED  # the journal did not outlive a try
        if self._stage is before or forgotten:
            return
        call = record["call"]
        if self._stage is Stage.UNRESOLVED:
            count_call("unresolved")
        elif self._stage in (Stage.DONE, Stage.REDIAL):
            count_call(end := _end_of(call))
            if call["status"] != "ended":  # nobody waits for it, and "started" was told
                return
            with suppress(Exception):
                trace_call(Outcome.from_xcom(call), end)
        if self._stage in _OF_STAGE:
            tell(_OF_STAGE[self._stage], **{"external_id": record["external_id"], **_facts(call)})


def _end_of(call: dict[str, Any]) -> CallEnd:
    if call["answered"] is not None:
        return "answered" if call["answered"] else "not_answered"
    return "unknown" if call["status"] == "ended" else "started"


@dataclass
class MeteredLedger:
    """A campaign's ledger that counts finished calls by their `Result`."""

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
