"""The lifecycle of a placed call: every step and verdict, without services and without waiting."""

from __future__ import annotations

from typing import Any

import pytest
from lifecycle_world import (
    ANSWERED_TAG,
    APPEAR_TIMEOUT,
    ENDED_TAG,
    NOT_ANSWERED_TAG,
    NOW,
    SESSION,
    TAGS,
    TIMEOUT,
    World,
    finished,
)
from msgspec.structs import replace

from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.single_call.lifecycle import (
    Finished,
    TimeIsUp,
    Verdict,
    WaitForCall,
)
from airflow_provider_callapi.calls.watching.watch import Phase

# --- resume: the first step of a try, by the stage in the journal ---


def test_a_placed_call_finishes_at_once_without_wait_for_completion() -> None:
    world = World()
    step = world.lifecycle(wait_for_completion=False).resume(world.call)
    assert step == Finished(world.call, Verdict.ACCEPTED)
    assert (world.stage, world.fetches, world.active_tags) == (Stage.DONE, 0, [])


def test_the_lifecycle_waits_for_the_end_of_a_started_call() -> None:
    world = World()
    world.now += 10
    step = world.lifecycle().resume(world.call)
    assert step == WaitForCall(
        world.call, until="ended", appear_by=NOW + APPEAR_TIMEOUT, deadline=NOW + 10 + TIMEOUT
    )
    assert world.stage is Stage.STARTED


def test_the_appear_timeout_of_a_call_without_a_known_start_counts_from_the_wait() -> None:
    world = World()
    world.now += 10
    step = world.lifecycle().resume(replace(world.call, started_at=None))
    assert isinstance(step, WaitForCall)
    assert step.appear_by == NOW + 10 + APPEAR_TIMEOUT


def test_an_answered_tag_makes_the_wait_end_at_the_answer() -> None:
    world = World()
    step = world.lifecycle(tags={"answered": ANSWERED_TAG}).resume(world.call)
    assert isinstance(step, WaitForCall)
    assert step.until == "answered"


@pytest.mark.parametrize("tags", [{"ended": ENDED_TAG}, {"not_answered": NOT_ANSWERED_TAG}])
def test_a_tag_for_another_outcome_does_not_make_the_wait_end_at_the_answer(tags: dict[str, int]) -> None:
    world = World()
    step = world.lifecycle(tags=tags).resume(world.call)
    assert isinstance(step, WaitForCall)
    assert step.until == "ended"


def test_a_call_that_an_earlier_try_left_answered_and_untagged_is_tagged_before_the_wait() -> None:
    world = World()
    world.journal().mark_active(world.seen(answered=True))
    step = world.lifecycle(tags=TAGS).resume(world.stored)
    assert isinstance(step, WaitForCall)
    assert (step.until, step.call.tags) == ("ended", (ANSWERED_TAG,))
    assert world.active_tags == [(SESSION, ANSWERED_TAG)]


def test_the_lifecycle_does_not_wait_again_for_a_call_in_stage_ended() -> None:
    world = World()
    world.journal().mark_ended(world.ended())
    step = world.lifecycle().resume(world.stored)
    assert finished(step).call.source == "data_api"
    assert (world.stage, world.fetches) == (Stage.DONE, 1)


def test_a_call_in_stage_done_returns_without_a_request() -> None:
    world = World()
    world.journal().mark_done(world.ended(answered=True))
    step = world.lifecycle(require_answer=True, tags=TAGS).resume(world.stored)
    assert step == Finished(world.stored, Verdict.ACCEPTED)
    assert (world.fetches, world.active_tags, world.finished_tags) == (0, [], [])


def test_a_call_in_stage_done_without_a_known_answer_has_the_verdict_unknown_again() -> None:
    world = World()
    world.journal().mark_done(world.ended())
    assert finished(world.lifecycle(require_answer=True).resume(world.stored)).verdict is Verdict.UNKNOWN


# --- the time that a try waits ---


def test_the_second_wait_of_a_try_ends_at_the_deadline_of_the_first() -> None:
    world = World()
    lifecycle = world.lifecycle(tags=TAGS)
    lifecycle.resume(world.call)
    world.now += 100
    step = lifecycle.observed(Phase.ANSWERED, world.seen(answered=True))
    assert isinstance(step, WaitForCall)
    assert step.deadline == NOW + TIMEOUT


