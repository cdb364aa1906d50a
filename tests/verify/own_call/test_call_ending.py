"""A run leaves no call active, or it fails and the resume file still names the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_numbers import VNUMBER
from verify_world import CONTACT, SECRETS, World

from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc, Reply
from airflow_provider_callapi.emulator import Fault, Profile, Script
from airflow_provider_callapi.verify.findings import LimitRefusal
from airflow_provider_callapi.verify.probes import PROBES
from airflow_provider_callapi.verify.resume_file import ActiveCall, ResumeFile
from airflow_provider_callapi.verify.run import CallLeft, Run

Rows = list[dict[str, Any]]


@pytest.fixture
def new_world(tmp_path):
    """Return a function that creates a world without the Data API."""
    return lambda data_api=False, **profile: World(
        Profile(**profile), tmp_path / "state.json", data_api=data_api
    )


Ask = Callable[[], Reply]


def intercept_with(patch: pytest.MonkeyPatch, method: str, answer: Callable[[Ask], Reply]) -> None:
    send = JsonRpc.send

    def send_or_intercept(self, called, params, **options):
        def ask() -> Reply:
            return send(self, called, params, **options)

        return answer(ask) if called == method else ask()

    patch.setattr(JsonRpc, "send", send_or_intercept)


def rewrite_with(patch: pytest.MonkeyPatch, method: str, change: Callable[[Any], Any]) -> None:
    def answer(ask: Ask) -> Reply:
        reply = ask()
        return replace(reply, result={"data": change(reply.result["data"])}) if reply.result else reply

    intercept_with(patch, method, answer)


@pytest.fixture
def intercept(monkeypatch):
    """Return a function that lets a test answer each request to a method instead of the service."""
    return partial(intercept_with, monkeypatch)


@pytest.fixture
def rewrite(monkeypatch):
    """Return a function that changes the data in each answer to a method."""
    return partial(rewrite_with, monkeypatch)


def refusal(mnemonic: str) -> Reply:
    error = {"code": -32602, "message": "refused", "data": {"mnemonic": mnemonic}}
    return Reply(request_id="1", error=error)


def active_in_file(world: World) -> ActiveCall | None:
    return ResumeFile.open(world.file, "callapi_default", "0123").state.active


def lose_the_start_answer(world: World) -> None:
    world.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")


def interrupt_after_the_start(world: World, seconds: int) -> None:
    pauses = iter(range(1, 10_000))

    def count() -> None:
        if world.exchange.requests("start.informer_call") and next(pauses) == seconds:
            raise KeyboardInterrupt

    world.before_pause = count


def start_a_call(world: World, external_id: str | None) -> int:
    """Start a call as a process that was killed, or as another program of the account."""
    world.exchange.script(CONTACT, Script(rings=3, talks=None))
    params = {
        "contact": CONTACT,
        "virtual_phone_number": VNUMBER,
        "contact_message": {"type": "tts", "value": "Hello"},
    }
    named = {} if external_id is None else {"external_id": external_id}
    answer = world.gateway().call_api.send_once("start.informer_call", {**params, **named})
    return answer.data["call_session_id"]


def store_active(world: World, *, session_id: int | None = None, age: float = 0.0) -> None:
    """Store the record of a call whose start request was sent ``age`` seconds ago."""
    file = ResumeFile.open(world.file, "callapi_default", "0123")
    file.state.active = ActiveCall(
        external_id="verify-1", session_id=session_id, started_at=world.clock() - age
    )
    file.save()


def each(**fields: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [{**row, **fields} for row in rows]


def without(*names: str) -> Callable[[Rows], Rows]:
    return lambda rows: [{name: row[name] for name in row if name not in names} for row in rows]


def ids_as_text(rows: Rows) -> Rows:
    return [{**row, "call_session_id": str(row["call_session_id"])} for row in rows]


def single_object(rows: Rows) -> Any:
    return rows[0] if len(rows) == 1 else rows


RECOGNISED: dict[str, Callable[[Rows], Any]] = {
    "as documented": lambda rows: rows,
    "ids as text": ids_as_text,
    "a single object": single_object,
    "no external_id": without("external_id"),
    "a null as the external_id": each(external_id=None),
    "an empty external_id": each(external_id=""),
    "an unreadable external_id": each(external_id={}),
    "no country code and no external_id": each(external_id=None, contact_phone_number="9161234567"),
    "another number and the external_id": each(contact_phone_number="74950000000"),
}
UNCLEAR: dict[str, Callable[[Rows], Any]] = {
    "a masked number and no external_id": each(external_id=None, contact_phone_number="7916***4567"),
    "neither number nor external_id": without("contact_phone_number", "external_id"),
    "a number without digits and no external_id": each(external_id=None, contact_phone_number="***"),
    "no session id": without("call_session_id"),
    "an unreadable session id": each(call_session_id="?"),
    "rows that are no objects": lambda rows: [str(row) for row in rows],
    "no list while a call is active": lambda rows: None if rows else rows,
    "a text while a call is active": lambda rows: "none" if rows else rows,
}


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


def fails_after_the_start(world: World, polls: int) -> Callable[[Ask], Reply]:
    """Return an answer to ``list.calls``: the first polls after the start fail."""
    left = iter(range(polls))

    def answer(ask: Ask) -> Reply:
        is_started = world.exchange.requests("start.informer_call")
        return refusal("internal_error") if is_started and next(left, None) is not None else ask()

    return answer


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


def knows_listed_calls_only(world: World) -> Callable[[Ask], Reply]:
    """Return an answer to ``release.call``: the service knows no call session that is not listed yet."""
    delay = world.exchange.profile.appear_delay

    def answer(ask: Ask) -> Reply:
        is_unlisted = any(world.clock() < call.started_at + delay for call in world.exchange.active_calls)
        return refusal("call_session_not_found") if is_unlisted else ask()

    return answer


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


def test_an_old_call_that_the_service_does_not_know_counts_as_ended(new_world):
    world = new_world()
    store_active(world, session_id=7, age=60)
    began = world.clock()

    world.verify("errors")

    assert world.clock() == began
    assert active_in_file(world) is None


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
