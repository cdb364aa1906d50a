"""Crashes between any two operations, lost answers, long pauses: no attempt rings a person twice."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

import pytest
from campaign_world import World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from memory_ledger import MemoryLedger

from airflow_provider_callapi.api.errors import LimitExceeded
from airflow_provider_callapi.calls.calling_hours.days import CallingDays, WorkCalendar
from airflow_provider_callapi.calls.calling_hours.hours import CallingHours, read_hours
from airflow_provider_callapi.calls.campaign.engine.person_state import (
    TRANSITIONS,
    PersonEvent,
    PersonStage,
    PersonState,
)
from airflow_provider_callapi.calls.campaign.engine.redial import REDIAL_DELAYS
from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Ledger, Status
from airflow_provider_callapi.calls.campaign.outcomes import RANG_NO_PHONE, Result
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.ledgers.paged import PagedLedger

T = TypeVar("T")
PEOPLE = [f"792600000{number}" for number in range(20, 26)]
ZONES = ("Europe/Moscow", "Asia/Omsk", "Europe/Berlin")
ANOTHER_DAY_OFF = CallingDays(excluded=frozenset({date(2026, 5, 12)}))
WORKDAYS = CallingDays(
    None,
    also=frozenset({date(2026, 5, 11)}),  # the day on which each campaign begins
    calendar=WorkCalendar(
        "RU", frozenset({2026}), frozenset(date(2026, 5, 14) + timedelta(days=day) for day in range(200))
    ),
)
SCRIPTS = (
    Script(),
    Script(rings=1, talks=0),
    Script(talks=120, listed_after=20),
    Script.busy(),
    Script.no_answer(20),
)
FAULTY = ("start.informer_call", "list.calls", "get.calls_report")
FAULTS = [fault for fault in Fault if fault is not Fault.HANG]
"""Without a network, HANG is the same as DROP_AFTER."""
EXAMPLES, STEPS = 300, 20


class Crash(BaseException):
    """The process is killed here."""


class Dying:
    """A ledger whose process may die before or after each write."""

    def __init__(self, ledger: Ledger, boundary: Callable[[Callable[[], Any]], Any]) -> None:
        self._ledger = ledger
        self._boundary = boundary
        self.load = ledger.load

    def claim(self, intents: Sequence[Attempt], changed: Sequence[Attempt] = ()) -> list[ClaimResult]:
        claims: list[ClaimResult] = self._boundary(lambda: self._ledger.claim(intents, changed))
        return claims

    def record(self, attempts: Sequence[Attempt]) -> None:
        self._boundary(lambda: self._ledger.record(attempts))


ABSENCE_PROVEN_AFTER = 700.0
"""Seconds. The emulator reports an ended call after ten minutes at the latest."""


class Calling(RuleBasedStateMachine):
    """One campaign, its processes one after the other, and the people who are called."""

    seen: ClassVar[Counter[str]] = Counter()
    """How often each kind of event happened. The test fails if one is too rare to prove anything."""

    @initialize(
        people=st.integers(1, len(PEOPLE)),
        paged=st.booleans(),
        data_api=st.sampled_from([True, True, False]),
        max_attempts=st.integers(1, 3),
        max_active=st.integers(1, 6),
        at_once=st.integers(1, 4),
        hours=st.sampled_from([None, None, ("09:00", "21:00"), ("22:00", "06:00")]),
        days=st.sampled_from([CallingDays(), CallingDays(), ANOTHER_DAY_OFF, WORKDAYS]),
        dial_for=st.sampled_from([float("inf"), 3600.0, 86_400.0]),
        own_id=st.booleans(),
        proves_absence=st.booleans(),
        scripts=st.lists(st.sampled_from(SCRIPTS), min_size=len(PEOPLE), max_size=len(PEOPLE)),
    )
    def begin(
        self,
        *,
        people: int,
        paged: bool,
        data_api: bool,
        max_attempts: int,
        max_active: int,
        at_once: int,
        hours: Any,
        days: CallingDays,
        dial_for: float,
        own_id: bool,
        proves_absence: bool,
        scripts: list[Script],
    ) -> None:
        self.crash_at: int | None = None
        self.points = 0
        self.given_up: set[str] = set()
        rules = Rules(
            hours=CallingHours(*read_hours(hours or ("00:00", "24:00")), days),
            redial=REDIAL_DELAYS,
            max_attempts=max_attempts,
            max_active=max_active,
            at_once=at_once,
            report_timeout=300.0 if data_api else None,
            absence_proven_after=ABSENCE_PROVEN_AFTER if data_api and proves_absence else None,
            timezone="Europe/Moscow",
        )
        self.world = world = World(PEOPLE[:people], rules, start=1_778_500_800.0)
        world.rules = replace(rules, dial_until=world.clock() + dial_for)
        for number, row in enumerate(world.rows):
            row["timezone"] = ZONES[number % len(ZONES)]
        if own_id:  # an author's id, the same for all people
            world.new_external_id = lambda person, attempt: f"order-{attempt}"
        memory = MemoryLedger()
        self.ledger: Callable[[], Ledger] = (lambda: PagedLedger(world.pages)) if paged else lambda: memory
        world.new_ledger = lambda: Dying(self.ledger(), self._boundary)
        world.overrides = {"start": self._start, "take_snapshot": self._look}
        world.process()
        for who, script in zip(PEOPLE, scripts, strict=True):
            world.exchange.script(who, script)

    # --- where a process can die ---

    def _boundary(self, effect: Callable[[], T]) -> T:
        self._point()
        result = effect()
        self._point()
        return result

    def _point(self) -> None:
        self.points += 1
        if self.points == self.crash_at:
            self.seen["crash"] += 1
            raise Crash

    def _look(self) -> Any:
        return self._boundary(self.world.gateway().take_snapshot)

    def _start(self, requests: Sequence[Any]) -> list[Any]:
        return [self._boundary(lambda request=request: self._dial(request)) for request in requests]

    def _dial(self, request: Any) -> Any:
        stored = {a.external_id: a for a in self.ledger().load([request.contact])}
        attempt = stored.get(request.external_id)
        assert attempt is not None, "a request left before its intent was stored"
        assert attempt.status is Status.DIALLING, "a request left for what the ledger knows better"
        assert request.contact not in self.world.excluded, "dialled from the do_not_call list"
        assert request.contact not in self.given_up, "dialled again though nobody knows what became of it"
        answer = self.world.started(request)
        self.seen["lost" if getattr(answer, "maybe_done", False) else "answer"] += 1
        self.seen["limit"] += isinstance(answer, LimitExceeded)
        return answer

    # --- what happens ---

    @rule(
        crash_at=st.none() | st.integers(1, 25),
        seconds=st.sampled_from([5.0, 60.0, 700.0, 7200.0, 40_000.0]),
        fault=st.none() | st.sampled_from(FAULTS),
    )
    def a_process_runs(self, crash_at: int | None, seconds: float, fault: Fault | None) -> None:
        """Run a process for a while. If it dies, start another one."""
        if fault is not None:
            self.world.exchange.fault(fault, method="start.informer_call")
        self.points, self.crash_at = 0, crash_at
        try:
            self.world.run(seconds)
        except Crash:
            self.crash_at = None
            self._remember()
            self.world.process()
        self.crash_at = None
        self._remember()

    @rule(fault=st.sampled_from([Fault.DROP_BEFORE, Fault.DROP_AFTER]))
    def an_unconfirmed_call_is_searched_for_to_the_end(self, fault: Fault) -> None:
        self.a_process_runs(None, 7200.0, fault)

    @rule()
    def another_process_takes_over(self) -> None:
        self.world.process()

    @rule(
        fault=st.sampled_from(FAULTS),
        method=st.sampled_from(FAULTY),
        times=st.sampled_from([1, 1, 3]),
    )
    def the_wire_is_spoilt(self, fault: Fault, method: str, times: int) -> None:
        self.world.exchange.fault(fault, method=method, times=times)

    @rule(who=st.sampled_from(PEOPLE), script=st.sampled_from(SCRIPTS))
    def somebody_behaves_otherwise(self, who: str, script: Script) -> None:
        self.world.exchange.script(who, script)

    @rule(who=st.sampled_from(PEOPLE))
    def somebody_forbids_calls(self, who: str) -> None:
        self.world.excluded.add(who)

    @rule(limit=st.sampled_from([1000, 3, 1000, 1000, 0]), lag=st.sampled_from([0.0, 30.0, 600.0]))
    def the_account_changes(self, limit: int, lag: float) -> None:
        self.world.exchange.account.minute_limit = limit
        self.world.exchange.report_lag = lag

    @rule(seconds=st.sampled_from([1.0, 100.0, 5000.0, 30_000.0]))
    def nobody_runs(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    def _remember(self) -> None:
        for attempt in self.ledger().load(PEOPLE):
            if attempt.status is Status.FINISHED and attempt.result in (Result.UNKNOWN, Result.UNRESOLVED):
                self.given_up.add(attempt.person)
                self.seen[attempt.result] += 1
            self.seen["redial"] += attempt.attempt > 1

    # --- what must always be so ---

    @invariant()
    def one_attempt_is_one_call(self) -> None:
        calls = Counter((call.contact, call.external_id) for call in self.world.exchange.calls)
        assert all(number == 1 for number in calls.values()), calls
        rings = Counter(contact for contact, _ in calls)
        for attempts in self._history().values():
            counted = [a for a in attempts if a.result not in RANG_NO_PHONE]
            assert len(counted) <= self.world.rules.max_attempts
            assert [a.attempt for a in attempts] == list(range(1, len(attempts) + 1))
        assert all(rings[who] <= len(self._history().get(who, ())) for who in rings), "rung without an intent"

    @invariant()
    def nobody_is_rung_outside_of_their_hours(self) -> None:
        rule_, zones = self.world.rules.hours, {row["phone"]: row["timezone"] for row in self.world.rows}
        for entry in self.world.exchange.journal:
            if entry.kind == "ring" and entry.phone is not None:
                assert entry.time < self.world.rules.dial_until
                local = datetime.fromtimestamp(entry.time, ZoneInfo(zones[entry.phone]))
                wall, first, last = local.time(), rule_.opens, rule_.closes
                assert first == last or (
                    first <= wall < last if first < last else wall >= first or wall < last
                )
                opened_yesterday = wall < last <= first
                assert rule_.days.allow(local.date() - timedelta(days=opened_yesterday))

    def _history(self) -> dict[str, list[Attempt]]:
        history: dict[str, list[Attempt]] = {}
        for attempt in self.ledger().load(PEOPLE):
            history.setdefault(attempt.person, []).append(attempt)
        return history

    def teardown(self) -> None:
        """Run the campaign to its end without faults. Then the ledger agrees with the exchange."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.exchange._faults.clear()
        world.exchange.account.minute_limit, world.exchange.report_lag = 1000, 0.0
        for _ in range(3):
            world.process()
            if world.run(10 * 86_400).over:
                break
        assert world.campaign.over, "the campaign does not end"
        self.one_attempt_is_one_call()
        self.nobody_is_rung_outside_of_their_hours()
        self._remember()
        results, history = world.results(), self._history()
        assert set(results) == {row["phone"] for row in world.rows}
        assert sum(world.campaign.finished_by_result.values()) == len(results), "everybody has one end"
        calls = {call.call_session_id: call for call in world.exchange.calls}
        stored = {a.call.call_session_id: a for some in history.values() for a in some if a.call}
        lost = [a for some in history.values() for a in some if a.result is Result.UNRESOLVED]
        assert set(stored) <= set(calls), "a call that never was"
        assert len(calls) - len(stored) <= len(lost), "a call that the ledger does not know"
        for session_id, attempt in stored.items():
            assert calls[session_id].contact == attempt.person, "somebody else's call"
            assert attempt.status is Status.FINISHED
            if attempt.result is Result.ANSWERED:
                assert calls[session_id].answered_at is not None
        for who, result in results.items():
            last = [a.result for a in history.get(who, ()) if a.result]
            assert result in (Result.DO_NOT_CALL, *(last[-1:] or [Result.NOT_CALLED]))
        self.seen["end"] += 1