def test_a_deferral_keeps_wait_until() -> None:
    world = World()
    before = world.lifecycle(tags=TAGS)
    before.resume(world.call)
    world.now += 100
    after = world.lifecycle(tags=TAGS, wait_until=before.wait_until)
    step = after.observed(Phase.ANSWERED, world.seen(answered=True))
    assert isinstance(step, WaitForCall)
    assert step.deadline == after.wait_until == NOW + TIMEOUT


def test_another_try_waits_for_the_whole_timeout_again() -> None:
    world = World()
    world.lifecycle().resume(world.call)
    world.now += 100
    step = world.lifecycle().resume(world.stored)
    assert isinstance(step, WaitForCall)
    assert step.deadline == NOW + 100 + TIMEOUT


@pytest.mark.parametrize(("last_deadline", "deadline"), [(NOW + 5, NOW + 5), (NOW + 9999, NOW + TIMEOUT)])
def test_the_last_deadline_of_the_task_shortens_a_wait_and_never_lengthens_it(
    last_deadline: float, deadline: float
) -> None:
    world = World()
    step = world.lifecycle(last_deadline=last_deadline).resume(world.call)
    assert isinstance(step, WaitForCall)
    assert step.deadline == deadline


def test_a_timeout_keeps_the_observation_in_the_journal_and_sends_no_request() -> None:
    world = World()
    call = world.seen(answered=True)
    assert world.lifecycle(tags={}).observed(Phase.TIMED_OUT, call) == TimeIsUp(call)
    assert (world.stage, world.stored, world.fetches) == (Stage.STARTED, call, 0)


# --- without the Data API ---


def test_an_ended_call_finishes_with_the_outcome_of_list_calls_without_the_data_api() -> None:
    world = World(has_data_api=False)
    call = world.ended(answered=True)
    step = world.lifecycle().observed(Phase.ENDED, call)
    assert step == Finished(call, Verdict.ACCEPTED)
    assert (world.stage, world.warnings, world.finished_tags) == (Stage.DONE, [], [])


def test_the_log_warns_of_an_answered_call_that_ended_untagged_without_the_data_api() -> None:
    world = World(has_data_api=False)
    step = world.lifecycle(tags={"answered": ANSWERED_TAG}).observed(Phase.ENDED, world.ended(answered=True))
    assert finished(step).call.tags == ()
    (warning,) = world.warnings
    assert "needs the Data API" in warning


@pytest.mark.parametrize("call", [{"answered": None}, {"answered": True, "tags": (ANSWERED_TAG,)}])
def test_the_log_does_not_warn_of_a_call_that_lacks_no_tag_without_the_data_api(call: dict[str, Any]) -> None:
    world = World(has_data_api=False)
    world.lifecycle(tags={"answered": ANSWERED_TAG}).observed(Phase.ENDED, world.ended(**call))
    assert world.warnings == []


# --- the verdict ---


@pytest.mark.parametrize(
    ("require_answer", "answered", "verdict", "stage"),
    [
        (False, True, Verdict.ACCEPTED, Stage.DONE),
        (False, False, Verdict.ACCEPTED, Stage.DONE),
        (False, None, Verdict.ACCEPTED, Stage.DONE),
        (True, True, Verdict.ACCEPTED, Stage.DONE),
        (True, False, Verdict.NOT_ANSWERED, Stage.REDIAL),
        (True, None, Verdict.UNKNOWN, Stage.DONE),
    ],
)
def test_only_a_call_that_is_known_to_be_unanswered_is_redialled_by_the_next_try(
    require_answer: bool, answered: bool | None, verdict: Verdict, stage: Stage
) -> None:
    world = World(answered=answered)
    step = world.lifecycle(require_answer=require_answer).observed(Phase.ENDED, world.ended())
    assert (finished(step).verdict, world.stage) == (verdict, stage)


def test_no_call_is_known_to_be_unanswered_without_the_data_api() -> None:
    world = World(has_data_api=False)
    step = world.lifecycle(require_answer=True).observed(Phase.ENDED, world.ended())
    assert (finished(step).verdict, world.stage) == (Verdict.UNKNOWN, Stage.DONE)
