"""A task with one call, its journal and the services, as the tests of placing need them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from json_store import JsonStore
from known_numbers import VNUMBER

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import CallApiError, ServiceFailed, Unanswered
from airflow_provider_callapi.api.methods import StartCall, StartInformerCall
from airflow_provider_callapi.api.models import CallSession, StartedCall
from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.single_call.call_gateway import CallGateway
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.single_call.call_record import Record, Stage
from airflow_provider_callapi.calls.single_call.placing import place
from airflow_provider_callapi.calls.unconfirmed_call import CLOCK_DIFFERENCE
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

PERSON, OTHER_PERSON = "79260000001", "79260000002"
OWNER = ("reminders", "manual__2026-01-01", "call", "-1")
KEY = "callapi_call"
EARLIER = 206_597_000
"""The session of an earlier attempt."""
LOST = [Unanswered("no answer"), ServiceFailed("internal error", mnemonic="internal_error")]


def request_to(
    contact: str = PERSON, text: str = "Hello", external_id: str | None = None
) -> StartInformerCall:
    return StartInformerCall(
        virtual_phone_number=VNUMBER,
        contact=contact,
        contact_message={"type": "tts", "value": text},
        external_id=external_id,
    )


class Disk(JsonStore):
    """A store of one journal that remembers every text that it has stored."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def set(self, key: str, record: dict[str, Any]) -> None:
        super().set(key, record)
        self.written.append(self.values[key])

    @property
    def stage(self) -> str | None:
        record = self.get(KEY)
        return record["stage"] if record else None


@dataclass
class World:
    """The services as a test needs them, and a record of the requests.

    :ivar answer: what a ``start.*`` is answered with.
    :ivar lists: what list.calls shows at a moment, or how it fails.
    :ivar reports_since: session id → start of further calls that the Data API finds.
    :ivar reports: what the Data API finds; None: the connection has none.
    :ivar reported: the reports of all calls, if the connection has a Data API, or how their request fails.
    :ivar left_out: how many active calls at a moment cannot be read.
    """

    answer: Callable[[StartCall], StartedCall] = lambda request: StartedCall(call_session_id=7)
    lists: Callable[[float], list[CallSession] | CallApiError] = lambda now: []
    reports: Callable[[str], int | None] | None = None
    reported: Entries[CallReport] | CallApiError = field(default_factory=Entries)
    left_out: Callable[[float], int] = lambda now: 0
    now: float = 5000.0
    disk: Disk = field(default_factory=Disk)
    sent: list[str | None] = field(default_factory=list)
    polled_at: list[float] = field(default_factory=list)
    report_searches: list[tuple[str, str, float]] = field(default_factory=list)
    reports_since: dict[int, float] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def send(self, request: StartCall, before_each_send: Callable[[], object]) -> StartedCall:
        before_each_send()
        assert self.disk.stage == "starting", "the intent has to be stored before the request leaves"
        self.sent.append(request.external_id)
        return self.answer(request)

    def snapshots(self) -> Iterator[Snapshot]:
        while True:
            self.polled_at.append(self.now)
            shown = self.lists(self.now)
            if isinstance(shown, CallApiError):
                yield Snapshot(self.now, failure=shown)
            else:
                sessions = {session.call_session_id: session for session in shown}
                yield Snapshot(self.now, sessions, left_out=self.left_out(self.now))
            self.now += 5.0

    def find_reported_call(
        self, external_id: str, contact: str, since: float, others: Collection[int]
    ) -> int | None:
        assert self.reports is not None
        self.report_searches.append((external_id, contact, since))
        for session_id, began in self.reports_since.items():
            if began >= since - CLOCK_DIFFERENCE and session_id not in others:
                return session_id
        found = self.reports(external_id)
        return None if found in others else found

    def reported_calls(self, since: float) -> Entries[CallReport]:
        if isinstance(self.reported, CallApiError):
            raise self.reported
        return self.reported

    @property
    def gateway(self) -> CallGateway:
        return CallGateway(
            send=self.send,
            poll_snapshots=self.snapshots,
            find_reported_call=self.find_reported_call if self.reports else None,
            reported_calls=self.reported_calls if self.reports else None,
            timezone=lambda: "UTC",
            clock=lambda: self.now,
            log=self.log.append,
            warn=self.log.append,
        )

    def journal(self, generation: int = 0) -> Journal:
        return Journal(self.disk, owner=OWNER, clears=Clears(generation))

    def place(self, request: StartCall | None = None, generation: int = 0, **more: Any) -> Outcome:
        """Run one try in a new process."""
        rules = {"appear_timeout": 60.0, **more}
        return place(self.journal(generation), request or request_to(), self.gateway, **rules)


def failing(error: CallApiError) -> Callable[[Any], Any]:
    def fail(_: Any) -> Any:
        raise error

    return fail


def session(number: int, external_id: str | None, contact: str | None = PERSON) -> CallSession:
    return CallSession(call_session_id=number, external_id=external_id, contact_phone_number=contact)


def world_after(stage: Stage, *, contact: str = PERSON, attempt: int = 1, **more: Any) -> World:
    """Return a world whose journal was left in ``stage`` by an earlier try of generation 0."""
    world = World(**more)
    journal = world.journal()
    call = None
    external_id = journal.external_id(request_to(contact), max(attempt, 1))
    if stage in (Stage.STARTED, Stage.ENDED, Stage.DONE, Stage.REDIAL):
        call = Outcome(EARLIER, external_id, attempt=attempt, started_at=4900.0).to_xcom()
    fingerprint = journal.person_fingerprint(request_to(contact))
    record = Record(stage, fingerprint, 0, attempt, external_id, intended_at=4900.0, call=call)
    world.disk.set(KEY, json.loads(json.dumps(record.__dict__)))
    return world
