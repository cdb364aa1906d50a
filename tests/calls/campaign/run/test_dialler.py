"""Claims and start requests: which claim the ledger grants, and what a request that fails costs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from campaign_world import RULES, START, World, with_ledger
from known_numbers import ANNA, BORIS
from memory_ledger import AnsweringLedger, MemoryLedger
from msgspec import structs

from airflow_provider_callapi.api.errors import (
    Unanswered,
)
from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.emulator import Fault, Script


def test_a_stop_during_a_claim_prevents_the_start_request() -> None:
    world = World([ANNA, BORIS])

    class Stopping(MemoryLedger):
        def claim(self, intents: Any, changed: Any = ()) -> list[ClaimResult]:
            world.campaign.dial_queue.stop("the task was killed")
            return super().claim(intents, changed)

    ledger = Stopping()
    with_ledger(world, ledger)
    assert world.run().over
    assert world.exchange.requests(START) == 0
    assert {attempt.status for attempt in ledger.load([ANNA, BORIS])} == {Status.NOT_PLACED}


def test_a_claim_that_was_refused_for_now_is_repeated_soon() -> None:
    world = with_ledger(World(), AnsweringLedger(ClaimResult(granted=False)))
    began = world.clock()
    world.run()
    assert 30 <= world.ring_times(ANNA)[0] - began < 60


def test_a_person_who_was_called_too_recently_is_called_after_the_gap() -> None:
    world = World()
    with_ledger(world, AnsweringLedger(ClaimResult(granted=False, not_before=world.clock() + 7200)))
    began = world.clock()
    world.run()
    assert 7200 <= world.ring_times(ANNA)[0] - began < 7270
    assert world.results() == {ANNA: Result.ANSWERED}


def test_a_person_whose_gap_lasts_beyond_the_end_is_not_called() -> None:
    world = World(rules=replace(RULES, dial_until=1_760_000_000.0 + 3600))
    with_ledger(world, AnsweringLedger(ClaimResult(granted=False, not_before=world.clock() + 7200)))
    assert world.run().over
    assert world.results() == {ANNA: Result.CALLED_RECENTLY}


def test_a_person_whose_gap_ends_after_the_last_calling_hours_was_called_recently() -> None:
    hour = 3600.0
    world = World(rules=replace(RULES, dial_until=1_760_000_000.0 + hour))
    with_ledger(world, AnsweringLedger(ClaimResult(granted=False, not_before=world.clock() + hour - 10)))
    world.run(60)
    assert world.results() == {ANNA: Result.CALLED_RECENTLY}
    world.clock.advance(hour)
    assert world.run().over
    assert world.results() == {ANNA: Result.CALLED_RECENTLY}


def test_a_person_who_is_called_after_the_gap_was_not_called_recently() -> None:
    world = World()
    with_ledger(world, AnsweringLedger(ClaimResult(granted=False, not_before=world.clock() + 60)))
    world.run(65)
    assert world.ring_times(ANNA)
    assert world.results() == {ANNA: Result.NOT_CALLED}


def test_a_person_who_was_busy_and_whose_redial_comes_too_soon_stays_busy() -> None:
    world = World(rules=replace(RULES, dial_until=1_760_000_000.0 + 3600))
    world.exchange.script(ANNA, Script.busy())
    ledger = AnsweringLedger()
    with_ledger(world, ledger).run(300)
    ledger.answers.append(ClaimResult(granted=False, not_before=world.clock() + 7200))
    assert world.run().over
    assert world.results() == {ANNA: Result.BUSY}


def test_a_call_that_another_process_placed_is_followed_and_not_placed_again() -> None:
    world = World()
    reply = world.call_api.call(world.template.request(world.campaign.plan.people[0], "elsewhere"))
    elsewhere = Attempt(
        ANNA,
        1,
        Status.ACTIVE,
        "elsewhere",
        world.clock(),
        call=Outcome(reply.call_session_id, "elsewhere", started_at=world.clock()),
    )
    ledger = AnsweringLedger()
    ledger.claim([elsewhere])
    world.new_ledger = lambda: ledger
    world.replace_ledger(ledger)  # its campaign was planned before the other one's claim
    world.run()
    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.ANSWERED}


def dialled_by_another_process(world: World) -> tuple[AnsweringLedger, Attempt]:
    """Lose the start request to Anna. Return the ledger, and the attempt of a process that dials again."""
    world.exchange.fault(Fault.DROP_BEFORE, method=START)
    ledger = AnsweringLedger()
    with_ledger(world, ledger)
    world.run(30)
    (ours,) = ledger.load([ANNA])
    return ledger, structs.replace(ours, intended_at=ours.intended_at + 20)


def test_an_attempt_that_another_process_took_over_keeps_the_record_of_that_process() -> None:
    """This process did not find its call. Meanwhile another process dials the same attempt again."""
    world = World(rules=replace(RULES, report_timeout=None))
    ledger, theirs = dialled_by_another_process(world)
    ledger.record([theirs])
    world.run(50)
    assert list(ledger.load([ANNA])) == [theirs]


def test_a_call_that_another_process_has_seen_to_its_end_is_finished_in_the_ledger() -> None:
    """This process searches for an unconfirmed call. Meanwhile another process dials the attempt again."""
    world = World(rules=replace(RULES, report_timeout=None, max_attempts=1))
    ledger, theirs = dialled_by_another_process(world)
    busy = Outcome(1, "x", status="ended", answered=False, ended_at=world.clock(), source="data_api")
    ledger.record(
        [theirs.with_status(Status.ENDED, result=Result.BUSY, result_known_at=world.clock(), call=busy)]
    )
    world.run(50)
    assert [(a.status, a.result) for a in ledger.load([ANNA])] == [(Status.FINISHED, Result.BUSY)]
    assert world.results() == {ANNA: Result.BUSY}


def test_a_request_that_was_not_sent_is_sent_later_as_the_same_attempt() -> None:
    world = World()
    world.exchange.fault(Fault.REFUSE, method=START)
    world.run()
    (attempt,) = world.new_ledger().load([ANNA])
    assert (attempt.attempt, attempt.result) == (1, Result.ANSWERED)


def test_a_start_that_a_busy_gateway_refused_is_sent_again() -> None:
    world = World()
    world.exchange.fault(Fault.TOO_MANY_REQUESTS, method=START, times=2)
    world.run()
    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.ANSWERED}


def test_a_campaign_waits_for_a_service_that_is_unreachable_for_a_minute() -> None:
    world = World([ANNA, BORIS])
    began = world.clock()
    world.exchange.fault(Fault.REFUSE, method=START, times=5)
    world.run(60)
    assert world.exchange.requests(START) == 0
    assert len([line for line in world.log if "in a row" in line]) == 4, "later and later"
    world.run()
    assert set(world.results().values()) == {Result.ANSWERED}
    assert world.ring_times(ANNA)[0] - began < 200


@pytest.mark.parametrize("has_data_api", [False, True])
def test_a_service_that_answers_no_start_request_costs_only_a_few_attempts(
    has_data_api: bool,
) -> None:
    people = [f"7926000{n:04d}" for n in range(200)]
    rules = replace(RULES, max_active=50, report_timeout=300.0 if has_data_api else None)
    world = World(people, rules)
    world.exchange.fault(Fault.BAD_GATEWAY, method=START, times=10_000)
    with pytest.raises(Unanswered):
        world.run()
    assert world.exchange.calls == []
    intended = list(world.new_ledger().load(people))
    assert len(intended) <= 8 + 10, "a batch, and then one after the other"
    assert world.log[0].endswith("(1 in a row; the try fails at 11)")


def test_dialling_continues_at_the_old_pace_after_failed_start_requests() -> None:
    people = [f"7926000{n:04d}" for n in range(60)]
    world = World(people, replace(RULES, max_active=50, at_once=4))
    world.exchange.fault(Fault.BAD_GATEWAY, method=START, times=6)
    assert world.run().over
    assert sorted(Counter(world.results().values()).items()) == [
        (Result.ANSWERED, 54),
        (Result.UNRESOLVED, 6),
    ]
