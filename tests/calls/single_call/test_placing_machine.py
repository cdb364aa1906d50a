"""Crashes, retries, clears, lost answers, late listings, in any order: one attempt is one call."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import Any, ClassVar, Literal, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from json_store import JsonStore
from known_numbers import VNUMBER
from placing_world import KEY

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.data_api import CallReport, GetCallsReport, equals
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.methods import StartCall, StartInformerCall
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.api.request import Component
from airflow_provider_callapi.api.retrying_client import RetryingClient
from airflow_provider_callapi.api.times import report_time
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.reports.report_refusals import Refusals
from airflow_provider_callapi.calls.reports.report_requests import ReportRequests
from airflow_provider_callapi.calls.single_call.call_gateway import CallGateway
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.single_call.placing import (
    AbsenceNotProven,
    Delivery,
    ProveAbsence,
    Unresolved,
    place,
)
from airflow_provider_callapi.calls.watching.snapshot import Snapshot, take_snapshot
from airflow_provider_callapi.emulator import Exchange, Fault, ManualClock, Script

R = TypeVar("R")

PEOPLE = ("79260000001", "79260000002")
OWNER = ("dag", "run", "task", "-1")
METHODS = ("start.informer_call", "list.calls", "get.calls_report")
APPEAR_TIMEOUT, POLL_INTERVAL = 20.0, 5.0
ABSENCE_PROVEN_AFTER = 900.0
"""Seconds. The emulator reports every call sooner, so that the absence of a call then is a proof."""
EXAMPLES, STEPS = 400, 40
AT_LEAST = 15_000
"""The fewest steps of all runs together."""

CRASHES = st.none() | st.integers(1, 24)
"""The number of the boundary at which the worker is killed; None: it is not."""
AFTERWARDS = st.sampled_from(["waits and dies", "ended and dies", "done", "done", "not answered"])
"""How a try ends after it has placed or found its call."""


class Crash(BaseException):
    """Kills the worker at a boundary."""


class Placing(RuleBasedStateMachine):
    """One task of one run: its tries, the people who clear it, and the services that it calls."""

    steps: ClassVar[int] = 0
    counts: ClassVar[Counter[str]] = Counter()
    """How often each kind of step happened in all runs. The test fails if a kind is too rare."""

    @initialize(
        delivery=st.sampled_from(["at_most_once", "at_most_once", "at_most_once", "at_least_once"]),
        data_api=st.booleans(),
        report_lag=st.sampled_from([0.0, 15.0, 600.0]),
        own_id=st.sampled_from([None, "order-7"]),
        proves_absence=st.booleans(),
    )
    def begin(
        self,
        delivery: Delivery,
        data_api: bool,
        report_lag: float,
        own_id: str | None,
        proves_absence: bool,
    ) -> None:
        self.delivery, self.has_data_api, self.own_id = delivery, data_api, own_id
        self.absence_proven_after = ABSENCE_PROVEN_AFTER if proves_absence and data_api else None
        self.if_not_found = ProveAbsence(ABSENCE_PROVEN_AFTER) if self.absence_proven_after else delivery
        self.missing_since: dict[str, float] = {}
        self.clock = ManualClock(1_760_000_000.0)
        self.exchange = Exchange(clock=self.clock)
        self.exchange.report_lag = report_lag
        self.account = self.exchange.account
        self.call_api = RetryingClient(self._client("v4.0"), sleep=self._sleep)
        self.data_api = RetryingClient(self._client("v2.0"), sleep=self._sleep)
        # the task
        self.disk = JsonStore()
        self.contact, self.generation, self.text = PEOPLE[0], 3, "Hello"
        # what may be dialled for, and what was
        self.licences, self.tries = 1, 0
        self.asked_for = {self.contact}
        self.fate: dict[str, Literal["open", "not placed", "placed"]] = {}
        self.unresolved_in: set[tuple[str, int]] = set()
        # the try that goes on
        self.crash_at: int | None = None
        self.points = 0

    def _client(self, version: str) -> Client:
        rpc = JsonRpc(f"https://service.test/{version}", new_session=self.exchange.session)
        return Client(rpc, AccessKey(self.account.key), clock=self.clock)

    def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    # --- the boundaries at which a worker can die: before something took effect, and after it ---

    def _boundary(self, effect: Callable[[], R]) -> R:
        self._point()
        try:
            return effect()
        finally:
            self._point()

    def _point(self) -> None:
        self.points += 1
        if self.points == self.crash_at:
            self.counts["crash"] += 1
            raise Crash

    def get(self, key: str = KEY) -> dict[str, Any] | None:
        record: dict[str, Any] | None = self.disk.get(key)
        return record

    def set(self, key: str, record: dict[str, Any]) -> None:
        def store() -> None:
            self.disk.set(key, record)
            if record["missing_since"] is not None:
                self.missing_since[record["external_id"]] = record["missing_since"]

        self._boundary(store)

    def _send(self, request: StartCall, before_each_send: Callable[[], object]) -> StartedCall:
        before_each_send()
        return self._boundary(lambda: self._dial(request))

    def _dial(self, request: StartCall) -> StartedCall:
        record = self.get()
        external_id = str(request.external_id)
        assert record is not None, "a request left before the intent was stored"
        assert (record["stage"], record["external_id"]) == ("starting", external_id)
        if self._absence_is_proven(external_id):
            self.counts["absent"] += 1
        else:
            assert self.fate.get(external_id, "not placed") == "not placed", f"{external_id} is used twice"
        if self.delivery == "at_most_once":
            forbidden = (request.contact, self.generation) in self.unresolved_in
            assert not forbidden, "dialled after unresolved, without a clear"
        self.counts["sent"] += 1
        self.fate[external_id] = "open"
        self.missing_since.pop(external_id, None)
        try:
            answer = self.call_api.call(request)
        except CallApiError as error:
            if not error.maybe_done:
                self.fate[external_id] = "not placed"
            self.counts["lost" if error.maybe_done else "refused"] += 1
            raise
        self.fate[external_id] = "placed"
        return answer

    def _absence_is_proven(self, external_id: str) -> bool:
        if self.absence_proven_after is None or self.fate.get(external_id) != "open":
            return False
        missing_since = self.missing_since.get(external_id, float("inf"))
        return self.clock() >= missing_since + self.absence_proven_after

    def _snapshots(self) -> Iterator[Snapshot]:
        while True:
            self.last_snapshot = self._boundary(lambda: take_snapshot(self.call_api.client, self.clock))
            yield self.last_snapshot
            self.clock.advance(self.last_snapshot.pause(POLL_INTERVAL))

    def _find_report(
        self, external_id: str, contact: str, since: float, others: Collection[int]
    ) -> int | None:
        def ask() -> int | None:
            zone = self.account.timezone
            reports = self.data_api.call(
                GetCallsReport(
                    date_from=report_time(since - 86_400, zone),
                    date_till=report_time(self.clock() + 86_400, zone),
                    filter=equals("call_api_external_id", external_id),
                    include_ongoing_calls=True,
                )
            )
            return max((report.id for report in reports if report.id not in others), default=None)

        return self._boundary(ask)

    def _reported_calls(self, since: float) -> Entries[CallReport]:
        requests = ReportRequests(self.data_api, Refusals(), self.account.timezone)
        return self._boundary(lambda: requests.calls(since, self.clock(), ongoing=True))

    # --- what the task does ---

    @rule(crash_at=CRASHES, afterwards=AFTERWARDS)
    def a_try(self, crash_at: int | None, afterwards: str) -> None:
        """Airflow runs the task: the first time, as a retry, after a clear, or because a worker was lost."""
        self.steps_and("try")
        self.tries += 1
        self.crash_at, self.points = crash_at, 0
        self.last_snapshot = None
        with suppress(Crash):
            self._try(afterwards)
        self.crash_at = None

    def _try(self, afterwards: str) -> None:
        journal = Journal(self, owner=OWNER, clears=Clears(self.generation))
        before = journal.record
        request = StartInformerCall(
            virtual_phone_number=VNUMBER,
            contact=self.contact,
            contact_message={"type": "tts", "value": self.text},
            external_id=self.own_id,
        )
        gateway = CallGateway(
            send=self._send,
            poll_snapshots=self._snapshots,
            find_reported_call=self._find_report if self.has_data_api else None,
            reported_calls=self._reported_calls if self.has_data_api else None,
            timezone=lambda: self.account.timezone,
            clock=self.clock,
            log=lambda line: None,
            warn=lambda line: None,
        )
        try:
            call = place(
                journal,
                request,
                gateway,
                appear_timeout=APPEAR_TIMEOUT,
                if_not_found=self.if_not_found,
            )
        except AbsenceNotProven:
            self.counts["waits for proof"] += 1
            return
        except Unresolved as error:
            assert self.absence_proven_after is None
            self.counts["unresolved"] += 1
            self.unresolved_in.add((self.contact, self.generation))
            self._assert_not_listed(error.external_id)
            return
        except CallApiError:
            return
        placed = self.exchange.call(call.call_session_id)
        assert (placed.external_id, placed.contact) == (call.external_id, self.contact), (
            "it adopted another person's call"
        )
        if before is not None and before.stage is Stage.STARTING:
            self.counts["found"] += 1
        self._store_until(journal, call, afterwards)

    def _store_until(self, journal: Journal, call: Outcome, afterwards: str) -> None:
        """Store what the Airflow operator stores while it waits for the call, without waiting."""
        if journal.current.stage is Stage.DONE:
            return
        journal.mark_active(call)
        if afterwards == "waits and dies":
            return
        journal.mark_ended(call)
        if afterwards == "ended and dies":
            return
        asks_for_another = afterwards == "not answered"
        self.licences += asks_for_another
        self.counts["redial"] += asks_for_another
        journal.mark_done(call, redial=asks_for_another)

    def _assert_not_listed(self, external_id: str) -> None:
        last = self.last_snapshot
        if last is not None and last.failure is None:
            listed = [
                call
                for call in self.exchange.active_calls
                if (call.external_id, call.contact) == (external_id, self.contact)
                and call.listed_at <= last.at
            ]
            assert not listed, "unresolved, though list.calls shows it"

    @rule(fault=st.sampled_from(Fault), crash_at=CRASHES, afterwards=AFTERWARDS)
    def a_try_whose_start_request_fails(self, fault: Fault, crash_at: int | None, afterwards: str) -> None:
        self.requests_fail(fault, "start.informer_call", 1)
        self.a_try(crash_at, afterwards)

    @rule(
        fault=st.sampled_from([Fault.DROP_BEFORE, Fault.DROP_BEFORE, Fault.DROP_AFTER]),
        crash_at=CRASHES,
        afterwards=AFTERWARDS,
    )
    def a_lost_request_and_a_try_an_hour_later(
        self, fault: Fault, crash_at: int | None, afterwards: str
    ) -> None:
        """By then the absence of an unconfirmed call is a proof."""
        self.a_try_whose_start_request_fails(fault, None, afterwards)
        self.time_passes(3600.0)
        self.a_try(None, afterwards)
        self.time_passes(3600.0)
        self.a_try(crash_at, afterwards)

    @rule(crash_at=CRASHES, afterwards=AFTERWARDS)
    def a_try_after_a_clear(self, crash_at: int | None, afterwards: str) -> None:
        self.a_person_clears_the_task(1)
        self.a_try(crash_at, afterwards)

    @rule(
        contact=st.sampled_from([PEOPLE[0], PEOPLE[0], PEOPLE[1]]), text=st.sampled_from(["10:00", "10:05"])
    )
    def the_templates_render_other_values(self, contact: str, text: str) -> None:
        """A new contact makes another call; an earlier contact or another message does not."""
        self.steps_and("render")
        if contact != self.contact:
            self.counts["back" if contact in self.asked_for else "other"] += 1
        self.licences += contact not in self.asked_for
        self.asked_for.add(contact)
        self.contact, self.text = contact, text

    @rule(n=st.integers(1, 4))
    def a_person_clears_the_task(self, n: int) -> None:
        self.steps_and("clear")
        self.generation += n
        record = self.get()
        records = [] if record is None else [record, *record["earlier"]]
        self.licences += sum(each["stage"] in ("done", "unresolved") for each in records)

    # --- what happens to it ---

    @rule(
        fault=st.sampled_from(Fault), method=st.sampled_from(METHODS), times=st.sampled_from([1, 1, 2, 6, 30])
    )
    def requests_fail(self, fault: Fault, method: str, times: int) -> None:
        self.steps_and(fault.name)
        self.exchange.fault(fault, method=method, times=times)

    @rule(
        listed_after=st.sampled_from([0.0, 0.0, 8.0, 19.0, 40.0]),
        rings=st.sampled_from([0.0, 1.0, 10.0, 29.0]),
        talks=st.sampled_from([0.0, 2.0, 30.0, None]),
        answer=st.sampled_from(["answers", "answers", "busy", "no_answer"]),
    )
    def people_behave_otherwise(
        self, listed_after: float, rings: float, talks: float | None, answer: Any
    ) -> None:
        self.steps_and("script")
        self.exchange.default_script = Script(
            listed_after=listed_after, rings=rings, talks=talks, answer=answer
        )

    @rule(off=st.sampled_from([True, False, False]), minute_limit=st.sampled_from([0, 2, 10_000, 10_000]))
    def the_account_changes(self, off: bool, minute_limit: int) -> None:
        """Switch the component of list.calls on or off, and change the points."""
        self.steps_and("account")
        self.account.components_off = {Component.MANAGEMENT} if off else set()
        self.account.minute_limit = minute_limit

    @rule(seconds=st.sampled_from([1.0, 10.0, 70.0, 3600.0]))
    def time_passes(self, seconds: float) -> None:
        self.steps_and("time")
        self.clock.advance(seconds)

    def steps_and(self, kind: str) -> None:
        Placing.steps += 1
        self.counts[kind] += 1

    # --- what must always be so ---

    @invariant()
    def no_person_is_dialled_twice_for_one_attempt(self) -> None:
        calls = Counter((call.contact, call.external_id) for call in self.exchange.calls)
        assert all(number == 1 for number in calls.values()), calls
        for person in PEOPLE:
            assert self.exchange.rings(person) == sum(who == person for who, _ in calls)

    @invariant()
    def every_further_call_was_asked_for(self) -> None:
        """A clear, a redial or a new contact allows a further call; at_least_once allows one per try."""
        allowed = self.licences + (self.tries if self.delivery == "at_least_once" else 0)
        assert len(self.exchange.calls) <= allowed

    @invariant()
    def what_was_proven_not_to_be_placed_was_not(self) -> None:
        placed = {call.external_id for call in self.exchange.calls}
        assert not placed & {one for one, fate in self.fate.items() if fate == "not placed"}


@pytest.mark.timeout(300)  # half a minute on a machine with nothing else to do
@pytest.mark.no_cover
def test_no_sequence_of_events_dials_a_person_twice_for_one_attempt(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)  # thousands of repeats are logged as warnings
    Placing.steps, Placing.counts = 0, Counter()
    rules = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        derandomize="CALLAPI_EXPLORE" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Placing, settings=rules)
    assert Placing.steps >= AT_LEAST
    rare = (
        *("crash", "lost", "refused", "found", "unresolved", "redial", "waits for proof", "absent"),
        *("other", "back"),
        *Fault.__members__,
    )
    assert not {kind: Placing.counts[kind] for kind in rare if Placing.counts[kind] < 20}
