"""`CallApiHook`: requests, polls and reports through an Airflow connection."""

from __future__ import annotations

import logging
import math
import time
from typing import Any

import pytest
from airflow_fakes import CONTACT, TTS, VNUMBER

from airflow_provider_callapi.api.errors import (
    AuthenticationFailed,
    CallApiError,
    LimitExceeded,
    NotSent,
    Unanswered,
)
from airflow_provider_callapi.api.methods import (
    ListCalls,
    StartInformerCall,
)
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.watch import SessionWatch
from airflow_provider_callapi.emulator import Emulator, Fault, Profile, Script
from airflow_provider_callapi.exceptions import ConnectionSettingsInvalid, InvalidParameter
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytest_plugins = ["airflow_desk"]

START = StartInformerCall(virtual_phone_number=VNUMBER, contact=CONTACT, contact_message=TTS)


def test_the_constructor_of_the_hook_reads_no_connection(monkeypatch):
    def forbidden(*_: Any) -> Any:
        raise AssertionError("read too early")

    monkeypatch.setattr(CallApiHook, "get_connection", forbidden)

    with CallApiHook("no_such_connection"):
        pass  # close() does not read the connection either


# --- requests ---


def test_the_hooks_options_reach_its_clients(desk):
    with CallApiHook(max_limit_wait=7.5, max_sends=2) as hook:
        for client in (hook.call_api, hook.data_api):
            assert (client.max_limit_wait, client.max_sends) == (7.5, 2)


def test_the_hook_waits_for_points_and_no_longer_than_max_limit_wait(desk):
    desk.start()
    desk.exchange.account.minute_limit = 1
    reset = desk.exchange.limits()["minute_reset"]

    with CallApiHook(max_limit_wait=0.5) as hook, pytest.raises(LimitExceeded):
        hook.call(START)
    assert desk.slept == []
    with CallApiHook() as hook:
        hook.call(START)
    assert desk.slept == [reset]


def test_the_limits_are_from_the_newest_answer_that_contained_them(desk):
    with CallApiHook() as hook:
        assert hook.limits is None
        hook.call(START)
        hook.call(START)
        assert hook.limits is not None
        assert hook.limits.day_remaining == desk.exchange.limits()["day_remaining"] == 99_998


# --- the rest of its interface ---


def test_logout_ends_the_session_of_a_login_and_keeps_a_key_valid(desk):
    desk.connect(login=True)
    with CallApiHook() as hook:
        hook.call(ListCalls())
        hook.logout()
        hook.call(ListCalls())
    assert desk.sent() == ["login.user", "logout.user", "login.user"]

    desk.connect()
    with CallApiHook() as hook:
        hook.call(ListCalls())
        hook.logout()
        hook.call(ListCalls())
    assert desk.sent()[3:] == []


def test_the_end_of_the_context_sends_no_logout(desk):
    desk.connect(login=True)
    with CallApiHook() as hook:
        hook.call(ListCalls())

    assert "logout.user" not in desk.sent()


def test_the_hook_can_call_a_method_that_the_package_does_not_know(desk):
    with CallApiHook() as hook:
        assert hook.call_method("list.calls") == []
        with pytest.raises(CallApiError, match="method_not_found"):
            hook.call_method("fax.send", {"contact": CONTACT})


def test_a_known_method_called_by_its_name_is_repeated_as_its_class_allows(desk):
    desk.exchange.fault(Fault.DROP_AFTER, times=1)
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")

    with CallApiHook() as hook:
        assert hook.call_method("list.calls") == []
        with pytest.raises(Unanswered):
            hook.call_method("start.informer_call", START.params)

    assert desk.exchange.rings(CONTACT) == 1


def test_a_deprecated_version_is_logged_as_a_warning(desk, caplog, monkeypatch):
    monkeypatch.setattr(CallApiHook, "log", logging.getLogger("hook"))  # Airflow's own is not propagated
    desk.exchange.account.deprecated_version = "v3.0"
    desk.connect(extra={"api_version": "v3.0"})

    with caplog.at_level(logging.WARNING), CallApiHook() as hook:
        hook.call(ListCalls())

    assert "set extra.api_version of connection callapi_default" in caplog.text


# --- the Data API ---


