"""When a call gets its tags: while it is active, or after its end."""

from __future__ import annotations

import math

import pytest
from lifecycle_world import (
    ANSWERED_TAG,
    COMMUNICATION,
    ENDED_TAG,
    NOT_ANSWERED_TAG,
    NOW,
    REPORT_TIMEOUT,
    SESSION,
    TAGS,
    World,
    finished,
)

from airflow_provider_callapi.api.errors import CallNotFound, Unanswered
from airflow_provider_callapi.calls.single_call.call_record import Stage
from airflow_provider_callapi.calls.single_call.lifecycle import (
    WaitForCall,
)
from airflow_provider_callapi.calls.watching.watch import Phase

# --- tags on an active call ---


def test_an_answered_call_is_tagged_while_it_is_active_and_then_waited_for_until_it_ends() -> None:
    world = World()
    step = world.lifecycle(tags=TAGS).observed(Phase.ANSWERED, world.seen(answered=True))
    assert isinstance(step, WaitForCall)
    assert (step.until, step.call.tags) == ("ended", (ANSWERED_TAG,))
    assert world.active_tags == [(SESSION, ANSWERED_TAG)]
    assert world.tag_events == [step.call] == [world.stored]


def test_the_wait_for_an_answered_call_continues_without_a_request_if_no_answered_tag_is_due() -> None:
    world = World()
    step = world.lifecycle(tags={"ended": ENDED_TAG}).observed(Phase.ANSWERED, world.seen(answered=True))
    assert isinstance(step, WaitForCall)
    assert (step.until, world.active_tags) == ("ended", [])


def test_a_tag_that_the_call_already_has_is_not_set_again() -> None:
    world = World()
    call = world.seen(answered=True, tags=(ANSWERED_TAG,))
    world.lifecycle(tags=TAGS).observed(Phase.ANSWERED, call)
    assert (world.active_tags, world.tag_events) == ([], [])


def test_a_call_that_ends_before_its_tag_is_set_is_tagged_through_the_data_api() -> None:
    world = World(tag_error=CallNotFound("no such session"))
    lifecycle = world.lifecycle(tags={"answered": ANSWERED_TAG})
    waiting = lifecycle.observed(Phase.ANSWERED, world.seen(answered=True))
    assert isinstance(waiting, WaitForCall)
    assert (waiting.call.tags, world.tag_events) == ((), [])
    assert world.log == [f"Call session {SESSION} ended before it got tag {ANSWERED_TAG}"]

    step = lifecycle.observed(Phase.ENDED, world.ended(answered=True))

    assert finished(step).call.tags == (ANSWERED_TAG,)
    assert world.finished_tags == [(COMMUNICATION, ANSWERED_TAG)]
    assert world.warnings == []


def test_an_error_of_the_tag_request_is_raised_and_the_next_try_waits_for_the_same_call() -> None:
    world = World(tag_error=Unanswered("no answer"))
    with pytest.raises(Unanswered):
        world.lifecycle(tags=TAGS).observed(Phase.ANSWERED, world.seen(answered=True))
    assert world.stage is Stage.STARTED
    assert isinstance(world.lifecycle(tags=TAGS).resume(world.stored), WaitForCall)


# --- tags on a finished call ---


@pytest.mark.parametrize(
    ("answered", "tags"),
    [
        (True, (ENDED_TAG, ANSWERED_TAG)),
        (False, (ENDED_TAG, NOT_ANSWERED_TAG)),
        (None, (ENDED_TAG,)),
    ],
)
def test_a_finished_call_gets_the_tags_of_its_outcome_and_no_others(
    answered: bool | None, tags: tuple[int, ...]
) -> None:
    world = World(answered=answered)
    step = world.lifecycle(tags=TAGS).observed(Phase.ENDED, world.ended())
    assert finished(step).call.tags == tags
    assert world.finished_tags == [(COMMUNICATION, tag) for tag in tags]
    assert [call.tags[-1] for call in world.tag_events] == list(tags)
    assert world.stored.tags == tags


def test_a_tag_of_the_active_call_is_not_set_again_after_its_end() -> None:
    world = World()
    call = world.ended(answered=True, tags=(ANSWERED_TAG,))
    world.lifecycle(tags=TAGS).observed(Phase.ENDED, call)
    assert world.finished_tags == [(COMMUNICATION, ENDED_TAG)]


def test_a_try_that_dies_between_two_tags_leaves_only_the_second_to_the_next_try() -> None:
    world = World()
    lifecycle = world.lifecycle(tags=TAGS)
    real_tag = world._tag

    def die_at_second(tags: list[tuple[int, int]], call_id: int, tag_id: int) -> None:
        if tags:
            raise Unanswered("no answer")
        real_tag(tags, call_id, tag_id)

    world._tag = die_at_second  # type: ignore[method-assign]
    with pytest.raises(Unanswered):
        lifecycle.observed(Phase.ENDED, world.ended())
    assert (world.stage, world.stored.tags) == (Stage.ENDED, (ENDED_TAG,))

    world._tag = real_tag  # type: ignore[method-assign]
    step = world.lifecycle(tags=TAGS).resume(world.stored)

    assert finished(step).call.tags == (ENDED_TAG, ANSWERED_TAG)
    assert world.finished_tags == [(COMMUNICATION, ENDED_TAG), (COMMUNICATION, ANSWERED_TAG)]
    assert (world.fetches, len(world.final_outcomes)) == (1, 1)


def test_a_try_that_dies_at_the_first_tag_leaves_the_final_outcome_to_the_next_try() -> None:
    world = World(tag_error=Unanswered("no answer"))
    with pytest.raises(Unanswered):
        world.lifecycle(tags=TAGS).observed(Phase.ENDED, world.ended())
    assert (world.stage, world.stored.source, world.stored.tags) == (Stage.ENDED, "data_api", ())

    step = world.lifecycle(tags=TAGS).resume(world.stored)

    assert finished(step).call.tags == (ENDED_TAG, ANSWERED_TAG)
    assert (world.fetches, len(world.final_outcomes)) == (1, 1)


def test_a_finished_call_without_a_report_cannot_be_tagged_and_the_log_warns_of_each_tag() -> None:
    world = World(reported_at=math.inf)
    world.now = NOW + REPORT_TIMEOUT
    step = world.lifecycle(tags=TAGS).report_due(world.ended(answered=True), NOW + REPORT_TIMEOUT)
    assert (finished(step).call.tags, world.finished_tags) == ((), [])
    assert [line for line in world.warnings if "stays without tag" in line] == [
        f"Call session {SESSION} stays without tag {tag}: the Data API has no report of the call"
        for tag in (ENDED_TAG, ANSWERED_TAG)
    ]
