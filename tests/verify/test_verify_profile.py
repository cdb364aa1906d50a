"""A run finds every setting of the service, and an exchange with the written profile behaves alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from profile_story import story_seen_by_a_client
from verify_world import World, profiles

from airflow_provider_callapi.emulator import Profile
from airflow_provider_callapi.emulator.services.points import FREE_METHODS
from airflow_provider_callapi.verify.profile import NOT_OBSERVED

ONLY_ON_REQUEST = {"limit_exceeded_leaves_undone"}
OBSERVED = set(Profile.model_fields) - set(NOT_OBSERVED) - ONLY_ON_REQUEST
DEPENDS_ON_ONGOING_REPORTS = "ongoing_talk_is_reported"


def weight(profile: Profile, method: str) -> int:
    return profile.weights.get(method, 0 if method in FREE_METHODS else 1)


def differences(profile: Profile, written: dict[str, Any]) -> dict[str, Any]:
    """Return the observable fields in which a written profile differs from the service's own."""
    found = Profile.parse(json.dumps(written))
    different = {
        name: (getattr(found, name), getattr(profile, name))
        for name in OBSERVED - {"weights", "youngest_date_from", "report_delay"}
        if name not in written or getattr(found, name) != getattr(profile, name)
    }
    different.update(
        {
            method: (points, weight(profile, method))
            for method, points in found.weights.items()
            if points != weight(profile, method)
        }
    )
    youngest, measured = profile.youngest_date_from, written.get("youngest_date_from", -1.0)
    if not youngest <= measured <= youngest * 1.02 + 1:
        different["youngest_date_from"] = (measured, youngest)
    # A call that list.calls shows late may have ended earlier than a poll can show.
    delay, seen = profile.report_delay, written.get("report_delay", -1.0)
    # In the first 30 s or so without the call, the run asks for its report each second, later every 10 s.
    asks_quickly = profile.appear_delay + profile.vanish_seconds + delay < 30
    if not delay <= seen <= delay + profile.appear_delay + (1 if asks_quickly else 10):
        different["report_delay"] = (seen, delay)
    if profile.ongoing_report_delay is None:  # the report never contains an active call
        different.pop(DEPENDS_ON_ONGOING_REPORTS, None)
    return different


@pytest.mark.parametrize("name", ["document", "seen", "novofon", "callgear"])
def test_a_run_finds_every_setting_of_a_profile_of_the_package(name, tmp_path):
    profile = Profile.named(name)
    world = World(profile, tmp_path / "state.json", login=True)

    written = world.profile_of(world.verify())

    assert differences(profile, written) == {}


@pytest.mark.no_cover
@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ],  # a run takes too long to search the simplest failure
)
@example(
    profile=Profile(
        appear_delay=7, vanish_after=6, vanish_seconds=4, report_delay=20, ongoing_report_delay=None
    )
)
@given(profile=profiles())
def test_a_run_finds_every_setting_of_a_profile_that_is_drawn_at_random(profile, tmp_path_factory):
    world = World(profile, tmp_path_factory.mktemp("run") / "state.json", login=True)

    written = world.profile_of(world.verify())

    assert differences(profile, written) == {}


def test_an_exchange_with_the_written_profile_behaves_as_the_account_did(tmp_path):
    profile = Profile.named("seen")
    world = World(profile, tmp_path / "state.json", login=True)
    written = world.profile_of(world.verify())

    copy = Profile.parse(json.dumps(written)).model_copy(
        update={
            **{name: getattr(profile, name) for name in NOT_OBSERVED},
            "youngest_date_from": profile.youngest_date_from,
        }
    )

    assert story_seen_by_a_client(copy) == story_seen_by_a_client(profile)


def test_every_field_of_a_profile_is_observed_or_has_a_reason_why_not(tmp_path):
    world = World(Profile(), tmp_path / "state.json", login=True)

    written = world.profile_of(world.verify())

    assert set(written) == OBSERVED


def test_the_profile_contains_only_observed_settings(tmp_path):
    world = World(Profile(), tmp_path / "state.json")

    assert set(world.profile_of(world.verify("errors"))) == {
        "error_http_status",
        "errors_repeat_id",
        "errors_have_limits",
    }


@pytest.mark.parametrize("is_left_undone", [True, False])
def test_the_points_of_a_minute_are_used_up_only_on_request(is_left_undone, tmp_path):
    profile = Profile(limit_exceeded_leaves_undone=is_left_undone, minute_limit=60, weights={"list.calls": 1})
    world = World(profile, tmp_path / "state.json")

    findings = world.verify("limit_exceeded")

    assert world.profile_of(findings)["limit_exceeded_leaves_undone"] is is_left_undone
    assert world.exchange.active_calls == []
