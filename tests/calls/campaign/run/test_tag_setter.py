"""The tags of a campaign's calls: which, when, and what a tag that cannot be set delays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from campaign_world import NO_POINTS, RULES, World, with_report_fields
from known_numbers import ANNA, BORIS
from msgspec import structs

from airflow_provider_callapi.api.errors import (
    CallApiError,
    Rejected,
    Unanswered,
)
from airflow_provider_callapi.calls.campaign.ledger import Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.emulator import Script


def tag_rules(**tags: int) -> Any:
    return replace(RULES, tags=tags)


def test_finished_calls_are_tagged_by_their_outcome() -> None:
    tagged: list[int] = []
    world = World(
        [ANNA, BORIS],
        tag_rules(answered=36, not_answered=37, ended=38),
        tag_finished=lambda communication_id, tag_id: tagged.append(tag_id),
    )
    world.exchange.script(BORIS, Script.no_answer())
    world.run(600)
    assert sorted(tagged) == [36, 37, 38, 38]
    tags = {a.person: set(a.call.tags) for a in world.new_ledger().load([ANNA, BORIS]) if a.call}
    assert tags == {ANNA: {36, 38}, BORIS: {37, 38}}


def test_an_active_call_is_tagged_at_its_observed_answer_without_the_data_api() -> None:
    tagged: list[tuple[int, int]] = []
    world = World(
        rules=replace(RULES, report_timeout=None, tags={"answered": 36}),
        tag_active=lambda session_id, tag_id: tagged.append((session_id, tag_id)),
    )
    world.exchange.default_script = Script(talks=60)
    world.run()
    assert tagged == [(world.exchange.calls[0].call_session_id, 36)]
    assert world.results() == {ANNA: Result.ANSWERED}


def test_an_answer_that_the_trigger_observed_is_tagged() -> None:
    tagged: list[int] = []
    world = World(
        rules=replace(RULES, report_timeout=None, tags={"answered": 36}),
        tag_active=lambda session_id, tag_id: tagged.append(tag_id),
    )
    world.exchange.default_script = Script(rings=3, talks=600)
    world.runner.step()
    world.process()
    observations = {
        one: structs.replace(watch.observation, listed=True, answered_at=world.clock() + 3)
        for one, watch in world.campaign.watched_calls.by_session().items()
    }
    world.campaign.watched_calls.update_observations(observations)
    world.clock.advance(5)
    world.runner.step()
    assert tagged == [36]


def test_the_next_process_sets_the_tag_that_a_dead_process_did_not_set() -> None:
    tagged: list[int] = []

    def dies(session_id: int, tag_id: int) -> None:
        raise KeyboardInterrupt

    rules = replace(RULES, report_timeout=None, tags={"answered": 36})
    world = World(rules=rules, tag_active=dies)
    world.exchange.default_script = Script(rings=3, talks=200)
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.overrides["tag_active"] = lambda session_id, tag_id: tagged.append(tag_id)
    world.process()
    world.run()
    assert tagged == [36]


def test_a_tag_that_cannot_be_set_is_given_up_and_not_recorded() -> None:
    class Refused(CallApiError):
        permanent = True

    def refuse(communication_id: int, tag_id: int) -> None:
        raise Refused("no such tag")

    world = World(rules=tag_rules(ended=38), tag_finished=refuse)
    assert world.run().over
    (attempt,) = world.new_ledger().load([ANNA])
    assert attempt.status is Status.FINISHED
    assert attempt.call is not None
    assert attempt.call.tags == ()


def test_a_tag_that_keeps_failing_delays_no_other_tag_and_the_end_by_an_hour_at_most() -> None:
    people = [f"7926000{n:04d}" for n in range(6)]
    done: list[int] = []
    broken: list[int] = []

    def fail(communication_id: int, tag_id: int) -> None:
        if not broken or communication_id == broken[0]:
            broken[:] = [communication_id]
            raise Unanswered("no answer")
        done.append(communication_id)

    world = World(people, tag_rules(ended=38), tag_finished=fail)
    world.run(1200)
    assert len(done) == 5
    assert not world.campaign.over
    assert world.run(3600).over
    assert set(world.results().values()) == {Result.ANSWERED}
    assert any("stays without tag 38" in line for line in world.log)


def test_a_tag_without_points_until_tomorrow_delays_a_redial_by_an_hour_at_most() -> None:
    def refuse(communication_id: int, tag_id: int) -> None:
        raise NO_POINTS

    world = World(rules=replace(tag_rules(ended=38), max_attempts=2), tag_finished=refuse)
    world.exchange.script(ANNA, Script.busy())
    began = world.clock()
    assert world.run().over
    assert world.exchange.rings(ANNA) == 2
    assert world.clock() - began < 3 * 3600


def test_the_log_names_a_tag_that_could_not_be_set_before_the_end_of_the_call() -> None:
    world = World(
        rules=replace(RULES, report_timeout=None, tags={"answered": 36}),
        tag_active=lambda session_id, tag_id: (_ for _ in ()).throw(NO_POINTS),
    )
    world.exchange.default_script = Script(rings=3, talks=60)
    world.run()
    session = world.exchange.calls[0].call_session_id
    assert f"Call session {session} stays without tag 36: the call ended before it was tagged" in world.log


@pytest.mark.parametrize("has_report", [False, True])
def test_the_log_names_a_tag_that_the_data_api_cannot_set_without_its_id_of_the_call(
    has_report: bool,
) -> None:
    tagged: list[int] = []
    world = World(
        rules=tag_rules(answered=36, ended=38, not_answered=37),
        tag_finished=lambda communication_id, tag_id: tagged.append(tag_id),
    )
    reports = world.reports
    world.overrides["reports"] = lambda *wanted: [
        with_report_fields(call, communication_id=None) for call in reports(*wanted) if has_report
    ]
    world.process()
    assert world.run().over
    session = world.exchange.calls[0].call_session_id
    why = "the Data API has not reported its communication_id"
    assert [line for line in world.log if "stays without tag" in line] == [
        f"Call session {session} stays without tag {tag_id}: {why}" for tag_id in (38, 36)
    ]
    assert tagged == []


@pytest.mark.parametrize("error", [Rejected("tag_not_found"), Unanswered("no answer")], ids=str)
def test_a_tag_that_an_active_call_cannot_get_is_logged_once_and_costs_no_result(error: CallApiError) -> None:
    def fail(session_id: int, tag_id: int) -> None:
        asked.append(tag_id)
        raise error

    asked: list[int] = []
    world = World(rules=replace(RULES, report_timeout=None, tags={"answered": 36}), tag_active=fail)
    world.exchange.default_script = Script(talks=60)
    world.run()
    assert asked == [36]
    assert world.results() == {ANNA: Result.ANSWERED}
    assert len([line for line in world.log if "tag 36" in line and str(error) in line]) == 1
