"""What a campaign does when a user pauses, resumes or stops it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from campaign_world import RULES, World
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.emulator import Script

PEOPLE = [f"7926000{number:04}" for number in range(200)]
PAUSE = Wish(WishKind.PAUSE, "anna", 1.0)
RESUME = Wish(WishKind.RESUME, "boris", 2.0)
STOP = Wish(WishKind.STOP, "clara", 3.0)
STOPPED = "clara stopped the campaign (resume it before you clear this task)"


@pytest.fixture
def world() -> World:
    world = World(PEOPLE)
    world.exchange.default_script = Script(rings=3, talks=60)
    world.run(20)
    return world


def calls(world: World) -> int:
    return sum(world.exchange.rings(person) for person in PEOPLE)


def test_a_pause_ends_dialling_at_once_and_active_calls_are_watched_to_their_end(world: World) -> None:
    before = calls(world)
    assert 0 < before < len(PEOPLE)
    world.wish = PAUSE

    world.run(600)

    assert calls(world) == before
    assert world.campaign.active == 0
    assert world.campaign.finished == before
    assert not world.campaign.over


def test_a_stop_ends_dialling_within_two_steps_and_the_campaign_after_its_calls(world: World) -> None:
    before = calls(world)
    world.wish = STOP

    assert world.run().over

    assert calls(world) == before
    assert world.campaign.dial_queue.stopped == STOPPED
    assert world.campaign.finished_by_result.total() == before


def test_a_resume_continues_within_seconds_and_each_person_is_called_once(world: World) -> None:
    world.wish = PAUSE
    world.run(600)
    before = calls(world)
    world.wish = RESUME

    world.run(6)
    assert calls(world) > before
    assert world.run().over

    assert {world.exchange.rings(person) for person in PEOPLE} == {1}


def test_a_stop_of_this_run_is_final(world: World) -> None:
    world.wish = STOP
    world.runner.step()
    world.wish = RESUME

    assert world.run().over
    assert world.campaign.dial_queue.stopped == STOPPED


def test_the_log_names_the_user_of_a_wish_once(world: World) -> None:
    for wish in (PAUSE, RESUME, STOP):
        world.wish = wish
        world.run(120)

    named = ("anna paused the campaign: ", "boris resumed", "clara stopped the campaign: ")
    assert [sum(text in line for line in world.log) for text in named] == [1, 1, 1]


def test_a_paused_campaign_still_ends_at_its_last_minute() -> None:
    world = World(PEOPLE, replace(RULES, dial_until=1_760_000_900.0))
    world.wish = PAUSE

    assert world.run().over
    assert (calls(world), world.clock()) == (0, pytest.approx(1_760_000_900.0, abs=10.0))


@given(st.sampled_from(WishKind), st.text(), st.floats(0, 4e9))
def test_a_wish_is_plain_json(kind: WishKind, by: str, at: float) -> None:
    wish = Wish(kind, by, at)
    assert Wish.from_json(json.loads(json.dumps(wish.to_json()))) == wish


@pytest.mark.parametrize("value", [{}, [], None, "pause", {"kind": "hurry", "by": "anna", "at": 1.0}])
def test_a_value_that_is_no_wish_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="no wish"):
        Wish.from_json(value)  # type: ignore[arg-type]
