"""Calls whose start request got no answer: they are searched for, and never dialled again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from campaign_world import RULES, START, World, asked_sessions
from known_numbers import ANNA, BORIS, CLARA

from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.watching.snapshot import Snapshot, take_snapshot
from airflow_provider_callapi.emulator import Fault, Script


@pytest.mark.parametrize("fault", [f for f in Fault if f not in (Fault.REFUSE, Fault.TOO_MANY_REQUESTS)])
def test_an_unconfirmed_call_is_searched_for_and_never_dialled_again(fault: Fault) -> None:
    world = World()
    world.exchange.default_script = Script(talks=30)
    world.exchange.fault(fault, method=START)
    assert world.run().over
    placed = fault.carried_out
    assert world.exchange.rings(ANNA) == int(placed)
    assert world.exchange.requests(START) == int(placed)
    assert world.results() == {ANNA: Result.ANSWERED if placed else Result.UNRESOLVED}


def test_an_unconfirmed_call_that_ended_before_the_first_poll_is_found_in_the_report() -> None:
    world = World()
    world.exchange.default_script = Script(rings=1, talks=1)
    world.exchange.report_lag = 200
    world.exchange.fault(Fault.DROP_AFTER, method=START)
    world.run()
    assert world.results() == {ANNA: Result.ANSWERED}
    assert world.exchange.rings(ANNA) == 1


def test_an_unconfirmed_call_that_ended_before_the_first_poll_stays_unresolved_without_a_report() -> None:
    world = World(rules=replace(RULES, report_timeout=None))
    world.exchange.default_script = Script(rings=1, talks=1)
    world.exchange.fault(Fault.DROP_AFTER, method=START)
    world.run()
    assert world.results() == {ANNA: Result.UNRESOLVED}
    world.process()
    world.run()
    assert world.exchange.rings(ANNA) == 1


@pytest.mark.parametrize("talks", [1, 60])
@pytest.mark.parametrize("length", [10, 20, 28])
def test_an_unconfirmed_call_is_found_although_the_service_cuts_its_id(talks: int, length: int) -> None:
    world = World()
    world.new_external_id = lambda person, attempt: f"afc-{'0' * 24}-{attempt}"
    world.exchange.default_script = Script(rings=1, talks=talks)
    world.exchange.fault(Fault.DROP_AFTER, method=START)
    world.process().step()
    (call,) = world.exchange.calls
    call.external_id = call.external_id[:length]
    world.run()
    assert world.results() == {ANNA: Result.ANSWERED}
    assert world.exchange.rings(ANNA) == 1


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize("seconds", [11, 60, 3600])
def test_an_earlier_call_with_the_same_authors_id_is_not_the_unconfirmed_call(seconds, is_active) -> None:
    world = World()
    world.exchange.default_script = Script(talks=seconds + 30 if is_active else 5)
    world.new_external_id = lambda person, attempt: "promo"
    world.process().step()
    if not is_active:
        world.run()
        assert world.results() == {ANNA: Result.ANSWERED}

    world.clock.advance(seconds)
    world.pages.values.clear()  # another campaign
    world.exchange.fault(Fault.DROP_BEFORE, method=START)
    world.process()
    world.run()
    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.UNRESOLVED}


def test_unconfirmed_calls_with_the_same_authors_id_are_distinguished_by_their_number() -> None:
    world = World([ANNA, BORIS, CLARA])
    world.exchange.default_script = Script(talks=30)
    world.exchange.script(BORIS, Script.busy(rings=25))
    world.exchange.fault(Fault.DROP_AFTER, method=START, times=3)
    world.new_external_id = lambda person, attempt: f"promo-{attempt}"
    world.process()
    world.run(500)
    calls = {call.contact: call.call_session_id for call in world.exchange.calls}
    history = {who: next(iter(world.new_ledger().load([who]))) for who in (ANNA, BORIS, CLARA)}
    assert {who: known.call and known.call.call_session_id for who, known in history.items()} == calls
    assert history[BORIS].result is Result.BUSY


@pytest.mark.parametrize("seconds", [600, 20_000])
def test_no_call_counts_as_ended_or_unresolved_while_an_active_call_cannot_be_read(seconds: float) -> None:
    """An unconfirmed call may be the unreadable call, and so may a call that list.calls no longer shows."""
    world = World([ANNA, BORIS], rules=replace(RULES, report_timeout=None))
    world.exchange.default_script = Script(rings=1, talks=300)
    world.exchange.fault(Fault.DROP_BEFORE, method=START)
    unreadable_until = world.clock() + seconds

    def take() -> Snapshot:
        taken = take_snapshot(world.call_api, world.clock)
        return replace(taken, left_out=int(world.clock() < unreadable_until))

    world.overrides["take_snapshot"] = take
    world.process()
    world.run(seconds - 10 if seconds < 3600 else 3000)
    assert set(world.results().values()) == {Result.NOT_CALLED}, "no result is known yet"
    world.run()
    assert sorted(world.results().values()) == sorted([Result.UNRESOLVED, Result.ANSWERED])
    assert world.exchange.requests(START) == 1


def test_a_campaign_asks_for_all_reports_to_find_an_unconfirmed_call() -> None:
    world = World([ANNA])
    asked = asked_sessions(world)
    world.exchange.fault(Fault.DROP_AFTER, method=START)
    assert world.run().over
    assert asked[0] is None
    assert world.exchange.rings(ANNA) == 1
