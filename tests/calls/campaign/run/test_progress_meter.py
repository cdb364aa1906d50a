"""How far a campaign is, measured while it runs."""

from __future__ import annotations

import json

import pytest
from campaign_world import World

from airflow_provider_callapi.calls.campaign.progress import CampaignProgress
from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.emulator import Script

PEOPLE = [f"7926000{number:04}" for number in range(40)]
OWNER = ("dag", "run", "call", "-1")


@pytest.fixture
def world() -> World:
    world = World(PEOPLE)
    world.exchange.default_script = Script(rings=1, talks=5)
    return world


def measured(world: World) -> CampaignProgress:
    now = world.clock()
    return world.runner.progress.measure(
        "spring",
        shard=None,
        owner=OWNER,
        connection="callapi_default",
        files=["file:///report.html"],
        now=now,
        next_at=now + 15,
    )


def test_progress_is_plain_json_without_phone_numbers(world: World) -> None:
    world.run(60)
    text = json.dumps(measured(world).to_json())

    assert "7926" not in text
    assert CampaignProgress.from_json(json.loads(text)) == measured(world)


def test_progress_counts_people_and_estimates_the_end(world: World) -> None:
    assert measured(world).per_minute is None
    world.run(60)

    progress = measured(world)

    assert len(progress.sessions) == progress.active
    assert progress.finished + progress.active + progress.waiting == progress.people == 40
    assert progress.results == {"answered": progress.finished}
    assert progress.per_minute == pytest.approx(progress.finished, abs=0.1)
    assert progress.ends_at is not None
    assert world.clock() < progress.ends_at < world.clock() + 300


@pytest.mark.parametrize(
    ("kind", "doing", "why"),
    [
        (WishKind.PAUSE, "paused", "anna paused the campaign"),
        (
            WishKind.STOP,
            "stopped",
            "anna stopped the campaign (resume it before you clear this task)",
        ),
    ],
)
def test_progress_names_the_user_who_paused_or_stopped_the_campaign(
    world: World, kind: WishKind, doing: str, why: str
) -> None:
    world.run(20)
    world.wish = Wish(kind, "anna", 1.0)
    world.runner.step()

    progress = measured(world)

    assert (progress.doing, progress.why, progress.ends_at) == (doing, why, None)


def test_a_finished_campaign_is_over(world: World) -> None:
    world.run()
    assert (measured(world).doing, measured(world).finished) == ("over", 40)