def test_a_request_to_the_data_api_without_its_field_raises_an_error_that_names_the_field(desk):
    desk.connect(extra={"data_api": False})
    hook = CallApiHook()

    assert not hook.has_data_api
    with pytest.raises(ConnectionSettingsInvalid, match=r"extra\.data_api"):
        hook.reports.of_call(1)


def test_a_report_is_found_by_session_or_external_id_after_its_lag(desk):
    desk.exchange.report_lag = 30.0
    desk.exchange.script(CONTACT, Script(rings=2, talks=3))
    session = desk.start(external_id="mine")
    other = desk.start(external_id="other")
    desk.clock.advance(10)

    with CallApiHook() as hook:
        assert hook.reports.of_call(session) is None
        desk.clock.advance(30)
        by_session, by_id = hook.reports.of_call(session), hook.reports.of_call(external_id="mine")
        assert by_session == by_id
        assert by_session is not None
        assert (by_session.id, by_session.talk_duration) == (session, 3)
        found = hook.reports.of_call(external_id="other")
        assert found is not None
        assert found.id == other
        assert hook.reports.of_call(external_id="unknown") is None
        with pytest.raises(ValueError, match="call_session_id or external_id"):
            hook.reports.of_call()


def test_the_newest_call_with_an_external_id_is_found(desk):
    desk.exchange.script(CONTACT, Script(rings=1, talks=1))
    sessions = [desk.start(external_id="mine") for _ in range(3)]
    desk.clock.advance(10)

    with CallApiHook() as hook:
        report = hook.reports.of_call(external_id="mine")

    assert report is not None
    assert report.id == sessions[-1]


def test_a_report_of_the_last_thirty_days_is_found_without_a_start_time(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=1))
    session = desk.start(external_id="mine")
    desk.clock.advance(29 * 86_400)

    with CallApiHook() as hook:
        assert hook.reports.of_call(session) is not None
        assert hook.reports.of_call(session, since=desk.clock() - 5 * 86_400) is None


def test_the_wait_for_a_report_ends_with_the_report_or_at_the_timeout(desk):
    desk.exchange.report_lag = 25.0
    desk.exchange.script(CONTACT, Script(rings=0, talks=1))
    session = desk.start()
    desk.clock.advance(1)

    with CallApiHook() as hook:
        assert hook.reports.wait_for(session, timeout=15) is None
        assert sum(desk.slept) == 15
        assert hook.reports.wait_for(session, timeout=15) is not None


@pytest.mark.parametrize("zone", ["Europe/Moscow", "Asia/Vladivostok", "America/New_York", "UTC"])
def test_times_of_a_report_are_read_in_the_accounts_zone(desk, zone):
    desk.exchange.account.timezone = zone
    desk.connect(extra={"timezone": zone})
    desk.exchange.script(CONTACT, Script(rings=2, talks=3))
    started = desk.clock()
    session = desk.start()
    desk.clock.advance(10)

    with CallApiHook() as hook:
        found = hook.reports.final_outcome(Outcome(session, started_at=started))

    assert found is not None
    assert found[0].ended_at == started + 5


def test_the_accounts_time_zone_is_requested_once_and_only_if_it_is_needed(desk):
    desk.exchange.account.timezone = "Asia/Vladivostok"
    desk.connect(extra={"timezone": None})
    desk.exchange.script(CONTACT, Script(rings=2, talks=3))
    started = desk.clock()
    session = desk.start()
    desk.clock.advance(10)

    with CallApiHook() as hook:
        hook.call(ListCalls())
        assert "get.account" not in desk.sent()
        found = hook.reports.final_outcome(Outcome(session, started_at=started))
        hook.reports.final_outcome(Outcome(session, started_at=started))

    assert found is not None
    assert found[0].ended_at == started + 5
    assert desk.sent().count("get.account") == 1


def test_the_documented_time_zone_is_used_without_the_data_api(desk):
    desk.connect(extra={"data_api": False, "timezone": None})

    with CallApiHook() as hook:
        assert hook.timezone == "Europe/Moscow"
    assert desk.sent() == []


