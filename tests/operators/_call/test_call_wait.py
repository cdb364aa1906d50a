"""The wait for a placed call: its limits, the report, and the judgement of the answer."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowTaskTimeout,
)
from airflow_fakes import CONTACT, installed_task_state
from ways_to_wait import TAGS, tags_set, waiting_task, ways

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.emulator import Fault, Profile, Script
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallApiTrouble,
    CallNotAnswered,
    CallOutcomeUnknown,
    CallStillActive,
)

pytest_plugins = ["airflow_desk"]


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_call_that_was_not_answered_fails_and_the_retry_calls_again(desk, way):
    desk.exchange.script(CONTACT, Script.busy(8))
    calling = waiting_task(desk, way, require_answer=True, external_id="mine")

    with pytest.raises(CallNotAnswered, match=r"subscriber_busy\); a retry calls again") as failure:
        calling.run()
    assert not isinstance(failure.value, AirflowFailException), "a retry is meant to call again"
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))
    result = calling.retry()

    assert (result["answered"], result["attempt"], result["external_id"]) == (True, 2, "mine-2")
    assert desk.exchange.rings(CONTACT) == 2


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_error_of_the_last_try_promises_no_retry(desk):
    desk.exchange.script(CONTACT, Script.busy(8))
    calling = waiting_task(desk, require_answer=True, external_id="mine")
    calling.ti.max_tries = 0

    with pytest.raises(CallNotAnswered, match="this was the last try: to call again, clear this task"):
        calling.run()


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_an_unknown_answer_fails_without_retries_because_a_retry_would_ring_again(desk, way, capsys):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(CONTACT, Script.busy(8))
    calling = waiting_task(desk, way, require_answer=True)

    with pytest.raises(CallOutcomeUnknown) as failure:
        calling.run()
    log = capsys.readouterr().out
    assert log.index("require_answer without the Data API") < log.index("placing the call")
    assert isinstance(failure.value, AirflowFailException)
    with pytest.raises(CallOutcomeUnknown):
        calling.retry()

    assert desk.exchange.rings(CONTACT) == 1


@ways
def test_require_answer_accepts_an_observed_answer_without_the_data_api(desk, way):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))

    assert waiting_task(desk, way, require_answer=True).run()["answered"] is True


@ways
def test_the_task_waits_for_a_late_report(desk, way):
    desk.exchange.report_lag = 45.0
    desk.exchange.script(CONTACT, Script(rings=1, talks=2))
    calling = waiting_task(desk, way)

    result = calling.run()

    assert (result["answered"], result["source"], result["talk_seconds"]) == (True, "data_api", 2)
    pauses = [d for d in calling.deferrals if d.method_name == "report_due"]
    assert bool(pauses) is (way == "deferral"), "a worker's slot is not held by a deferrable task"
    assert desk.exchange.requests("get.calls_report") >= 3


@pytest.mark.parametrize(
    "durable", [pytest.param(True, marks=pytest.mark.needs_airflow("3.3", "task state")), False]
)
def test_a_late_report_in_dag_test_needs_a_journal(desk, durable):
    """`dag.test()` drops the values that the task gives to its deferral."""
    desk.exchange.report_lag = 45.0
    desk.exchange.script(CONTACT, Script(rings=1, talks=2))
    calling = waiting_task(desk, "deferral", durable=durable, tags={"answered": 36})
    calling.is_dag_test = True

    if durable:
        result = calling.run()
        assert (result["answered"], result["tags"]) == (True, [36])
    else:
        with pytest.raises(CallApiFailure, match="The call was placed and has ended"):
            calling.run()

    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.parametrize("seen", [True, False])
def test_the_wait_for_a_missing_report_ends_after_the_report_timeout(desk, way, seen):
    """This includes a call that no poll has shown, whose end has no known time."""
    desk.exchange.report_lag = 100_000.0
    desk.exchange.script(CONTACT, Script.busy(8) if seen else Script(listed_after=1, rings=1, talks=1))
    calling = waiting_task(desk, way, report_timeout=60)

    result = calling.run()

    assert (result["status"], result["observed"], result["answered"], result["source"]) == (
        "ended",
        seen,
        None,
        "list.calls",
    )
    assert 4 <= desk.exchange.requests("get.calls_report") <= 9


@ways
@pytest.mark.parametrize("data_api", [True, False])
@pytest.mark.parametrize("poll_interval", [0.2, 1, 5])
@pytest.mark.parametrize(
    "callapi_profile",
    [Profile(vanish_after=seconds, vanish_seconds=3.0) for seconds in (4.0, 6.5)],
    ids=["4 s", "6.5 s"],
)
def test_a_call_that_list_calls_omits_for_three_seconds_has_not_ended(desk, way, data_api, poll_interval):
    """Also if many polls miss it. A retry of a task that requires an answer would ring the contact again."""
    desk.connect(extra={"data_api": data_api})
    desk.exchange.script(CONTACT, Script(rings=8, talks=20))
    began = desk.clock()

    assert waiting_task(desk, way, poll_interval=poll_interval, require_answer=True).run()["answered"] is True
    assert desk.clock() - began >= 28


@ways
@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(
    "callapi_profile", [Profile(vanish_after=4.0, vanish_seconds=30.0)], ids=["vanishes"]
)
def test_a_call_that_list_calls_shows_again_is_waited_for_until_the_timeout(desk, way):
    desk.exchange.script(CONTACT, Script(rings=20, talks=3000))
    began = desk.clock()

    with pytest.raises(CallStillActive):
        waiting_task(desk, way, timeout=400).run()

    assert 400 <= desk.clock() - began < 430


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_next_try_only_waits_for_the_report_if_the_earlier_try_died_in_this_wait(desk):
    desk.exchange.script(CONTACT, Script.busy(8))
    desk.exchange.fault(
        Fault.BAD_GATEWAY, method="get.calls_report", times=6
    )  # the first one meets the wait for the end
    calling = waiting_task(desk, report_timeout=0)

    with pytest.raises(CallApiError):
        calling.run()
    before = len(desk.sent(but=()))
    result = calling.retry()

    assert desk.sent(but=())[before:][0] == "get.calls_report"
    assert "list.calls" not in desk.sent(but=())[before:]
    assert (result["answered"], desk.exchange.rings(CONTACT)) == (False, 1)


@ways
@pytest.mark.parametrize("external_id", [None, "order-7"])
def test_the_report_of_another_call_does_not_change_the_outcome(desk, way, external_id, monkeypatch):
    """A Data API that ignores the filter returns the reports of all calls."""
    monkeypatch.setattr(
        "airflow_provider_callapi.emulator.services.list_page.build_predicate", lambda *_: lambda row: True
    )
    other = "79160000077"
    desk.exchange.script(other, Script(rings=0, talks=20))
    desk.exchange.script(CONTACT, Script.busy(2))
    desk.start(other)
    desk.clock.advance(100)

    result = waiting_task(desk, way, tags=TAGS, external_id=external_id).run()

    (call,) = [call for call in desk.exchange.calls if call.contact == CONTACT]
    assert (result["call_session_id"], result["answered"]) == (call.call_session_id, False)
    assert result["finish_reason"] == call.finish_reason
    assert sorted(tags_set(desk)) == ["37", "38"]


@ways
def test_the_log_names_the_awaited_event_and_the_deadline_before_the_wait(desk, way, capsys):
    waiting_task(desk, way, timeout=600.0).run()

    (wait,) = [line for line in capsys.readouterr().out.splitlines() if "Waiting until call session" in line]
    assert re.search(r"session \d+ ends, at the latest until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", wait)


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_call_that_outlives_the_timeout_fails_and_a_retry_waits_again_without_dialling(desk, way):
    desk.exchange.script(CONTACT, Script(rings=0, talks=100))
    calling = waiting_task(desk, way, timeout=60)
    started = desk.clock()

    with pytest.raises(CallStillActive, match="does not dial"):
        calling.run()
    assert 60 <= desk.clock() - started <= 70
    result = calling.retry()

    assert (result["status"], result["answered"]) == ("ended", True)
    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_an_answer_does_not_extend_the_timeout_of_a_try(desk, way):
    desk.exchange.script(CONTACT, Script(rings=20, talks=None))
    started = desk.clock()

    with pytest.raises(CallStillActive, match=r"after timeout \(40 s\)"):
        waiting_task(desk, way, timeout=40, tags={"answered": 36}).run()

    assert tags_set(desk) == ["36"]
    assert 40 <= desk.clock() - started <= 50


TIME_IS_UP = AirflowTaskTimeout if installed_task_state() else CallApiFailure
"""Without task state (Airflow before 3.3), the error forbids retries, because they could dial."""


def test_execution_timeout_continues_during_a_deferral(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    calling = waiting_task(desk, "deferral", execution_timeout=timedelta(seconds=30))
    started = desk.clock()

    with pytest.raises(TIME_IS_UP, match="execution_timeout"):
        calling.run()

    assert 30 <= desk.clock() - started <= 40
    assert desk.exchange.active_calls, "without cancel_on_kill the call goes on"


def test_execution_timeout_counts_from_the_start_of_the_task_and_not_from_the_last_deferral(desk):
    """An answer ends the first deferral after 20 s; the second may last the remaining 20."""
    desk.exchange.script(CONTACT, Script(rings=20, talks=None))
    calling = waiting_task(desk, "deferral", execution_timeout=timedelta(seconds=40), tags={"answered": 36})
    started = desk.clock()

    with pytest.raises(TIME_IS_UP):
        calling.run()

    assert len(calling.deferrals) == 2
    assert 40 <= desk.clock() - started <= 50
    assert tags_set(desk) == ["36"]


def test_an_execution_timeout_releases_the_call_with_cancel_on_kill(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))

    with pytest.raises(TIME_IS_UP):
        waiting_task(desk, "deferral", execution_timeout=timedelta(seconds=30), cancel_on_kill=True).run()

    assert desk.exchange.active_calls == []


@pytest.mark.parametrize("durable", [True, False])
def test_airflows_own_timeout_in_the_worker_releases_the_call_with_cancel_on_kill(desk, durable, monkeypatch):
    """Without a journal, the error forbids a retry. Airflow then sees no timeout, and calls no on_kill."""
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    calling = waiting_task(desk, cancel_on_kill=True, durable=durable)
    keeps_journal = durable and calling.state is not None

    def time_out(seconds):
        raise AirflowTaskTimeout("Timeout, PID: 7")

    monkeypatch.setattr("airflow_provider_callapi.system_clock.sleep", time_out)
    with pytest.raises(AirflowTaskTimeout if keeps_journal else CallApiFailure):
        calling.run()
    if keeps_journal:
        calling.operator.on_kill()  # as Airflow does

    assert desk.exchange.active_calls == []


@pytest.mark.needs_airflow("3.3", "task state")
def test_an_observed_answer_is_kept_over_deferrals_without_the_data_api(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))
    calling = waiting_task(desk, "deferral", require_answer=True)

    result = calling.run()

    waits = [deferral.trigger.serialize()[1] for deferral in calling.deferrals]
    assert [(wait["until"], wait["call"]["answered"]) for wait in waits] == [
        ("answered", None),
        ("ended", True),
    ]
    assert result["answered"] is True


def test_a_deferral_stores_no_phone_number(desk):
    desk.exchange.script(CONTACT, Script(rings=3, talks=40))
    calling = waiting_task(desk, "deferral", tags=TAGS)

    calling.run()

    assert len(calling.deferrals) == 2
    for deferred, event in zip(calling.deferrals, calling.events, strict=True):
        assert CONTACT not in f"{deferred.trigger.serialize()} {deferred.kwargs} {event}"
        assert deferred.timeout is not None


def test_an_unreadable_event_raises_an_error_instead_of_finishing_the_call(desk):
    calling = waiting_task(desk, "deferral")
    for event in (None, {}, {"something": "else"}):
        with pytest.raises((CallApiTrouble, CallApiFailure)):
            calling.make().execute_complete(calling.context, event=event)


@pytest.mark.parametrize(
    "error", [AirflowNotFoundException("The conn_id isn't defined"), OSError("the API server restarts")]
)
def test_an_unreadable_connection_in_the_triggerer_for_some_seconds_loses_neither_outcome_nor_tags(
    desk, error
):
    desk.exchange.script(CONTACT, Script(rings=3, talks=100))
    desk.lose_connection(21, error)

    result = waiting_task(desk, "deferral", tags=TAGS).run()

    assert result["answered"] is True
    assert sorted(tags_set(desk)) == ["36", "38"]
    assert desk.exchange.rings(CONTACT) == 1
