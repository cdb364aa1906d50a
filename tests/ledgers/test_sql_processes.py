"""The SQL ledger of several processes at once: no attempt is granted twice, in any order of their steps."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
import tenacity
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from known_numbers import ANNA, BORIS
from ledger_contract import HOUR, INTENT, NOW, active, an_intent, finished, unresolved
from real_databases import at_once
from sqlalchemy.engine import Engine

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.databases.retries import RETRY_OUTAGE
from airflow_provider_callapi.ledgers.sql import SqlLedger


@pytest.mark.parametrize("min_gap", [None, 60.0])
def test_exactly_one_of_several_processes_that_claim_an_attempt_at_once_dials_it(connect, min_gap):
    people = [f"7926{number:07d}" for number in range(40)]
    ledgers = [SqlLedger(connect(), "autumn", min_gap=min_gap) for _ in range(4)]
    intents = [[an_intent(person, at=NOW + who / 8) for person in people] for who in range(4)]

    answers = at_once(*(lambda who=who: ledgers[who].claim(intents[who]) for who in range(4)))

    for person, claims in zip(people, zip(*answers, strict=True), strict=True):
        winner = [intents[who][people.index(person)] for who in range(4) if claims[who].granted]
        assert len(winner) == 1, person
        assert [claim.held for claim in claims if not claim.granted] == winner * 3


def test_exactly_one_of_several_processes_dials_an_attempt_that_was_not_placed(connect):
    people = [f"7926{number:07d}" for number in range(40)]
    ledgers = [SqlLedger(connect(), "autumn") for _ in range(4)]
    ledgers[0].claim([an_intent(person) for person in people])
    ledgers[0].record([an_intent(person).with_status(Status.NOT_PLACED) for person in people])

    answers = at_once(
        *(
            lambda who=who: ledgers[who].claim([an_intent(p, at=NOW + 60 + who) for p in people])
            for who in range(4)
        )
    )

    assert [sum(claim.granted for claim in claims) for claims in zip(*answers, strict=True)] == [1] * 40


def test_one_of_several_campaigns_that_claim_a_person_at_once_calls_and_the_others_wait(connect):
    people = [f"7926{number:07d}" for number in range(40)]
    ledgers = [SqlLedger(connect(), f"campaign {who}", min_gap=HOUR) for who in range(4)]

    answers = at_once(
        *(lambda who=who: ledgers[who].claim([an_intent(p, at=NOW) for p in people]) for who in range(4))
    )

    for claims in zip(*answers, strict=True):
        refused = [ClaimResult(granted=False, not_before=NOW + HOUR)] * 3
        assert sorted(claims, key=lambda claim: claim.granted) == [*refused, ClaimResult(granted=True)]


def test_only_one_of_two_processes_with_the_same_intent_gets_the_claim(engine):
    """Only a repeated claim may take a stored intent to be its own."""
    ledger, other = SqlLedger(engine, "autumn"), SqlLedger(engine, "autumn")

    assert ledger.claim([INTENT]) == [ClaimResult(granted=True)]
    assert other.claim([INTENT]) == [ClaimResult(granted=False, held=INTENT)]


def test_writers_of_the_same_people_cause_no_deadlock(connect, monkeypatch):
    people = [f"7926{number:07d}" for number in range(200)]
    ledgers = [SqlLedger(connect(), "autumn") for _ in range(2)]
    ledgers[0].claim([an_intent(person) for person in people])
    ended = [finished(an_intent(person)) for person in people]
    monkeypatch.setattr(RETRY_OUTAGE, "stop", tenacity.stop_after_attempt(1))

    at_once(
        *(lambda who=who: ledgers[who].record(ended[:: 1 if who else -1]) for who in range(2)),
    )

    assert sorted(ledgers[0].load(people), key=lambda attempt: attempt.person) == ended


ATTEMPTS = st.tuples(st.sampled_from([ANNA, BORIS]), st.integers(1, 3))
SAID: list[Callable[[Attempt], Attempt]] = [
    lambda intent: intent.with_status(Status.NOT_PLACED),
    lambda intent: intent.with_status(Status.NOT_PLACED),
    unresolved,
    active,
    lambda intent: finished(intent).with_status(Status.ENDED, result=None, result_known_at=None),
    lambda intent: finished(intent, Result.UNKNOWN),
    finished,
]


class Processes(RuleBasedStateMachine):
    """Three processes of a campaign, each with its own knowledge, and writes that are repeated late."""

    engines: list[Engine]

    @initialize()
    def begin(self) -> None:
        campaign = uuid.uuid4().hex
        self.ledgers = [SqlLedger(engine, campaign) for engine in self.engines]
        self.written: list[Attempt] = []
        self.granted: dict[tuple[str, int], Attempt] = {}
        self.free: set[tuple[str, int]] = set()
        self.results: dict[tuple[str, int], Result] = {}
        self.clock = NOW
        self.is_asked = True

    @rule(who=st.integers(0, 2), key=ATTEMPTS)
    def claim(self, who: int, key: tuple[str, int]) -> None:
        self.clock += 1
        self.is_asked = True
        intent = an_intent(*key, at=self.clock)
        (claim,) = self.ledgers[who].claim([intent])
        if claim.granted:
            assert key not in self.granted or key in self.free, f"{key} is dialled twice"
            self.free.discard(key)
            self.granted[key] = intent
        else:
            assert claim.held is not None
            assert claim.held.attempt >= 1

    @rule(who=st.integers(0, 2), key=ATTEMPTS, say=st.sampled_from(SAID))
    def write(self, who: int, key: tuple[str, int], say: Callable[[Attempt], Attempt]) -> None:
        if key in self.granted:
            self._write(who, say(self.granted[key]))

    @rule(who=st.integers(0, 2), data=st.data())
    def write_again(self, who: int, data: st.DataObject) -> None:
        if self.written:
            self._write(who, data.draw(st.sampled_from(self.written)))

    def _write(self, who: int, attempt: Attempt) -> None:
        key = (attempt.person, attempt.attempt)
        if attempt.status is Status.NOT_PLACED and attempt.intended_at == self.granted[key].intended_at:
            self.free.add(key)
        if attempt.status is Status.FINISHED and attempt.result is Result.BUSY:
            self.results[key] = Result.BUSY
        self.written.append(attempt)
        self.is_asked = True
        self.ledgers[who].record([attempt])

    @invariant()
    def every_process_reads_the_same_and_results_stay(self) -> None:
        if not getattr(self, "is_asked", False):
            return  # before the first step, and after a step that asked nothing of the database
        self.is_asked = False
        first, *others = ([*ledger.load([ANNA, BORIS])] for ledger in self.ledgers)
        assert all(other == first for other in others)
        read = {(attempt.person, attempt.attempt): attempt for attempt in first}
        assert read.keys() == self.granted.keys()
        for key, result in self.results.items():
            assert (read[key].status, read[key].result) == (Status.FINISHED, result)


def test_no_attempt_is_granted_twice_unless_it_was_proven_not_to_be_placed_in_between(connect):
    class Here(Processes):
        engines = [connect() for _ in range(3)]  # noqa: RUF012

    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    few = settings(max_examples=40, stateful_step_count=30, suppress_health_check=checks)
    run_state_machine_as_test(Here, settings=few)
