"""Batches of claims in one statement: many shards and campaigns, processes that die, and min_gap."""

from __future__ import annotations

import itertools
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from known_numbers import ANNA, BORIS
from ledger_contract import NOW, active, an_intent, finished, no_line

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.ledgers.sql import SqlLedger

HOUR = 3600.0
PEOPLE = [f"7926000{number:04d}" for number in range(24)]


def not_placed(intent: Attempt) -> Attempt:
    return intent.with_status(Status.NOT_PLACED)


def perhaps_answered(intent: Attempt) -> Attempt:
    return no_line(intent, answered=None)


AFTERWARDS = [not_placed, no_line, perhaps_answered, active, finished, None]
"""What becomes of a granted intent. None: the process is killed between the claim and the start request."""


class Shop:
    """The rules of a shared ledger, written down plainly: what two campaigns may dial at a moment."""

    def __init__(self, min_gap: float | None) -> None:
        self.min_gap = min_gap
        self.attempts: dict[tuple[str, str], dict[int, Attempt]] = defaultdict(dict)

    def claim(self, campaign: str, intent: Attempt) -> ClaimResult:
        theirs = self.attempts[campaign, intent.person]
        newest = theirs[max(theirs)] if theirs else None
        is_again = newest is not None and newest.attempt == intent.attempt
        may_follow = newest is None or (newest.status is Status.FINISHED and newest.attempt < intent.attempt)
        may_follow = may_follow or (newest is not None and newest.status is Status.NOT_PLACED)
        if newest is not None and (
            newest.attempt > intent.attempt
            or (is_again and newest.status is not Status.NOT_PLACED)
            or not may_follow
        ):
            return ClaimResult(granted=False, held=newest)
        rang = [
            attempt.intended_at
            for (_, person), attempts in self.attempts.items()
            if person == intent.person
            for attempt in attempts.values()
            if attempt.status is not Status.NOT_PLACED and attempt != no_line(attempt)
        ]
        if self.min_gap is not None and rang and intent.intended_at < max(rang) + self.min_gap:
            return ClaimResult(granted=False, not_before=max(rang) + self.min_gap)
        theirs[intent.attempt] = intent
        return ClaimResult(granted=True)


BATCHES = st.lists(
    st.tuples(
        st.sampled_from(["spring", "autumn"]),
        st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=4),
        st.lists(st.sampled_from(AFTERWARDS), min_size=4, max_size=4),
        st.sampled_from([1.0, HOUR / 2, HOUR]),
    ),
    max_size=12,
)


@pytest.mark.parametrize("min_gap", [None, HOUR])
def test_a_batch_of_claims_gets_the_same_results_as_single_claims(connect, min_gap):
    engine = connect()

    @settings(max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(batches=BATCHES)
    def check(batches: Any) -> None:
        run = uuid.uuid4().hex[:8]
        ledgers = {name: SqlLedger(engine, f"{name} {run}", min_gap=min_gap) for name in ("spring", "autumn")}
        shop, now = Shop(min_gap), NOW
        for campaign, keys, afterwards, seconds in batches:
            now += seconds
            intents = [an_intent(f"{run}{person}", attempt, at=now) for person, attempt in keys]
            in_order = sorted(range(len(intents)), key=lambda n: (intents[n].person, intents[n].attempt))
            expected = {place: shop.claim(campaign, intents[place]) for place in in_order}

            claims = ledgers[campaign].claim(intents)

            assert claims == [expected[place] for place in range(len(intents))]
            granted = [intent for intent, claim in zip(intents, claims, strict=True) if claim.granted]
            known = [then(intent) for intent, then in zip(granted, afterwards, strict=False) if then]
            ledgers[campaign].record(known)
            for attempt in known:
                shop.attempts[campaign, attempt.person][attempt.attempt] = attempt

    check()


@pytest.mark.parametrize("seed", range(3))
def test_parallel_shards_dial_each_attempt_once_and_keep_the_gap_although_processes_die(connect, seed):
    """Two campaigns with two processes each claim the same people in batches, again and again."""
    moments, run = itertools.count(), uuid.uuid4().hex[:8]
    granted: list[tuple[str, Attempt, Attempt | None]] = []

    def shard(number: int) -> None:
        chance, campaign = Random(10 * seed + number), f"{number % 2} {run}"
        ledger = SqlLedger(connect(), campaign, min_gap=HOUR)
        attempts = dict.fromkeys(PEOPLE, 1)
        for _ in range(12):
            now = NOW + next(moments) * HOUR / 8
            people = chance.sample(PEOPLE, 8)
            intents = [an_intent(f"{run}{person}", attempts[person], at=now) for person in people]
            for person, intent, claim in zip(people, intents, ledger.claim(intents), strict=True):
                if claim.granted:
                    then = chance.choice(AFTERWARDS)
                    after = then(intent) if then else None
                    granted.append((campaign, intent, after))
                    if after is not None:
                        ledger.record([after])
                elif claim.held is not None and claim.held.status is Status.FINISHED:
                    attempts[person] = claim.held.attempt + 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(shard, range(4)))

    assert granted
    rang: dict[str, list[float]] = defaultdict(list)
    dialled: set[tuple[str, str, int]] = set()
    for campaign, intent, after in granted:
        if after is None or after.status is not Status.NOT_PLACED:
            key = (campaign, intent.person, intent.attempt)
            assert key not in dialled, "dialled twice"
            dialled.add(key)
            if after is None or after != no_line(intent):
                rang[intent.person].append(intent.intended_at)
    for times in rang.values():
        assert all(later - earlier >= HOUR for earlier, later in itertools.pairwise(sorted(times)))


@pytest.mark.parametrize("min_gap", [None, HOUR])
def test_postgresql_claims_and_stores_a_batch_with_one_statement_each(postgres, min_gap):
    name = f"d{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name};")
    engine = sqlalchemy.create_engine(postgres.get_uri(database=name, driver="psycopg2"))
    ledger = SqlLedger(engine, "autumn", min_gap=min_gap)
    intents = [an_intent(person) for person in PEOPLE[:8]]
    sent: list[str] = []
    sqlalchemy.event.listen(engine, "before_cursor_execute", lambda *event: sent.append(event[2]))

    assert all(claim.granted for claim in ledger.claim(intents))
    assert len(sent) == 1
    ledger.record([active(intent) for intent in intents])
    assert len(sent) == 2
    engine.dispose()


def test_two_versions_of_an_attempt_in_one_batch_are_both_stored(connect):
    ledger = SqlLedger(connect(), "autumn")
    ledger.claim([an_intent(), an_intent(BORIS)])
    known = active(an_intent(), observed=True, answered=True, answered_at=NOW + 9)

    ledger.record([known, active(an_intent(BORIS)), finished(an_intent(), Result.ANSWERED)])

    (anna,) = ledger.load([ANNA])
    assert anna.call is not None
    assert (anna.status, anna.result) == (Status.FINISHED, Result.ANSWERED)
    assert (anna.call.answered, anna.call.observed) == (True, True)
