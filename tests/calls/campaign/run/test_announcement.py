"""What a campaign announces before it dials."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from campaign_world import RULES, World
from known_numbers import ANNA, BORIS

from airflow_provider_callapi.calls.calling_hours.hours import CallingHours, read_hours
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.run.announcement import Announcement


def announcement(world: World, **facts: Any) -> Announcement:
    known = {"to_be_called": world.campaign.waiting, "excluded": 0, "timezone": "Europe/Moscow", **facts}
    return Announcement("spring", world.campaign, **known)


def test_the_first_line_counts_the_people() -> None:
    (line,) = announcement(World([ANNA, BORIS]), to_be_called=1, excluded=1).plan_lines()
    assert line.text == (
        "Campaign spring: 1 person to be called, 0 finished before, 0 active calls, 0 invalid rows, "
        "0 duplicate rows, 1 on the do_not_call list"
    )
    assert not line.is_warning


def test_the_first_ten_invalid_rows_are_named_and_the_others_counted() -> None:
    world = World()
    world.rows += [{"phone": "12"}] * 12
    world.process()

    lines = list(announcement(world, writes_results=True).plan_lines())

    warnings = [line.text for line in lines if line.is_warning]
    assert [text.split(":")[0] for text in warnings[:10]] == [f"Row {n} is skipped" for n in range(2, 12)]
    assert warnings[10:] == ["… and 2 more rows are skipped; the results list all skipped rows"]
    assert not any("12" in text.split(":", 1)[1] for text in warnings[:10]), "the value may be a phone number"
    *_, last = announcement(world).plan_lines()
    assert last.text == "… and 2 more rows are skipped", "there will be no results"


def test_the_plan_shows_in_which_time_zones_the_calling_hours_apply() -> None:
    rules = replace(RULES, hours=CallingHours(*read_hours(("09:00", "21:00"))))
    world = World([ANNA, BORIS], rules=rules)
    world.rows[0]["timezone"] = "Asia/Omsk"
    world.process()
    default = world.campaign.plan.people[1].zone

    (_, line) = announcement(world).plan_lines()

    assert line.text == f"Calling hours 09:00 to 21:00 in Asia/Omsk (1 person), {default} (1 person)"


def test_the_forecast_takes_one_point_a_call_until_the_cost_is_known() -> None:
    world = World([ANNA, BORIS])
    guess = announcement(world).forecast()
    assert (guess["to_be_called"], guess["points_needed"]) == (2, 2)

    world.campaign.pacing.points.known_cost = 3
    assert announcement(world).forecast()["points_needed"] == 6


def test_a_campaign_that_calls_no_one_has_no_forecast() -> None:
    world = World()
    lines = announcement(world, to_be_called=0).forecast_lines(world.clock())
    assert not [line for line in lines if "points" in line.text]


def test_a_campaign_that_has_to_wait_names_the_time_of_its_first_call_and_the_reason() -> None:
    night = 1_760_040_000.0  # 23:00 in Moscow
    rules = replace(RULES, hours=CallingHours(*read_hours(("09:00", "21:00"))))
    world = World(start=night, rules=rules)
    lines = [line.text for line in announcement(world).forecast_lines(night)]
    assert lines[-1] == "The first call waits until 2025-10-10 09:00:00 Europe/Moscow for the calling hours"


def warnings_of(world: World, **facts: Any) -> list[str]:
    lines = announcement(world, **facts).forecast_lines(world.clock())
    return [line.text for line in lines if line.is_warning]


def test_a_campaign_without_the_data_api_warns_that_no_one_is_called_again() -> None:
    rules = replace(RULES, report_timeout=None, redial={Result.BUSY: 60.0}, max_attempts=2)
    (warning,) = warnings_of(World([ANNA], rules=rules))
    assert "no one is called again" in warning
    for changes in (
        {"redial": {}},
        {"redial": {Result.BUSY: None}},
        {"max_attempts": 1},
        {"report_timeout": 60.0},
    ):
        assert warnings_of(World([ANNA], rules=replace(rules, **changes))) == []


def test_people_whose_calling_hours_open_too_late_are_counted_before_the_campaign_begins() -> None:
    night = 1_760_040_000.0  # 23:00 in Moscow, and 06:00 in Vladivostok
    hours = CallingHours(*read_hours(("09:00", "21:00")))
    world = World(start=night, rules=replace(RULES, hours=hours, dial_until=night + 4 * 3600))
    world.rows = [
        {"phone": ANNA, "name": "Anna"},
        {"phone": BORIS, "name": "Boris", "timezone": "Asia/Vladivostok"},
    ]
    world.process()
    assert warnings_of(world) == [
        "max_lateness ends at 2025-10-10 03:00:00 Europe/Moscow, before the calling hours of 1 person, who "
        "will not be called"
    ]
    world.campaign.dial_queue.drop_expired(night)
    assert (world.campaign.waiting, warnings_of(world)) == (1, [])


@pytest.mark.parametrize(("seconds", "is_too_short"), [(30.0, True), (3600.0, False)])
def test_a_time_that_is_too_short_for_all_calls_is_a_warning(seconds: float, is_too_short: bool) -> None:
    rules = replace(RULES, max_active=1, dial_until=World().clock() + seconds)
    warnings = warnings_of(World([ANNA, BORIS], rules=rules))
    assert any("before a call to each person" in text for text in warnings) is is_too_short
