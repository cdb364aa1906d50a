"""The services and the clock of one task whose call is placed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from known_numbers import VNUMBER
from msgspec.structs import replace

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.single_call.lifecycle import (
    CallLifecycle,
    Finished,
    LifecycleGateway,
    LifecycleRules,
    LifecycleStep,
)
from airflow_provider_callapi.calls.stores import MemoryStore

NOW, SESSION, COMMUNICATION = 5000.0, 206_597_836, 99
ANSWERED_TAG, NOT_ANSWERED_TAG, ENDED_TAG = 36, 37, 38
TAGS = {"answered": ANSWERED_TAG, "not_answered": NOT_ANSWERED_TAG, "ended": ENDED_TAG}
APPEAR_TIMEOUT, REPORT_TIMEOUT, TIMEOUT = 60.0, 120.0, 3600.0
REQUEST = StartInformerCall(
    virtual_phone_number=VNUMBER,
    contact="79260000001",
    contact_message={"type": "tts", "value": "Hello"},
)


@dataclass
class World:
    """The services and the clock of one task, and a record of every request.

    :ivar reported_at: when the Data API has the report, epoch seconds.
    :ivar is_listed: whether ``list.calls`` shows the call again.
    :ivar answered: what the report shows.
    :ivar tag_error: what a request that sets a tag raises, once.
    :ivar fetch_error: what each request for the report raises.
    """

    now: float = NOW
    has_data_api: bool = True
    reported_at: float = -math.inf
    is_listed: bool = False
    answered: bool | None = True
    tag_error: Exception | None = None
    fetch_error: Exception | None = None
    store: MemoryStore = field(default_factory=MemoryStore)
    active_tags: list[tuple[int, int]] = field(default_factory=list)
    finished_tags: list[tuple[int, int]] = field(default_factory=list)
    fetches: int = 0
    log: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tag_events: list[Outcome] = field(default_factory=list)
    final_outcomes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Place the call."""
        journal = Journal(self.store, owner=("dag", "run", "task", "-1"), clears=Clears(0))
        journal.store_intent(REQUEST, self.now)
        self.call = journal.mark_started(SESSION, self.now)

    def journal(self) -> Journal:
        """Return the journal as a new try reads it."""
        return Journal(self.store, owner=("dag", "run", "task", "-1"), clears=Clears(0))

    @property
    def stage(self) -> Stage:
        return self.journal().current.stage

    @property
    def stored(self) -> Outcome:
        return self.journal().current.outcome

    def lifecycle(self, *, wait_until: float | None = None, **rules: Any) -> CallLifecycle:
        """Return the lifecycle of a new try."""
        defaults: dict[str, Any] = {
            "wait_for_completion": True,
            "require_answer": False,
            "stores_answer": False,
            "report_always": False,
            "appear_timeout": APPEAR_TIMEOUT,
            "report_timeout": REPORT_TIMEOUT,
            "timeout": TIMEOUT,
            "last_deadline": None,
            "tags": {},
        }
        gateway = LifecycleGateway(
            tag_active=lambda session, tag: self._tag(self.active_tags, session, tag),
            tag_finished=lambda communication, tag: self._tag(self.finished_tags, communication, tag),
            fetch_final_outcome=self._fetch if self.has_data_api else None,
            is_listed=lambda session: self.is_listed,
            clock=lambda: self.now,
            log=self.log.append,
            warn=self.warnings.append,
            on_tagged=self.tag_events.append,
            on_final_outcome=self.final_outcomes.append,
        )
        return CallLifecycle(
            self.journal(), gateway, LifecycleRules(**{**defaults, **rules}), wait_until=wait_until
        )

    def _tag(self, tags: list[tuple[int, int]], call_id: int, tag_id: int) -> None:
        if self.tag_error:
            error, self.tag_error = self.tag_error, None
            raise error
        tags.append((call_id, tag_id))

    def _fetch(self, call: Outcome, until: float) -> tuple[Outcome, CallReport] | None:
        self.fetches += 1
        if self.fetch_error:
            raise self.fetch_error
        if self.now < self.reported_at:
            return None
        final = replace(
            call,
            status="ended",
            answered=self.answered,
            ended_at=call.ended_at or self.now,
            communication_id=COMMUNICATION,
            source="data_api",
        )
        return final, CallReport(id=SESSION, full_record_file_link="https://records.test/1")

    def seen(self, *, answered: bool | None = None, ended_at: float | None = None, **more: Any) -> Outcome:
        """Return the call as a watch observed it."""
        return replace(
            self.call,
            answered=answered,
            answered_at=self.now if answered else None,
            status="started" if ended_at is None else "ended",
            ended_at=ended_at,
            observed=True,
            source="list.calls",
            **more,
        )

    def ended(self, **changes: Any) -> Outcome:
        return self.seen(**{"ended_at": self.now, **changes})


def finished(step: LifecycleStep) -> Finished:
    assert isinstance(step, Finished), step
    return step
