"""The steps of a campaign: polls and pauses, several processes, and calls that vanish for a moment."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from campaign_world import RULES, START, World, no_phone_rang
from known_numbers import ANNA, BORIS
from memory_ledger import MemoryLedger

from airflow_provider_callapi.calls.campaign.engine.redial import REDIAL_DELAYS
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.results.summary import Ending
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.snapshot import Snapshot, take_snapshot
from airflow_provider_callapi.emulator import Profile, Script


def test_no_more_calls_are_active_than_are_allowed() -> None:
    world = World([f"792600001{n:02d}" for n in range(12)], replace(RULES, max_active=3))
    most = 0
    while not (next_step := world.runner.step()).over:
        most = max(most, len(world.exchange.active_calls))
        world.clock.advance(next_step.in_seconds)
    assert most == 3
    assert set(world.results().values()) == {Result.ANSWERED}


@pytest.mark.parametrize("people", [1, 40])
def test_the_campaign_polls_once_in_a_poll_interval_for_any_number_of_active_calls(people: int) -> None:
    world = World([f"792600001{n:02d}" for n in range(people)], replace(RULES, max_active=100))
    world.exchange.default_script = Script(talks=170)
    world.run()
    polls = [e.time for e in world.exchange.journal if e.kind == "request" and e.method == "list.calls"]
    assert len(polls) >= 15
    assert min(later - earlier for earlier, later in pairwise(polls)) >= 10


def test_a_campaign_that_waits_for_redials_logs_it_at_once_and_only_once() -> None:
    world = World([ANNA], replace(RULES, redial={**REDIAL_DELAYS, Result.BUSY: 600.0}))
    world.exchange.script(ANNA, Script.busy(2))
    world.run(30)
    assert re.search(r"dialling waits for the next redial \(0:09:\d\d\)$", "\n".join(world.log), re.MULTILINE)
    world.run(20)
    assert sum("the next redial" in line for line in world.log) == 1


def test_a_campaign_that_waits_only_for_reports_logs_it_at_once_and_only_once() -> None:
    world = World([ANNA, BORIS])
    world.exchange.report_lag = 45.0
    assert world.run().over
    waits = [line for line in world.log if "without the Data API's report" in line]
    assert len(waits) == 1
    assert re.match(r"0 of 2 people finished, 0 active calls, 0 waiting, 2 without the Data API's", waits[0])


@pytest.mark.parametrize("period", ["minute", "day"])
def test_a_campaign_without_points_pauses_until_the_reset_and_names_the_reason(period: str) -> None:
    world = World([ANNA, BORIS])
    setattr(world.exchange.account, f"{period}_limit", 0)
    world.runner.step()
    world.clock.advance(1)
    next_step = world.runner.step()
    limits = world.exchange.limits()

    assert next_step.why == f"the {period}'s points"
    assert next_step.dial_at == pytest.approx(world.clock() + limits[f"{period}_reset"], abs=2)
    setattr(world.exchange.account, f"{period}_limit", 1000)
    world.clock.advance(limits[f"{period}_reset"] + 2)
    world.run()
    assert set(world.results().values()) == {Result.ANSWERED}


def test_points_that_another_program_used_cause_one_refusal_and_cost_no_attempt() -> None:
    world = World()
    poll = world.runner._gateway.take_snapshot

    def poll_before_the_other() -> Any:
        snapshot = poll()
        world.exchange.account.minute_limit = 0
        return snapshot

    world.overrides["take_snapshot"] = poll_before_the_other
    world.process()
    world.run(20)
    assert world.exchange.requests(START) == 1
    del world.overrides["take_snapshot"]
    world.process()
    world.exchange.account.minute_limit = 100
    world.run()
    (attempt,) = world.new_ledger().load([ANNA])
    assert (attempt.attempt, attempt.result) == (1, Result.ANSWERED)


def test_refused_calls_are_paced_like_placed_calls() -> None:
    people = [f"7926000{n:04d}" for n in range(300)]
    world = World(people, replace(RULES, max_active=100))
    world.exchange.account.blacklist.update(people)
    world.exchange.account.minute_limit = 100
    world.run(5)
    assert 5 <= world.exchange.requests(START) <= 20, "no faster than the points would pay for, and no burst"


def test_an_attempt_that_another_process_left_with_a_due_tag_is_continued() -> None:
    """The other process had a rule for a tag. This one has none."""
    ledger = MemoryLedger()
    world = World()
    world.replace_ledger(ledger)
    world.new_ledger = lambda: ledger
    then = world.clock() - 5000
    ended = Outcome(
        1, "x", status="ended", answered=False, ended_at=then, communication_id=7, source="data_api"
    )
    left = Attempt(ANNA, 1, Status.DIALLING, "x", intended_at=then)
    ledger.claim([left])
    ledger.record([left.with_status(Status.ENDED, result=Result.BUSY, result_known_at=then, call=ended)])
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}
    assert world.exchange.rings(ANNA) == 1


def test_the_summary_counts_calls_that_the_ledger_no_longer_stores() -> None:
    world = World(rules=replace(RULES, max_active=1))
    fetch = world.reports

    def without_a_line(*wanted: Any) -> Any:
        for call in fetch(*wanted):
            yield no_phone_rang(call, "no_resources") if len(world.exchange.calls) <= 6 else call

    world.overrides["reports"] = without_a_line
    world.process()
    world.exchange.default_script = Script.busy(rings=1)
    world.run(2 * 86_400)
    world.exchange.default_script = Script()
    assert world.run(6 * 86_400).over
    attempts = tuple(world.new_ledger().load([ANNA]))
    ending = Ending(world.campaign.plan.people[0], world.results()[ANNA], attempts)
    assert len(attempts) < len(world.exchange.calls)
    assert ending.placed_calls == len(world.exchange.calls)


@pytest.mark.parametrize("seconds", [12.0, 25.0, 45.0])
@pytest.mark.parametrize("report_timeout", [None, 300.0])
def test_max_active_holds_on_an_account_whose_active_calls_vanish_for_a_moment(
    seconds: float, report_timeout: float | None
) -> None:
    """Only the first calls seem to end too early: the campaign learns how long a call may vanish."""
    numbers = [str(79260000100 + number) for number in range(12)]
    rules = replace(RULES, max_active=3, report_timeout=report_timeout)
    world = World(numbers, rules, profile=Profile(vanish_after=20.0, vanish_seconds=seconds))
    world.exchange.default_script = Script(rings=5, talks=200)
    most = [0.0]
    while not (next_step := world.runner.step()).over:
        most.append(len(world.exchange.active_calls))
        world.clock.advance(next_step.in_seconds)
    assert set(world.results().values()) == {Result.ANSWERED}
    assert max(most) <= 2 * rules.max_active + 1, "while the campaign learns"
    assert max(most[len(most) // 2 :]) <= rules.max_active


def test_a_call_that_comes_back_counts_as_active_until_it_is_gone_or_its_time_is_over() -> None:
    world = World([ANNA, BORIS], replace(RULES, max_active=1, report_timeout=None, call_timeout=900.0))
    world.exchange.script(ANNA, Script(rings=5, talks=None))
    hidden = [False]
    world.overrides["take_snapshot"] = lambda: (
        Snapshot(world.clock()) if hidden[0] else take_snapshot(world.call_api, world.clock)
    )
    world.process()
    world.run(30)
    hidden[0] = True
    world.run(11)
    hidden[0] = False
    world.run(300)
    assert (world.exchange.rings(BORIS), world.campaign.active) == (0, 1)
    assert world.run().over, "the call never leaves list.calls"
    assert world.exchange.rings(BORIS) == 1
    assert world.ring_times(BORIS)[0] - world.ring_times(ANNA)[0] >= 890


@pytest.mark.parametrize("ahead", [3600.0, 86_400.0])
def test_a_call_that_a_process_with_a_clock_ahead_has_placed_is_watched_no_longer_than_usual(
    ahead: float,
) -> None:
    world = World(rules=replace(RULES, report_timeout=None), profile=Profile(vanish_seconds=1e9))
    world.exchange.script(ANNA, Script(rings=5, talks=10))
    clock = world.clock
    world.overrides["clock"] = lambda: clock() + ahead
    world.process()
    world.run(2)
    del world.overrides["clock"]
    world.process()
    began = clock()
    assert world.run().over
    assert clock() - began <= RULES.appear_timeout + 30
    assert world.results() == {ANNA: Result.UNKNOWN}
