"""A run calls no more than it must: kills, resumes, bounds, and calls that are left."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from known_numbers import VNUMBER
from verify_world import CONTACT, SECOND, SECRETS, World

from airflow_provider_callapi.api.errors import AuthenticationFailed
from airflow_provider_callapi.api.request import Component
from airflow_provider_callapi.emulator import Fault, Profile
from airflow_provider_callapi.verify.gateway import Service
from airflow_provider_callapi.verify.own_call.call_run import CallRun
from airflow_provider_callapi.verify.probes import MOST_CALLS, PROBES
from airflow_provider_callapi.verify.resume_file import ActiveCall, ResumeFile, ResumeFileInvalid
from airflow_provider_callapi.verify.run import CallLeft, Run


@pytest.fixture
def world(tmp_path):
    return World(Profile(), tmp_path / "state.json", login=True)


def kill_at(world: World, pause: int, error: type[BaseException] = KeyboardInterrupt) -> None:
    """Interrupt the program in one of its pauses."""
    pauses = iter(range(1, 10_000))

    def count() -> None:
        if next(pauses) == pause:
            raise error

    world.before_pause = count


def state_of(world: World):
    return ResumeFile.open(world.file, "callapi_default", "0123").state


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_an_interrupted_run_releases_its_call(world, error):
    kill_at(world, 8, error)

    with pytest.raises(error):
        world.verify("released")

    assert world.exchange.rings(CONTACT) == 1
    assert world.exchange.active_calls == []
    assert state_of(world).active is None


@pytest.mark.parametrize("pause", range(1, 120, 7))
def test_a_run_that_is_killed_anywhere_and_repeated_calls_each_person_once_more_at_most(world, pause):
    kill_at(world, pause)
    with pytest.raises(KeyboardInterrupt):
        world.verify()
    assert world.exchange.active_calls == []
    finished = list(state_of(world).finished)
    world.before_pause = lambda: None
    world.said.clear()

    findings = world.verify()

    repeated = [probe.name for probe in PROBES if f"{probe.name}: {probe.finds}" in world.said]
    assert set(repeated).isdisjoint(finished)
    assert world.exchange.active_calls == []
    assert set(state_of(world).finished) == {probe.name for probe in PROBES if not probe.only_on_request}
    assert len(findings.calls) == 8
    assert world.exchange.rings(CONTACT) <= 8 + 2


def test_a_call_that_a_killed_process_left_is_released_first(world):
    """The process had no chance to release the call."""
    world.say("Please pick up, and stay on the line. The program ends the call.")
    world.service("https://callapi.comagic.ru/v4.0").send_once(
        "start.informer_call",
        {
            "contact": CONTACT,
            "virtual_phone_number": VNUMBER,
            "contact_message": {"type": "tts", "value": "Hello"},
            "external_id": "verify-1",
        },
    ).raise_for_error()
    (call,) = world.exchange.active_calls
    file = ResumeFile.open(world.file, "callapi_default", "0123")
    file.state.active = ActiveCall(external_id="verify-1", session_id=call.call_session_id)
    file.save()

    world.verify("errors")

    assert world.exchange.active_calls == []
    assert state_of(world).active is None


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_call_whose_start_got_no_answer_is_searched_and_released(is_listed, tmp_path):
    world = World(Profile(external_id_is_listed=is_listed), tmp_path / "state.json")
    world.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")

    findings = world.verify("released")

    assert world.exchange.rings(CONTACT) == 1
    assert world.exchange.active_calls == []
    assert "the start request failed" in findings.refusals["released"]
    assert state_of(world).finished == [], "a later run tries again"


def test_a_call_that_cannot_be_released_stays_in_the_file(world):
    kill_at(world, 8)
    world.exchange.account.forbidden_methods.add("release.call")

    with pytest.raises(CallLeft, match=r"airflow callapi release \d+"):
        world.verify("released")

    assert state_of(world).active is not None
    world.exchange.account.forbidden_methods.clear()
    world.before_pause = lambda: None
    world.verify("errors")
    assert world.exchange.active_calls == []


def test_a_run_that_is_interrupted_during_its_release_names_the_call(world, monkeypatch):
    kill_at(world, 8)
    say = world.say

    def interrupt_the_release(text: str) -> None:
        if "The command ends the call" in text:
            raise KeyboardInterrupt
        say(text)

    monkeypatch.setattr(world, "say", interrupt_the_release)

    with pytest.raises(CallLeft, match=r"call session \d+ may be active: .* or start this command again"):
        world.verify("released")

    assert len(world.exchange.active_calls) == 1
    assert state_of(world).active is not None


def test_a_finished_run_repeats_no_request(world):
    world.verify()
    rings, requests = world.exchange.rings(CONTACT), world.exchange.requests("start.informer_call")

    again = world.verify()

    assert (world.exchange.rings(CONTACT), world.exchange.requests("start.informer_call")) == (
        rings,
        requests,
    )
    assert len(again.calls) == 8


def test_a_run_rings_no_other_phones_and_is_bounded(world):
    for phone in (CONTACT, SECOND):
        world.exchange.expect_ring(phone, times={CONTACT: 8, SECOND: 2}[phone])
    world.exchange.expect_no_other_rings()

    world.verify()

    world.exchange.check_rings()
    assert sum(probe.calls for probe in PROBES) <= MOST_CALLS


def test_interrupted_runs_together_place_no_more_calls_than_the_bound(world):
    for _ in range(MOST_CALLS + 3):
        kill_at(world, 8)
        with suppress(KeyboardInterrupt):
            world.verify("released")

    assert world.exchange.rings(CONTACT) == MOST_CALLS


def test_a_probe_whose_start_request_is_refused_stays_unfinished(world):
    world.exchange.account.components_off.add(Component.INFORMER)

    findings = world.verify("heard", "errors")

    assert findings.refusals == {"heard": "the start request failed: component_disabled"}
    assert state_of(world).finished == ["errors"]
    assert world.exchange.requests("release.call") == 0


def test_a_run_without_the_data_api_watches_only_list_calls(tmp_path):
    world = World(Profile(report_delay=5.0), tmp_path / "state.json", data_api=False)

    findings = world.verify()

    assert findings.refusals.keys() == {"login", "reports", "dates"}
    assert findings.calls["heard"].ended == 23.0
    assert findings.calls["heard"].report_after is None
    assert world.exchange.active_calls == []


def test_a_report_that_never_comes_ends_the_wait(tmp_path):
    world = World(Profile(report_delay=10_000.0), tmp_path / "state.json")

    findings = world.verify("heard")

    assert findings.calls["heard"].report_after is None
    assert "report_delay" not in world.profile_of(findings)


def test_a_wrong_password_stops_the_run_before_any_call(world):
    gateway = world.gateway()
    world.exchange.account.password = "changed"

    with pytest.raises(AuthenticationFailed):
        Run(gateway, world.options, ResumeFile.open(world.file, "callapi_default", "0123")).execute(PROBES)

    assert world.exchange.rings(CONTACT) == 0


def test_the_file_the_output_and_the_profile_contain_no_number_and_no_secret(world):
    findings = world.verify()
    texts = [world.file.read_text(), *world.said, str(world.profile_of(findings))]

    for secret in SECRETS:
        assert not any(secret in text for text in texts)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"version": 2}', '{"conn_id": "callapi_default", "finished": 3}']
)
def test_a_file_that_is_no_resume_file_is_an_error_that_names_the_file(content, tmp_path):
    path = tmp_path / "state.json"
    path.write_text(content)

    with pytest.raises(ResumeFileInvalid, match=r"state\.json: not a readable resume file"):
        ResumeFile.open(path, "callapi_default", "0123")


def test_a_file_of_another_connection_is_an_error(world):
    world.verify("errors")

    with pytest.raises(ResumeFileInvalid, match="belongs to the connection callapi_default"):
        ResumeFile.open(world.file, "other", "0123")


def test_a_call_that_a_run_with_another_account_has_left_is_named(world):
    world.file.write_text('{"conn_id": "callapi_default", "account": "4567", "active": {"external_id": "a"}}')

    with pytest.raises(ResumeFileInvalid, match=r"another account .* hang up your phone"):
        ResumeFile.open(world.file, "callapi_default", "0123")


def test_an_error_of_the_service_hides_the_number(world):
    world.exchange.account.blacklist.add(CONTACT)

    findings = world.verify("heard")

    assert "contact_in_blacklist" in findings.refusals["heard"]
    assert not any(CONTACT in text for text in [world.file.read_text(), *world.said])


def test_the_numbers_are_in_no_repr(world):
    plans = []
    place = CallRun.place

    def remember(run):
        plans.append(run.plan)
        return place(run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CallRun, "place", remember)
        world.verify("dead_operator")

    text = repr([plans, world.options, world.gateway()])
    assert plans
    assert not any(secret in text for secret in SECRETS)


def test_a_start_that_is_refused_for_lack_of_points_is_searched_and_released(tmp_path):
    """Whether such a start places a call is one of the questions."""
    profile = Profile(limit_exceeded_leaves_undone=False, minute_limit=5, weights={"start.informer_call": 9})
    world = World(profile, tmp_path / "state.json")

    findings = world.verify("released")

    assert findings.refusals == {"released": "the start request failed: limit_exceeded"}
    assert world.exchange.rings(CONTACT) == 1
    assert world.exchange.active_calls == []


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (Profile(), "list.calls costs no points"),
        (Profile(weights={"list.calls": 1}, minute_limit=30), "component_disabled"),
    ],
)
def test_a_probe_that_cannot_use_up_the_points_has_no_finding(profile, reason, tmp_path):
    world = World(profile, tmp_path / "state.json")
    world.exchange.account.components_off.add(Component.INFORMER)

    findings = world.verify("limit_exceeded")

    assert reason in findings.refusals["limit_exceeded"]
    assert findings.limit_refusal is None
    assert world.exchange.requests("list.calls") < 200


def test_a_call_whose_session_id_cannot_be_read_is_searched_and_released(world, monkeypatch):
    send_once = Service.send_once

    def without_id(self, method, params, token=None):
        answer = send_once(self, method, params, token)
        return replace(answer, data={"call_session_id": "?"}) if method.startswith("start.") else answer

    monkeypatch.setattr(Service, "send_once", without_id)

    findings = world.verify("released")

    assert "no session id" in findings.refusals["released"]
    assert world.exchange.rings(CONTACT) == 1
    assert world.exchange.active_calls == []


def test_dates_need_a_time_zone(world):
    world.exchange.account.forbidden_methods.add("get.account")
    world.options = replace(world.options, timezone=None)

    assert "time zone is not known" in world.verify("reports", "dates").refusals["dates"]


def test_an_account_with_an_unknown_zone_is_measured_in_the_connections_zone(world, monkeypatch):
    send_once = Service.send_once

    def with_unknown_zone(self, method, params, token=None):
        answer = send_once(self, method, params, token)
        zone = [{"timezone": "Mars/Olympus"}]
        return replace(answer, data=zone) if method == "get.account" else answer

    monkeypatch.setattr(Service, "send_once", with_unknown_zone)

    findings = world.verify("reports", "dates")

    assert "dates" not in findings.refusals
    assert findings.account_zone == "Mars/Olympus"
    assert findings.dates is not None


def test_a_report_without_the_call_shows_nothing_about_the_default_fields(world, monkeypatch):
    send_once = Service.send_once

    def without_default_fields(self, method, params, token=None):
        answer = send_once(self, method, params, token)
        return replace(answer, data=[]) if method == "get.calls_report" and "fields" not in params else answer

    monkeypatch.setattr(Service, "send_once", without_default_fields)

    heard = world.verify("heard").calls["heard"]

    assert (heard.record_list, heard.virtual_number_is_empty) == (None, None)
    assert heard.ended is not None  # the report with chosen fields contains the call


@pytest.mark.parametrize("data", [None, [], "token"])
def test_a_login_whose_answer_is_no_object_leaves_its_form_unknown(world, monkeypatch, data):
    log_in = Service.log_in
    monkeypatch.setattr(Service, "log_in", lambda service: replace(log_in(service), data=data))

    findings = world.verify("login", "errors")

    assert findings.login is None
    assert findings.refusals == {"login": "the answer to the login is no object"}
    assert findings.errors is not None
