"""Reports of finished calls: which are asked for, how long, and what is made of damaged ones."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace
from typing import Any

import pytest
from campaign_world import NO_POINTS, RULES, START, World, asked_sessions, with_report_fields
from known_numbers import ANNA, BORIS, CLARA

from airflow_provider_callapi.api.errors import (
    AccessDenied,
    Unanswered,
    rejection,
)
from airflow_provider_callapi.api.times import parse_time, report_time
from airflow_provider_callapi.calls.campaign.engine.redial import REDIAL_DELAYS
from airflow_provider_callapi.calls.campaign.ledger import Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.reports.finished_calls import fetch_finished_calls
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.emulator import Fault, Script


def test_a_campaign_asks_only_for_the_reports_of_its_own_calls() -> None:
    world = World([ANNA, BORIS])
    stranger = world.exchange.inbound(CLARA)
    asked = asked_sessions(world)
    assert world.run().over
    assert asked
    for sessions in asked:
        assert sessions
        assert stranger not in sessions


def test_a_report_frees_the_line_of_a_call_that_ended_between_two_polls() -> None:
    people = [f"7926000{n:04d}" for n in range(20)]
    world = World(people, replace(RULES, max_active=2))
    world.exchange.default_script = Script(rings=1, talks=2)
    world.exchange.report_lag = 5
    began = world.clock()
    world.run()
    assert world.clock() - began < 20 / 2 * 40, "not a minute each, within which a call must be listed"
    assert set(world.results().values()) == {Result.ANSWERED}


def test_the_wait_for_a_missing_report_does_not_start_again_with_a_new_process() -> None:
    world = World()
    world.exchange.script(ANNA, Script.busy())
    world.exchange.report_lag = 1e9
    world.run(60)
    began = world.clock()
    while world.clock() < began + 3600:
        world.process()
        if world.run(15).over:
            break
    assert world.results() == {ANNA: Result.UNKNOWN}
    assert world.campaign.over
    assert world.clock() - began < 400


@pytest.mark.parametrize("late", [0.0, 4200.0, 7200.0, 86_400.0])
@pytest.mark.parametrize("failures", [0, 1, 5])
def test_a_late_try_repeats_a_failed_request_for_reports(late: float, failures: int) -> None:
    world = World(rules=replace(RULES, max_attempts=1))
    world.exchange.script(ANNA, Script.no_answer())
    world.run(15)
    world.clock.advance(late)
    left = [failures]

    def reports(since: float, sessions: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise Unanswered("503")
        return World.reports(world, since, sessions)

    world.overrides["reports"] = reports
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.NOT_REACHED}


def test_a_late_try_gives_up_a_report_that_it_cannot_fetch_for_ten_minutes() -> None:
    world = World(rules=replace(RULES, max_attempts=1))
    world.exchange.script(ANNA, Script.no_answer())
    world.run(15)
    world.clock.advance(86_400.0)

    def reports(since: float, sessions: Any) -> Any:
        raise Unanswered("503")

    world.overrides["reports"] = reports
    world.process()
    began = world.clock()
    assert world.run().over
    assert 600 <= world.clock() - began < 900
    assert world.results() == {ANNA: Result.UNKNOWN}


def test_reports_without_points_until_tomorrow_delay_the_end_by_an_hour() -> None:
    def refuse(*wanted: Any) -> Any:
        raise NO_POINTS

    world = World(reports=refuse)
    began = world.clock()
    assert world.run().over
    assert 3600 <= world.clock() - began < 3600 + 300 + 1200
    assert world.results() == {ANNA: Result.ANSWERED}


def test_calls_whose_reports_the_data_api_refuses_get_their_results_in_the_next_try() -> None:
    """The IP address of the worker was removed from the list, and is back when a user clears the task."""
    people = [ANNA, BORIS, CLARA]
    world = World(people, replace(RULES, max_attempts=2))
    world.exchange.script(ANNA, Script.busy())
    world.exchange.script(BORIS, Script.no_answer(rings=30))

    began = world.clock()

    def refuse(*wanted: Any) -> Any:
        if world.clock() < began + 15:
            return []
        raise AccessDenied("the IP address is not allowed")

    world.overrides["reports"] = refuse
    world.process()
    assert world.run().over
    assert world.clock() - began < 300
    assert world.campaign.dial_queue.stopped is not None
    assert world.results() == {ANNA: Result.UNKNOWN, BORIS: Result.UNKNOWN, CLARA: Result.ANSWERED}
    statuses = {attempt.person: attempt.status for attempt in world.new_ledger().load(people)}
    assert statuses == {ANNA: Status.ENDED, BORIS: Status.ENDED, CLARA: Status.FINISHED}

    del world.overrides["reports"]
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.BUSY, BORIS: Result.NOT_REACHED, CLARA: Result.ANSWERED}
    assert [world.exchange.rings(person) for person in people] == [2, 2, 1]


def _refusal(mnemonic: str, name: str, where: Container[str]) -> dict[str, Any] | None:
    """Return an error that refuses a name, if the name is among the asked ones."""
    if name not in where:
        return None
    return {"code": -32602, "message": "no", "data": {"mnemonic": mnemonic, "field": name}}


@pytest.mark.parametrize("kind", ["fields", "filters", "dates", "every date", "needed field"])
def test_a_data_api_that_refuses_parts_of_a_report_stops_no_campaign(kind: str) -> None:
    world = World([ANNA, BORIS], rules=replace(RULES, report_timeout=60.0))
    world.exchange.script(BORIS, Script.busy())
    refused: dict[str, Callable[[Any], dict[str, Any] | None]] = {
        "fields": lambda request: _refusal("parameter_component_disabled", "tags", request.fields),
        "filters": lambda request: _refusal("filter_prohibited", "x", [] if not request.filter else ["x"]),
        "dates": lambda request: (
            _refusal("invalid_parameter_value", "date_from", ["date_from"])
            if request.date_from > report_time(world.clock() - 1.5 * 86_400, RULES.timezone)
            else None
        ),
        "every date": lambda request: _refusal("invalid_parameter_value", "date_from", ["date_from"]),
        "needed field": lambda request: _refusal("unexpected_parameters", "finish_time", request.fields),
    }

    class Refusing:
        def call(self, request: Any) -> Any:
            if error := refused[kind](request):
                raise rejection(error, method=request.method)
            return world.data_api.call(request)

    world.overrides["reports"] = lambda since, sessions: fetch_finished_calls(
        Refusing(), since=since, until=world.clock(), timezone=RULES.timezone, sessions=sessions
    )
    world.process()
    assert world.run().over
    is_reported = kind in ("fields", "filters", "dates")
    assert world.results() == {ANNA: Result.ANSWERED, BORIS: Result.BUSY if is_reported else Result.UNKNOWN}
    assert world.exchange.rings(ANNA) == 1
    assert world.exchange.rings(BORIS) == (3 if is_reported else 1)


def test_a_report_with_a_time_that_cannot_be_read_is_read_without_it() -> None:
    world = World()
    fetch = world.reports
    world.overrides["reports"] = lambda *wanted: [
        with_report_fields(call, finish_time="0000-00-00 00:00:00") for call in fetch(*wanted)
    ]
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}


@pytest.mark.parametrize(("delay", "result"), [(8.0, Result.ANSWERED), (1e9, Result.UNKNOWN)])
def test_a_campaign_waits_half_a_minute_for_legs_that_are_reported_later_than_their_call(
    delay: float, result: Result
) -> None:
    world = World()
    fetch = world.reports

    def reported(*wanted: Any) -> Any:
        for call in fetch(*wanted):
            ended_at = parse_time(call.report.finish_time, RULES.timezone).timestamp()
            is_early = world.clock() < ended_at + delay
            without_talk = with_report_fields(call, talk_duration=0)
            yield replace(without_talk, answered=None, is_early=True) if is_early else without_talk

    world.overrides["reports"] = lambda *wanted: list(reported(*wanted))
    world.overrides["take_snapshot"] = lambda: Snapshot(world.clock())
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: result}


@pytest.mark.parametrize("other", ["afc-000000000000000000000000-1", "order-8"])
def test_a_report_with_another_external_id_says_nothing_of_the_call(other: str) -> None:
    """The Data API of another account may use the same session ids."""
    world = World()
    world.exchange.default_script = Script.busy()
    fetch = world.reports
    world.overrides["reports"] = lambda *wanted: [
        with_report_fields(replace(call, answered=True), call_api_external_id=other, talk_duration=33)
        for call in fetch(*wanted)
    ]
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.UNKNOWN}
    assert world.exchange.rings(ANNA) == 1


@pytest.mark.parametrize("shown", [None, "", "null"])
def test_a_report_of_another_contact_says_nothing_of_a_call_whose_external_id_it_does_not_show(
    shown: str | None,
) -> None:
    world = World()
    world.exchange.default_script = Script.busy()
    fetch = world.reports
    world.overrides["reports"] = lambda *wanted: [
        with_report_fields(call, call_api_external_id=shown, contact_phone_number=BORIS)
        for call in fetch(*wanted)
    ]
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.UNKNOWN}
    assert world.exchange.rings(ANNA) == 1


@pytest.mark.parametrize("account", ["Asia/Yekaterinburg", "Europe/Kaliningrad", "UTC"])
def test_a_connection_with_the_wrong_time_zone_still_finds_its_reports(account: str) -> None:
    world = World(rules=replace(RULES, timezone="Europe/Moscow", max_attempts=1))
    world.exchange.account.timezone = account
    world.exchange.script(ANNA, Script.busy())
    world.run()
    assert world.results() == {ANNA: Result.BUSY}


@pytest.mark.parametrize(
    ("zone", "put_back"), [("Europe/Chisinau", 1_761_436_800.0), ("Europe/Berlin", 1_761_440_400.0)]
)
def test_calls_around_the_hour_that_occurs_twice_are_found(zone: str, put_back: float) -> None:
    people = [ANNA, BORIS, CLARA]
    rules = replace(RULES, timezone=zone, max_attempts=3, redial={**REDIAL_DELAYS, Result.BUSY: 600.0})
    world = World(people, rules, start=put_back - 60)
    world.exchange.account.timezone = zone
    world.exchange.default_script = Script.busy()
    assert world.run().over
    assert world.results() == dict.fromkeys(people, Result.BUSY)
    assert [world.exchange.rings(phone) for phone in people] == [3, 3, 3]


@pytest.mark.parametrize("ahead", [3600.0, 3 * 86_400.0])
@pytest.mark.parametrize("is_lost", [False, True])
def test_the_report_of_a_call_is_found_though_the_clock_was_ahead_when_it_was_dialled(
    ahead: float, is_lost: bool
) -> None:
    """The author gives the id, so the search also compares the times of the call and of the intent."""
    world = World()
    world.new_external_id = lambda person, attempt: f"order-7-{attempt}"
    world.exchange.script(ANNA, Script.busy())
    clock = world.clock
    world.overrides["clock"] = lambda: clock() + ahead
    if is_lost:
        world.exchange.fault(Fault.DROP_AFTER, method=START)
    world.process()
    world.run(2)
    del world.overrides["clock"]
    world.process()
    world.run(900)
    assert next(iter(world.new_ledger().load([ANNA]))).result is Result.BUSY
