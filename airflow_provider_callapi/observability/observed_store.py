"""A store for the journal of a call, which also logs, counts and traces the call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.stores import KeyValueStore
from airflow_provider_callapi.observability.log_lines import LogEvent, log_event
from airflow_provider_callapi.observability.metrics import CallOutcomeTag, count_call
from airflow_provider_callapi.observability.never_fails import never_fails
from airflow_provider_callapi.observability.outcome_fields import outcome_fields
from airflow_provider_callapi.observability.spans import trace_call

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


@dataclass
class ObservedStore:
    """A store for the journal of a call, which also logs and counts each change of the call's state.

    Example: the journal stores that the call was placed. This object then passes the change to ``store``, and
    logs ``call started``.

    :ivar store: the store that keeps the journal.
    """

    store: KeyValueStore
    _stage: str | None = field(default=None, init=False)
    _person: str | None = field(default=None, init=False)

    def get(self, key: str) -> Any:
        record = self.store.get(key)
        known = record if isinstance(record, dict) else {}  # the journal refuses a record that it cannot read
        self._stage, self._person = known.get("stage"), known.get("fingerprint")
        return record

    def set(self, key: str, record: Any) -> None:
        self.store.set(key, record)
        stage = Stage(record["stage"])
        stage_before, self._stage = self._stage, stage
        person_before, self._person = self._person, record["fingerprint"]
        if person_before not in (None, self._person) and stage is not Stage.STARTING:
            return  # the journal turns to the record of another person, which has been logged before
        # without task state, a later try starts with an empty journal and adopts the call
        adopted = stage_before is None and stage is Stage.STARTED
        if stage == stage_before or adopted:
            return
        call = record["call"]
        if stage is Stage.UNRESOLVED:
            count_call("unresolved")
        elif stage in (Stage.DONE, Stage.REDIAL):
            count_call(outcome := _outcome_tag(call))
            if call["status"] != "ended":  # the task does not wait, and STARTED is already logged
                return
            with never_fails("the trace span of the call"):
                trace_call(Outcome.from_xcom(call), outcome)
        if stage in _EVENT_OF_STAGE:
            fields = {**outcome_fields(call), "external_id": record["external_id"]}
            log_event(_EVENT_OF_STAGE[stage], **fields)


def _outcome_tag(call: dict[str, Any]) -> CallOutcomeTag:
    if call["answered"] is not None:
        return "answered" if call["answered"] else "not_answered"
    return "unknown" if call["status"] == "ended" else "started"