RARE_TRANSITIONS = {
    (PersonStage.DIALLING, PersonEvent.TAKEN_OVER),
    (PersonStage.DIALLING, PersonEvent.EXPIRED),
    (PersonStage.DIALLING, PersonEvent.NOT_PLACED),
    (PersonStage.DIALLING, PersonEvent.REFUSED),
    (PersonStage.UNCONFIRMED, PersonEvent.TAKEN_OVER),
    (PersonStage.ACTIVE, PersonEvent.TAGGED),
    (PersonStage.TAGS_DUE, PersonEvent.TAGGED),
    (PersonStage.PLANNED, PersonEvent.RESULT_KNOWN),
    (PersonStage.PLANNED, PersonEvent.ENDED),
    (PersonStage.PLANNED, PersonEvent.NOT_PLACED),
}
"""They need two processes at once, a refusal, a tag, or a crash at the right moment."""


@pytest.fixture
def used_transitions(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[PersonStage, PersonEvent]]:
    """Counts the transitions of all people in every campaign."""
    used: Counter[tuple[PersonStage, PersonEvent]] = Counter()
    apply = PersonState.apply

    def counted(state: PersonState, event: PersonEvent, attempt: Attempt | None = None) -> None:
        before = state.stage
        apply(state, event, attempt)
        used[before, event] += 1

    monkeypatch.setattr(PersonState, "apply", counted)
    return used


@pytest.mark.timeout(300)  # half a minute on a machine with nothing else to do
@pytest.mark.no_cover
def test_no_sequence_of_events_rings_a_person_twice_for_one_attempt_and_the_counts_agree(
    used_transitions: Counter[tuple[PersonStage, PersonEvent]],
) -> None:
    Calling.seen = Counter()
    rules = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        derandomize="CALLAPI_EXPLORE" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Calling, settings=rules)
    assert Calling.seen["end"] >= EXAMPLES // 2
    rare = ("crash", "lost", "redial", Result.UNRESOLVED, Result.UNKNOWN)
    assert all(Calling.seen[kind] >= 5 for kind in rare), Calling.seen
    assert used_transitions.keys() <= TRANSITIONS.keys()
    assert TRANSITIONS.keys() - used_transitions.keys() <= RARE_TRANSITIONS