@pytest.mark.parametrize(
    ("script", "answered", "reason"),
    [
        (Script(rings=2, talks=3), True, "success_finish"),
        (Script(rings=2, talks=0.2), True, "success_finish"),  # zero seconds of talk: the legs decide
        (Script.busy(3), False, "subscriber_busy"),
        (Script.no_answer(20), False, "subscriber_not_responsible"),
    ],
)
def test_the_data_api_reports_the_outcome_that_polls_could_not_show(desk, script, answered, reason):
    desk.exchange.script(CONTACT, script)
    session = desk.start()

    with CallApiHook() as hook:
        assert hook.reports.final_outcome(Outcome(session)) is None, "the call is going on"
        desk.clock.advance(60)
        found = hook.reports.final_outcome(Outcome(session))

    assert found is not None
    call, report = found
    assert (call.status, call.answered, call.finish_reason, call.source) == (
        "ended",
        answered,
        reason,
        "data_api",
    )
    assert call.communication_id == report.communication_id


def test_a_call_that_was_observed_as_answered_stays_answered_with_any_report(desk):
    desk.exchange.script(CONTACT, Script.busy(3))
    session = desk.start()
    desk.clock.advance(60)

    with CallApiHook() as hook:
        found = hook.reports.final_outcome(Outcome(session, answered=True))

    assert found is not None
    assert found[0].answered is True


@pytest.mark.parametrize("zone", ["Asia/Kamchatka", "Europe/Kaliningrad", "America/New_York"])
@pytest.mark.parametrize("callapi_profile", [Profile(future_date_till_is_allowed=False)])
def test_a_period_that_must_end_now_ends_now_in_the_accounts_zone(desk, zone):
    """An end that is hours too early hides the call, and a search then takes the call for never placed."""
    desk.exchange.account.timezone = zone
    desk.connect(extra={"timezone": None})
    desk.exchange.script(CONTACT, Script(rings=1, talks=1))
    session = desk.start(external_id="mine")
    desk.clock.advance(60)

    with CallApiHook() as hook:
        for _ in range(2):  # before and after the hook knows what the Data API refuses
            report = hook.reports.of_call(external_id="mine", contact=CONTACT, since=desk.clock() - 90)
            assert report is not None
            assert report.id == session


REFUSING = Profile(
    refused_fields={
        "full_record_file_link": "parameter_component_disabled",
        "tags": "unexpected_parameters",
        "contact_phone_number": "parameter_component_disabled",
    },
    refused_filters=("id", "call_api_external_id", "call_session_id"),
    youngest_date_from=36 * 3600.0,
    future_date_till_is_allowed=False,
)


@pytest.mark.parametrize("callapi_profile", [REFUSING])
def test_a_data_api_that_refuses_fields_filters_and_dates_still_reports_the_call(desk):
    desk.exchange.script(CONTACT, Script(rings=2, talks=3))
    other, session = desk.start(external_id="other"), desk.start(external_id="mine")
    desk.clock.advance(60)

    with CallApiHook() as hook:
        by_session = hook.reports.of_call(session, since=desk.clock(), recording_link=True)
        by_id = hook.reports.of_call(external_id="mine", since=desk.clock() - 90)
        assert by_session is not None
        assert by_id is not None
        assert by_session.id == by_id.id == session != other
        asked = len(desk.sent())
        found = hook.reports.final_outcome(Outcome(session, started_at=desk.clock() - 60))
        assert len(desk.sent()) == asked + 1, "nothing refused is asked for again"
    assert found is not None
    assert found[0].answered is True


@pytest.mark.parametrize(
    "callapi_profile", [Profile(refused_fields={"finish_reason": "parameter_component_disabled"})]
)
def test_a_report_without_a_needed_field_counts_as_missing_and_proves_no_absence(desk):
    desk.exchange.script(CONTACT, Script(rings=2, talks=3))
    session = desk.start(external_id="mine")
    desk.clock.advance(60)

    with CallApiHook() as hook:
        assert hook.reports.final_outcome(Outcome(session)) is None
        with pytest.raises(Unanswered, match="may be the report of the call"):
            hook.reports.of_call(external_id="mine")


@pytest.mark.parametrize("callapi_profile", [Profile(youngest_date_from=400 * 86_400.0)])
def test_a_date_that_is_always_refused_does_not_fail_a_placed_call(desk):
    session = desk.start()
    desk.clock.advance(60)

    with CallApiHook() as hook:
        assert hook.reports.final_outcome(Outcome(session)) is None


