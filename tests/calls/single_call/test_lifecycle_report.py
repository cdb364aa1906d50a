"""What the lifecycle learns from the report of a finished call, and how long it waits for the report."""

from __future__ import annotations

import math
from typing import Any

import pytest
from lifecycle_world import COMMUNICATION, ENDED_TAG, NOW, REPORT_TIMEOUT, SESSION, World, finished
from msgspec.structs import replace

from airflow_provider_callapi.api.errors import AuthenticationFailed, Unanswered
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.single_call.lifecycle import (
    Finished,
    LifecycleStep,
    Verdict,
    WaitForCall,
    WaitForReport,
)
from airflow_provider_callapi.calls.watching.watch import Phase


@pytest.mark.parametrize("phase", [Phase.ENDED, Phase.NEVER_APPEARED])
def test_the_report_of_an_ended_call_makes_the_outcome_final(phase: Phase) -> None:
    world = World()
    lifecycle = world.lifecycle()
    step = lifecycle.observed(phase, world.ended())
    assert (finished(step).call.answered, finished(step).call.source) == (True, "data_api")
    assert world.final_outcomes == [finished(step).call] == [world.stored]
    assert lifecycle.report is not None
    assert lifecycle.report.full_record_file_link == "https://records.test/1"
    assert world.stage is Stage.DONE


def test_the_wait_for_a_missing_report_counts_from_the_end_of_the_call() -> None:
    world = World(reported_at=math.inf)
    call = world.ended(ended_at=NOW - 20)
    step = world.lifecycle().observed(Phase.ENDED, call)
    assert step == WaitForReport(call, report_by=NOW - 20 + REPORT_TIMEOUT)
    assert (world.stage, world.warnings) == (Stage.ENDED, [])
    (line,) = world.log
    assert line == (
        f"The Data API has no report of call session {SESSION} yet: "
        "waiting for the report, at most 100 s more"
    )


def test_the_wait_for_the_report_of_a_call_without_a_known_end_counts_from_now() -> None:
    world = World(reported_at=math.inf)
    step = world.lifecycle().observed(Phase.NEVER_APPEARED, world.ended(ended_at=None))
    assert isinstance(step, WaitForReport)
    assert step.report_by == NOW + REPORT_TIMEOUT


def test_a_late_report_is_fetched_after_the_wait_even_in_another_process() -> None:
    world = World(reported_at=NOW + 30)
    step: LifecycleStep = world.lifecycle().observed(Phase.ENDED, world.ended())
    waits = 0
    while isinstance(step, WaitForReport):
        assert step.report_by == NOW + REPORT_TIMEOUT, "the time for the report does not start again"
        world.now, waits = world.now + 15, waits + 1
        step = world.lifecycle().report_due(step.call, step.report_by)
    assert (waits, finished(step).call.source) == (2, "data_api")


@pytest.mark.parametrize(("late", "is_waited_for"), [(-0.5, True), (0.0, False), (99.0, False)])
def test_a_report_that_never_comes_leaves_the_outcome_of_list_calls(late: float, is_waited_for: bool) -> None:
    world = World(reported_at=math.inf)
    call = world.ended(answered=True)
    world.now = NOW + REPORT_TIMEOUT + late
    step = world.lifecycle().report_due(call, NOW + REPORT_TIMEOUT)
    if is_waited_for:
        assert isinstance(step, WaitForReport)
        return
    assert step == Finished(call, Verdict.ACCEPTED)
    assert (world.stage, world.final_outcomes) == (Stage.DONE, [])
    (warning,) = world.warnings
    assert "no report" in warning


OUTAGE = Unanswered("HTTP status 502", method="get.calls_report")


def test_a_call_that_list_calls_shows_again_instead_of_a_report_has_not_ended() -> None:
    world = World(reported_at=math.inf, is_listed=True)
    lifecycle = world.lifecycle(require_answer=True)
    lifecycle.resume(world.call)
    ended = replace(world.call, status="ended", ended_at=NOW + 5, observed=True)
    step = lifecycle.observed(Phase.ENDED, ended)
    assert isinstance(step, WaitForReport)
    world.now = step.report_by

    again = lifecycle.report_due(step.call, step.report_by)

    assert isinstance(again, WaitForCall)
    assert (again.call.status, again.call.ended_at, again.call.observed) == ("started", None, True)
    assert world.stage is Stage.STARTED
    world.is_listed, world.reported_at = False, world.now
    final = lifecycle.observed(Phase.ENDED, replace(again.call, status="ended", ended_at=world.now))
    assert isinstance(final, Finished)
    assert final.call.answered is True


def test_a_data_api_that_does_not_answer_for_a_while_is_waited_for() -> None:
    world = World(fetch_error=OUTAGE)
    call = world.ended(answered=True)
    step = world.lifecycle().observed(Phase.ENDED, call)
    assert step == WaitForReport(call, report_by=NOW + REPORT_TIMEOUT)
    assert "does not answer (Unanswered), yet" in world.log[0]

    world.fetch_error = None
    assert finished(world.lifecycle().report_due(call, NOW + REPORT_TIMEOUT)).call.source == "data_api"


@pytest.mark.parametrize(
    ("answered", "tags", "needs_report"),
    [
        (True, {}, False),
        (False, {}, False),
        (None, {}, True),
        (True, {"ended": ENDED_TAG}, True),
    ],
)
def test_a_data_api_that_never_answers_fails_only_a_task_that_needs_the_report(
    answered: bool | None, tags: dict[str, int], needs_report: bool
) -> None:
    world = World(fetch_error=OUTAGE)
    world.now = NOW + REPORT_TIMEOUT
    call = world.ended(answered=answered)
    if needs_report:
        with pytest.raises(Unanswered):
            world.lifecycle(tags=tags).report_due(call, NOW + REPORT_TIMEOUT)
        return
    assert finished(world.lifecycle(tags=tags).report_due(call, NOW + REPORT_TIMEOUT)).call == call
    assert "does not answer" in world.warnings[0]


def test_a_permanent_error_of_the_data_api_is_not_waited_for() -> None:
    world = World(fetch_error=AuthenticationFailed("wrong", method="get.calls_report"))
    with pytest.raises(AuthenticationFailed):
        world.lifecycle().observed(Phase.ENDED, world.ended(answered=True))


def test_a_final_outcome_is_not_fetched_again() -> None:
    world = World()
    world.journal().mark_ended(_final(world))
    lifecycle = world.lifecycle()
    finished(lifecycle.resume(world.stored))
    assert (world.fetches, lifecycle.report) == (0, None)


def test_report_always_fetches_the_report_of_a_final_outcome_and_announces_it_only_once() -> None:
    world = World()
    world.journal().mark_ended(_final(world))
    lifecycle = world.lifecycle(report_always=True)
    finished(lifecycle.resume(world.stored))
    assert world.fetches == 1
    assert lifecycle.report is not None
    assert world.final_outcomes == [], "the try that made the outcome final has announced it"


def _final(world: World, **changes: Any) -> Outcome:
    return replace(world.ended(answered=True), source="data_api", communication_id=COMMUNICATION, **changes)
