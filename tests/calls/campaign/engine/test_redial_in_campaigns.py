"""Redials of campaigns on the emulator's exchange: after which results, how often, and when."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from campaign_world import RULES, START, World, with_report_fields, without_lines
from known_numbers import ANNA, BORIS

from airflow_provider_callapi.api.times import parse_time, report_time
from airflow_provider_callapi.calls.calling_hours.hours import CallingHours, read_hours
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.emulator import Script


def test_a_busy_person_is_called_again_ten_minutes_after_the_calls_end() -> None:
    world = World()
    world.exchange.script(ANNA, Script.busy())
    world.run(300)
    world.exchange.script(ANNA, Script())
    assert world.run().over

    first, second = world.ring_times(ANNA)
    assert 601 <= second - first <= 615
    assert world.results() == {ANNA: Result.ANSWERED}


def test_no_person_is_called_more_often_than_max_attempts() -> None:
    world = World([ANNA, BORIS], replace(RULES, max_attempts=2))
    world.exchange.default_script = Script.no_answer()
    world.run()
    assert (world.exchange.rings(ANNA), world.exchange.rings(BORIS)) == (2, 2)
    assert world.results() == {ANNA: Result.NOT_REACHED, BORIS: Result.NOT_REACHED}


def test_a_call_without_a_report_has_an_unknown_result_and_is_not_redialled() -> None:
    world = World(rules=replace(RULES, report_timeout=None))
    world.exchange.script(ANNA, Script.busy())
    assert world.run().over
    assert world.results() == {ANNA: Result.UNKNOWN}
    assert world.exchange.rings(ANNA) == 1


def test_a_call_without_a_free_line_does_not_count_as_an_attempt() -> None:
    world = World(rules=replace(RULES, max_attempts=1))
    without_lines(world, ANNA)
    world.exchange.script(ANNA, Script.busy())
    world.run(1000)
    assert len(world.exchange.calls) == 3, "five minutes later, and ten minutes after that"
    del world.overrides["reports"]
    world.process()
    world.run()
    history = list(world.new_ledger().load([ANNA]))
    assert [attempt.result for attempt in history] == [Result.CAPACITY] * 3 + [Result.BUSY]
    assert [attempt.unrung for attempt in history] == [0, 1, 2, 3]


def test_each_call_without_a_free_line_doubles_the_pause_and_delays_the_next_person() -> None:
    world = World([ANNA, BORIS], replace(RULES, max_active=1))
    without_lines(world, ANNA)
    world.exchange.default_script = Script.busy(rings=1)
    world.run(86_400)
    calls = [call for call in world.exchange.calls if call.contact == ANNA]
    gaps = [later.started_at - earlier.started_at for earlier, later in pairwise(calls)]
    assert [round(gap / 300) for gap in gaps[:6]] == [1, 2, 4, 8, 16, 32]
    assert len(calls) < 20, "it costs points"
    first, next_one = world.exchange.calls[:2]
    assert next_one.contact == BORIS
    assert next_one.started_at - first.started_at >= 60


def test_a_person_on_the_blacklist_of_the_service_is_not_redialled() -> None:
    world = World([ANNA, BORIS])
    world.exchange.account.blacklist.add(ANNA)
    world.run()
    assert world.results() == {ANNA: Result.REFUSED, BORIS: Result.ANSWERED}
    assert world.exchange.requests(START) == 2
    (refused,) = world.new_ledger().load([ANNA])
    assert refused.refused_with == "contact_in_blacklist"


def test_a_person_who_joins_the_do_not_call_list_is_not_redialled() -> None:
    world = World()
    world.exchange.script(ANNA, Script.busy())
    world.run(120)
    world.excluded = {ANNA}
    assert world.run().over
    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.BUSY}, "the result is that of the last call"


def test_a_redial_waits_for_the_calling_hours_too() -> None:
    noon = 1_778_500_800.0
    rules = replace(RULES, hours=CallingHours(*read_hours(("09:00", "12:05"))), timezone="UTC")
    world = World(rules=rules, start=noon)
    world.rows[0]["timezone"] = "UTC"
    world.process()
    world.exchange.script(ANNA, Script.busy())
    world.run()
    assert world.ring_times(ANNA)[1] - noon >= 21 * 3600


def test_a_person_whose_redial_no_longer_happens_keeps_the_last_result() -> None:
    world = World(rules=replace(RULES, dial_until=1_760_000_000.0 + 700))
    world.exchange.script(ANNA, Script.busy())
    world.run(500)
    world.exchange.account.minute_limit = 0
    world.run()
    assert world.exchange.requests(START) >= 2, "the redial was refused for want of points"
    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.BUSY}


def test_a_report_that_arrives_twice_is_one_call_and_causes_one_redial() -> None:
    """New calls shift the pages of the Data API while they are read."""
    world = World(rules=replace(RULES, max_attempts=2))
    world.exchange.script(ANNA, Script.busy())
    reports = world.reports
    world.overrides["reports"] = lambda *wanted: [report for report in reports(*wanted) for _ in range(2)]
    world.process()
    world.run()
    assert world.exchange.rings(ANNA) == 2
    assert [attempt.result for attempt in world.new_ledger().load([ANNA])] == [Result.BUSY] * 2
    assert world.campaign.finished_by_result[Result.BUSY] == 1


@pytest.mark.parametrize("hours", [-7, 7])
def test_a_report_with_a_wrong_clock_makes_no_redial_too_early_or_too_late(hours: int) -> None:
    world = World(rules=replace(RULES, max_attempts=2))
    world.exchange.script(ANNA, Script.busy(rings=1))
    reports = world.reports

    def reported(*wanted: Any) -> Any:
        for call in reports(*wanted):
            ended_at = parse_time(call.report.finish_time, RULES.timezone).timestamp() + 3600 * hours
            yield with_report_fields(call, finish_time=report_time(ended_at, RULES.timezone))

    world.overrides["reports"] = reported
    world.process()
    world.run()
    first, second = world.ring_times(ANNA)
    assert 600 <= second - first <= 700