@pytest.mark.parametrize("callapi_profile", ["seen"])
def test_a_login_works_with_every_name_of_the_tokens_end(desk):
    desk.connect(login=True)
    with CallApiHook() as hook:
        hook.call(ListCalls())
        desk.clock.advance(3000)
        hook.call(ListCalls())
    assert desk.sent().count("login.user") == 1


# --- over a real connection ---


def test_a_start_request_over_http_is_sent_once_and_a_poll_is_repeated(
    callapi_emulator: Emulator, connection: Any, exchange: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection(extra={"timeout": 0.5})
    pauses: list[float] = []
    exchange.fault(Fault.HANG, method="start.informer_call", seconds=4)
    exchange.fault(Fault.DROP_BEFORE, method="list.calls")

    with CallApiHook() as hook:
        hook.call_api._sleep = pauses.append  # type: ignore[method-assign]
        began = time.monotonic()
        with pytest.raises(Unanswered, match="ReadTimeout"):
            hook.call(START)
        assert time.monotonic() - began < 3.5
        assert len(hook.call(ListCalls())) == 1
        with callapi_emulator.refusing(), pytest.raises(NotSent):
            hook.call(START)

    assert exchange.rings(CONTACT) == 1
    assert len(pauses) == 5


def test_wrong_credentials_are_a_permanent_error(desk):
    desk.connect(password="wrong")

    with CallApiHook() as hook, pytest.raises(AuthenticationFailed) as failure:
        hook.call(ListCalls())

    assert failure.value.permanent
    assert desk.slept == []


@pytest.mark.parametrize("callapi_profile", [Profile(vanish_after=3.0, vanish_seconds=20.0)])
def test_the_snapshots_of_a_hook_tell_how_long_a_call_must_be_missing(desk):
    desk.exchange.script(CONTACT, Script(rings=60))
    desk.start()
    with CallApiHook() as hook:
        found = []
        for _ in range(6):  # the call is missing in the second to the fifth snapshot
            found.append(hook.take_snapshot())
            desk.clock.advance(5.0)
    assert [len(snapshot.sessions) for snapshot in found] == [1, 0, 0, 0, 0, 1]
    assert [snapshot.needed_absence for snapshot in found] == [3.5, 3.5, 3.5, 3.5, 3.5, 15]


@pytest.mark.parametrize("poll_interval", [0, -1, 0.05, math.nan, math.inf, None, "often", True])
def test_a_wrong_poll_interval_is_refused_by_name_before_the_first_request(desk, poll_interval):
    session = desk.start()
    watch = SessionWatch(session, appear_by=desk.clock() + 60, deadline=desk.clock() + 600)
    sent = desk.sent()
    with CallApiHook() as hook:
        for until in ("answered", "ended"):
            with pytest.raises(InvalidParameter, match="poll_interval"):
                hook.watch_session(watch, until=until, poll_interval=poll_interval)
        with pytest.raises(InvalidParameter, match="poll_interval"):
            hook.call_gateway(print, poll_interval=poll_interval)
        with pytest.raises(InvalidParameter, match="poll_interval"):
            next(hook.poll_snapshots(poll_interval))
    assert desk.sent() == sent


@pytest.mark.parametrize("request_", [None, "list.calls", {"method": "list.calls"}, ListCalls])
def test_only_a_request_is_sent(desk, request_):
    with (
        CallApiHook() as hook,
        pytest.raises(InvalidParameter, match="request: a request, such as"),
    ):
        hook.call(request_)
    assert desk.sent(but=()) == []


@pytest.mark.parametrize("changed", [{"watch": 5}, {"watch": None}, {"until": "talked"}, {"until": None}])
def test_a_wrong_wait_is_refused_by_name_before_the_first_request(desk, changed):
    watch = SessionWatch(5, appear_by=desk.clock() + 60, deadline=desk.clock() + 600)
    wait = {"watch": watch, "until": "ended", "poll_interval": 5, **changed}
    with CallApiHook() as hook, pytest.raises(InvalidParameter, match=f"^{next(iter(changed))}: "):
        hook.watch_session(**wait)
    assert desk.sent(but=()) == []
