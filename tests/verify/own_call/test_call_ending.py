"""A run leaves no call active, or it fails and the resume file still names the call."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_call_world import (
    RECOGNISED,
    UNCLEAR,
    Ask,
    active_in_file,
    fails_after_the_start,
    ids_as_text,
    intercept_with,
    interrupt_after_the_start,
    knows_listed_calls_only,
    lose_the_start_answer,
    refusal,
    rewrite_with,
    start_a_call,
)
from verify_world import CONTACT, SECRETS, World

from airflow_provider_callapi.api.transport.jsonrpc import Reply
from airflow_provider_callapi.emulator import Fault, Profile
from airflow_provider_callapi.verify.findings import LimitRefusal
from airflow_provider_callapi.verify.run import CallLeft

pytest_plugins = ["own_call_world"]


@pytest.mark.parametrize("shape", RECOGNISED)
def test_a_call_whose_start_got_no_answer_is_recognised_and_released(shape, new_world, rewrite):
    world = new_world()
    lose_the_start_answer(world)
    rewrite("list.calls", RECOGNISED[shape])

    world.verify("released")

    assert world.exchange.rings(CONTACT) == 1
    assert world.exchange.requests("release.call") == 1
    assert world.exchange.active_calls == []
    assert active_in_file(world) is None


@pytest.mark.parametrize("shape", UNCLEAR)
def test_an_answer_that_may_hide_the_call_proves_no_absence(shape, new_world, rewrite):
    world = new_world()
    lose_the_start_answer(world)
    rewrite("list.calls", UNCLEAR[shape])

    with pytest.raises(CallLeft, match=r"call external_id verify-.* may be active: hang up your phone"):
        world.verify("released")

    assert active_in_file(world) is not None


def test_the_report_finds_a_call_that_the_list_hides(new_world, rewrite):
    world = new_world(data_api=True)
    lose_the_start_answer(world)
    rewrite("list.calls", UNCLEAR["neither number nor external_id"])

    world.verify("released")

    assert world.exchange.active_calls == []
    assert active_in_file(world) is None


@pytest.mark.parametrize("delay", [0.0, 12.0, 25.0])
@pytest.mark.parametrize("is_listed", [True, False])
def test_a_search_is_longer_than_the_delay_of_the_list(delay, is_listed, new_world):
    world = new_world(appear_delay=delay, external_id_is_listed=is_listed)
    lose_the_start_answer(world)

    world.verify("released")

    assert world.exchange.rings(CONTACT) == 1
    assert world.exchange.active_calls == []


@pytest.mark.parametrize(("failures", "is_found"), [(15, True), (60, True), (10_000, False)])
def test_a_failed_poll_does_not_prove_absence(failures, is_found, new_world, intercept):
    world = new_world()
    lose_the_start_answer(world)
    intercept("list.calls", fails_after_the_start(world, failures))
    began = world.clock()

    if is_found:
        world.verify("released")
        assert world.exchange.active_calls == []
    else:
        with pytest.raises(CallLeft):
            world.verify("released")
        assert active_in_file(world) is not None
    assert world.clock() - began < 300


def test_a_start_that_placed_no_call_counts_as_no_call_after_thirty_polls(new_world):
    world = new_world()
    world.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    findings = world.verify("released")

    assert "the start request failed" in findings.refusals["released"]
    assert world.exchange.requests("release.call") == 0
    assert active_in_file(world) is None


def test_a_call_that_was_active_before_the_start_is_not_released(new_world):
    world = new_world(external_id_is_listed=False)
    other = start_a_call(world, None)
    world.clock.advance(60)
    world.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    world.verify("released")

    assert [call.call_session_id for call in world.exchange.active_calls] == [other]


@pytest.mark.parametrize("is_placed", [True, False])
def test_a_start_without_points_releases_only_the_call_of_the_run(is_placed, new_world):
    world = new_world(
        external_id_is_listed=False,
        limit_exceeded_leaves_undone=not is_placed,
        minute_limit=30,
        weights={"list.calls": 1},
    )
    other = start_a_call(world, None)

    findings = world.verify("limit_exceeded")

    assert findings.limit_refusal == LimitRefusal(was_refused=True, was_placed=is_placed)
    assert world.exchange.rings(CONTACT) == (2 if is_placed else 1)
    assert [call.call_session_id for call in world.exchange.active_calls] == [other]


def test_the_file_with_an_active_call_contains_no_number(new_world):
    world = new_world(appear_delay=5.0)
    lose_the_start_answer(world)
    texts = []
    world.before_pause = lambda: world.file.exists() and texts.append(world.file.read_text())

    world.verify("released")

    assert any('"session_id": null' in text for text in texts)
    assert not any(secret in text for text in texts for secret in SECRETS)


def test_session_ids_may_be_text_in_every_answer(new_world, rewrite):
    world = new_world()
    rewrite("list.calls", ids_as_text)
    rewrite("start.informer_call", lambda data: ids_as_text([data])[0])

    findings = world.verify("released")

    assert findings.refusals == {}
    assert findings.calls["released"].appeared is not None
    assert findings.calls["released"].released
    assert world.exchange.active_calls == []


@pytest.mark.parametrize("delay", [8.0, 25.0])
def test_a_call_that_the_service_does_not_know_yet_is_released_once_it_is_listed(delay, new_world, intercept):
    world = new_world(appear_delay=delay)
    intercept("release.call", knows_listed_calls_only(world))
    interrupt_after_the_start(world, 2)

    with pytest.raises(KeyboardInterrupt):
        world.verify("released")

    assert world.exchange.active_calls == []
    assert active_in_file(world) is None


def test_a_listed_call_that_the_service_does_not_know_stays_in_the_file(new_world, intercept):
    world = new_world()
    intercept("release.call", lambda ask: refusal("call_session_not_found"))
    interrupt_after_the_start(world, 2)

    with pytest.raises(CallLeft, match=r"airflow callapi release \d+"):
        world.verify("released")

    assert active_in_file(world) is not None


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY, Fault.DROP_BEFORE, Fault.DROP_AFTER])
def test_a_release_that_failed_during_the_watch_is_repeated(fault, new_world):
    world = new_world(data_api=True)
    world.exchange.fault(fault, method="release.call", times=3)
    began = world.clock()

    findings = world.verify("released")

    assert world.exchange.active_calls == []
    assert findings.calls["released"].released
    assert world.clock() - began < 60


@pytest.mark.parametrize(
    "odd",
    [str, float, lambda number: None, lambda number: "?", lambda number: [number], lambda number: 10**400],
)
def test_odd_limits_are_read_or_ignored(odd, new_world, intercept):
    world = new_world(minute_limit=30, weights={"list.calls": 1})

    def answer(ask: Ask) -> Reply:
        reply = ask()
        limits = reply.metadata.get("limits", {})
        return replace(reply, metadata={"limits": {name: odd(number) for name, number in limits.items()}})

    for method in ("list.calls", "start.informer_call", "release.call"):
        intercept(method, answer)

    findings = world.verify("points", "released")

    assert findings.day_limit == (100_000 if odd in (str, float) else None)
    assert findings.calls["released"].appeared is not None
    assert world.exchange.active_calls == []


@settings(max_examples=60)
@given(
    shape=st.sampled_from([*RECOGNISED.values(), *UNCLEAR.values()]),
    delay=st.sampled_from([0.0, 12.0, 25.0]),
    start=st.sampled_from(["answered", "lost", "id as text"]),
    release=st.sampled_from(["carried out", "fails", "forbidden", "listed calls only"]),
    failed_polls=st.sampled_from([0, 15, 200]),
    interrupted_after=st.none() | st.integers(1, 40),
    data_api=st.booleans(),
)
def test_any_failure_leaves_no_active_call_or_the_run_fails_and_the_file_names_the_call(  # noqa: PLR0917
    shape, delay, start, release, failed_polls, interrupted_after, data_api, tmp_path_factory
):
    file = tmp_path_factory.mktemp("run") / "state.json"
    world = World(Profile(appear_delay=delay), file, data_api=data_api)
    if start == "lost":
        lose_the_start_answer(world)
    if release == "fails":
        world.exchange.fault(Fault.BAD_GATEWAY, method="release.call")
    if release == "forbidden":
        world.exchange.account.forbidden_methods.add("release.call")
    if interrupted_after is not None:
        interrupt_after_the_start(world, interrupted_after)
    error: BaseException | None = None
    with pytest.MonkeyPatch.context() as patch:
        rewrite_with(patch, "list.calls", shape)
        intercept_with(patch, "list.calls", fails_after_the_start(world, failed_polls))
        if start == "id as text":
            rewrite_with(patch, "start.informer_call", lambda data: ids_as_text([data])[0])
        if release == "listed calls only":
            intercept_with(patch, "release.call", knows_listed_calls_only(world))
        try:
            world.verify("released")
        except (KeyboardInterrupt, CallLeft) as raised:
            error = raised

    if world.exchange.active_calls:
        assert isinstance(error, CallLeft)
        assert active_in_file(world) is not None
    elif not isinstance(error, CallLeft):
        assert active_in_file(world) is None
