"""A later run ends the call of an earlier run that was killed, and no call of another program."""

from __future__ import annotations

from dataclasses import replace

import pytest
from own_call_world import active_in_file, start_a_call, store_active

from airflow_provider_callapi.verify.probes import PROBES
from airflow_provider_callapi.verify.resume_file import ActiveCall, ResumeFile
from airflow_provider_callapi.verify.run import CallLeft, Run

pytest_plugins = ["own_call_world"]


def test_a_call_of_another_program_is_not_released(new_world):
    world = new_world()
    start_a_call(world, "order-7")
    store_active(world)

    world.verify("errors")

    assert [call.external_id for call in world.exchange.active_calls] == ["order-7"]
    assert active_in_file(world) is None


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_later_run_recognises_the_call_by_the_numbers_of_its_options(is_listed, new_world):
    world = new_world(external_id_is_listed=is_listed)
    start_a_call(world, "verify-1")
    store_active(world)

    world.verify("errors")

    assert world.exchange.active_calls == []
    assert active_in_file(world) is None


def test_a_later_run_without_numbers_takes_no_call_for_its_own(new_world):
    world = new_world(external_id_is_listed=False)
    start_a_call(world, "verify-1")
    store_active(world)
    world.options = replace(world.options, contact=None, second_number=None, dead_operator=None)

    with pytest.raises(CallLeft):
        world.verify("errors")

    assert len(world.exchange.active_calls) == 1
    assert active_in_file(world) is not None


@pytest.mark.parametrize("start_time_format", ["milliseconds", "seconds", "utc"])
@pytest.mark.parametrize("timezone", ["Europe/Moscow", "Asia/Kathmandu", "America/St_Johns"])
def test_a_call_without_an_id_is_recognised_by_its_start_in_every_time_zone(
    timezone, start_time_format, new_world
):
    world = new_world(
        timezone=timezone, start_time_format=start_time_format, external_id_is_listed=False, appear_delay=25.0
    )
    start_a_call(world, "verify-1")
    store_active(world, age=50)

    world.verify("errors")

    assert world.exchange.active_calls == []
    assert active_in_file(world) is None


@pytest.mark.parametrize("start_time_format", ["milliseconds", "seconds", "utc"])
@pytest.mark.parametrize("age", [150, 500, 900, 3 * 3600])
def test_a_call_without_an_id_that_began_after_the_start_request_is_not_released(
    age, start_time_format, new_world
):
    """The user talks to somebody else by now. But the clock or the record may be wrong."""
    world = new_world(start_time_format=start_time_format)
    other = start_a_call(world, None)
    store_active(world, age=age)

    with pytest.raises(CallLeft, match="hang up your phone, or start this command again"):
        world.verify("errors")

    assert [call.call_session_id for call in world.exchange.active_calls] == [other]
    assert active_in_file(world) is not None


def test_a_call_without_an_id_that_began_with_an_old_start_request_is_not_released(new_world):
    world = new_world()
    other = start_a_call(world, None)
    world.clock.advance(700)
    store_active(world, age=700)

    with pytest.raises(CallLeft):
        world.verify("errors")

    assert [call.call_session_id for call in world.exchange.active_calls] == [other]


@pytest.mark.parametrize("days", [1, 30])
def test_a_call_of_another_day_cannot_be_the_call_of_the_record(days, new_world):
    world = new_world()
    other = start_a_call(world, None)
    store_active(world, age=days * 86_400)

    world.verify("errors")

    assert [call.call_session_id for call in world.exchange.active_calls] == [other]
    assert active_in_file(world) is None


def test_a_call_of_which_the_session_id_is_known_is_released_by_this_id_only(new_world):
    world = new_world()
    other = start_a_call(world, None)
    store_active(world, session_id=7)

    world.verify("errors")

    assert [call.call_session_id for call in world.exchange.active_calls] == [other]
    assert active_in_file(world) is None


def test_a_run_with_refused_credentials_keeps_the_call_in_the_file(new_world):
    world = new_world()
    start_a_call(world, "verify-1")
    store_active(world)
    gateway, file = world.gateway(), ResumeFile.open(world.file, "callapi_default", "0123")
    world.exchange.account.key = "changed"
    began = world.clock()

    with pytest.raises(CallLeft):
        Run(gateway, world.options, file).execute(PROBES)

    assert world.clock() == began, "a repeated poll with the same credentials is useless"
    assert active_in_file(world) == ActiveCall(external_id="verify-1", started_at=began)
    assert any("access_token_invalid" in text for text in world.said)

    world.verify("errors")  # with the changed key
    assert world.exchange.active_calls == []


def test_an_old_call_that_the_service_does_not_know_counts_as_ended(new_world):
    world = new_world()
    store_active(world, session_id=7, age=60)
    began = world.clock()

    world.verify("errors")

    assert world.clock() == began
    assert active_in_file(world) is None
